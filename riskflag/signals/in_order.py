"""The reference engine's other half: what rests on the order of contacts or on their ends.

Plain Python like the rest of it, and for each operation also the contacts that made the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from riskflag.signals.expression import Aggregate, Within
from riskflag.signals.layout import LARGEST_NUMBER, THOUSANDTHS

Contact = dict[str, Any]


def in_order(of: Aggregate, contacts: Sequence[Contact], after: Sequence[int], as_of: int) -> float:
    """One number from the contacts an aggregate looks at, in the order of the history.

    `after` are the days of the contacts that may follow them.
    """
    if of.op == "last_value":
        return _last_value(of, contacts)
    if of.op in {"longest_gap", "shortest_gap"}:
        return float(_gap(of, contacts) or math.nan)
    if isinstance(of, Within):
        if of.op == "busiest":
            return float(len(_busiest(of, contacts)))
        return float(len(_followed(of, contacts, after, as_of)))
    if contacts and all(end(contact, as_of) is None for contact in contacts):
        return math.nan
    if of.op == "open_now":
        return float(len(_open(contacts, as_of)))
    return float(len({day for contact in contacts for day in _inside(of, contact, as_of)}))


def behind(
    of: Aggregate, contacts: Sequence[Contact], after: Sequence[int], as_of: int
) -> list[Contact]:
    """The contacts that made the value; what follows a contact of a sequence is not among them."""
    if of.op == "open_now":
        return _open(contacts, as_of)
    if of.op == "days_inside":
        return [contact for contact in contacts if _inside(of, contact, as_of)]
    if of.op == "last_value":
        return [contact for contact in contacts if usable(contact[str(of.attribute)])][-1:]
    if isinstance(of, Within):
        if of.op == "busiest":
            return _busiest(of, contacts)
        return _followed(of, contacts, after, as_of)
    gap = _gap(of, contacts)
    ends = {day for pair in _pairs(contacts) if pair[1] - pair[0] == gap for day in pair}
    return [contact for contact in contacts if contact["occurred_day"] in ends]


def followers(of: Within, contacts: Sequence[Contact], then: Sequence[Contact]) -> list[Contact]:
    """Those of `then` that followed one of the contacts in time."""
    return [
        later for later in then if any(_follows(of, one, later["occurred_day"]) for one in contacts)
    ]


def end(contact: Contact, as_of: int) -> int | None:
    """The day a contact ended as far as it can be known at `as_of`: that day while it is open.

    None where nobody says whether it ended. An end on or after `as_of` is not known yet, even when
    a first bulk load says it: the contact is open, as it would have been that day.
    """
    if contact["ended_day"] is None:
        return as_of if contact["open_ended"] else None
    return min(int(contact["ended_day"]), as_of)


def usable(number: float | None) -> bool:
    """Whether a number was recorded and can be meant."""
    return number is not None and abs(number) <= LARGEST_NUMBER


def thousandths(number: float) -> int:
    """A number in whole thousandths: sums of these are exact in any order."""
    return round(number * THOUSANDTHS)


def _open(contacts: Sequence[Contact], as_of: int) -> list[Contact]:
    return [contact for contact in contacts if end(contact, as_of) == as_of]


def _inside(of: Aggregate, contact: Contact, as_of: int) -> range:
    """The days of the window that an interval covers; the day of its end is not one of them."""
    last = end(contact, as_of)
    if last is None:
        return range(0)
    window_end = as_of - of.ending
    return range(max(contact["occurred_day"], window_end - of.days), min(last, window_end))


def _last_value(of: Aggregate, contacts: Sequence[Contact]) -> float:
    numbers = [contact[str(of.attribute)] for contact in contacts]
    found = [thousandths(number) for number in numbers if usable(number)]
    return found[-1] / THOUSANDTHS if found else math.nan


def _pairs(contacts: Sequence[Contact]) -> list[tuple[int, int]]:
    return list(pairwise(sorted({contact["occurred_day"] for contact in contacts})))


def _gap(of: Aggregate, contacts: Sequence[Contact]) -> int | None:
    pick: Callable[..., int | None] = max if of.op == "longest_gap" else min
    return pick((later - earlier for earlier, later in _pairs(contacts)), default=None)


def _busiest(of: Within, contacts: Sequence[Contact]) -> list[Contact]:
    """The contacts of the busiest days; of the latest where several are as busy."""
    spells = [
        [c for c in contacts if 0 <= one["occurred_day"] - c["occurred_day"] < of.within]
        for one in reversed(contacts)
    ]
    return max(spells, key=len, default=[])


def _followed(
    of: Within, contacts: Sequence[Contact], after: Sequence[int], as_of: int
) -> list[Contact]:
    """The contacts that were followed in time; or those that were not, and are out of time."""
    if of.op == "sequence":
        return [one for one in contacts if any(_follows(of, one, day) for day in after)]
    return [
        one
        for one in contacts
        if one["occurred_day"] + of.within < as_of
        and not any(_follows(of, one, day) for day in after)
    ]


def _follows(of: Within, contact: Contact, day: int) -> bool:
    return bool(0 < day - contact["occurred_day"] <= of.within)
