"""The tables of a run as CSV texts, which MLflow's pages show as tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

ENDS = ("value", "low", "high")


def csv_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows of equal keys as CSV; empty text for none."""
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def tables(result: Mapping[str, Any], importance: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Every table by artifact path; one that has no rows is left out."""
    found: dict[str, Sequence[Mapping[str, object]]] = {
        "tables/figures.csv": list(_figures(result["scorers"])),
        "tables/gain_over.csv": list(_figures(result["gain_over"])),
        "tables/calibration.csv": list(_bins(result)),
        "tables/importance.csv": list(importance),
        "tables/weekly_lists.csv": list(_figures(result.get("rolling", {}).get("pooled", {}))),
        "tables/months.csv": list(result["months"]),
    }
    return {path: csv_text(rows) for path, rows in found.items() if rows}


def _figures(scorers: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    """One row a scorer and figure: its value with both ends of its interval."""
    for name, figures in scorers.items():
        for key, figure in figures.items():
            yield {"scorer": name, "figure": key, **{end: figure[end] for end in ENDS}}


def _bins(result: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    for name, bins in calibrations(result).items():
        for number, one in enumerate(bins, start=1):
            yield {"scorer": name, "bin": number, **one}


def calibrations(result: Mapping[str, Any]) -> dict[str, list[dict[str, float]]]:
    """The calibration bins of the model and of every challenger."""
    challengers = {
        name: one["calibration"]["bins"]
        for name, one in result.get("challengers", {}).items()
        if name != "sentences"
    }
    return {"model": result["calibration"]["bins"], **challengers}
