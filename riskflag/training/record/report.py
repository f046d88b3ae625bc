"""The result of a run as text and as one HTML page, the baselines always beside the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from riskflag.training.figures.intervals import interval
from riskflag.training.judging.gates import Gate
from riskflag.training.record import page
from riskflag.training.record.page import tag, text

COLUMNS = ("auroc", "average_precision", "precision_at_capacity", "recall_at_capacity")
#: Parts of a result that bring their own sentences, in the order they are told.
SECTIONS = ("tuning", "challengers", "rolling", "leaks")
#: What is said wherever a gate was not decided.
UNDECIDED = (
    "Undecided means that nothing shows the gate to hold, mostly for want of outcomes; it passes "
    "only because the experiment says so."
)
HEADINGS = ("", "AUROC", "average precision", "precision at capacity", "recall at capacity")


def table(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows of text: the model, each baseline and, on synthetic data, the true hazard."""
    rows = []
    for name, figures in result["scorers"].items():
        rows.append((name, *(interval(figures[column]) for column in COLUMNS)))
    return rows


def sentences(result: Mapping[str, Any]) -> list[str]:
    """What else there is to say, in sentences."""
    frequency, calibration = result["natural_frequency"], result["calibration"]
    told = [
        f"Test window {result['period']}: {result['rows']:,} child-months, "
        f"{result['children']:,} children, {result['outcomes']:,} with the outcome "
        f"({result['base_rate']:.2%}); capacity {result['capacity_per_month']:.0f} a month.",
        f"Of {frequency['n']} children above the line, {frequency['needed_more']} had the outcome.",
        f"Calibration slope {interval(calibration['slope'])}, foretold/observed "
        f"{interval(calibration['expected_over_observed'])}, "
        f"Brier {interval(calibration['brier'], 4)}.",
    ]
    if "oracle" in result:
        told.append(
            f"The model goes {interval(result['oracle']['share'])} of the way from 0.5 to the "
            f"AUROC of the true hazard ({result['oracle']['auroc']:.3f})."
        )
    parts = (result.get(name, {}) for name in SECTIONS)
    return told + [sentence for part in parts for sentence in part.get("sentences", ())]


def _checked(checks: Sequence[Mapping[str, Any]]) -> tuple[str, list[Mapping[str, Any]]]:
    """How many checks there were, and those that found something; the rest has its own pages."""
    if not checks:
        return "", []
    found = [one for one in checks if one["verdict"] in ("fault", "look")]
    unknown = sum(one["verdict"] == "not known" for one in checks)
    lead = (
        f"{len(checks)} checks (checks.html, fairness.html): {len(found)} to be looked at, "
        f"{unknown} could not be made."
    )
    return lead, found


def as_text(result: Mapping[str, Any], gates: Sequence[Mapping[str, Any]]) -> str:
    """The whole report as plain text."""
    rows = [HEADINGS, *table(result)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lead, found = _checked(result.get("checks", ()))
    checked = [lead, *(f"{one['verdict'].capitalize()}: {one['sentence']}" for one in found)]
    known = [Gate.from_dict(one) for one in gates]
    told = [f"{gate.verdict}: {gate.name} ({gate.measured})" for gate in known]
    said = [*sentences(result), *(checked if lead else ())]
    return "\n".join([*lines, "", *said, "", f"Gates: {_counted(known)}", *told, ""])


def as_html(title: str, result: Mapping[str, Any], gates: Sequence[Mapping[str, Any]]) -> str:
    """The whole report as one page without script or anything from elsewhere."""
    rows = [[text(cell) for cell in row] for row in table(result)]
    parts = [
        page.table("On the test window", ("way to choose", *HEADINGS[1:]), rows),
        "<h2>In words</h2>",
        *(f"<p>{text(sentence)}</p>" for sentence in sentences(result)),
    ]
    lead, found = _checked(result.get("checks", ()))
    if lead:
        items = "".join(f"<li>{tag(one['verdict'])} {text(one['sentence'])}</li>" for one in found)
        parts.append(f'<h2>Checks</h2><p>{text(lead)}</p><ul class="checks">{items}</ul>')
    known = [Gate.from_dict(one) for one in gates]
    cells = [[text(g.name), _boxed(g.verdict), text(g.measured), text(g.asked)] for g in known]
    headings = ("gate", "verdict", "measured", "asked")
    parts += [
        f"<h2>Gates</h2><p>{text(_counted(known))}</p>",
        page.table("Gates of promotion, as training found them", headings, cells),
    ]
    return page.page(title, parts)


def _boxed(verdict: str) -> str:
    like = {"held": "fine", "undecided": "look"}.get(verdict, "fault")
    return f'<span class="tag {like}">{text(verdict)}</span>'


def _counted(gates: Sequence[Gate]) -> str:
    """How many gates have each verdict; those that were not decided are never among the held."""
    told = Counter(gate.verdict for gate in gates)
    listed = ", ".join(f"{number} {verdict}" for verdict, number in told.items())
    return f"{listed}. {UNDECIDED}" if told["undecided"] else f"{listed}."
