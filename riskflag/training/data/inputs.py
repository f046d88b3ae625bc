"""Which signals the model may see, and why each of the others may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riskflag.errors import ConfigError
from riskflag.signals import Signal
from riskflag.signals.expression import aggregates
from riskflag.signals.terms import terms

#: Words for protected characteristics: no signal that selects by one of them is ever an input.
#: Age is read, because the youngest children are at the greatest risk; see docs/analyst.
PROTECTED = frozenset(
    {"sex", "gender", "ethnicity", "race", "religion", "belief", "nationality", "disability"}
    | {"learning_disability", "physical_disability", "orientation", "pregnancy"}
)


@dataclass(frozen=True)
class Inputs:
    """The signals that are inputs, in catalogue order, and the excluded ones with the reason.

    Cannot be built with a signal that selects by a protected characteristic: ConfigError.
    """

    signals: tuple[Signal, ...]
    excluded: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        for signal in self.signals:
            named = protected(signal)
            if named:
                raise ConfigError(
                    f"The signal {signal.name} selects by a protected characteristic ({named}); no "
                    "model may have it as an input. Leave it out."
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs, in order."""
        return tuple(signal.name for signal in self.signals)

    @property
    def agencies(self) -> tuple[frozenset[str], ...]:
        """The agencies that each input needs."""
        return tuple(agencies_of(signal) for signal in self.signals)


def choose_inputs(signals: Sequence[Signal], outcome_types: Sequence[str]) -> Inputs:
    """Split signals into inputs and excluded ones; raises ConfigError when none is left."""
    excluded = []
    kept = []
    for signal in signals:
        reason = why_not(signal, frozenset(outcome_types))
        if reason:
            excluded.append((signal.name, reason))
        else:
            kept.append(signal)
    if not kept:
        raise ConfigError("Every signal rests on the outcome itself; choose another outcome.")
    return Inputs(tuple(kept), tuple(excluded))


def why_not(signal: Signal, outcome_types: frozenset[str]) -> str | None:
    """The reason why a signal cannot be an input, or None when it can."""
    shared = sorted(signal.types & outcome_types)
    if shared:
        return f"counts {', '.join(shared)}, which is part of the outcome"
    named = protected(signal)
    return f"selects by a protected characteristic ({named})" if named else None


def protected(signal: Signal) -> str | None:
    """The word of a protected characteristic in a signal's name or selections, or None."""
    words = {signal.name, *signal.name.split("_")}
    for part in aggregates(signal.of):
        for selection in part.selections:
            for attribute, values in selection.where:
                words |= {attribute, *values}
    return min(words & PROTECTED, default=None)


def agencies_of(signal: Signal) -> frozenset[str]:
    """The agencies whose feeds a signal needs."""
    vocabulary = terms()
    return frozenset(vocabulary[name].agency for name in signal.types)
