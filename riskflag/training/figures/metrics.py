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


#: Newton's steps at most.
STEPS = 50
#: Log-odds nearer than this share of their spread are taken for one where many draws are made.
_TOLD = 1e-4
#: A list is first looked at this many times as far as it is long, then so many times further.
_AHEAD = 4


@dataclass(frozen=True)
class _Found:
    """Rows with the outcome by groups of equal scores: all the rows, where each group's begin.

    `before` is the place in the sorted order of the last row above a group (-1 for none), `last`
    that of its own last row.
    """

    rows: Ints
    first: Ints
    before: Ints
    last: Ints


@dataclass(frozen=True)
class Ranking:
    """Scores and labels, sorted once: highest first, with the borders of ties."""

    scores: Floats
    labels: Floats

    @cached_property
    def order(self) -> Ints:
        return np.argsort(-self.scores, kind="stable")

    @cached_property
    def ends(self) -> Ints:
        """The place in the sorted order of the last of each group of equal scores."""
        ordered = self.scores[self.order]
        return np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)

    @cached_property
    def _with_outcome(self) -> _Found:
        """The rows with the outcome, group by group; a group without any adds to no figure."""
        places = np.flatnonzero(self.labels[self.order])
        group, first = np.unique(np.searchsorted(self.ends, places), return_index=True)
        before = np.where(group > 0, self.ends[group - 1], -1)
        return _Found(self.order[places], first, before, self.ends[group])

    def auroc(self, weights: Floats | None = None) -> float:
        """How often a row with the outcome scores above one without; 0.5 is chance."""
        return self.areas(weights)[0]

    def average_precision(self, weights: Floats | None = None) -> float:
        """Mean precision over the outcomes found, going down the list."""
        return self.areas(weights)[1]

    def areas(self, weights: Floats | None = None) -> tuple[float, float]:
        """AUROC and average precision, for which the list is gone down once."""
        weights, came = self._weights(weights), self._with_outcome
        upto = np.append(np.cumsum(weights[self.order]), 0.0)
        positive, listed = self._positive(weights), upto[came.last]
        found = np.cumsum(positive)
        if not len(found) or found[-1] == 0:
            return float("nan"), float("nan")
        precision = np.divide(found, listed, out=np.zeros_like(found), where=listed > 0)
        average = float((positive * precision).sum() / found[-1])
        negative = listed - upto[came.before] - positive
        without = float((weights * (1 - self.labels)).sum())
        if without == 0:
            return float("nan"), average
        below = without - (listed - found)
        return float((positive * (below + negative / 2)).sum() / (found[-1] * without)), average

    def found_in_top(self, k: float, weights: Floats | None = None) -> float:
        """Expected weight of outcomes in the first `k` (by weight), ties drawn in proportion.

        No more of the list is looked at than it takes.
        """
        weights, came = self._weights(weights), self._with_outcome
        reach = max(int(_AHEAD * k), _AHEAD)
        while True:
            group = min(int(np.searchsorted(self.ends, reach)), len(self.ends) - 1)
            seen = int(self.ends[group]) + 1
            upto = np.append(np.cumsum(weights[self.order[:seen]]), 0.0)
            if seen == len(self.order) or upto[-2] >= k:
                break
            reach *= _AHEAD
        most = int(np.searchsorted(came.last, seen))
        before = upto[came.before[:most]]
        size = upto[came.last[:most]] - before
        taken = np.clip(k - before, 0, size)
        share = np.divide(taken, size, out=np.zeros_like(size), where=size > 0)
        return float((self._positive(weights)[:most] * share).sum())

    def _positive(self, weights: Floats) -> Floats:
        """Weight with the outcome in each group that has any, highest scores first."""
        came = self._with_outcome
        if not len(came.first):
            return np.empty(0)
        mine: Floats = weights[came.rows] * self.labels[came.rows]
        return np.add.reduceat(mine, came.first)

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
    x: Floats,
    labels: Floats,
    weights: Floats | None = None,
    *,
    start: tuple[float, float] = (0.0, 0.0),
) -> tuple[float, float]:
    """Intercept and slope of the logistic regression of labels on x, by Newton's steps.

    A small pull towards (0, 0) keeps it finite when x tells the classes fully apart. `start` is
    where the steps begin: near the answer it takes few of them.
    """
    weights = np.ones(len(x)) if weights is None else weights
    beta = np.array(start)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(beta[0] + beta[1] * x, -30, 30)))
        missing = weights * (labels - p)
        bend = weights * p * (1 - p)
        slanted = bend * x
        middle = slanted.sum()
        curvature = np.array([[bend.sum(), middle], [middle, (slanted * x).sum()]])
        pull = np.array([missing.sum(), (missing * x).sum()]) - 1e-6 * beta
        step = np.linalg.solve(curvature + 1e-6 * np.eye(2), pull)
        longest = np.abs(step).max()
        # Shortened, never bent: where x lies far from 0 its two parts only go together.
        beta += step * min(1.0, 2 / max(longest, 1.0))
        if longest < 1e-10:
            break
    return float(beta[0]), float(beta[1])


def calibration_slope(probability: Floats, labels: Floats, weights: Floats | None = None) -> float:
    """1 when the probabilities spread as far as the truth does; below 1: too extreme."""
    return logistic_line(logit(probability), labels, weights)[1]


def calibration_intercept(
    probability: Floats, labels: Floats, weights: Floats | None = None
) -> float:
    """By how much (log-odds) the truth lies above the probabilities: 0 when the level is right.

    The intercept of a logistic regression in which the probabilities' own log-odds are an offset.
    """
    weights = np.ones(len(labels)) if weights is None else weights
    return _intercept(logit(probability), labels, weights)


def _intercept(offset: Floats, labels: Floats, weights: Floats, *, start: float = 0.0) -> float:
    intercept = start
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(offset + intercept, -30, 30)))
        curvature = float((weights * p * (1 - p)).sum()) + 1e-6
        step = float((weights * (labels - p)).sum() - 1e-6 * intercept) / curvature
        intercept += float(np.clip(step, -2, 2))
        if abs(step) < 1e-10:
            break
    return intercept


@dataclass(frozen=True)
class Levels:
    """Probabilities against what came, for many draws of the rows (0/1 labels).

    Slope and intercept are sums over rows, so rows of one probability are added up first. Log-odds
    are told apart by _TOLD of their spread, which moves the slope by about a millionth.
    """

    probability: Floats
    labels: Floats

    @cached_property
    def _distinct(self) -> tuple[Floats, Ints]:
        odds = logit(self.probability)
        width = _TOLD * float(odds.std()) or 1.0
        cell, place = np.unique(np.rint((odds - odds[0]) / width), return_inverse=True)
        return odds[0] + cell * width, place

    @cached_property
    def _whole(self) -> tuple[tuple[float, float], float]:
        """The line and the intercept without weights: those of a draw lie near them."""
        return self._lines(np.ones(len(self.labels)), (0.0, 0.0), 0.0)

    def figures(self, weights: Floats | None = None) -> dict[str, float]:
        """Slope, intercept, foretold over observed and Brier score."""
        weights = np.ones(len(self.labels)) if weights is None else weights
        line, level = self._lines(weights, *self._whole)
        return {
            "slope": line[1],
            "intercept": level,
            "expected_over_observed": expected_over_observed(
                self.probability, self.labels, weights
            ),
            "brier": brier(self.probability, self.labels, weights),
        }

    def _lines(
        self, weights: Floats, line: tuple[float, float], level: float
    ) -> tuple[tuple[float, float], float]:
        told, place = self._distinct
        of, came = (
            np.bincount(place, one, len(told)).astype(np.float64)
            for one in (weights, weights * self.labels)
        )
        share = np.divide(came, of, out=np.zeros(len(told)), where=of > 0)
        return (
            logistic_line(told, share, of, start=line),
            _intercept(told, share, of, start=level),
        )


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
