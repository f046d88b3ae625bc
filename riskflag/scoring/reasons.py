"""The model's reasons: contributions grouped by theme, then ranked, then put into strength words.

Single signals overlap (three windows of the same count), so the order of single contributions is
unstable; what a theme adds is not. Strength is a theme's share of everything that pushed the score
up, told in a word and never as a probability.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Direction = Literal["raises", "lowers"]
Strength = Literal["main", "strong", "some", "slight"]
State = Literal["value", "none_recorded", "never_recorded", "not_known"]

#: Lower ends of the shares that a strength word stands for.
STRENGTHS: tuple[tuple[float, Strength], ...] = ((0.35, "main"), (0.20, "strong"), (0.08, "some"))
#: What has a smaller share than this is slight.
LEAST = STRENGTHS[-1][0]


class SignalPart(NamedTuple):
    """One signal within a reason; `state` says how its value must be worded."""

    name: str
    value: float
    contribution: float
    state: State

    def to_dict(self) -> dict[str, object]:
        """Plain JSON: a value that is unknown or "never" is null, and `state` says which."""
        finite = math.isfinite(self.value)
        return {
            "name": self.name,
            "value": self.value if finite else None,
            "contribution": self.contribution,
            "state": self.state,
        }


@dataclass(frozen=True)
class ModelReason:
    """A theme that moved the score: by how much, which way, and through which signals."""

    theme: str
    direction: Direction
    share: float
    strength: Strength
    contribution: float
    signals: tuple[SignalPart, ...]

    @property
    def raising(self) -> tuple[SignalPart, ...]:
        """The signals that pushed the way the theme as a whole did, strongest first."""
        sign = 1 if self.direction == "raises" else -1
        return tuple(part for part in self.signals if sign * part.contribution > 0)


def strength_of(share: float) -> Strength:
    """The word for a share of the push (0 to 1)."""
    return next((word for least, word in STRENGTHS if share >= least), "slight")


def state_of(value: float) -> State:
    """How a value must be worded: unknown is not zero, and zero is not "never"."""
    if math.isnan(value):
        return "not_known"
    if math.isinf(value):
        return "never_recorded"
    return "none_recorded" if value == 0 else "value"


def part_of(name: str, value: float, contribution: float) -> SignalPart:
    """A signal's part; `value` is as it was before "never" was capped."""
    return SignalPart(name, value, contribution, state_of(value))


def group_by_theme(
    values: Mapping[str, float], contributions: Mapping[str, float], themes: Mapping[str, str]
) -> tuple[ModelReason, ...]:
    """The reasons of one row: raising themes first, then lowering ones, each strongest first.

    `values` are the signals as they were before "never" was capped; all three are by signal name.
    Every signal with a contribution is in exactly one reason, so the reasons' contributions and
    the base add up to the raw score.
    """
    grouped: dict[str, list[SignalPart]] = {}
    for name, contribution in contributions.items():
        part = part_of(name, values[name], contribution)
        grouped.setdefault(themes[name], []).append(part)
    totals = {
        theme: math.fsum(part.contribution for part in parts) for theme, parts in grouped.items()
    }
    up = _reasons(grouped, {t: v for t, v in totals.items() if v > 0})
    down = _reasons(grouped, {t: v for t, v in totals.items() if v < 0})
    return (*up, *down)


def raising(reasons: Sequence[ModelReason]) -> tuple[ModelReason, ...]:
    """The reasons that raised the score, strongest first."""
    return tuple(reason for reason in reasons if reason.direction == "raises")


def lowering(reasons: Sequence[ModelReason]) -> tuple[ModelReason, ...]:
    """The reasons that lowered the score, strongest first."""
    return tuple(reason for reason in reasons if reason.direction == "lowers")


def _reasons(
    grouped: Mapping[str, list[SignalPart]], totals: Mapping[str, float]
) -> list[ModelReason]:
    """Reasons of one direction; equal sizes are put in the order of the theme's name."""
    push = math.fsum(abs(total) for total in totals.values())
    ranked = sorted(totals.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [reason_of(theme, grouped[theme], total=total, push=push) for theme, total in ranked]


def reason_of(theme: str, parts: Iterable[SignalPart], *, total: float, push: float) -> ModelReason:
    """One theme with its signals.

    `total` is what they add up to, and `push` what all themes do that move the score its way.
    """
    sign = 1 if total > 0 else -1
    share = abs(total) / push
    return ModelReason(
        theme,
        "raises" if total > 0 else "lowers",
        share,
        strength_of(share),
        total,
        tuple(sorted(parts, key=lambda p: (-sign * p.contribution, p.name))),
    )
