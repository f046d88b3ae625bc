"""One child on many days: what the signals, rules and model say as of each day, in one pass.

Every day is worked out by the clock's own rule, so nothing that became known later can enter. Days
are rows here where a night has children: the kernel, the rules and the model are the night's own.
Rules and model are asked about one day of each kind (riskflag.nightly.lookback_kinds).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskflag.clock import NEVER
from riskflag.history.arrays import numbers
from riskflag.history.store.feed_course import FeedCourse
from riskflag.history.store.persons import adult_from, children_on
from riskflag.history.store.view import History
from riskflag.nightly.lookback_kinds import Cuts
from riskflag.progress import silent
from riskflag.scoring.flags import UNKNOWN, YES
from riskflag.scoring.reasons import LEAST, ModelReason, part_of, reason_of

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


@dataclass(frozen=True)
class Rows:
    """A table of signals whose rows are days: values and completeness, both [days, signals]."""

    names: tuple[str, ...]
    values: Floats
    complete: Bools

    @cached_property
    def column(self) -> dict[str, int]:
        """The place of each signal."""
        return {name: place for place, name in enumerate(self.names)}

    def rows(self, chosen: NDArray[np.intp]) -> Rows:
        """Some of the rows."""
        return Rows(self.names, self.values[chosen], self.complete[chosen])

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
        yes: Bools = self._said_yes[rule]
        return yes

    @cached_property
    def _said_yes(self) -> Bools:
        return self._outcome(YES)

    @cached_property
    def _unknown(self) -> Bools:
        return self._outcome(UNKNOWN)

    def _outcome(self, wanted: int) -> Bools:
        """On which days each rule came out like this (bool [rules, n])."""
        found: Bools = np.ascontiguousarray((self.results.outcome == wanted).T) & self.counts
        return found

    def undecided(self, rule: int) -> Bools:
        """On which days a rule could not be decided because a feed it needs was missing."""
        found: Bools = self._unknown[rule]
        if found.any():
            whole = [self.results.complete[n] for n in self.results.rulebook.rules[rule].signals]
            found = found & ~np.logical_and.reduce(whole)
        return found

    def reason(self, row: int, theme: str) -> ModelReason:
        """A theme that raised the score on a day on which the model's line was reached."""
        if self.said is None:
            raise ValueError("no model was asked")
        return self.said.reason(row, theme)


@dataclass(frozen=True)
class Said:
    """What the model says on the days (`rows`) on which its line was reached.

    `kind` has, for each of `rows`, which row of `parts` is its own: contributions cost much, and
    are the same for all days that the model does not tell apart.
    """

    bundle: Bundle
    table: Rows
    rows: NDArray[np.intp]
    kind: NDArray[np.intp]
    parts: Contributions

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """The columns of `parts` by theme."""
        found: dict[str, list[int]] = {}
        for place, name in enumerate(self.parts.names):
            found.setdefault(self.bundle.themes[name], []).append(place)
        return found

    @cached_property
    def _totals(self) -> list[dict[str, float]]:
        """For each kind, what each theme that raised the score added to it."""
        # Theme after theme: a few sums of many rows cost less than many small tables.
        totals = [
            [math.fsum(row) for row in self.parts.values[:, of].tolist()]
            for of in self._places.values()
        ]
        return [
            {theme: total for theme, total in zip(self._places, row, strict=True) if total > 0}
            for row in zip(*totals, strict=True)
        ]

    def themes(self, days: int) -> dict[str, Bools]:
        """For each theme, on which of `days` rows it would have been a reason (bool [days]).

        A reason raises the score, and not slightly (see riskflag.scoring.reasons).
        """
        kinds: dict[str, list[int]] = {}
        for kind, totals in enumerate(self._totals):
            push = math.fsum(totals.values())
            for theme, total in totals.items():
                if total / push >= LEAST:
                    kinds.setdefault(theme, []).append(kind)
        found: dict[str, Bools] = {}
        for theme, told in sorted(kinds.items()):
            of_kinds = np.zeros(len(self._totals), np.bool_)
            of_kinds[told] = True
            found[theme] = np.zeros(days, np.bool_)
            found[theme][self.rows] = of_kinds[self.kind]
        return found

    def reason(self, row: int, theme: str) -> ModelReason:
        """A theme that raised the score on one of `rows`."""
        kind = int(self.kind[np.searchsorted(self.rows, row)])
        totals, places = self._totals[kind], self._places[theme]
        values = self.table.rows(np.array([row])).masked[0]
        column = self.table.column
        parts = [
            part_of(name, float(values[column[name]]), float(self.parts.values[kind, place]))
            for place in places
            for name in [self.parts.names[place]]
        ]
        return reason_of(theme, parts, total=totals[theme], push=math.fsum(totals.values()))


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
    model = None if bundle is None else bundle.model
    asked = {*rulebook.signals, *(() if model is None else model.names)}
    signals = tuple(signal for signal in catalogue.signals if signal.name in asked)
    feeds = _feeds(history.coverage, signals)
    table = _table(history, person_id, days, signals, feeds)
    counts = counted(history, person_id, days)
    first, kind = cuts_of(table.names, rulebook, model).kinds(table.values, table.complete)
    over, said = _said(bundle, table, (first, kind), counts)
    results = results_on(rulebook, table, first, kind)
    return Replay(person_id, days, counts, feeds.course, table, results, over, said)


def results_on(
    rulebook: Rulebook, table: Rows, first: NDArray[np.intp], kind: NDArray[np.intp]
) -> RuleResults:
    """What every rule says on each day, decided on the first day of each kind."""
    from riskflag.scoring.rules import evaluate

    decided = evaluate(rulebook, table.rows(first))
    column = {name: table.column[name] for name in rulebook.signals}
    # Whole rows at once: days are many, and the comparisons of one rule few.
    leaves = np.concatenate(decided.leaves, axis=1).take(kind, axis=0)
    ends = np.cumsum([leaf.shape[1] for leaf in decided.leaves])
    return replace(
        decided,
        outcome=decided.outcome.take(kind, axis=0),
        leaves=tuple(np.split(leaves, ends[:-1], axis=1)),
        values={name: table.values[:, place] for name, place in column.items()},
        complete={name: table.complete[:, place] for name, place in column.items()},
    )


def _said(
    bundle: Bundle | None,
    table: Rows,
    kinds: tuple[NDArray[np.intp], NDArray[np.intp]],
    counts: Bools,
) -> tuple[Bools, Said | None]:
    """The days on which the model's line was reached, and what it says on them."""
    if bundle is None:
        return np.zeros(len(counts), np.bool_), None
    (first, kind), model = kinds, bundle.model
    values = model.matrix(table.rows(first).masked, table.names)
    # One thread: many may be looking back at once, each with work for a few milliseconds.
    raw = model.raw(values, model.names, threads=1)
    over = (raw >= float(bundle.thresholds["raw"]))[kind] & counts
    rows = np.flatnonzero(over)
    used, place = np.unique(kind[rows], return_inverse=True)
    # Kinds that only rules tell apart have the same contributions.
    some = table.rows(first[used])
    one_of, alike = cuts_of(table.names, None, model).kinds(some.values, some.complete)
    used, place = used[one_of], alike[place]
    parts = model.contributions(values[used], model.names, raw=raw[used])
    return over, Said(bundle, table, rows, place, parts)


#: The cuts that were asked for last, with the rules and the model they are of.
_CUTS: list[tuple[tuple[str, ...], Rulebook | None, Model | None, Cuts]] = []


def cuts_of(names: tuple[str, ...], rulebook: Rulebook | None, model: Model | None) -> Cuts:
    """The cuts of rules and a model, put together once while the same ones are asked about."""
    for held, rules, trees, cuts in _CUTS:
        if rules is rulebook and trees is model and held == names:
            return cuts
    found = Cuts.of(names, rulebook, model)
    _CUTS[:] = [(names, rulebook, model, found), *_CUTS[:3]]
    return found


def counted(history: History, person_id: str, days: Days) -> Bools:
    """On which days the person was a child known to the authority (bool [n])."""
    person = only(history.persons, pc.equal(history.persons["person_id"], person_id))
    births = numbers(person["birth_day"], NEVER)
    turns = [days[:1], adult_from(births[births != NEVER])]
    turns += _days_after(person, "known_day", "superseded_day", "death_day")
    # Contacts tell only where a person row, or a date of birth, is missing.
    told = numbers(person["known_day"], NEVER)
    until = int(told.min()) if len(told) and (births != NEVER).all() else NEVER
    own = only(history.contacts, pc.equal(history.contacts["person_id"], person_id))
    turns += [some[some <= until + 1] for some in _days_after(own, "known_day", "superseded_day")]
    every = np.unique(np.concatenate(turns))
    edges = every[(days[0] <= every) & (every <= days[-1])]
    # Of others' links it matters only who names this person as an adult.
    links = history.relationships
    naming = only(links, pc.equal(links["related_id"], person_id))
    people, child = children_on(own, person, naming, edges)
    said = child[pc.equal(people, person_id).to_numpy(zero_copy_only=False)].any(axis=0)
    found: Bools = said[np.searchsorted(edges, days, side="right") - 1]
    return found


def only(table: pa.Table, wanted: pa.ChunkedArray) -> pa.Table:
    """Some rows of a table; where that is all of them, the table itself, which costs nothing."""
    every = not wanted.null_count and pc.all(wanted, min_count=0).as_py()
    return table if every else table.filter(wanted)


def _days_after(table: pa.Table, *names: str) -> list[Days]:
    """The days after those in each of some columns."""
    return [numbers(table[name], NEVER) + 1 for name in names]


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
