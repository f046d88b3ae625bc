"""From rules and model to the children to bring before a person.

The model can raise a child; nothing it says removes or lowers what a rule raised. Rules are not
limited in number. The model raises at most `model_limit` further children, those with the highest
scores; equal scores are told apart by a keyed hash, never by the order of rows, and nothing on a
page is in the order of scores.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from riskflag.errors import IntegrityError
from riskflag.scoring.flags import (
    LEVELS,
    RANK,
    UNKNOWN,
    YES,
    Combined,
    Condition,
    FlagDraft,
    Level,
    ModelHit,
    RuleHit,
)

if TYPE_CHECKING:
    from riskflag.scoring.bundle import Bundle

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: The rank given to a child for whom no rule says yes.
NO_LEVEL = len(LEVELS)


class ScoredRule(Protocol):
    """The part of a rule that combining reads."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def level(self) -> Level: ...


class RuleOutcomes(Protocol):
    """Outcomes of n children and r rules: 1 yes, 0 no, -1 unknown (int8 [n, r])."""

    @property
    def outcome(self) -> NDArray[np.int8]: ...
    def conditions(self, i: int, r: int) -> Sequence[Condition]: ...


@dataclass(frozen=True)
class Assessed:
    """The children of one night: ids, as-of day, signals (float64 [n, k], unknown ones NaN)."""

    person_ids: Sequence[str]
    as_of: dt.date
    names: Sequence[str]
    values: Floats


@dataclass(frozen=True)
class Policy:
    """Who is brought before a person: rules from this level on, and at most so many by the model.

    `keep` are children whose earlier flag is open: they take no capacity.
    """

    from_level: Level = "soon"
    model_limit: int = 0
    model_level: Level = "routine"
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Scores:
    raw: Floats
    probability: Floats
    over: Bools


def keyed_order(as_of: dt.date, person_id: str) -> str:
    """A child's place among equals on one day: fair over days, and the same however rows come.

    The key is the day alone, so that one child's contacts never move another child's place.
    """
    return hashlib.sha256(f"{as_of.isoformat()}|{person_id}".encode()).hexdigest()


def combine(
    rules: Sequence[ScoredRule],
    outcomes: RuleOutcomes,
    assessed: Assessed,
    *,
    bundle: Bundle | None,
    policy: Policy,
    brought: Callable[[Sequence[str]], None] = lambda people: None,
) -> Combined:
    """The drafts of one night in their order: level, then keyed hash.

    `brought` is told who they are before the model's contributions to each are worked out. Works
    without a bundle: the reasons then come from rules only. Raises IntegrityError for a score that
    is not a number.
    """
    outcome = np.asarray(outcomes.outcome)
    best = best_rank(outcome, [rule.level for rule in rules])
    by_rule = best <= RANK[policy.from_level]
    scores = _score(bundle, assessed)
    kept = np.array([person in policy.keep for person in assessed.person_ids], dtype=bool)
    waiting = np.flatnonzero(scores.over & ~by_rule & ~kept)
    by_model = _within_capacity(waiting, scores.raw, assessed, policy.model_limit)
    shown = by_rule | by_model | (kept & ((best < NO_LEVEL) | scores.over))
    raised = by_rule | by_model
    rows = _ordered(np.flatnonzero(shown), best, assessed, policy)
    brought([assessed.person_ids[i] for i in rows])
    hits = _model_hits(bundle, scores, assessed, rows)
    drafts = tuple(
        FlagDraft(
            assessed.person_ids[i],
            assessed.as_of,
            int(i),
            _level(int(best[i]), policy),
            _raised_by(bool(by_rule[i]), bool(scores.over[i])) if raised[i] else None,
            _rule_hits(rules, outcomes, int(i)),
            hits.get(int(i)),
        )
        for i in rows
    )
    return Combined(
        drafts,
        squeezed_out=int(len(waiting) - by_model.sum()),
        over_threshold=int(scores.over.sum()),
        unknown=undecided(rules, outcome, policy) & ~raised,
    )


def best_rank(outcome: NDArray[np.int8], levels: Sequence[Level]) -> NDArray[np.int64]:
    """The rank of the most pressing rule that says yes for each child; NO_LEVEL without one."""
    best = np.full(len(outcome), NO_LEVEL, dtype=np.int64)
    for column, level in enumerate(levels):
        yes = outcome[:, column] == YES
        best[yes] = np.minimum(best[yes], RANK[level])
    return best


def _score(bundle: Bundle | None, assessed: Assessed) -> _Scores:
    n = len(assessed.person_ids)
    if bundle is None:
        nothing = np.full(n, np.nan)
        return _Scores(nothing, nothing, np.zeros(n, dtype=bool))
    raw = finite(bundle.model.raw(assessed.values, assessed.names))
    over = raw >= float(bundle.thresholds["raw"])
    return _Scores(raw, bundle.model.probability(raw), over)


def finite(raw: Floats) -> Floats:
    """The same scores; IntegrityError when one of them is not a number."""
    if not np.isfinite(raw).all():
        raise IntegrityError("The model gave a score that is not a number; promote another run.")
    return raw


def _within_capacity(rows: NDArray[np.intp], raw: Floats, assessed: Assessed, limit: int) -> Bools:
    """Which rows the model may raise: the highest scores, equals in keyed order."""
    ids = assessed.person_ids
    ranked = sorted(rows, key=lambda i: (-raw[i], keyed_order(assessed.as_of, ids[i])))
    chosen = np.zeros(len(ids), dtype=bool)
    chosen[np.array(ranked[: max(limit, 0)], dtype=np.intp)] = True
    return chosen


def _ordered(
    rows: NDArray[np.intp], best: NDArray[np.int64], assessed: Assessed, policy: Policy
) -> list[int]:
    model_rank = RANK[policy.model_level]
    ids = assessed.person_ids
    return sorted(
        (int(i) for i in rows),
        key=lambda i: (
            int(best[i]) if best[i] < NO_LEVEL else model_rank,
            keyed_order(assessed.as_of, ids[i]),
        ),
    )


def _level(rank: int, policy: Policy) -> Level:
    return policy.model_level if rank >= NO_LEVEL else LEVELS[rank]


def _raised_by(rule: bool, model: bool) -> Literal["rule", "model", "both"]:
    if rule and model:
        return "both"
    return "rule" if rule else "model"


def _rule_hits(
    rules: Sequence[ScoredRule], outcomes: RuleOutcomes, row: int
) -> tuple[RuleHit, ...]:
    """The rules that say yes for a child, most pressing first."""
    found = [
        RuleHit(rule.id, rule.version, rule.level, tuple(outcomes.conditions(row, column)))
        for column, rule in enumerate(rules)
        if outcomes.outcome[row, column] == YES
    ]
    return tuple(sorted(found, key=lambda hit: (RANK[hit.level], hit.rule_id)))


def _model_hits(
    bundle: Bundle | None, scores: _Scores, assessed: Assessed, rows: Collection[int]
) -> dict[int, ModelHit]:
    """The model's hit for the rows that are shown (contributions cost a millisecond each)."""
    if bundle is None or not rows:
        return {}
    order = sorted(rows)
    values = assessed.values[np.array(order, dtype=np.intp)]
    parts = bundle.model.contributions(values, assessed.names)
    place = {name: column for column, name in enumerate(assessed.names)}
    read = values[:, [place[name] for name in parts.names]]
    return {
        row: ModelHit(
            raw=float(parts.raw[position]),
            base=parts.base,
            probability=float(scores.probability[row]),
            raises=bool(scores.over[row]),
            names=parts.names,
            read=read[position],
            parts=parts.values[position],
            themes=bundle.themes,
        )
        for position, row in enumerate(order)
    }


def undecided(rules: Sequence[ScoredRule], outcome: NDArray[np.int8], policy: Policy) -> Bools:
    """Children with a rule that could raise a flag and could not be decided."""
    limit = RANK[policy.from_level]
    counting = [column for column, rule in enumerate(rules) if RANK[rule.level] <= limit]
    found: Bools = (outcome[:, counting] == UNKNOWN).any(axis=1)
    return found
