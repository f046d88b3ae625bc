"""The SHAP report of a model: what moves its score, in a table and in plots.

The table averages over real rows. The plots that draw single dots draw made-up rows only (each
signal drawn by itself from its own spread), because a dot is a row.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from riskflag.scoring.contributions import Contributions
from riskflag.scoring.model import Model, capped
from riskflag.training.data.reference import Spread

Floats = NDArray[np.float64]

#: Rows that the table averages over, and made-up rows in the plots.
ROWS, DOTS = 2000, 400
SHOWN, DEPENDENCE = 20, 6


def summary(parts: Contributions, themes: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each signal's mean size of contribution and share of all of it, largest first."""
    sizes = np.abs(parts.values).mean(axis=0)
    whole = sizes.sum() or 1.0
    told = [
        {
            "signal": name,
            "theme": themes[name],
            "mean_size": float(size),
            "share": float(size / whole),
        }
        for name, size in zip(parts.names, sizes, strict=True)
    ]
    return sorted(told, key=lambda one: (-one["mean_size"], one["signal"]))


def figures(model: Model, spread: Spread, ranked: Sequence[Mapping[str, Any]]) -> dict[str, Figure]:
    """Summary, dependence and waterfall plots over made-up rows, by artifact path."""
    made = spread.rows(DOTS, seed=7)
    parts = model.contributions(made, spread.names)
    top = [str(one["signal"]) for one in ranked[:DEPENDENCE]]
    with _drawing() as (shap, plt):
        explained = shap.Explanation(
            values=parts.values,
            base_values=np.full(len(made), parts.base),
            data=capped(made),
            feature_names=list(parts.names),
        )
        drawn = {"shap/summary.png": _draw(plt, shap.plots.beeswarm, explained, "made-up rows")}
        for name in top:
            one = explained[:, name]
            drawn[f"shap/dependence_{name}.png"] = _draw(plt, shap.plots.scatter, one, name)
        highest = int(np.argsort(parts.raw)[-DOTS // 20])
        drawn["shap/waterfall_example.png"] = _draw(
            plt, shap.plots.waterfall, explained[highest], "a made-up row"
        )
    return drawn


def _draw(plt: Any, plot: Any, explained: Any, title: str) -> Figure:
    """One SHAP plot as a figure that belongs to nobody but the caller."""
    plt.figure()
    options = {} if plot.__name__ == "scatter" else {"max_display": SHOWN}
    plot(explained, show=False, **options)
    figure: Figure = plt.gcf()
    figure.suptitle(title, fontsize="small")
    figure.tight_layout()
    plt.close(figure)
    return figure


@contextmanager
def _drawing() -> Iterator[tuple[Any, Any]]:
    """Shap and pyplot, without a window and without their remarks on other packages."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import matplotlib as mpl

        mpl.use("Agg")
        import matplotlib.pyplot as plt
        import shap

        yield shap, plt
