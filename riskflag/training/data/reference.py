"""What is usual: figures over many children that say nothing about any one of them.

Three things are made here, all of them aggregates: what is typical for an age (shown beside a
reason), the spread of each signal on its own, and made-up rows drawn from those spreads one signal
at a time (for plots, probes and sweeps, so that no real row ever leaves the training run).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.training.data.narrow import Values

Floats = NDArray[np.float64]

#: Age bands in years: from (included) to (excluded), and in words.
AGE_BANDS = (
    (0, 1, "under 1"),
    (1, 5, "1 to 4"),
    (5, 11, "5 to 10"),
    (11, 16, "11 to 15"),
    (16, 18, "16 and 17"),
)
#: No figure is given over fewer children than this.
LEAST_CHILDREN = 30
PERCENTILES = tuple(range(5, 100, 5))


def typical(values: Values, names: Sequence[str], ages: Floats) -> dict[str, Any]:
    """Percentiles 10, 50 and 90 of each signal by age band (values float64 [n, k], ages [n]).

    One row per child; rows without an age are left out. So is a band with fewer than
    LEAST_CHILDREN known values, and a percentile that is "never".
    """
    told: dict[str, list[dict[str, Any]]] = {}
    inside = [np.flatnonzero((ages >= low) & (ages < high)) for low, high, _ in AGE_BANDS]
    for column, name in enumerate(names):
        bands = []
        for at, (low, high, words) in zip(inside, AGE_BANDS, strict=True):
            known = values[at, column]
            known = known[~np.isnan(known)]
            if len(known) < LEAST_CHILDREN:
                continue
            p10, p50, p90 = np.percentile(known, (10, 50, 90), method="inverted_cdf")
            if np.isfinite([p10, p50, p90]).all():
                band = {"from_age": low, "to_age": high, "age_band": words, "n": len(known)}
                points = {"p10": float(p10), "p50": float(p50), "p90": float(p90)}
                bands.append({**band, **points})
        if bands:
            told[name] = bands
    return {"signals": told, "least_children": LEAST_CHILDREN}


@dataclass(frozen=True)
class Spread:
    """How each signal is spread on its own: percentiles, and the shares unknown and never."""

    names: tuple[str, ...]
    percentiles: Mapping[str, tuple[float, ...]]
    unknown: Mapping[str, float]
    never: Mapping[str, float]

    @classmethod
    def of(cls, values: Values, names: Sequence[str]) -> Spread:
        """The spread of values (float64 [n, k], uncapped)."""
        percentiles, unknown, never = {}, {}, {}
        for column, name in enumerate(names):
            one = values[:, column]
            finite = one[np.isfinite(one)]
            enough = len(finite) >= LEAST_CHILDREN
            points = np.percentile(finite, PERCENTILES) if enough else [0.0] * len(PERCENTILES)
            percentiles[name] = tuple(float(point) for point in points)
            unknown[name] = float(np.isnan(one).mean())
            never[name] = float(np.isinf(one).mean())
        return cls(tuple(names), percentiles, unknown, never)

    def rows(self, n: int, seed: int) -> Floats:
        """`n` made-up rows (float64 [n, k]), every signal drawn by itself."""
        rng = np.random.default_rng(seed)
        made = np.empty((n, len(self.names)))
        for column, name in enumerate(self.names):
            chance = rng.random(n)
            drawn = rng.choice(np.array(self.percentiles[name]), n)
            drawn = np.where(chance < self.never[name], np.inf, drawn)
            made[:, column] = np.where(chance > 1 - self.unknown[name], np.nan, drawn)
        return made

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            name: {
                "percentiles": list(self.percentiles[name]),
                "unknown": self.unknown[name],
                "never": self.never[name],
            }
            for name in self.names
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Spread:
        """Read back what `to_dict` gave."""
        return cls(
            tuple(data),
            {name: tuple(one["percentiles"]) for name, one in data.items()},
            {name: one["unknown"] for name, one in data.items()},
            {name: one["never"] for name, one in data.items()},
        )
