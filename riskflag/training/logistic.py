"""Logistic regression on the same signals: the plain alternative to trees."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from riskflag.scoring.model import capped
from riskflag.training.prepare import Window

Floats = NDArray[np.float64]

#: Rows it learns from: more change its few numbers little.
MOST_ROWS = 40_000


def logistic_scores(train: Window, values: Floats, seed: int = 3) -> Floats:
    """Scores of the rows of `values` (float64 [n, k]) by a regression learnt on `train`.

    Values enter by their logarithm, unknown ones as the middle of the known with a mark of their
    own, all on one scale.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(seed)
    rows = np.arange(len(train.rows))
    if len(rows) > MOST_ROWS:
        rows = np.sort(rng.choice(rows, MOST_ROWS, replace=False))
    steps = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.05, max_iter=200),
    )
    labels = train.labels.numbers[rows]
    if len(np.unique(labels)) < 2:
        return np.zeros(len(values))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps.fit(
            _logarithms(train.values[rows]),
            labels,
            logisticregression__sample_weight=train.weights[rows],
        )
        return np.asarray(steps.decision_function(_logarithms(values)), dtype=np.float64)


def _logarithms(values: Floats) -> Floats:
    finite = capped(values)
    return np.asarray(np.sign(finite) * np.log1p(np.abs(finite)))
