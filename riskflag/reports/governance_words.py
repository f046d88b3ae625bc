"""Figures and checks of a run in the words of the governance pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskflag.reports import words
from riskflag.reports.documents import Table

NOT_KNOWN = "not known"
#: What is shown of each way to choose: the figure and its heading.
FIGURES = (
    ("auroc", "AUROC"),
    ("precision_at_capacity", "precision at capacity"),
    ("recall_at_capacity", "recall at capacity"),
)


def outcome(about: Mapping[str, Any]) -> str:
    """The outcome in one sentence."""
    days = about["horizon_days"]
    if about.get("labelled_table"):
        return (
            f"It anticipates the label of a table that the authority keeps, settled within {days} "
            "days of the day of the score."
        )
    named = words.listed(words.type_label(name).lower() for name in about["outcome_types"])
    return (
        f"It anticipates that one of these is first recorded within {days} days of the day of the "
        f"score: {named}. That is what agencies did, not harm itself."
    )


def baselines(result: Mapping[str, Any]) -> Table:
    """The model, first, beside what anybody could have done instead."""
    scorers, beyond = result["scorers"], result["share_of"]
    rows = tuple(
        (_list(name, result), *(interval(scorers[name][key]) for key, _ in FIGURES))
        for name in sorted(scorers, key=lambda name: (name != "model", name in beyond, name))
    )
    month = f"{result['capacity_per_month']:.0f}"
    heads = ("list by", *(heading for _, heading in FIGURES))
    return Table(f"The model beside simpler lists, {month} children a month", heads, rows)


def _list(name: str, result: Mapping[str, Any]) -> str:
    beyond = name in result["share_of"]
    return f"{name} (synthetic data: nobody could know it)" if beyond else name


def sentences(caption: str, checks: Sequence[Mapping[str, Any]]) -> Table:
    """Checks as a table: what was asked, what was found, and whether somebody has to look."""
    rows = tuple((title(one["name"]), one["sentence"], one["verdict"]) for one in checks)
    if not rows:
        rows = (("none", "Not measured in this run.", "not known"),)
    return Table(caption, ("check", "found", "verdict"), rows)


def title(name: str) -> str:
    """A check's name as words."""
    return words.sentence(name.replace("_", " ").replace("auroc", "AUROC"))


def interval(one: Mapping[str, float | None], digits: int = 2) -> str:
    """A figure with its interval."""
    value, low, high = one["value"], one["low"], one["high"]
    if value is None:
        return NOT_KNOWN
    if low is None or high is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def figure(value: float | None, digits: int = 3) -> str:
    """A number, or that it is not known."""
    return NOT_KNOWN if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share in percent."""
    return NOT_KNOWN if value is None else f"{value:.1%}"
