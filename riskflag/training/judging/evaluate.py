"""Judging on the test window: the model beside the simplest things anybody could do instead.

Every figure has an interval from a bootstrap over families (their months stay together), and
differences between the model and each baseline are taken within the same draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import date_of
from riskflag.history.threads import streamed
from riskflag.progress import Progress, silent
from riskflag.training.data.rows import Ints, Rows
from riskflag.training.figures.intervals import family_draws, with_interval
from riskflag.training.figures.metrics import Levels, Ranking, calibration_bins

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
        auroc, average_precision = self.pooled.areas(weights)
        return {
            "auroc": auroc,
            "average_precision": average_precision,
            "precision_at_capacity": found / listed if listed else float("nan"),
            "recall_at_capacity": found / came if came else float("nan"),
        }


def evaluate(trial: Trial) -> dict[str, Any]:
    """Every figure of the test window as plain JSON values; NaN becomes null."""
    scorers = {name: _Scorer.of(trial, scores) for name, scores in trial.scores.items()}
    whole = np.ones(len(trial.labels))
    values = {name: s.figures(trial.capacity, whole) for name, s in scorers.items()}
    drawn = _bootstrap(trial, scorers)
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
        "calibration": calibrated(trial),
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

    def one(weights: Floats) -> dict[str, dict[str, float]]:
        return {name: each.figures(trial.capacity, weights) for name, each in scorers.items()}

    for number, told in enumerate(streamed(one, _draws(trial))):
        for name, figures in told.items():
            for key, value in figures.items():
                drawn[name].setdefault(key, []).append(value)
        trial.progress("intervals", number + 1, trial.draws)
    return drawn


def calibrated(trial: Trial) -> dict[str, Any]:
    """Whether the probabilities are true: figures with intervals, and bins."""
    levels = Levels(trial.probability, trial.labels)
    values = levels.figures()
    drawn = list(streamed(levels.figures, _draws(trial)))
    return {
        **{key: with_interval(value, [one[key] for one in drawn]) for key, value in values.items()},
        "bins": calibration_bins(trial.probability, trial.labels),
    }


def _draws(trial: Trial) -> Iterator[tuple[Floats]]:
    """The weights of each draw, the same at every call."""
    return zip(family_draws(_drawn_together(trial), trial.draws, trial.seed))


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
