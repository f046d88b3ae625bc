"""Gates: what must hold before a model may be promoted. Each says what it asks and measured.

Here are the gate itself and those that are tried on the model; those that read a run's figures are
in `gate_figures` beside this, those that need the workspace in riskflag.training.promotion.promote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.errors import IntegrityError
from riskflag.scoring.bundle import sha256
from riskflag.scoring.contributions import TOLERANCE
from riskflag.scoring.model import NEVER_DAYS, Model, capped
from riskflag.training.data.experiment import ModelConfig
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.reference import Spread
from riskflag.training.model.fit import SIGNS, Grower, Matrix

Floats = NDArray[np.float64]

#: A rise against a signal's direction larger than this is a violation.
RISE = 1e-12
#: Rows and trees on which the number of threads is tried.
SOME_ROWS, SOME_TREES = 20_000, 5


#: How the figure of a gate begins that could not be decided: it holds if the experiment says so.
UNDECIDED = "undecided"


@dataclass(frozen=True)
class SignOff:
    """Somebody took a gate that does not hold upon themselves: in which role, and why."""

    role: str
    reason: str


@dataclass(frozen=True)
class Gate:
    """One gate: its name, whether it holds, the figure it rests on in words, and what is asked."""

    name: str
    passed: bool
    measured: str
    asked: str = ""
    signed_off: SignOff | None = None

    @property
    def holds(self) -> bool:
        """Whether promotion may go on as far as this gate is concerned."""
        return self.passed or self.signed_off is not None

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.passed:
            return "signed off" if self.signed_off else "NOT HELD"
        return "undecided" if self.measured.startswith(UNDECIDED) else "held"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        told = asdict(self)
        if self.signed_off is None:
            del told["signed_off"]
        return told

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Gate:
        """Read back what `to_dict` gave."""
        signed = data.get("signed_off")
        one = cls(data["name"], data["passed"], data["measured"], data.get("asked", ""))
        return one if signed is None else replace(one, signed_off=SignOff(**signed))


def additivity(model: Model, values: Floats) -> Gate:
    """Contributions add up to the raw score on every row of `values`."""
    name, asked = "contributions add up", f"to {TOLERANCE:g} on every row"
    try:
        gap = model.contributions(values, model.names).worst_gap
    except IntegrityError:
        return Gate(name, False, f"some row is off by more than {TOLERANCE:g}", asked)
    return Gate(name, True, f"largest gap {gap:.1e} over {len(values)} rows", asked)


def monotone(
    model: Model, values: Floats, directions: Sequence[str], spread: Spread, *, points: int = 41
) -> Gate:
    """Sweeping any signal with a direction never moves any row's score against it."""
    wrong = 0
    swept = 0
    for column, direction in enumerate(directions):
        if SIGNS[direction] == 0:
            continue
        grid = sweep_points(spread, model.names[column], points)
        raw = sweep(model, values, column, grid)
        steps = np.diff(raw, axis=1) * SIGNS[direction]
        wrong += int((steps < -RISE).sum())
        swept += 1
    told = f"{wrong} violations over {swept} signals, {len(values)} rows, up to {points} points"
    name = "more harm never lowers the score"
    return Gate(name, wrong == 0 and swept > 0, told, "0 violations, sweeping every signal")


def sweep(model: Model, values: Floats, column: int, grid: Floats) -> Floats:
    """Raw scores [n, points] of every row with one signal set to each point of the grid."""
    repeated = np.repeat(capped(values), len(grid), axis=0)
    repeated[:, column] = np.tile(grid, len(values))
    return model.raw(repeated, model.names).reshape(len(values), len(grid))


def sweep_points(spread: Spread, name: str, points: int) -> Floats:
    """Rising values of a signal to sweep over, from below its usual range to never."""
    usual = np.array(spread.percentiles[name])
    low, high = float(usual.min()), float(usual.max())
    reach = max(high - low, 1.0)
    even = np.linspace(low - reach / 4, high + 3 * reach, max(points - len(usual) - 1, 2))
    return np.unique(np.concatenate([usual, even, [NEVER_DAYS]]))


def same_on_any_threads(prepared: Prepared, config: ModelConfig) -> Gate:
    """Growing a few trees on one thread and on two gives the same bytes."""
    train, inputs = prepared.train, prepared.inputs
    some = Matrix(
        train.values[:SOME_ROWS],
        train.labels.numbers[:SOME_ROWS],
        train.weights[:SOME_ROWS],
    )
    directions = tuple(signal.direction for signal in inputs.signals)
    texts = {
        sha256(Grower(inputs.names, directions, config, threads).grow(some, SOME_TREES).encode())
        for threads in (1, 2)
    }
    told = f"{'the same' if len(texts) == 1 else 'different'} bytes on 1 and on 2 threads"
    asked = "the same bytes on any number of threads"
    return Gate("training is repeatable", len(texts) == 1, told, asked)
