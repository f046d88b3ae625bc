"""Windows from a labelled table: learn on labels that had ended before the first test date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riskflag.clock import NEVER, day_number
from riskflag.errors import InputError
from riskflag.progress import Progress, silent
from riskflag.signals import Catalogue
from riskflag.training.data.cohort import People
from riskflag.training.data.experiment import ExperimentConfig
from riskflag.training.data.families import families, grouped
from riskflag.training.data.inputs import choose_inputs
from riskflag.training.data.narrow import Values
from riskflag.training.data.outcome import Labels
from riskflag.training.data.past import narrow_values
from riskflag.training.data.prepare import Learning, Prepared, Window
from riskflag.training.data.rows import Bools, Contacts, Floats, Ints, Past, Rows
from riskflag.training.data.sample import sample
from riskflag.training.data.split import Split
from riskflag.training.data.table import LabelTable, period_days, read_labels


def prepare_table(
    history: Past,
    config: ExperimentConfig,
    catalogue: Catalogue,
    root: Path,
    progress: Progress = silent,
) -> Prepared:
    """Build the windows from the table that the experiment names, a path from `root`.

    Later rows than `test_from` judge. Of the earlier ones those count whose label had ended before
    the first test date; a share of their families is kept back to calibrate with, and the last
    date finds the number of trees. Rows that are only learnt from do none of this.

    Raises InputError for a bad table or too few outcomes.
    """
    labels = read_labels(root / str(config.outcome.table), config)
    people = People.of(history)
    table = in_order(labels, people)
    rows, outcomes, ends = table.rows, table.outcomes, table.ends
    kin = families(history, people.ids)
    if labels.family is not None:
        kin = grouped(people.ids, labels.person, labels.family)
    parts = Parts.of(table, kin[rows.person], config)
    inputs = choose_inputs(catalogue.signals, config.outcome.types)

    def values(some: Rows) -> Values:
        return narrow_values(history, some, inputs.signals, progress)

    learning = rows.take(parts.train)
    happened = outcomes.take(parts.train)
    if happened.happened.sum() < 2:
        raise InputError(f"{labels.name}: the rows to learn from hold no outcome.")
    chosen, weights = sample(learning, happened, most=config.model.max_rows, seed=config.model.seed)
    kept = learning.take(chosen)
    train = Learning(kept, happened.take(chosen), weights, values(kept))
    stages = [part[parts.train][chosen] for part in (parts.fitting, parts.stopping)]
    return Prepared(
        parts.split(rows, ends),
        inputs,
        train,
        _judged(rows, outcomes, parts.calibration, values),
        _judged(rows, outcomes, parts.test, values),
        people,
        Contacts.of(history, people.ids),
        len(learning),
        int(happened.happened.sum()),
        families=kin,
        stages=(stages[0], stages[1]),
        horizon=period_days(labels),
        ends_known=ends[parts.train][chosen] + 1,
        asked=table.asked[parts.train][chosen],
    )


@dataclass(frozen=True)
class Ordered:
    """A table's rows by as-of and person, their labels, the ends of these, and which are asked."""

    rows: Rows
    outcomes: Labels
    ends: Ints
    asked: Bools


def in_order(labels: LabelTable, people: People) -> Ordered:
    """The table's rows in the order of as-of and person."""
    place = {person: position for position, person in enumerate(people.ids)}
    person = np.array([place.get(one, -1) for one in labels.person], dtype=np.int64)
    absent = np.flatnonzero(person < 0)
    if len(absent):
        raise InputError(
            f"{labels.name} row {labels.number[absent[0]]}: this person is not in the history "
            f"({len(absent)} such rows); ingest their records or leave the rows out."
        )
    order = np.lexsort((person, labels.as_of))
    ends = labels.label_end[order]
    happened = labels.label[order]
    # The table says whether, not when: the end of the label is the latest it can have been.
    outcomes = Labels(happened, ends)
    rows = Rows(people.ids, person[order], labels.as_of[order])
    return Ordered(rows, outcomes, ends, labels.asked[order])


@dataclass(frozen=True)
class Parts:
    """Which rows serve what (bool [n] each); `fitting` and `stopping` are parts of `train`."""

    train: Bools
    fitting: Bools
    stopping: Bools
    calibration: Bools
    test: Bools

    @classmethod
    def of(cls, table: Ordered, family: Ints, config: ExperimentConfig) -> Parts:
        """Cut by date and family; raises InputError when nothing is left to learn or judge."""
        windows = config.windows
        if windows.test_from is None:
            raise InputError("An outcome from a table needs `test_from` in [windows].")
        rows, ends = table.rows, table.ends
        test = table.asked & (rows.as_of >= day_number(windows.test_from))
        if windows.test_until is not None:
            test &= rows.as_of < day_number(windows.test_until)
        if not test.any():
            raise InputError(
                "No row of the table lies on or after `test_from` and before `test_until`; "
                "check the dates."
            )
        over = ~test & (ends < rows.as_of[test].min())
        drawn = np.random.default_rng(config.model.seed).random(int(family.max()) + 1)[family]
        kept_back = drawn < windows.calibration_share
        calibration, train = over & kept_back & table.asked, over & ~kept_back
        if not (train & table.asked).any() or not calibration.any():
            raise InputError("No label had ended before the first test date; bring earlier rows.")
        stopping = _latest(rows, train & table.asked, drawn)
        return cls(train, _before(table, train, stopping), stopping, calibration, test)

    def split(self, rows: Rows, ends: Ints) -> Split:
        """The same as as-of dates."""
        train, calibration, test = (
            tuple(int(day) for day in np.unique(rows.as_of[part]))
            for part in (self.train, self.calibration, self.test)
        )
        return Split(train, calibration, test, (), (), int(ends.max()) + 1)


def _latest(rows: Rows, train: Bools, drawn: Floats) -> Bools:
    """Rows that find the number of trees: of the last date, or of some families when it is one.

    Trees that serve a later time best are fewer than trees that serve the same time best.
    """
    days = np.unique(rows.as_of[train])
    return train & (rows.as_of == days[-1] if len(days) > 1 else drawn > 0.8)


def _before(table: Ordered, train: Bools, stopping: Bools) -> Bools:
    """Rows to grow trees on while their number is sought.

    A row that is only learnt from may be of somebody whose very label finds the number: it counts
    when its label had ended before any of those.
    """
    ended: Bools = table.ends < table.ends[stopping].min(initial=NEVER)
    return train & ~stopping & (table.asked | ended)


def _judged(rows: Rows, labels: Labels, part: Bools, values: Callable[[Rows], Values]) -> Window:
    mine, came = rows.take(part), labels.take(part)
    if came.happened.sum() < 2:
        raise InputError("Too few outcomes in the table's later rows to calibrate or check on.")
    return Window(mine, came, np.ones(len(mine)), values(mine))
