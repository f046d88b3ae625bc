"""From a history to matrices: rows, labels and signal values of each window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from riskflag.errors import InputError
from riskflag.progress import Progress, silent
from riskflag.signals import Catalogue
from riskflag.training.data.cohort import People, build_rows
from riskflag.training.data.experiment import ExperimentConfig
from riskflag.training.data.families import families
from riskflag.training.data.inputs import Inputs, choose_inputs
from riskflag.training.data.narrow import Values
from riskflag.training.data.outcome import Labels, label
from riskflag.training.data.past import last_known, narrow_values
from riskflag.training.data.rows import Bools, Contacts, Floats, Ints, Past, Rows
from riskflag.training.data.sample import Sample, weights
from riskflag.training.data.split import Split, split

#: A calibration or test window with more rows than this is judged on a share of its children.
MOST_JUDGED = 600_000
#: The share of contacts before which history counts as not yet begun (stray early dates).
STRAY = 0.01


@dataclass(frozen=True)
class Learning:
    """Rows to learn from with their labels, weights [n] and signal values [n, k].

    Values are as computed: unknown is NaN and "never" is infinity.
    """

    rows: Rows
    labels: Labels
    weights: Floats
    values: Values

    def between(self, as_ofs: Sequence[int]) -> Bools:
        """Which rows belong to these as-of dates (bool [n])."""
        return np.isin(self.rows.as_of, np.array(as_ofs, dtype=np.int64))

    def some(self, most: int) -> Learning:
        """At most so many of the rows, evenly spread over the months.

        Those with the outcome stay, as far as they fit half of the room; the weights stand for the
        ones that are left out.
        """
        if len(self.rows) <= most:
            return self
        came, without = (np.flatnonzero(self.labels.happened == which) for which in (True, False))
        kept = _evenly(came, max(most // 2, most - len(without)))
        others = _evenly(without, most - len(kept))
        at = np.sort(np.concatenate([kept, others]))
        stands = [len(of) / max(len(some), 1) for of, some in ((without, others), (came, kept))]
        labels = self.labels.take(at)
        weights = self.weights[at] * np.array(stands)[labels.happened.astype(np.int64)]
        return Learning(self.rows.take(at), labels, weights, self.values[at])


def _evenly(places: Ints, most: int) -> Ints:
    if len(places) <= most:
        return places
    return places[np.linspace(0, len(places) - 1, most).astype(np.int64)]


@dataclass(frozen=True)
class Window(Learning):
    """Rows to judge by; `share` is the share of all children that the window holds."""

    share: float = 1.0


@dataclass(frozen=True)
class Prepared:
    """All that training needs, and nothing by which a person could be named but `rows.ids`."""

    split: Split
    inputs: Inputs
    train: Learning
    calibration: Window
    test: Window
    people: People
    contacts: Contacts
    train_rows: int
    train_outcomes: int
    #: The family of each of `rows.ids`: who is drawn together for intervals.
    families: Ints | None = None
    #: Which training rows find the number of trees, where the split's dates do not say.
    stages: tuple[Bools, Bools] | None = None
    #: The longest time to the end of a label, in days, where the config's horizon does not say.
    horizon: int | None = None
    #: The first day on which the label of each training row was known for good.
    ends_known: Ints | None = None
    #: Which training rows are such as are judged; the others are only learnt from.
    asked: Bools | None = None

    @property
    def ends(self) -> Ints:
        """When each training row's label was known for good (day numbers [n])."""
        if self.ends_known is None:
            raise ValueError("it was not told when the labels ended")
        return self.ends_known

    @property
    def fitting(self) -> Bools:
        """The training rows on which trees are grown while their number is sought."""
        if self.stages is not None:
            return self.stages[0]
        return self.train.between(self.split.fitting)

    @property
    def stopping(self) -> Bools:
        """The training rows that tell when further trees no longer help."""
        if self.stages is not None:
            return self.stages[1]
        return self.train.between(self.split.stopping)

    @property
    def learnt_alike(self) -> Learning:
        """Those training rows that are such as are judged, so that levels can be compared."""
        train = self.train
        if self.asked is None:
            return train
        return Learning(
            train.rows.take(self.asked),
            train.labels.take(self.asked),
            train.weights[self.asked],
            train.values[self.asked],
        )

    @property
    def test_families(self) -> Ints:
        """The family of each test row; without relationships every person is their own."""
        person = self.test.rows.person
        return person if self.families is None else self.families[person]


@dataclass(frozen=True)
class _Source:
    """The history with what is read from it once."""

    history: Past
    config: ExperimentConfig
    inputs: Inputs
    people: People
    outcomes: Contacts
    plans: Contacts
    progress: Progress

    def rows(self, as_ofs: Sequence[int], cut: int) -> tuple[Rows, Labels]:
        rows = build_rows(self.people, self.plans, as_ofs, self.config.cohort.under_age)
        horizon = self.config.outcome.horizon_days
        return rows, label(rows, self.outcomes, horizon=horizon, cut=cut)

    def values(self, rows: Rows) -> Values:
        return narrow_values(self.history, rows, self.inputs.signals, self.progress)


def prepare(
    history: Past,
    config: ExperimentConfig,
    catalogue: Catalogue,
    progress: Progress = silent,
) -> Prepared:
    """Build the windows; raises InputError when there is too little history or no outcome."""
    people = People.of(history)
    everything = Contacts.of(history, people.ids)
    if not len(everything.occurred):
        raise InputError("The history holds no contacts of children; run `riskflag ingest` first.")
    source = _Source(
        history,
        config,
        choose_inputs(catalogue.signals, config.outcome.types),
        people,
        Contacts.of(history, people.ids, config.outcome.types),
        Contacts.of(history, people.ids, config.outcome.not_while),
        progress,
    )
    windows = split(config, first=_first_day(everything), cut=_cut(history, config))
    return _assemble(source, windows, everything)


def _assemble(source: _Source, windows: Split, everything: Contacts) -> Prepared:
    seed, cut = source.config.model.seed, windows.cut
    train, total, came = _learning(source, windows)
    return Prepared(
        windows,
        source.inputs,
        train,
        _judged(source, windows.calibration, cut, seed),
        _judged(source, windows.test, cut, seed),
        source.people,
        everything,
        total,
        came,
        families=families(source.history, source.people.ids),
        ends_known=train.rows.as_of + source.config.outcome.horizon_days,
    )


def _learning(source: _Source, windows: Split) -> tuple[Learning, int, int]:
    """What is learnt from, and of how many rows and outcomes; one as-of date is held at a time."""
    dates, model = [(day,) for day in windows.train], source.config.model
    total = came = 0
    for number, day in enumerate(dates):
        rows, labels = source.rows(day, windows.cut)
        total, came = total + len(rows), came + int(labels.happened.sum())
        source.progress("counting rows", number + 1, len(dates))
    if came < 2:
        raise InputError("No outcome was recorded in the training months; check outcome types.")
    chosen = Sample.of(source.people.ids, total, came, most=model.max_rows, seed=model.seed)
    kept: list[tuple[Rows, Labels]] = []
    for number, day in enumerate(dates):
        rows, labels = source.rows(day, windows.cut)
        places = chosen.positions(rows, labels)
        kept.append((rows.take(places), labels.take(places)))
        source.progress("choosing rows", number + 1, len(dates))
    rows = Rows.together([rows for rows, _ in kept])
    labels = Labels.together([labels for _, labels in kept])
    told = weights(labels.happened, total - came)
    return Learning(rows, labels, told, source.values(rows)), total, came


def _judged(source: _Source, as_ofs: Sequence[int], cut: int, seed: int) -> Window:
    """A window in which every row counts alike; very large ones keep a share of the children."""
    rows, labels = source.rows(as_ofs, cut)
    share = min(1.0, MOST_JUDGED / max(len(rows), 1))
    if share < 1:
        children = np.random.default_rng(seed).random(len(rows.ids)) < share
        kept = np.flatnonzero(children[rows.person])
        rows, labels = rows.take(kept), labels.take(kept)
    if labels.happened.sum() < 2:
        raise InputError("Too few outcomes in the later months to calibrate or check on them.")
    return Window(rows, labels, np.ones(len(rows)), source.values(rows), share)


def _first_day(contacts: Contacts) -> int:
    return int(np.quantile(contacts.occurred, STRAY, method="lower"))


def _cut(history: Past, config: ExperimentConfig) -> int:
    """The day the data was cut: the one given, or the day after the last delivery."""
    if config.windows.cut is not None:
        from riskflag.clock import day_number

        return day_number(config.windows.cut)
    return last_known(history) + 1
