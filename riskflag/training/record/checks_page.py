"""The page of a run's evaluation and honesty checks: findings first, the figures behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskflag.training.figures.checks import EVALUATION, FAULT, FINE, HONESTY, LOOK, NOT_KNOWN
from riskflag.training.record.page import curve, in_words, page, table, tag, text

Found = Mapping[str, Any]

INTRO = (
    "<p>Each check asks one thing that could make the figures of this run worth less than they "
    "look. <b>Fault</b>: do not trust the figures as they stand. <b>Look</b>: a person has to look "
    "before the model is used. <b>Fine</b>: nothing was found. <b>Not known</b>: there was too "
    "little to tell, which is not the same as fine.</p>"
)
TITLES = {EVALUATION: "How good is it", HONESTY: "Can the figures be trusted"}
#: The worst first.
ORDER = (FAULT, LOOK, NOT_KNOWN, FINE)


def checks_page(title: str, checks: Sequence[Found]) -> str:
    """The whole page from a run's checks; those of fairness have a page of their own."""
    parts = [INTRO]
    for part, heading in TITLES.items():
        mine = sorted(
            (one for one in checks if one["part"] == part),
            key=lambda one: ORDER.index(one["verdict"]),
        )
        items = "".join(
            f"<li>{tag(one['verdict'])} {text(one['sentence'])}{_behind(one)}</li>" for one in mine
        )
        parts.append(f'<h2>{heading}</h2><ul class="checks">{items}</ul>')
    return page(title, parts)


def _behind(one: Found) -> str:
    """The picture, and the table behind a disclosure."""
    rows = list(one["table"])
    picture = ""
    if one["name"] == "net_benefit":
        picture, rows = _net_benefit(rows), [row for row in rows if "way" in row]
    if not rows:
        return picture
    keys = list(rows[0])
    cells = [[_cell(row.get(key)) for key in keys] for row in rows]
    name = str(one["name"]).replace("_", " ")
    told = table(name, [key.replace("_", " ") for key in keys], cells)
    return f"{picture}<details><summary>Figures: {text(name)}</summary>{told}</details>"


def _net_benefit(rows: Sequence[Found]) -> str:
    points = [row for row in rows if "model" in row]
    if not points:
        return ""
    lines = [
        (name, [row[key] for row in points])
        for name, key in (("the model", "model"), ("everybody", "everybody"))
    ]
    first, last = points[0]["threshold"], points[-1]["threshold"]
    label = (
        f"Net benefit of the model and of everybody, thresholds {first:.1%} to {last:.1%}; "
        "the grey line is nobody"
    )
    return f"<p>{curve(lines, [row['threshold'] for row in points], label)}<br>{text(label)}</p>"


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return text(in_words(dict(value), 1, 3))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return "not known" if value is None else text(value)
