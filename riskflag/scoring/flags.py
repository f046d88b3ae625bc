"""What a night found about one child, before it becomes a flag: rule hits and the model's hit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from riskflag.scoring.reasons import ModelReason, group_by_theme

Level = Literal["urgent", "soon", "routine"]
Standing = Literal[
    "present", "not_reassessed", "no_longer_present", "rule_withdrawn", "outside_group"
]

#: Most pressing first.
LEVELS: tuple[Level, ...] = ("urgent", "soon", "routine")
RANK: Mapping[str, int] = {level: rank for rank, level in enumerate(LEVELS)}

YES, NO, UNKNOWN = 1, 0, -1
OUTCOME_WORDS: Mapping[int, str] = {YES: "yes", NO: "no", UNKNOWN: "unknown"}


def higher(a: Level, b: Level) -> Level:
    """The more pressing of two levels."""
    return a if RANK[a] <= RANK[b] else b


class Condition(Protocol):
    """One comparison of a rule for one child."""

    @property
    def signal(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def comparison(self) -> str: ...
    @property
    def threshold(self) -> float: ...
    @property
    def outcome(self) -> int: ...
    @property
    def negated(self) -> bool: ...
    @property
    def complete(self) -> bool: ...
    @property
    def speaks_for_rule(self) -> bool: ...


@dataclass(frozen=True)
class RuleHit:
    """A rule whose condition holds for the child, with each of its comparisons."""

    rule_id: str
    version: int
    level: Level
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, eq=False)
class ModelHit:
    """What the model says of the child; `raises` when the score reached the bundle's threshold.

    `raw` is in log-odds; `base` and all `contributions` (by signal name) add up to it. `read` and
    `parts` are the k signals of the model (`names`) and what each added (float64 [k]). By name and
    by theme (`themes` tells that of each signal) they are made when asked for: those of all
    children brought would take more memory and time of one core than all else that is held.
    """

    raw: float
    base: float
    probability: float
    raises: bool
    names: Sequence[str]
    read: NDArray[np.float64]
    parts: NDArray[np.float64]
    themes: Mapping[str, str]

    @cached_property
    def values(self) -> dict[str, float]:
        """The signals as they were before "never" was capped, by name."""
        return dict(zip(self.names, self.read.tolist(), strict=True))

    @cached_property
    def contributions(self) -> dict[str, float]:
        """What each signal added to the score, by name."""
        return dict(zip(self.names, self.parts.tolist(), strict=True))

    @cached_property
    def reasons(self) -> tuple[ModelReason, ...]:
        """The themes that moved the score, those that raised it first."""
        return group_by_theme(self.values, self.contributions, self.themes)


@dataclass(frozen=True)
class FlagDraft:
    """A child to be brought, or kept, before a person, and why.

    `row` is the child's row in the table of signals; `raised_by` is None for a child who would
    not have been brought tonight and is here because an earlier flag is still open.
    """

    person_id: str
    as_of: dt.date
    row: int
    level: Level
    raised_by: Literal["rule", "model", "both"] | None
    rule_hits: tuple[RuleHit, ...]
    model: ModelHit | None


@dataclass(frozen=True)
class Combined:
    """All drafts of a night in their order, and how many the capacity left out.

    `unknown` is, per child, whether a rule that could raise a flag could not be decided and none
    did (bool [n]): the child is *not assessed*, which is not the same as having no pattern.
    """

    drafts: tuple[FlagDraft, ...]
    squeezed_out: int
    over_threshold: int
    unknown: NDArray[np.bool_]
