"""One child on many days: what the signals, rules and model say as of each day, in one pass.

Every day is worked out by the clock's own rule, so nothing that became known later can enter. Days
are rows here where a night has children: the kernel, the rules and the model are the night's own.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riskflag.clock import NEVER
from riskflag.history.arrays import numbers
from riskflag.history.feed_course import FeedCourse
from riskflag.history.persons import adult_from, children_on
from riskflag.history.view import History
from riskflag.progress import silent
from riskflag.scoring.flags import UNKNOWN, YES
from riskflag.scoring.reasons import ModelReason, group_by_theme, raising, strength_of

if TYPE_CHECKING:
    from riskflag.scoring.bundle import Bundle
    from riskflag.scoring.contributions import Contributions
    from riskflag.scoring.model import Model
    from riskflag.scoring.rulebook import Rulebook
    from riskflag.scoring.rules import RuleResults
    from riskflag.signals.catalogue import Catalogue
    from riskflag.signals.define import Signal

Days = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SLIGHT = "slight"
_NUMBERS = re.compile(r"^(split_feature|threshold)=(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Rows:
    """A table of signals whose rows are days: values and completeness, both [days, signals]."""

    names: tuple[str, ...]
    values: Floats
    complete: Bools

    @cached_property
    def masked(self) -> Floats:
        """The values, NaN where a needed feed was not available."""
        return np.where(self.complete, self.values, np.nan)


@dataclass(frozen=True)
class Replay:
    """A child as of each of n consecutive days (day numbers, ascending).

    `counts` tells on which days the child was among those a night would assess; nothing is said of
    the others. `over` is whether the model's line was reached, all false without a model.
    """

    person_id: str
    days: Days
    counts: Bools
    feeds: FeedCourse
    table: Rows
    results: RuleResults
    over: Bools
    said: Said | None

    def fired(self, rule: int) -> Bools:
        """On which days a rule said yes."""
        yes: Bools = (self.results.outcome[:, rule] == YES) & self.counts
        return yes

    def undecided(self, rule: int) -> Bools:
        """On which days a rule could not be decided because a feed it needs was missing."""
        names = self.results.rulebook.rules[rule].signals
        partial = np.zeros(len(self.days), dtype=np.bool_)
        for name in names:
            partial |= ~self.results.complete[name]
        found: Bools = (self.results.outcome[:, rule] == UNKNOWN) & partial & self.counts
        return found

    def reason(self, row: int, theme: str) -> ModelReason:
        """A theme that raised the score on a day on which the model's line was reached."""
        if self.said is None:
            raise ValueError("no model was asked")
        return self.said.reason(row, theme)


@dataclass(frozen=True)
class Said:
    """What the model says on the days (`rows`) on which its line was reached.

    Contributions cost about a millisecond each, and are the same for days that fall on the same
    side of every split of every tree: each such kind of day is asked about once. `kind` has, for
    each of `rows`, which row of `parts` is its own.
    """

    bundle: Bundle
    rows: NDArray[np.intp]
    kind: NDArray[np.intp]
    parts: Contributions
    values: Floats
    told: dict[int, dict[str, ModelReason]] = field(default_factory=dict)

    @classmethod
    def on(cls, bundle: Bundle, table: Rows, rows: NDArray[np.intp]) -> Said:
        """Ask the model about some rows of a table."""
        model = bundle.model
        place = [table.names.index(name) for name in model.names]
        values = table.masked[np.ix_(rows, np.array(place))]
        matrix = model.matrix(values, model.names)
        first, kind = alike(sides(model, matrix))
        parts = model.contributions(matrix[first], model.names)
        return cls(bundle, rows, kind, parts, values)

    def themes(self, days: int) -> dict[str, Bools]:
        """For each theme, on which of `days` rows it would have been a reason (bool [days])."""
        found: dict[str, Bools] = {}
        reasons = _reasons_of(self.parts, self.bundle.themes)
        for kind in range(len(self.parts.raw)):
            for theme in reasons[kind]:
                held = found.setdefault(theme, np.zeros(days, np.bool_))
                held[self.rows[self.kind == kind]] = True
        return dict(sorted(found.items()))

    def reason(self, row: int, theme: str) -> ModelReason:
        """A theme that raised the score on one of `rows`."""
        place = int(np.searchsorted(self.rows, row))
        if row not in self.told:
            contributions = self.parts.row(int(self.kind[place]))
            used = dict(zip(self.parts.names, self.values[place].tolist(), strict=True))
            found = group_by_theme(used, contributions, self.bundle.themes)
            self.told[row] = {one.theme: one for one in raising(found)}
        return self.told[row][theme]


def _reasons_of(parts: Contributions, themes: Mapping[str, str]) -> list[list[str]]:
    """The themes that would be reasons in each row: raising, not slight (see scoring.reasons)."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(parts.names):
        places.setdefault(themes[name], []).append(place)
    # Theme after theme: a few sums of many rows cost less than many small tables.
    totals = np.array(
        [[math.fsum(row) for row in parts.values[:, of].tolist()] for of in places.values()]
    )
    found = []
    for row in totals.T.tolist():
        push = math.fsum(total for total in row if total > 0)
        raised = [(theme, total) for theme, total in zip(places, row, strict=True) if total > 0]
        found.append([theme for theme, total in raised if strength_of(total / push) != SLIGHT])
    return found


def replay(
    history: History,
    person_id: str,
    days: Days,
    *,
    catalogue: Catalogue,
    rulebook: Rulebook,
    bundle: Bundle | None,
) -> Replay:
    """Assess one person as of every day of `days` (consecutive, ascending)."""
    from riskflag.scoring.rules import evaluate

    feeds = _feeds(history.coverage, catalogue.signals)
    table = _table(history, person_id, days, catalogue.signals, feeds)
    counts = counted(history, person_id, days)
    over = _over(bundle, table, counts)
    return Replay(
        person_id,
        days,
        counts,
        feeds.course,
        table,
        evaluate(rulebook, table),
        over,
        None if bundle is None else Said.on(bundle, table, np.flatnonzero(over)),
    )


def counted(history: History, person_id: str, days: Days) -> Bools:
    """On which days the person was a child known to the authority (bool [n])."""
    turns = {int(days[0])}
    person = history.persons.filter(pa.compute.equal(history.persons["person_id"], person_id))
    births = numbers(person["birth_day"], NEVER)
    turns |= set(adult_from(births[births != NEVER]).tolist())
    turns |= _days_after(person, "known_day", "superseded_day", "death_day")
    # Contacts tell only where a person row, or a date of birth, is missing.
    told = numbers(person["known_day"], NEVER)
    until = int(told.min()) if len(told) and (births != NEVER).all() else NEVER
    own = history.contacts.filter(pa.compute.equal(history.contacts["person_id"], person_id))
    turns |= {day for day in _days_after(own, "known_day", "superseded_day") if day <= until + 1}
    edges = sorted(day for day in turns if days[0] <= day <= days[-1])
    tables = history.contacts, history.persons, history.relationships
    people, child = children_on(*tables, np.array(edges))
    said = child[pa.compute.equal(people, person_id).to_numpy(zero_copy_only=False)].any(axis=0)
    found: Bools = said[np.searchsorted(edges, days, side="right") - 1]
    return found


def _days_after(table: pa.Table, *names: str) -> set[int]:
    """The days after those in some columns."""
    return {day + 1 for name in names for day in numbers(table[name], NEVER).tolist()}


@dataclass(frozen=True)
class _Feeds:
    """The course of some feeds, and which signals they said enough for: the same for all people.

    `complete` has that by the feeds that were lost, as far as it was asked.
    """

    coverage: pa.Table
    signals: tuple[Signal, ...]
    course: FeedCourse
    complete: dict[tuple[str, ...], Bools] = field(default_factory=dict)


#: The feeds that were asked about last: of a publication and of what is kept beside it.
_LAST: list[_Feeds] = []


def _feeds(coverage: pa.Table, signals: tuple[Signal, ...]) -> _Feeds:
    """The course of these feeds, worked out once while the same table is asked about."""
    for held in _LAST:
        if held.coverage is coverage and held.signals == signals:
            return held
    found = _Feeds(coverage, signals, FeedCourse.of(coverage))
    _LAST[:] = [found, *_LAST[:3]]
    return found


def _table(
    history: History, person_id: str, days: Days, signals: tuple[Signal, ...], feeds: _Feeds
) -> Rows:
    from riskflag.signals.asked import every_day
    from riskflag.signals.build import completeness
    from riskflag.signals.fast import Kernel

    asked = every_day([person_id], days)
    values = Kernel(threads=1).values(history, signals, asked, silent)
    complete = np.empty(values.shape, np.bool_)
    known = feeds.complete
    turns = [*feeds.course.turns(int(days[0]), int(days[-1])), int(days[-1]) + 1]
    for first, after in itertools.pairwise(turns):
        states = feeds.course.at(first)
        lost = tuple(feed.source for feed in states if not feed.usable)
        if lost not in known:
            known[lost] = completeness(states, signals)
        complete[first - days[0] : after - days[0]] = known[lost]
    return Rows(tuple(signal.name for signal in signals), values, complete)


def _over(bundle: Bundle | None, table: Rows, counts: Bools) -> Bools:
    """The days on which the model's line was reached."""
    if bundle is None:
        return np.zeros(len(counts), np.bool_)
    # One thread: many may be looking back at once, each with work for a few milliseconds.
    raw = bundle.model.raw(table.masked, table.names, threads=1)
    return (raw >= float(bundle.thresholds["raw"])) & counts


def sides(model: Model, matrix: Floats) -> NDArray[np.int32]:
    """Between which of the model's thresholds each value lies (int32 [n, k]); -1 for unknown."""
    found = np.zeros(matrix.shape, np.int32)
    for column, thresholds in _thresholds(model.text).items():
        # A value goes left when it is at most the threshold.
        found[:, column] = np.searchsorted(thresholds, matrix[:, column], side="left")
    found[np.isnan(matrix)] = -1
    return found


@lru_cache(maxsize=4)
def _thresholds(text: str) -> dict[int, Floats]:
    """Where a model splits each of its columns, ascending, from its own text."""
    split: dict[int, set[float]] = {}
    features: list[int] = []
    for name, told_ in _NUMBERS.findall(text):
        if name == "split_feature":
            features = [int(one) for one in told_.split()]
        else:
            for column, threshold in zip(features, told_.split(), strict=True):
                split.setdefault(column, set()).add(float(threshold))
    return {column: np.array(sorted(found)) for column, found in split.items()}


def alike(rows: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first row of each kind of equal rows, and for each row the number of its kind."""
    other = np.ones(len(rows), np.bool_)
    other[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    # One day is mostly like the day before: only where runs of days begin is there much to compare.
    begin = np.flatnonzero(other)
    _, first, kind = np.unique(rows[begin], axis=0, return_index=True, return_inverse=True)
    return begin[first], kind.reshape(-1)[np.cumsum(other) - 1]
