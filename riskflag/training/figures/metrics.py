"""Figures of merit, each of them weighted so that a bootstrap is a change of weights.

All take scores and labels as float64 [n]; ties between scores count half, or in proportion where
a list of fixed length cuts through them, so no figure depends on the order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """Scores and labels, sorted once: highest first, with the borders of ties."""

    scores: Floats
    labels: Floats

    @cached_property
    def order(self) -> Ints:
        return np.argsort(-self.scores, kind="stable")

    @cached_property
    def starts(self) -> Ints:
        """Where each group of equal scores begins in the sorted order."""
        ordered = self.scores[self.order]
        return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))

    def _groups(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weight with and without the outcome in each group of equal scores, highest first."""
        ordered, labels = weights[self.order], self.labels[self.order]
        positive = np.add.reduceat(ordered * labels, self.starts)
        return positive, np.add.reduceat(ordered, self.starts) - positive

    def auroc(self, weights: Floats | None = None) -> float:
        """How often a row with the outcome scores above one without; 0.5 is chance."""
        positive, negative = self._groups(self._weights(weights))
        total = positive.sum() * negative.sum()
        if total == 0:
            return float("nan")
        below = negative.sum() - np.cumsum(negative)
        return float((positive * (below + negative / 2)).sum() / total)

    def average_precision(self, weights: Floats | None = None) -> float:
        """Mean precision over the outcomes found, going down the list."""
        positive, negative = self._groups(self._weights(weights))
        found, listed = np.cumsum(positive), np.cumsum(positive + negative)
        if found[-1] == 0:
            return float("nan")
        precision = np.divide(found, listed, out=np.zeros_like(found), where=listed > 0)
        return float((positive * precision).sum() / found[-1])

    def found_in_top(self, k: float, weights: Floats | None = None) -> float:
        """Expected weight of outcomes in the first `k` (by weight), ties drawn in proportion."""
        positive, negative = self._groups(self._weights(weights))
        size = positive + negative
        before = np.cumsum(size) - size
        taken = np.clip(k - before, 0, size)
        share = np.divide(taken, size, out=np.zeros_like(size), where=size > 0)
        return float((positive * share).sum())

    def _weights(self, weights: Floats | None) -> Floats:
        return np.ones(len(self.scores)) if weights is None else weights


def auroc(scores: Floats, labels: Floats, weights: Floats | None = None) -> float:
    """Area under the ROC curve; NaN when one of the two classes is absent."""
    return Ranking(scores, labels).auroc(weights) if len(scores) else float("nan")


def brier(probability: Floats, labels: Floats, weights: Floats | None = None) -> float:
    """Mean squared distance of the probabilities from what came."""
    return float(np.average((probability - labels) ** 2, weights=weights))


def logit(probability: Floats) -> Floats:
    """Log-odds of probabilities, kept off 0 and 1."""
    safe = np.clip(probability, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(safe / (1 - safe)))


def logistic_line(
    x: Floats, labels: Floats, weights: Floats | None = None, steps: int = 50
) -> tuple[float, float]:
    """Intercept and slope of the logistic regression of labels on x, by Newton's steps.

    A small pull towards (0, 0) keeps it finite when x tells the classes fully apart.
    """
    weights = np.ones(len(x)) if weights is None else weights
    design = np.column_stack([np.ones(len(x)), x])
    beta = np.zeros(2)
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        curvature = design.T @ (design * (weights * p * (1 - p))[:, None]) + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, design.T @ (weights * (labels - p)) - 1e-6 * beta)
        beta += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[0]), float(beta[1])


def calibration_slope(probability: Floats, labels: Floats, weights: Floats | None = None) -> float:
    """1 when the probabilities spread as far as the truth does; below 1: too extreme."""
    return logistic_line(logit(probability), labels, weights)[1]


def calibration_intercept(
    probability: Floats, labels: Floats, weights: Floats | None = None, steps: int = 50
) -> float:
    """By how much (log-odds) the truth lies above the probabilities: 0 when the level is right.

    The intercept of a logistic regression in which the probabilities' own log-odds are an offset.
    """
    weights = np.ones(len(labels)) if weights is None else weights
    offset, intercept = logit(probability), 0.0
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(offset + intercept, -30, 30)))
        curvature = float((weights * p * (1 - p)).sum()) + 1e-6
        step = float((weights * (labels - p)).sum() - 1e-6 * intercept) / curvature
        intercept += float(np.clip(step, -2, 2))
        if abs(step) < 1e-10:
            break
    return intercept


def expected_over_observed(
    probability: Floats, labels: Floats, weights: Floats | None = None
) -> float:
    """Outcomes foretold divided by outcomes that came; NaN when none came."""
    weights = np.ones(len(labels)) if weights is None else weights
    came = float((weights * labels).sum())
    return float((weights * probability).sum()) / came if came else float("nan")


def calibration_bins(probability: Floats, labels: Floats, bins: int = 10) -> list[dict[str, float]]:
    """Mean probability and observed share in bins of about equal size (none below 30 rows)."""
    order = np.argsort(probability, kind="stable")
    told = []
    for part in np.array_split(order, bins):
        if len(part) >= 30:
            told.append(
                {
                    "rows": float(len(part)),
                    "probability": float(probability[part].mean()),
                    "observed": float(labels[part].mean()),
                }
            )
    return told
