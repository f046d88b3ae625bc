"""Calibration on a later window: which probability goes with which raw score.

The knots are those of isotonic regression, each flat stretch reduced to one knot at its weighted
middle, so the curve rises strictly: two children with different scores never become equal, and a
threshold on the probability means the same as one on the score. With few outcomes a two-parameter
curve (Platt) is steadier and is used instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskflag.scoring.calibration import Calibration
from riskflag.training.figures.metrics import logistic_line

Floats = NDArray[np.float64]

#: Fewer children with the outcome than this are too few for a free curve.
FEW = 150
#: No probability is told as certain.
LEAST, MOST = 1e-6, 1 - 1e-6
PLATT_KNOTS = 81


def calibrate(raw: Floats, labels: Floats) -> Calibration:
    """The calibration of raw scores (float64 [n]) by what came after (0/1 [n])."""
    if labels.sum() < FEW:
        return platt(raw, labels)
    return isotonic(raw, labels)


def isotonic(raw: Floats, labels: Floats) -> Calibration:
    """Isotonic knots, one for each flat stretch."""
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(raw, kind="stable")
    fitted = IsotonicRegression(y_min=LEAST, y_max=MOST).fit_transform(raw[order], labels[order])
    starts = np.flatnonzero(np.diff(fitted, prepend=-1.0) > 0)
    ends = np.append(starts[1:], len(fitted))
    sums = np.add.reduceat(raw[order], starts)
    middles, levels = sums / (ends - starts), fitted[starts]
    if len(middles) < 2:
        return platt(raw, labels)
    return Calibration(tuple(middles.tolist()), tuple(levels.tolist()), "isotonic")


def platt(raw: Floats, labels: Floats) -> Calibration:
    """A logistic curve, stored as knots like any other; never falls."""
    intercept, slope = logistic_line(raw, labels)
    slope = max(slope, 0.0)
    low, high = float(raw.min()), float(raw.max())
    knots = np.linspace(low, max(high, low + 1e-6), PLATT_KNOTS)
    levels = np.clip(1 / (1 + np.exp(-(intercept + slope * knots))), LEAST, MOST)
    return Calibration(tuple(knots.tolist()), tuple(levels.tolist()), "platt")
