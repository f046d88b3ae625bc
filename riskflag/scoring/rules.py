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
from riskflag.scoring.rulebook import Comparison, Rule, Rulebook
from riskflag.scoring.rules_plan import plan_of

if TYPE_CHECKING:
    import datetime as dt

    from riskflag.history.store.view import History

Floats = npt.NDArray[np.float64]
Outcomes = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]

#: So many people are looked at together.
BLOCK = 4096

HOLDS: Mapping[Comparison, Callable[[Floats, Floats | float], Bools]] = {
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
    plan = plan_of(rulebook)
    of = np.array([column[name] for name in plan.signals], np.intp)
    held = np.empty((people, len(of)), np.int8)
    # Of a block of people all comparisons of a kind are made at once, while it is near at hand.
    for block in (slice(first, first + BLOCK) for first in range(0, people, BLOCK)):
        for (comparison, moves), places, thresholds in plan.alike:
            values, known = table.values[block, of[places]], complete[block, of[places]]
            found = compare(values, known, comparison, thresholds, moves=moves)
            held[block, places] = found
    return RuleResults(
        rulebook,
        plan.outcomes(held),
        tuple(held[:, some] for some in plan.of_rule),
        {name: table.values[:, column[name]] for name in rulebook.signals},
        {name: complete[:, column[name]] for name in rulebook.signals},
    )


def compare(
    values: Floats,
    complete: Bools,
    comparison: Comparison,
    threshold: Floats | float,
    *,
    moves: str,
) -> Outcomes:
    """Outcomes of one comparison, int8 [n], or of m with as many thresholds, int8 [n, m].

    `moves` says how further contacts can move a value. Where `complete` is false the outcome is
    unknown unless further contacts could only confirm it.
    """
    holds = HOLDS[comparison](values, threshold)
    outcome = np.where(holds, YES, NO)
    settled = complete | _settled(values, holds, comparison, threshold, moves=moves)
    return np.where(settled & ~np.isnan(values), outcome, UNKNOWN).astype(np.int8)


def _settled(
    values: Floats,
    holds: Bools,
    comparison: Comparison,
    threshold: Floats | float,
    *,
    moves: str,
) -> Bools:
    """Where no further contact could change whether the comparison holds."""
    if moves not in ("up", "down"):
        return np.zeros(values.shape, dtype=np.bool_)
    if comparison == "equals":
        return values > threshold if moves == "up" else values < threshold
    stays_true = comparison in (_TRUE_UPWARDS if moves == "up" else _TRUE_DOWNWARDS)
    return holds if stays_true else ~holds


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
