"""From a history to matrices: rows, labels and signal values of each window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskflag.errors import InputError
from riskflag.history.view import History
from riskflag.progress import Progress, silent
from riskflag.signals import Catalogue, Signal
from riskflag.training.cohort import People, build_rows
from riskflag.training.experiment import ExperimentConfig
from riskflag.training.families import families
from riskflag.training.inputs import Inputs, choose_inputs
from riskflag.training.outcome import Labels, label
from riskflag.training.rows import Bools, Contacts, Ints, Rows, integers
from riskflag.training.sample import sample
from riskflag.training.split import Split, split

Floats = NDArray[np.float64]

#: A calibration or test window with more rows than this is judged on a share of its children.
MOST_JUDGED = 600_000
#: The share of contacts before which history counts as not yet begun (stray early dates).
STRAY = 0.01


@dataclass(frozen=True)
class Window:
    """Rows of one window with their labels, weights [n] and signal values (float64 [n, k]).

    Values are as computed: unknown is NaN and "never" is infinity. `share` is the share of all
    children that the window holds.
    """

    rows: Rows
    labels: Labels
    weights: Floats
    values: Floats
    share: float = 1.0

    def between(self, as_ofs: Sequence[int]) -> Bools:
        """Which rows belong to these as-of dates (bool [n])."""
        return np.isin(self.rows.as_of, np.array(as_ofs, dtype=np.int64))


@dataclass(frozen=True)
class Prepared:
    """All that training needs, and nothing by which a person could be named but `rows.ids`."""

    split: Split
    inputs: Inputs
    train: Window
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
    def learnt_alike(self) -> Window:
        """Those training rows that are such as are judged, so that levels can be compared."""
        train = self.train
        if self.asked is None:
            return train
        return Window(
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

    history: History
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

    def values(self, rows: Rows) -> Floats:
        return signal_values(self.history, rows, self.inputs.signals, self.progress)


def prepare(
    history: History,
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
    rows, labels = source.rows(windows.train, cut)
    if labels.happened.sum() < 2:
        raise InputError("No outcome was recorded in the training months; check outcome types.")
    chosen, weights = sample(labels, source.config.model.max_rows, seed)
    kept = rows.take(chosen)
    train = Window(kept, labels.take(chosen), weights, source.values(kept))
    return Prepared(
        windows,
        source.inputs,
        train,
        _judged(source, windows.calibration, cut, seed),
        _judged(source, windows.test, cut, seed),
        source.people,
        everything,
        len(rows),
        int(labels.happened.sum()),
        families=families(source.history, source.people.ids),
        ends_known=kept.as_of + source.config.outcome.horizon_days,
    )


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


def signal_values(
    history: History, rows: Rows, signals: Sequence[Signal], progress: Progress = silent
) -> Floats:
    """The values of signals for rows (float64 [n, k]), unknown as NaN."""
    from riskflag.signals.build import build

    frame = build(history, rows.frame(), signals=list(signals), progress=progress)
    values: Floats = frame[[signal.name for signal in signals]].to_numpy(dtype=np.float64)
    return values


def _first_day(contacts: Contacts) -> int:
    return int(np.quantile(contacts.occurred, STRAY, method="lower"))


def _cut(history: History, config: ExperimentConfig) -> int:
    """The day the data was cut: the one given, or the day after the last delivery."""
    if config.windows.cut is not None:
        from riskflag.clock import day_number

        return day_number(config.windows.cut)
    return int(integers(history.contacts["known_day"]).max()) + 1
