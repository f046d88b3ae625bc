"""Recorded runs side by side, as text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from riskflag.clock import LONDON
from riskflag.errors import ConfigError
from riskflag.training.record.track import Run

#: What is shown of each run: the metric's name in the record and its heading.
SHOWN = (
    ("auroc", "AUROC"),
    ("auroc_rules_alone", "rules alone"),
    ("auroc_number_of_contacts", "contact count"),
    ("auroc_best_single_signal", "best signal"),
    ("auroc_logistic_regression", "logistic regression"),
    ("auroc_explainable_boosting", "explainable boosting"),
    ("average_precision", "average precision"),
    ("precision_at_capacity", "precision at capacity"),
    ("recall_at_capacity", "recall at capacity"),
    ("calibration_slope", "calibration slope"),
    ("share_of_the_possible", "share of the possible"),
    ("trees", "trees"),
    ("gates_failed", "gates failed"),
)


def side_by_side(runs: Sequence[Run], champion: str | None) -> str:
    """One column a run, newest first; raises ConfigError when there is none."""
    if not runs:
        raise ConfigError("No run is recorded here; train one with `riskflag train`.")
    data = runs[0].tags.get("history_digest")
    shown = [one for one in SHOWN if any(one[0] in run.metrics for run in runs)]
    columns = [["run", "started", "experiment", "data", *(heading for _, heading in shown)]]
    for run in runs:
        same = run.tags.get("history_digest") == data
        columns.append(
            [
                run.id[:8] + ("*" if run.id == champion else ""),
                _when(run.started),
                run.experiment,
                "as newest" if same else "other",
                *(_number(run.metrics.get(name), name) for name, _ in shown),
            ]
        )
    widths = [max(len(cell) for cell in column) for column in columns]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]
    note = "* promoted last" if any(run.id == champion for run in runs) else "none is promoted"
    return "\n".join([*lines, "", note])


def _when(milliseconds: int) -> str:
    return dt.datetime.fromtimestamp(milliseconds / 1000, LONDON).strftime("%d %b %Y %H:%M")


def _number(value: float | None, name: str) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if name in ("trees", "gates_failed") else f"{value:.3f}"
