"""Rules applied to signals: three-valued, so that what is not known is never taken for no.

Outcomes are 1 (yes), 0 (no) and -1 (unknown). `all` is no as soon as one part is no, yes when all
are yes, otherwise unknown; `any` is yes as soon as one part is yes, no when all are no, otherwise
unknown; `not` turns yes and no round and leaves unknown.

A value that is undefined is unknown. Where a feed the signal needs is not available, more contacts
may yet arrive: a comparison is then decided only when no further contact could change it (three
missing episodes are at least three, whatever else arrives) and is otherwise unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from riskflag.scoring.flags import NO, UNKNOWN, YES
from riskflag.scoring.rulebook import Comparison, Rule, Rulebook, When

if TYPE_CHECKING:
    import datetime as dt

    from riskflag.history.store.view import History

Floats = npt.NDArray[np.float64]
Outcomes = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]

HOLDS: Mapping[Comparison, Callable[[Floats, float], Bools]] = {
    "at_least": lambda values, threshold: values >= threshold,
    "more_than": lambda values, threshold: values > threshold,
    "at_most": lambda values, threshold: values <= threshold,
    "less_than": lambda values, threshold: values < threshold,
    "equals": lambda values, threshold: values == threshold,
}
#: Comparisons that stay true, and those that stay false, while the value goes up.
_TRUE_UPWARDS = ("at_least", "more_than")
_TRUE_DOWNWARDS = ("at_most", "less_than")


class Table(Protocol):
    """What rules need of a table of signals: n people, k signals."""

    @property
    def names(self) -> Sequence[str]: ...
    @property
    def values(self) -> Floats: ...
    @property
    def complete(self) -> Bools: ...


@dataclass(frozen=True)
class ConditionResult:
    """One comparison for one person: what was compared with what, and how it came out.

    `negated` tells that the rule asks for the opposite: it stands under a `not`. `complete` is
    false when a feed that the signal needs was not available: the value is what is recorded so far.
    """

    signal: str
    value: float
    comparison: Comparison
    threshold: float
    outcome: int
    negated: bool = False
    complete: bool = True

    @property
    def speaks_for_rule(self) -> bool:
        """Whether this comparison is one of those that hold the rule up."""
        return self.outcome == (NO if self.negated else YES)


@dataclass(frozen=True)
class RuleResults:
    """Outcomes of every rule for every person: int8 [n people, r rules]; 1 yes, 0 no, -1 unknown.

    `leaves` holds the outcomes of each rule's comparisons, int8 [n, comparisons], in reading order.
    """

    rulebook: Rulebook
    outcome: Outcomes
    leaves: tuple[Outcomes, ...]
    values: Mapping[str, Floats]
    complete: Mapping[str, Bools]

    def conditions(self, i: int, r: int) -> tuple[ConditionResult, ...]:
        """Every comparison of rule `r` for person `i`, in reading order."""
        rule = self.rulebook.rules[r]
        return tuple(
            ConditionResult(
                str(leaf.signal),
                float(self.values[str(leaf.signal)][i]),
                leaf.comparison,
                leaf.threshold,
                int(self.leaves[r][i, column]),
                negated,
                bool(self.complete[str(leaf.signal)][i]),
            )
            for column, (leaf, negated) in enumerate(rule.when.comparisons)
        )

    def values_of(self, i: int, r: int) -> dict[str, float]:
        """The values rule `r` read for person `i`, by signal name: what its statement shows."""
        return {name: float(self.values[name][i]) for name in self.rulebook.rules[r].signals}

    def partial(self, i: int, r: int) -> frozenset[str]:
        """The signals of rule `r` whose feeds were not all available for person `i`."""
        names = self.rulebook.rules[r].signals
        return frozenset(name for name in names if not self.complete[name][i])

    def fired(self, i: int) -> tuple[Rule, ...]:
        """The rules that say yes for person `i`, in the order of the rulebook."""
        return tuple(self.rulebook.rules[r] for r in np.flatnonzero(self.outcome[i] == YES))


def evaluate(rulebook: Rulebook, table: Table) -> RuleResults:
    """Apply every rule to every person of a table of signals.

    `table.values` is float64 [n, k], NaN where undefined; `table.complete` is bool, [k] or [n, k].
    Raises KeyError when the table lacks a signal that a rule reads.
    """
    people = table.values.shape[0]
    column = {name: j for j, name in enumerate(table.names)}
    complete = np.broadcast_to(table.complete, table.values.shape)
    values = {name: table.values[:, column[name]] for name in rulebook.signals}
    known = {name: complete[:, column[name]] for name in rulebook.signals}

    def compared(leaf: When) -> Outcomes:
        name = str(leaf.signal)
        moves = rulebook.signals[name].rises_with_contacts
        return compare(values[name], known[name], leaf.comparison, leaf.threshold, moves=moves)

    leaves: list[Outcomes] = []
    outcome = np.empty((people, len(rulebook.rules)), dtype=np.int8)
    for r, rule in enumerate(rulebook.rules):
        results = [compared(leaf) for leaf, _ in rule.when.comparisons]
        leaves.append(np.stack(results, axis=1))
        outcome[:, r] = _decide(rule.when, iter(results))
    return RuleResults(rulebook, outcome, tuple(leaves), values, known)


def compare(
    values: Floats, complete: Bools, comparison: Comparison, threshold: float, *, moves: str
) -> Outcomes:
    """Outcomes of one comparison, int8 [n]; `moves` says how further contacts can move a value.

    Where `complete` is false the outcome is unknown unless further contacts could only confirm it.
    """
    holds = HOLDS[comparison](values, threshold)
    outcome = np.where(holds, YES, NO)
    settled = complete | _settled(values, holds, comparison, threshold, moves=moves)
    return np.where(settled & ~np.isnan(values), outcome, UNKNOWN).astype(np.int8)


def _settled(
    values: Floats, holds: Bools, comparison: Comparison, threshold: float, *, moves: str
) -> Bools:
    """Where no further contact could change whether the comparison holds."""
    if moves not in ("up", "down"):
        return np.zeros(values.shape, dtype=np.bool_)
    if comparison == "equals":
        return values > threshold if moves == "up" else values < threshold
    stays_true = comparison in (_TRUE_UPWARDS if moves == "up" else _TRUE_DOWNWARDS)
    return holds if stays_true else ~holds


def _decide(when: When, results: _Results) -> Outcomes:
    """The outcome of a condition from those of its comparisons, taken in reading order."""
    if when.signal:
        return next(results)
    parts = [_decide(part, results) for part in when.parts]
    if when.not_ is not None:
        return kleene_not(parts[0])
    return kleene_all(parts) if when.all else kleene_any(parts)


class _Results(Protocol):
    def __next__(self) -> Outcomes: ...


def kleene_all(parts: Sequence[Outcomes]) -> Outcomes:
    """No if any part is no, yes if all are yes, otherwise unknown."""
    table = np.stack(parts)
    some_no, all_yes = (table == NO).any(axis=0), (table == YES).all(axis=0)
    return np.where(some_no, NO, np.where(all_yes, YES, UNKNOWN)).astype(np.int8)


def kleene_any(parts: Sequence[Outcomes]) -> Outcomes:
    """Yes if any part is yes, no if all are no, otherwise unknown."""
    table = np.stack(parts)
    some_yes, all_no = (table == YES).any(axis=0), (table == NO).all(axis=0)
    return np.where(some_yes, YES, np.where(all_no, NO, UNKNOWN)).astype(np.int8)


def kleene_not(part: Outcomes) -> Outcomes:
    """Yes and no change places; unknown stays unknown."""
    return np.where(part == UNKNOWN, UNKNOWN, 1 - part).astype(np.int8)


def contact_keys(
    history: History, person_id: str, as_of: dt.date, *, rulebook: Rulebook, condition: Condition
) -> tuple[str, ...]:
    """The keys of the contacts behind one comparison, sorted; none when it rests on an absence."""
    from riskflag.signals import evidence

    rows = evidence(history, person_id, as_of, rulebook.signals[condition.signal])
    return tuple(sorted(set(rows.column("contact_key").to_pylist())))


class Condition(Protocol):
    """The part of a comparison that says which contacts are behind it."""

    @property
    def signal(self) -> str: ...
