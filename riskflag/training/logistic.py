"""Logistic regression on the same signals: the plain alternative to trees."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.scoring.model import capped
from riskflag.training.prepare import Learning

Floats = NDArray[np.float64]

NAME = "logistic regression"
MOST_ROWS = 250_000


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
        from sklearn.preprocessing import StandardScaler

        train = train.some(MOST_ROWS)
        values = _logarithms(train.values[:])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            medians = np.nan_to_num(np.nanmedian(values, axis=0))
        marked = np.flatnonzero(np.isnan(values).any(axis=0))
        scaler = StandardScaler().fit(_filled(values, medians, marked))
        fitted = LogisticRegression(C=0.05, max_iter=200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted.fit(
                scaler.transform(_filled(values, medians, marked)),
                train.labels.numbers,
                sample_weight=train.weights,
            )
        return cls(
            medians=tuple(medians.tolist()),
            marked=tuple(marked.tolist()),
            centres=tuple(scaler.mean_.tolist()),
            scales=tuple(scaler.scale_.tolist()),
            weights=tuple(fitted.coef_[0].tolist()),
            intercept=float(fitted.intercept_[0]),
        )

    def score(self, values: Floats) -> Floats:
        """Log-odds of the rows of `values` (float64 [n, k], unknown NaN, never infinity)."""
        filled = _filled(_logarithms(values), np.array(self.medians), np.array(self.marked, int))
        scaled = (filled - np.array(self.centres)) / np.array(self.scales)
        # Each row on its own: a product of matrices may differ with the rows beside it.
        return np.asarray((scaled * np.array(self.weights)).sum(axis=1) + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def logistic_scorer(train: Learning) -> Callable[[Floats], Floats]:
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
