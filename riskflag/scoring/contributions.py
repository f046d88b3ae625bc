"""Contributions: the part each signal has in one raw score (SHAP values of the booster itself).

The booster's own path-dependent values are used, so no further package is needed at night and the
parts add up to the score to the last few bits. Anything less is a defect, never shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskflag.errors import IntegrityError

Floats = NDArray[np.float64]

#: How far a sum of contributions may be from the raw score (log-odds).
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Contributions:
    """Contributions of n rows: `values` float64 [n, k], `base` shared, `raw` float64 [n].

    Cannot be built when the values of a row and the base do not add up to its raw score.
    """

    names: tuple[str, ...]
    values: Floats
    base: float
    raw: Floats

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.raw), len(self.names)):
            raise IntegrityError("The contributions do not match the signals; report this line.")
        if self.worst_gap > TOLERANCE:
            raise IntegrityError(
                "The reasons do not add up to the score; promote the model again before scoring."
            )

    @property
    def worst_gap(self) -> float:
        """The largest distance between a row's sum and its raw score."""
        if not len(self.raw):
            return 0.0
        gaps = np.abs(self.values.sum(axis=1) + self.base - self.raw)
        # NaN compares as false with any limit, so it is turned into the worst gap there is.
        return float(np.nan_to_num(gaps, nan=np.inf).max())

    def row(self, i: int) -> dict[str, float]:
        """The contributions of row `i` by signal name."""
        return dict(zip(self.names, self.values[i].tolist(), strict=True))
