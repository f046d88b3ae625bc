"""The reference engine: plain Python, slow and obvious, straight from the definitions.

It is the oracle of the kernel and of every other engine, so it shares nothing with them but the
clock and the declarations. It looks at every contact of a child for every signal and as-of date.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from riskflag import clock
from riskflag.history.store.view import History
from riskflag.progress import Progress
from riskflag.signals.asked import Asked
from riskflag.signals.define import Signal
from riskflag.signals.expression import (
    IN_ORDER,
    OF_INTERVALS,
    Age,
    Aggregate,
    Difference,
    Expression,
    Scaled,
    Selection,
    Within,
    aggregates,
)
from riskflag.signals.in_order import Contact, in_order, thousandths, usable
from riskflag.signals.layout import THOUSANDTHS, Floats

Person = dict[str, Any]


@dataclass(frozen=True)
class Reference:
    """The slow engine; see `Engine`."""

    def values(
        self, history: History, signals: Sequence[Signal], asked: Asked, progress: Progress
    ) -> Floats:
        """Values [rows, signals]; see `Engine`."""
        contacts = _by_person(history.contacts, _columns(signals))
        persons = _by_person(history.persons, ["known_day", "superseded_day", "birth_day"])
        out = np.empty((len(asked.as_of), len(signals)), np.float64)
        ids = asked.person_ids.to_pylist()
        for row, (who, as_of) in enumerate(
            zip(asked.who.tolist(), asked.as_of.tolist(), strict=True)
        ):
            person_id = ids[who]
            birth = birth_day(persons[person_id], as_of)
            for column, signal in enumerate(signals):
                out[row, column] = value(signal.of, contacts[person_id], as_of, birth)
            progress("signals", row + 1, len(out))
        return out


def value(of: Expression, contacts: Sequence[Contact], as_of: int, birth: int | None) -> float:
    """The value of an expression for one child, from all of the child's contacts."""
    if isinstance(of, Aggregate):
        found = counted(of, contacts, as_of)
        if of.op in IN_ORDER:
            after = [contact["occurred_day"] for contact in following(of, contacts, as_of)]
            return in_order(of, found, after, as_of)
        return aggregate(of, found, as_of)
    if isinstance(of, Age):
        return age(of, birth, as_of)
    a = value(of.a, contacts, as_of, birth)
    if isinstance(of, Scaled):
        return _plain(a * of.factor)
    b = value(of.b, contacts, as_of, birth)
    if isinstance(of, Difference):
        return _plain(a - b)
    return math.nan if b == 0 else _plain(a / b)


def counted(of: Aggregate, contacts: Sequence[Contact], as_of: int) -> list[Contact]:
    """The contacts an aggregate looks at: visible, in its window, and selected."""
    # An interval that began before the window may reach into it.
    days = clock.ALL_HISTORY if of.op == "days_inside" else of.days
    return [
        contact
        for contact in contacts
        # The window leaves out most, and so comes first.
        if clock.in_window(contact["occurred_day"], as_of, days, of.ending)
        and clock.visible(contact["known_day"], contact["superseded_day"], as_of)
        and selected(of.selection, contact)
    ]


def following(of: Aggregate, contacts: Sequence[Contact], as_of: int) -> list[Contact]:
    """The contacts that may follow those an aggregate looks at: visible and selected."""
    if not isinstance(of, Within) or of.then is None:
        return []
    return counted(Aggregate("count", of.then), contacts, as_of)


def selected(selection: Selection, contact: Contact) -> bool:
    """Whether a contact has a listed type, a listed link and the attribute values wanted."""
    return (
        contact["type"] in selection.types
        and contact["link"] in selection.links
        and all(contact[attribute] in values for attribute, values in selection.where)
    )


def aggregate(of: Aggregate, contacts: Sequence[Contact], as_of: int) -> float:
    """One number from the contacts an aggregate looks at."""
    days = [as_of - contact["occurred_day"] for contact in contacts]
    if of.op == "count":
        return float(len(contacts))
    if of.op == "exists":
        return 1.0 if contacts else 0.0
    if of.op == "days_since_last":
        return float(min(days, default=math.inf))
    if of.op == "days_since_first":
        return float(max(days, default=math.inf))
    found = [contact[str(of.attribute)] for contact in contacts]
    if of.op == "distinct":
        return float(len({word for word in found if word is not None}))
    return _of_numbers(of, [thousandths(number) for number in found if usable(number)], found)


def _of_numbers(of: Aggregate, numbers: list[int], found: list[float | None]) -> float:
    if of.op == "total" and not found:
        return 0.0
    if not numbers:
        return math.nan
    if of.op == "total":
        return sum(numbers) / THOUSANDTHS
    if of.op == "mean":
        return sum(numbers) / (THOUSANDTHS * len(numbers))
    return (max(numbers) if of.op == "highest" else min(numbers)) / THOUSANDTHS


def age(of: Age, birth: int | None, as_of: int) -> float:
    """Age in days, or in months or years completed; a birthday on 29 February falls on 1 March."""
    if birth is None:
        return math.nan
    if of.unit == "days":
        return float(as_of - birth)
    born, now = clock.date_of(birth), clock.date_of(as_of)
    months = _months(now) - _months(born) - (now.day < born.day)
    return float(months if of.unit == "months" else months // 12)


def birth_day(persons: Sequence[Person], as_of: int) -> int | None:
    """Day of birth in the visible version of the person that was known last."""
    seen = [p for p in persons if clock.visible(p["known_day"], p["superseded_day"], as_of)]
    return seen[-1]["birth_day"] if seen else None


def _months(day: dt.date) -> int:
    return day.year * 12 + day.month


def _plain(number: float) -> float:
    """The same number with one zero and one undefined value, so that bytes can be compared."""
    return math.nan if math.isnan(number) else number + 0.0


def _columns(signals: Sequence[Signal]) -> list[str]:
    names = ["type", "link", "occurred_day", "known_day", "superseded_day"]
    for part in (part for signal in signals for part in aggregates(signal.of)):
        names += [name for selection in part.selections for name, _ in selection.where]
        names += [part.attribute] if part.attribute else []
        names += ["ended_day", "open_ended"] if part.op in OF_INTERVALS else []
    return list(dict.fromkeys(names))


def _by_person(table: pa.Table, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Rows as plain dictionaries, under the person they are about."""
    people: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.select(["person_id", *names]).to_pylist():
        people[row["person_id"]].append(row)
    return people
