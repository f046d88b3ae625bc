"""Judging on the test window: the model beside the simplest things anybody could do instead.

Every figure has an interval from a bootstrap over families (their months stay together), and
differences between the model and each baseline are taken within the same draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import date_of
from riskflag.progress import Progress, silent
from riskflag.training.data.rows import Ints, Rows
from riskflag.training.figures.intervals import family_draws, with_interval
from riskflag.training.figures.metrics import (
    Ranking,
    brier,
    calibration_bins,
    calibration_intercept,
    calibration_slope,
    expected_over_observed,
)

Floats = NDArray[np.float64]

MODEL = "model"


@dataclass(frozen=True)
class Trial:
    """What is judged: test rows, what came (0/1 [n]), the model's probabilities, all scores.

    `scores` has one float64 [n] per scorer, the model's under "model"; `capacity` is how many
    children can be looked at for each monthly as-of date; `beyond_reach` names scorers nobody could
    have, such as a simulator's truth, which are no baseline.
    """

    rows: Rows
    labels: Floats
    probability: Floats
    scores: Mapping[str, Floats]
    capacity: float
    draws: int = 200
    seed: int = 2
    beyond_reach: frozenset[str] = frozenset()
    progress: Progress = field(default=silent)
    #: Who is drawn together (int64 [n]); without it each child is drawn alone.
    families: Ints | None = None

    @cached_property
    def months(self) -> list[tuple[int, NDArray[np.intp]]]:
        """Each as-of date with the positions of its rows."""
        days = np.unique(self.rows.as_of)
        return [(int(day), np.flatnonzero(self.rows.as_of == day)) for day in days]


@dataclass(frozen=True)
class _Scorer:
    """One scorer's rankings: over all months together, and month by month."""

    pooled: Ranking
    monthly: list[tuple[NDArray[np.intp], Ranking]]

    @classmethod
    def of(cls, trial: Trial, scores: Floats) -> _Scorer:
        monthly = [
            (places, Ranking(scores[places], trial.labels[places])) for _, places in trial.months
        ]
        return cls(Ranking(scores, trial.labels), monthly)

    def figures(self, capacity: float, weights: Floats) -> dict[str, float]:
        found = sum(
            ranking.found_in_top(capacity, weights[places]) for places, ranking in self.monthly
        )
        listed = sum(min(capacity, float(weights[places].sum())) for places, _ in self.monthly)
        came = float((weights * self.pooled.labels).sum())
        return {
            "auroc": self.pooled.auroc(weights),
            "average_precision": self.pooled.average_precision(weights),
            "precision_at_capacity": found / listed if listed else float("nan"),
            "recall_at_capacity": found / came if came else float("nan"),
        }


def evaluate(trial: Trial) -> dict[str, Any]:
    """Every figure of the test window as plain JSON values; NaN becomes null."""
    scorers = {name: _Scorer.of(trial, scores) for name, scores in trial.scores.items()}
    whole = np.ones(len(trial.labels))
    values = {name: s.figures(trial.capacity, whole) for name, s in scorers.items()}
    drawn = _bootstrap(trial, scorers)
    slope = calibration_slope(trial.probability, trial.labels)
    level = calibration_intercept(trial.probability, trial.labels)
    ratio = expected_over_observed(trial.probability, trial.labels)
    return {
        "rows": len(trial.labels),
        "children": len(np.unique(trial.rows.person)),
        "outcomes": int(trial.labels.sum()),
        "children_with_outcome": len(np.unique(trial.rows.person[trial.labels > 0])),
        "base_rate": float(trial.labels.mean()),
        "capacity_per_month": trial.capacity,
        "scorers": {
            name: {key: with_interval(value, drawn[name][key]) for key, value in figures.items()}
            for name, figures in values.items()
        },
        "gain_over": {
            name: _differences(values, drawn, name)
            for name in scorers
            if name != MODEL and name not in trial.beyond_reach
        },
        "calibration": {
            "slope": with_interval(slope, drawn[MODEL]["slope"]),
            "intercept": with_interval(level, drawn[MODEL]["intercept"]),
            "expected_over_observed": with_interval(ratio, drawn[MODEL]["expected"]),
            "brier": with_interval(brier(trial.probability, trial.labels), drawn[MODEL]["brier"]),
            "bins": calibration_bins(trial.probability, trial.labels),
        },
        "months": [_month(trial, day, places) for day, places in trial.months],
        "share_of": {name: _share(values, drawn, name) for name in sorted(trial.beyond_reach)},
    }


def _share(
    values: Mapping[str, Mapping[str, float]],
    drawn: Mapping[str, Mapping[str, list[float]]],
    best: str,
) -> dict[str, float | None]:
    """How far the model's AUROC goes from 0.5 to that of a scorer nobody could have."""
    ours, theirs = np.array(drawn[MODEL]["auroc"]), np.array(drawn[best]["auroc"])
    draws = ((ours - 0.5) / (theirs - 0.5)).tolist()
    value = (values[MODEL]["auroc"] - 0.5) / (values[best]["auroc"] - 0.5)
    return with_interval(value, draws)


def _month(trial: Trial, day: int, places: NDArray[np.intp]) -> dict[str, Any]:
    labels, scores = trial.labels[places], trial.scores[MODEL][places]
    return {
        "as_of": date_of(day).isoformat(),
        "rows": len(places),
        "outcomes": int(labels.sum()),
        "auroc": _plain(Ranking(scores, labels).auroc()),
    }


def _bootstrap(trial: Trial, scorers: Mapping[str, _Scorer]) -> dict[str, dict[str, list[float]]]:
    """For each scorer and figure, its value in every draw of families."""
    drawn: dict[str, dict[str, list[float]]] = {name: {} for name in scorers}
    weights_of = family_draws(_drawn_together(trial), trial.draws, trial.seed)
    for number, weights in enumerate(weights_of):
        for name, scorer in scorers.items():
            figures = scorer.figures(trial.capacity, weights)
            if name == MODEL:
                figures["slope"] = calibration_slope(trial.probability, trial.labels, weights)
                figures["intercept"] = calibration_intercept(
                    trial.probability, trial.labels, weights
                )
                figures["brier"] = brier(trial.probability, trial.labels, weights)
                figures["expected"] = expected_over_observed(
                    trial.probability, trial.labels, weights
                )
            for key, value in figures.items():
                drawn[name].setdefault(key, []).append(value)
        trial.progress("intervals", number + 1, trial.draws)
    return drawn


def _drawn_together(trial: Trial) -> Ints:
    return trial.rows.person if trial.families is None else trial.families


def _differences(
    values: Mapping[str, Mapping[str, float]],
    drawn: Mapping[str, Mapping[str, list[float]]],
    baseline: str,
) -> dict[str, Any]:
    """The model's figures less the baseline's, draw by draw."""
    told = {}
    for key, value in values[MODEL].items():
        gaps = np.array(drawn[MODEL][key]) - np.array(drawn[baseline][key])
        told[key] = with_interval(value - values[baseline][key], gaps.tolist())
    return told


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None
