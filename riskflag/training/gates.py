"""Gates: what must hold before a model may be promoted. Each names itself and what it measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.errors import IntegrityError
from riskflag.scoring.contributions import TOLERANCE
from riskflag.scoring.model import NEVER_DAYS, Model, capped
from riskflag.training.fit import SIGNS
from riskflag.training.reference import Spread

Floats = NDArray[np.float64]

CONTACTS = ("number of contacts", "contacts in the last year")
#: Fewer children with the outcome than this decide neither a ranking nor a calibration.
DECIDABLE = 100
#: Calibration is sane unless the whole interval lies outside these.
SLOPE_WITHIN = (0.7, 1.4)
RATIO_WITHIN = (0.67, 1.5)
#: A rise against a signal's direction larger than this is a violation.
RISE = 1e-12


@dataclass(frozen=True)
class Gate:
    """One gate: its name, whether it holds, and the figure it rests on in words."""

    name: str
    passed: bool
    measured: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def additivity(model: Model, values: Floats) -> Gate:
    """Contributions add up to the raw score on every row of `values`."""
    name = "contributions add up"
    try:
        gap = model.contributions(values, model.names).worst_gap
    except IntegrityError:
        return Gate(name, False, f"some row is off by more than {TOLERANCE:g}")
    return Gate(name, True, f"largest gap {gap:.1e} over {len(values)} rows")


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
    return Gate("more harm never lowers the score", wrong == 0 and swept > 0, told)


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


def beats_contacts(result: Mapping[str, Any], *, undecided_holds: bool = False) -> Gate:
    """The model ranks better than merely counting contacts, ever or in the last year.

    With fewer than DECIDABLE children who had the outcome chance alone decides, so the gate is
    undecided: it then fails, or, if `undecided_holds`, fails only when the model is shown to be
    worse (the whole interval below zero).
    """
    gains = {name: result["gain_over"][name]["auroc"] for name in CONTACTS}
    name, gain = min(gains.items(), key=lambda item: item[1]["value"] or -1.0)
    told = f"AUROC {_signed(gain['value'])} against {name} {_between(gain)}"
    title, children = "better than counting contacts", result["children_with_outcome"]
    if children >= DECIDABLE:
        return Gate(title, gain["value"] is not None and gain["value"] > 0, told)
    not_worse = gain["high"] is not None and gain["high"] > 0
    told = f"undecided, only {children} children had the outcome: {told}"
    return Gate(title, undecided_holds and not_worse, told)


def calibrated(result: Mapping[str, Any], *, undecided_holds: bool = False) -> Gate:
    """Slope and level of the probabilities on the test window are sane.

    With fewer than DECIDABLE children who had the outcome this too is undecided.
    """
    slope = result["calibration"]["slope"]
    ratio = result["calibration"]["expected_over_observed"]
    passed = _touches(slope, SLOPE_WITHIN) and _touches(ratio, RATIO_WITHIN)
    told = (
        f"slope {_number(slope['value'])} {_between(slope)}, "
        f"foretold/observed {_number(ratio['value'])} {_between(ratio)}"
    )
    title, children = "probabilities are sane", result["children_with_outcome"]
    if children >= DECIDABLE:
        return Gate(title, passed, told)
    told = f"undecided, only {children} children had the outcome: {told}"
    return Gate(title, undecided_holds, told)


def _touches(figure: Mapping[str, float | None], within: tuple[float, float]) -> bool:
    low, high = figure["low"], figure["high"]
    return low is not None and high is not None and low <= within[1] and high >= within[0]


def _between(figure: Mapping[str, float | None]) -> str:
    return f"({_number(figure['low'])} to {_number(figure['high'])})"


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "not known" if value is None else f"{value:+.3f}"
