"""One child on many days: what the signals, rules and model say as of each day, in one pass.

Every day is worked out by the clock's own rule, so nothing that became known later can enter. Days
are rows here where a night has children: the kernel, the rules and the model are the night's own.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riskflag.clock import NEVER, date_of
from riskflag.history.arrays import numbers
from riskflag.history.feed_course import FeedCourse
from riskflag.history.persons import adult_from
from riskflag.history.view import History
from riskflag.progress import silent
from riskflag.scoring.flags import UNKNOWN, YES, ModelHit
from riskflag.scoring.reasons import group_by_theme, strength_of

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

    def hit(self, row: int) -> ModelHit:
        """What the model says on a day on which its line was reached."""
        if self.said is None:
            raise ValueError("no model was asked")
        return self.said.hit(row)


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
    raw: Floats
    values: Floats

    @classmethod
    def on(cls, bundle: Bundle, table: Rows, raw: Floats, rows: NDArray[np.intp]) -> Said:
        """Ask the model about some rows of a table."""
        model = bundle.model
        place = [table.names.index(name) for name in model.names]
        values = masked(table)[rows][:, place]
        matrix = model.matrix(values, model.names)
        _, first, kind = np.unique(
            sides(model, matrix), axis=0, return_index=True, return_inverse=True
        )
        parts = model.contributions(matrix[first], model.names)
        return cls(bundle, rows, kind.reshape(-1), parts, raw[rows], values)

    def themes(self, days: int) -> dict[str, Bools]:
        """For each theme, on which of `days` rows it would have been a reason (bool [days])."""
        found: dict[str, Bools] = {}
        for kind in range(len(self.parts.raw)):
            for theme in _reasons_of(self.parts.row(kind), self.bundle.themes):
                held = found.setdefault(theme, np.zeros(days, np.bool_))
                held[self.rows[self.kind == kind]] = True
        return dict(sorted(found.items()))

    def hit(self, row: int) -> ModelHit:
        """The model's hit on one row."""
        place = int(np.searchsorted(self.rows, row))
        contributions = self.parts.row(int(self.kind[place]))
        used = dict(zip(self.parts.names, self.values[place].tolist(), strict=True))
        raw = self.raw[place : place + 1]
        return ModelHit(
            raw=float(raw[0]),
            base=self.parts.base,
            probability=float(self.bundle.model.probability(raw)[0]),
            raises=True,
            values=used,
            contributions=contributions,
            reasons=group_by_theme(used, contributions, self.bundle.themes),
        )


def _reasons_of(contributions: Mapping[str, float], themes: Mapping[str, str]) -> list[str]:
    """The themes that would be reasons: raising, and not slight (see scoring.reasons)."""
    grouped: dict[str, list[float]] = {}
    for name, amount in contributions.items():
        grouped.setdefault(themes[name], []).append(amount)
    totals = {theme: math.fsum(amounts) for theme, amounts in grouped.items()}
    push = math.fsum(total for total in totals.values() if total > 0)
    return [t for t, total in totals.items() if total > 0 and strength_of(total / push) != SLIGHT]


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

    course = FeedCourse.of(history.coverage)
    table = _table(history, person_id, days, catalogue.signals, course)
    counts = counted(history, person_id, days)
    raw, over = _over(bundle, table, counts)
    return Replay(
        person_id,
        days,
        counts,
        course,
        table,
        evaluate(rulebook, table),
        over,
        None if bundle is None else Said.on(bundle, table, raw, np.flatnonzero(over)),
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
    said = [person_id in history.children(date_of(day)) for day in edges]
    return np.array(said)[np.searchsorted(edges, days, side="right") - 1]


def _days_after(table: pa.Table, *names: str) -> set[int]:
    """The days after those in some columns."""
    return {day + 1 for name in names for day in numbers(table[name], NEVER).tolist()}


def _table(
    history: History, person_id: str, days: Days, signals: tuple[Signal, ...], course: FeedCourse
) -> Rows:
    from riskflag.signals.asked import every_day
    from riskflag.signals.build import completeness
    from riskflag.signals.fast import Kernel

    asked = every_day([person_id], days)
    values = Kernel(threads=1).values(history, signals, asked, silent)
    complete = np.empty(values.shape, np.bool_)
    known: dict[tuple[str, ...], Bools] = {}
    turns = [*course.turns(int(days[0]), int(days[-1])), int(days[-1]) + 1]
    for first, after in itertools.pairwise(turns):
        feeds = course.at(first)
        lost = tuple(feed.source for feed in feeds if not feed.usable)
        if lost not in known:
            known[lost] = completeness(feeds, signals)
        complete[first - days[0] : after - days[0]] = known[lost]
    return Rows(tuple(signal.name for signal in signals), values, complete)


def _over(bundle: Bundle | None, table: Rows, counts: Bools) -> tuple[Floats, Bools]:
    """Raw scores and the days on which the model's line was reached."""
    if bundle is None:
        return np.full(len(counts), np.nan), np.zeros(len(counts), np.bool_)
    raw = bundle.model.raw(masked(table), table.names)
    return raw, (raw >= float(bundle.thresholds["raw"])) & counts


def masked(table: Rows) -> Floats:
    """The values, NaN where a needed feed was not available."""
    return np.where(table.complete, table.values, np.nan)


def sides(model: Model, matrix: Floats) -> NDArray[np.int32]:
    """Between which of the model's thresholds each value lies (int32 [n, k]); -1 for unknown."""
    split: dict[int, set[float]] = {}
    features: list[int] = []
    for name, text in _NUMBERS.findall(model.text):
        if name == "split_feature":
            features = [int(one) for one in text.split()]
        else:
            for column, threshold in zip(features, text.split(), strict=True):
                split.setdefault(column, set()).add(float(threshold))
    found = np.zeros(matrix.shape, np.int32)
    for column, thresholds in split.items():
        # A value goes left when it is at most the threshold.
        found[:, column] = np.searchsorted(sorted(thresholds), matrix[:, column], side="left")
    found[np.isnan(matrix)] = -1
    return found
