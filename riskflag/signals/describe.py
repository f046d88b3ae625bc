"""Definitions in plain words."""

from __future__ import annotations

from riskflag import clock
from riskflag.signals.expression import (
    Age,
    Aggregate,
    Difference,
    Expression,
    Operation,
    Ratio,
    Scaled,
    Selection,
    Within,
)
from riskflag.signals.terms import terms

PHRASES: dict[Operation, str] = {
    "count": "the number of {contacts} {when}",
    "exists": "1 if there are any {contacts} {when}, else 0",
    "total": "the sum of {number} over {contacts} {when}",
    "mean": "the mean of {number} over {contacts} {when}",
    "lowest": "the lowest {number} among {contacts} {when}",
    "highest": "the highest {number} among {contacts} {when}",
    "distinct": "the number of different values of {number} among {contacts} {when}",
    "days_since_last": "the days since the latest of {contacts} {when}",
    "days_since_first": "the days since the earliest of {contacts} {when}",
    "open_now": "the number of {contacts} before the as-of date that had not ended by then,"
    " undefined when none of them says whether it ended",
    "days_inside": "the number of days {when} on which any of {contacts} had begun and not ended,"
    " undefined when none of them says whether it ended",
    "last_value": "the {number} of the latest of {contacts} that has it {when}",
    "longest_gap": "the most days between one and the next day with {contacts} {when},"
    " undefined with fewer than two such days",
    "shortest_gap": "the fewest days between one and the next day with {contacts} {when},"
    " undefined with fewer than two such days",
    "busiest": "the most {contacts} in any {within} consecutive days {when}",
    "sequence": "the number of {contacts} {when} that were followed, after the day itself and"
    " within {within} days, by {then}",
    "unanswered": "the number of {contacts} {when} whose {within} days after are over and were"
    " not followed, after the day itself and within these, by {then}",
}


def window_words(days: int | None) -> str:
    """A window as the question of a signal names it."""
    return "at any time in the records" if days is None else f"in the last {days} days"


def describe(of: Expression) -> str:
    """What an expression computes, in one phrase."""
    if isinstance(of, Aggregate):
        return _aggregate(of)
    if isinstance(of, Difference):
        return f"({describe(of.a)}) minus ({describe(of.b)})"
    if isinstance(of, Ratio):
        return f"({describe(of.a)}) divided by ({describe(of.b)}), undefined when that is 0"
    if isinstance(of, Scaled):
        return f"({describe(of.a)}) times {of.factor:g}"
    return _age(of)


def _age(of: Age) -> str:
    completed = "" if of.unit == "days" else "completed "
    return f"the child's age in {completed}{of.unit} at the as-of date"


def _aggregate(of: Aggregate) -> str:
    said: dict[str, object] = {"number": of.attribute, "when": _window(of)}
    said["contacts"] = _selection(of.selection)
    if isinstance(of, Within):
        said["within"] = of.within
        said["then"] = _selection(of.then) if of.then else ""
    return PHRASES[of.op].format(**said)


def _selection(selection: Selection) -> str:
    every = selection.types == tuple(terms().types)
    kinds = "contacts of any type" if every else f"contacts of type {_either(selection.types)}"
    parts = [f"{name} {_either(values)}" for name, values in selection.where]
    with_values = f" with {' and '.join(parts)}" if parts else ""
    if selection.links == ("self",):
        return f"the child's own {kinds}{with_values}"
    return f"{kinds}{with_values} of the child's {_either(_people(selection.links))}"


def _people(links: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("own records" if link == "self" else link.replace("_", " ") for link in links)


def _either(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _window(of: Aggregate) -> str:
    end = f"{of.ending} days before the as-of date" if of.ending else "the as-of date"
    if of.days == clock.ALL_HISTORY:
        return f"over everything recorded that occurred before {end}"
    until = f"that end {end}" if of.ending else f"before {end}"
    return f"in the {of.days} days {until}"
