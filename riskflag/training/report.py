"""The result of a run as text and as one HTML page, the baselines always beside the model."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = ("auroc", "average_precision", "precision_at_capacity", "recall_at_capacity")
#: Parts of a result that bring their own sentences, in the order they are told.
SECTIONS = ("tuning", "challengers", "rolling", "leaks")
HEADINGS = ("", "AUROC", "average precision", "precision at capacity", "recall at capacity")


def table(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows of text: the model, each baseline and, on synthetic data, the true hazard."""
    rows = []
    for name, figures in result["scorers"].items():
        rows.append((name, *(interval(figures[column]) for column in COLUMNS)))
    return rows


def interval(figure: Mapping[str, float | None]) -> str:
    """A figure with its interval."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "not known"
    if low is None or high is None:
        return f"{value:.3f}"
    return f"{value:.3f} ({low:.3f}-{high:.3f})"


def sentences(result: Mapping[str, Any]) -> list[str]:
    """What else there is to say, in sentences."""
    frequency, calibration = result["natural_frequency"], result["calibration"]
    told = [
        f"Test window {result['period']}: {result['rows']:,} child-months, "
        f"{result['children']:,} children, {result['outcomes']:,} with the outcome "
        f"({result['base_rate']:.2%}); capacity {result['capacity_per_month']:.0f} a month.",
        f"Of {frequency['n']} children above the line, {frequency['needed_more']} had the outcome.",
        f"Calibration slope {interval(calibration['slope'])}, foretold/observed "
        f"{interval(calibration['expected_over_observed'])}, Brier {calibration['brier']:.4f}.",
    ]
    if "oracle" in result:
        told.append(
            f"The model goes {interval(result['oracle']['share'])} of the way from 0.5 to the "
            f"AUROC of the true hazard ({result['oracle']['auroc']:.3f})."
        )
    parts = (result.get(name, {}) for name in SECTIONS)
    told += [sentence for part in parts for sentence in part.get("sentences", ())]
    return [*told, *_checked(result.get("checks", ()))]


def _checked(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """The checks that found something, and how many there were; the rest has its own pages."""
    if not checks:
        return []
    found = [one for one in checks if one["verdict"] in ("fault", "look")]
    unknown = sum(one["verdict"] == "not known" for one in checks)
    lead = (
        f"{len(checks)} checks (checks.html, fairness.html): {len(found)} to be looked at, "
        f"{unknown} could not be made."
    )
    return [lead, *(f"{one['verdict'].capitalize()}: {one['sentence']}" for one in found)]


def as_text(result: Mapping[str, Any], gates: Sequence[Mapping[str, Any]]) -> str:
    """The whole report as plain text."""
    rows = [HEADINGS, *table(result)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    held = [f"{'held' if g['passed'] else 'FAILED'}: {g['name']} ({g['measured']})" for g in gates]
    return "\n".join([*lines, "", *sentences(result), "", "Gates", *held, ""])


STYLE = (
    "body{font:16px/1.5 Arial,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{border:1px solid #505a5f;padding:.3em .6em;"
    "text-align:left}caption{text-align:left;font-weight:bold;padding:.3em 0}"
)


def as_html(title: str, result: Mapping[str, Any], gates: Sequence[Mapping[str, Any]]) -> str:
    """The whole report as one page without script or anything from elsewhere."""
    head = "".join(f'<th scope="col">{html.escape(h) or "Scorer"}</th>' for h in HEADINGS)
    body = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in table(result)
    )
    said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences(result))
    held = "".join(
        f"<li>{'held' if g['passed'] else 'FAILED'}: {html.escape(g['name'])} "
        f"({html.escape(g['measured'])})</li>"
        for g in gates
    )
    return (
        f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{html.escape(title)}</h1><table><caption>On the test window</caption><thead><tr>"
        f"{head}</tr></thead><tbody>{body}</tbody></table>{said}<h2>Gates</h2><ul>{held}</ul>"
        "</body></html>\n"
    )
