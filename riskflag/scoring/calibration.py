"""From the model's raw score to a probability, through stored knots and straight lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Knots of a rising curve: raw scores (log-odds) and the probabilities at them.

    Plain numbers instead of a pickled estimator: a knot list can be read, hashed and compared.
    Between knots the curve is straight; outside them it is flat.
    """

    raw: tuple[float, ...]
    probability: tuple[float, ...]
    method: str = "isotonic"

    def __post_init__(self) -> None:
        raw, probability = np.asarray(self.raw), np.asarray(self.probability)
        if raw.size < 2 or raw.shape != probability.shape:
            raise ValueError("a calibration needs at least two knots with two numbers each")
        if not (np.isfinite(raw).all() and (np.diff(raw) > 0).all()):
            raise ValueError("the raw scores of a calibration must be finite and rise")
        inside = (probability >= 0) & (probability <= 1)
        if not (inside.all() and (np.diff(probability) >= 0).all()):
            raise ValueError("the probabilities of a calibration must lie in 0 to 1 and not fall")

    def apply(self, raw: Floats) -> Floats:
        """The probabilities (float64, same shape) of raw scores."""
        return np.interp(np.asarray(raw, dtype=np.float64), self.raw, self.probability)

    def to_dict(self) -> dict[str, object]:
        return {
            "method": self.method,
            "raw": list(self.raw),
            "probability": list(self.probability),
        }

    @classmethod
    def from_dict(cls, data: dict[str, object]) -> Calibration:
        """Read back what `to_dict` gave; raises ValueError when it is not a calibration."""
        raw, probability = data.get("raw"), data.get("probability")
        if not isinstance(raw, list) or not isinstance(probability, list):
            raise ValueError("a calibration needs the lists raw and probability")
        floats = tuple(float(value) for value in raw)
        return cls(floats, tuple(float(p) for p in probability), str(data.get("method")))
