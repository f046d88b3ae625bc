"""Growing the trees: LightGBM's own Booster, monotone where a signal has a direction.

The scikit-learn wrapper is never used: it is saved as a pickle, the bare booster as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from riskflag.progress import Progress, silent
from riskflag.scoring.model import capped
from riskflag.training.data.experiment import ModelConfig
from riskflag.training.data.narrow import Values
from riskflag.training.data.outage import Outages
from riskflag.training.data.rows import Floats, Ints

#: The sign that LightGBM takes for each direction a signal may declare.
SIGNS = {"raises": 1, "lowers": -1, "none": 0}
#: Trees when there are too few months to find a number by early stopping.
UNTESTED_TREES = 200
#: Rows whose values are plain numbers at a time.
BATCH = 8_192
_THREADS = re.compile(r"^\[num_threads: \d+\]$", re.MULTILINE)


@dataclass(frozen=True)
class Matrix:
    """Training data: labels and weights [n], and the signals that `rows` gives some at a time.

    `chosen` are the rows of `values` that are meant, all without it; `outages` are made in them.
    """

    values: Values
    labels: Floats
    weights: Floats
    chosen: Ints | None = None
    outages: Outages | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: NDArray[np.bool_]) -> Matrix:
        """The chosen rows; no value is copied."""
        before = np.arange(len(self)) if self.chosen is None else self.chosen
        labels, weights = self.labels[chosen], self.weights[chosen]
        return replace(self, labels=labels, weights=weights, chosen=before[chosen])

    def rows(self, first: int, stop: int) -> Floats:
        """Signals of the rows from `first` to before `stop` (float64 [m, k]), capped."""
        stop = min(stop, len(self))
        places = np.arange(first, stop) if self.chosen is None else self.chosen[first:stop]
        values = capped(self.values[places])
        if self.outages is not None:
            self.outages.blank(values, places)
        return values


class _Batches(lgb.Sequence):
    """A matrix as LightGBM reads it: it keeps bins, never all the values."""

    batch_size = BATCH

    def __init__(self, data: Matrix) -> None:
        self._data = data
        self._held: tuple[int, Floats] = (0, np.empty((0, 0)))

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, place: Any) -> Floats:
        """A row, or the rows of a slice. Single rows are asked for in rising order."""
        if isinstance(place, slice):
            return self._data.rows(*place.indices(len(self))[:2])
        first, values = self._held
        if not first <= place < first + len(values):
            first = int(place)
            values = self._data.rows(first, first + BATCH)
            self._held = first, values
        return np.asarray(values[place - first])


@dataclass(frozen=True)
class Grower:
    """How to grow: signal names, their directions, the config and the threads to use."""

    names: tuple[str, ...]
    directions: tuple[str, ...]
    config: ModelConfig
    threads: int = 2
    progress: Progress = silent

    def parameters(self) -> dict[str, object]:
        """The parameters given to LightGBM."""
        config = self.config
        return {
            "objective": "binary",
            "learning_rate": config.learning_rate,
            "num_leaves": config.leaves,
            "min_data_in_leaf": config.min_rows_in_leaf,
            "feature_fraction": config.signal_share,
            "bagging_fraction": config.row_share,
            "bagging_freq": 1,
            "lambda_l2": config.l2,
            "monotone_constraints": [SIGNS[direction] for direction in self.directions],
            "monotone_constraints_method": "basic",
            "seed": config.seed,
            "deterministic": True,
            # One thread sums one column in the order of rows, so sums do not depend on threads.
            "force_col_wise": True,
            "num_threads": self.threads,
            "verbosity": -1,
        }

    def using(self, config: ModelConfig) -> Grower:
        """The same with other settings, and without telling of every tree."""
        return replace(self, config=config, progress=silent)

    def trees_needed(self, fitting: Matrix, stopping: Matrix) -> int:
        """How many trees serve a later window best; UNTESTED_TREES when it holds no outcome."""
        if not len(fitting.labels) or len(np.unique(stopping.labels)) < 2:
            return min(UNTESTED_TREES, self.config.max_trees)
        return self.seek(fitting, stopping)[0]

    def seek(self, fitting: Matrix, stopping: Matrix) -> tuple[int, float]:
        """How many trees serve a later window best, and their log loss on it."""
        booster = lgb.train(
            {**self.parameters(), "metric": "none"},
            self._dataset(fitting),
            self.config.max_trees,
            valid_sets=[self._dataset(stopping)],
            feval=_later_loss,
            callbacks=[
                lgb.early_stopping(self.config.patience, verbose=False),
                self._tell("finding the number of trees", self.config.max_trees),
            ],
        )
        [figures] = booster.best_score.values()
        return max(booster.best_iteration, 1), float(figures["log_loss"])

    def grow(self, data: Matrix, trees: int) -> str:
        """The text of a model of `trees` trees; the same for any number of threads."""
        return _THREADS.sub("[num_threads: 0]", self._grown(data, trees).model_to_string())

    def foretell(self, data: Matrix, trees: int, later: Matrix) -> Floats:
        """Probabilities (float64 [m]) that a model of `data` gives the rows of `later`."""
        grown = self._grown(data, trees)
        parts = [
            np.asarray(grown.predict(later.rows(first, first + BATCH)), dtype=np.float64)
            for first in range(0, len(later), BATCH)
        ]
        return np.concatenate(parts)

    def _grown(self, data: Matrix, trees: int) -> lgb.Booster:
        return lgb.train(
            self.parameters(),
            self._dataset(data),
            trees,
            callbacks=[self._tell("growing trees", trees)],
        )

    def _dataset(self, data: Matrix) -> lgb.Dataset:
        return lgb.Dataset(
            _Batches(data),
            data.labels,
            weight=data.weights,
            feature_name=list(self.names),
            params={**self.parameters(), "feature_pre_filter": False},
            free_raw_data=True,
        )

    def _tell(self, label: str, total: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
        """A LightGBM callback that reports progress."""

        def told(environment: lgb.callback.CallbackEnv) -> None:
            self.progress(label, environment.iteration + 1, total)

        return told


def log_loss(probability: Floats, labels: Floats) -> Floats:
    """The log loss of each row (float64 [n])."""
    told = np.where(labels > 0, probability, 1 - probability)
    return np.asarray(-np.log(np.maximum(told, 1e-12)))


def _later_loss(probability: Floats, later: lgb.Dataset) -> tuple[str, float, bool]:
    """The mean log loss for early stopping: LightGBM's own sum depends on the threads."""
    losses = log_loss(np.asarray(probability), np.asarray(later.get_label(), dtype=np.float64))
    weights = later.get_weight()
    # LightGBM forgets weights that are all one.
    known = np.ones(len(losses)) if weights is None else np.asarray(weights, dtype=np.float64)
    return "log_loss", float(np.average(losses, weights=known)), False
