"""Plots of a run for analysts: drawn from scores and aggregates, without a window system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from riskflag.training.figures.metrics import Ranking

Floats = NDArray[np.float64]


def precision_recall(scores: Mapping[str, Floats], labels: Floats) -> Figure:
    """Precision against recall of every scorer on the test window."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for name, one in scores.items():
        recall, precision = _curve(Ranking(one, labels))
        axes.plot(recall, precision, label=name, linewidth=2.2 if name == "model" else 1.2)
    axes.axhline(labels.mean(), linestyle=":", color="grey", label="share with the outcome")
    axes.set(xlabel="recall", ylabel="precision", ylim=(0, None), title="Test window")
    axes.legend(fontsize="small")
    return figure


def _curve(ranking: Ranking, points: int = 200) -> tuple[Floats, Floats]:
    """Recall and precision along the list, at most `points` of them: no row can be picked out."""
    lengths = np.unique(np.geomspace(30, len(ranking.labels), points).astype(int))
    found = np.array([ranking.found_in_top(float(k)) for k in lengths])
    return found / ranking.labels.sum(), found / lengths


def calibration(bins: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """Observed share against probability in bins of equal size, of the model and challengers."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    top = 1e-3
    for name, points in bins.items():
        foretold = [one["probability"] for one in points]
        observed = [one["observed"] for one in points]
        top = max([*foretold, *observed, top])
        axes.plot(foretold, observed, marker="o", label=name, zorder=3 if name == "model" else 2)
    axes.plot([0, 1.1 * top], [0, 1.1 * top], color="grey", linestyle=":", label="perfect")
    axes.set(xlabel="probability foretold", ylabel="share observed", title="Calibration, test")
    axes.legend()
    return figure


def importance(summary: Sequence[Mapping[str, Any]], most: int = 25) -> Figure:
    """Mean size of each signal's contribution over real rows: an aggregate, no row in it."""
    shown = list(reversed(summary[:most]))
    figure = Figure(figsize=(8, 0.28 * len(shown) + 1), layout="constrained")
    axes = figure.subplots()
    axes.barh([one["signal"] for one in shown], [one["mean_size"] for one in shown])
    axes.set(xlabel="mean size of the contribution (log-odds)", title="What moves the score")
    return figure
