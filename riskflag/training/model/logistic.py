"""Logistic regression on the same signals: the plain alternative to trees."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.scoring.model import capped
from riskflag.training.data.narrow import Values, in_blocks
from riskflag.training.data.prepare import Learning
from riskflag.training.data.rows import Floats

NAME = "logistic regression"
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Logistic:
    """A fitted regression as plain numbers, so that it can be kept as text.

    Values enter by their logarithm, unknown ones as the middle of the known (`medians` [k]) with a
    mark of their own (`marked`: the columns that have one). All are brought to one scale by
    `centres` and `scales` and weighed by `weights` ([k + marks] each).
    """

    medians: tuple[float, ...]
    marked: tuple[int, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    @classmethod
    def learn(cls, train: Learning) -> Logistic:
        """Fit to rows of `train` by their weights; needs rows with the outcome and without.

        There is no more to learn for so plain a model from more than MOST_ROWS rows.
        """
        from sklearn.linear_model import LogisticRegression

        train = train.some(MOST_ROWS)
        ready = _Scaled.of(train.values)
        fitted = LogisticRegression(C=0.05, max_iter=200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted.fit(ready.columns, train.labels.numbers, sample_weight=train.weights)
        return cls(
            medians=ready.medians,
            marked=ready.marked,
            centres=ready.centres,
            scales=ready.scales,
            weights=tuple(fitted.coef_[0].tolist()),
            intercept=float(fitted.intercept_[0]),
        )

    def score(self, values: Values) -> Floats:
        """Log-odds of the rows of `values` (float64 [n, k], unknown NaN, never infinity)."""
        return in_blocks(self._score, values)

    def _score(self, values: Floats) -> Floats:
        filled = _filled(_logarithms(values), np.array(self.medians), np.array(self.marked, int))
        scaled = (filled - np.array(self.centres)) / np.array(self.scales)
        # Each row on its own: a product of matrices may differ with the rows beside it.
        return np.asarray((scaled * np.array(self.weights)).sum(axis=1) + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class _Scaled:
    """What a regression is fitted on (float64 [n, k + marks]), and how it was made."""

    columns: Floats
    medians: tuple[float, ...]
    marked: tuple[int, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]

    @classmethod
    def of(cls, values: Values) -> _Scaled:
        """Column by column: nothing but the result is held whole."""
        from sklearn.preprocessing import StandardScaler

        rows, signals = values.shape
        unknown = [np.isnan(values[:, place]) for place in range(signals)]
        marked = [place for place, one in enumerate(unknown) if one.any()]
        columns = np.empty((rows, signals + len(marked)))
        medians, centres, scales = [], [], []
        for place in range(columns.shape[1]):
            if place < signals:
                told, gone = _logarithms(values[:, place]), unknown[place]
                medians.append(0.0 if gone.all() else float(np.median(told[~gone])))
                column = np.where(gone, medians[-1], told)
            else:
                column = unknown[marked[place - signals]].astype(np.float64)
            scaler = StandardScaler()
            columns[:, place] = scaler.fit_transform(column[:, None])[:, 0]
            centres.append(float(scaler.mean_[0]))
            scales.append(float(scaler.scale_[0]))
        return cls(columns, tuple(medians), tuple(marked), tuple(centres), tuple(scales))


def logistic_scorer(train: Learning) -> Callable[[Values], Floats]:
    """What scores rows by a regression learnt on `train`; all 0 where it holds no outcome."""
    if len(np.unique(train.labels.happened)) < 2:
        return lambda values: np.zeros(len(values))
    return Logistic.learn(train).score


def _filled(values: Floats, medians: Floats, marked: NDArray[np.int64]) -> Floats:
    unknown = np.isnan(values)
    marks = unknown[:, marked].astype(np.float64)
    return np.hstack([np.where(unknown, medians, values), marks])


def _logarithms(values: Floats) -> Floats:
    finite = capped(values)
    return np.asarray(np.sign(finite) * np.log1p(np.abs(finite)))
