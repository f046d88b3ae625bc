"""Intervals: a figure taken again on families drawn anew, the same draws for all that is compared.

What happens to one child of a family tells of the others, and a child's months tell of each other,
so families are drawn, never rows. A draw is a weight per row: how often its family came up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: A figure with the two ends of its interval; None where it cannot be told.
Figure = dict[str, float | None]

#: The two ends of every interval, in percent.
INTERVAL = (2.5, 97.5)


def family_draws(family: Ints, draws: int, seed: int) -> Iterator[Floats]:
    """Weights of the rows (float64 [n]) for each of `draws` draws of as many families."""
    rng = np.random.default_rng(seed)
    families, place = np.unique(family, return_inverse=True)
    for _ in range(draws):
        picked = rng.integers(0, len(families), len(families))
        yield np.bincount(picked, minlength=len(families)).astype(np.float64)[place]


def with_interval(value: float, draws: Sequence[float]) -> Figure:
    """A figure with its interval from its values in every draw; NaN becomes None."""
    finite = np.array(draws)[np.isfinite(draws)] if len(draws) else np.empty(0)
    low, high = np.percentile(finite, INTERVAL) if len(finite) else (np.nan, np.nan)
    named = {"value": value, "low": float(low), "high": float(high)}
    return {name: float(one) if np.isfinite(one) else None for name, one in named.items()}


def span(figure: Figure, digits: int = 2, *, by: float = 1.0, sign: bool = False) -> str:
    """A figure times `by` with its interval, in words."""
    if figure["value"] is None:
        return "not known"
    low, high = figure["low"], figure["high"]
    plus = "+" if sign else ""
    told = f"{by * figure['value']:{plus}.{digits}f}"
    if low is None or high is None:
        return told
    return f"{told} ({by * low:{plus}.{digits}f} to {by * high:{plus}.{digits}f})"


def interval(figure: Mapping[str, float | None], digits: int = 3) -> str:
    """A figure with its interval in brackets, for a table."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "not known"
    if low is None or high is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
