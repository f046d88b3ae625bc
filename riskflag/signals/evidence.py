"""The contacts behind a value: every number on a page can be recomputed from these."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable, Sequence
from operator import itemgetter

import pyarrow as pa

from riskflag import clock
from riskflag.history.store.view import History
from riskflag.signals.define import Signal
from riskflag.signals.expression import IN_ORDER, Aggregate, Within, aggregates
from riskflag.signals.in_order import Contact, behind, followers, thousandths, usable
from riskflag.signals.people import rows_of
from riskflag.signals.reference import counted, following

Pick = Callable[[Aggregate, list[Contact]], list[Contact]]


def evidence(history: History, person_id: str, as_of: dt.date, signal: Signal) -> pa.Table:
    """The rows of `history.contacts` that made the value of a signal, in the history's order.

    They are visible at `as_of`, selected and in the window. Of a lowest, highest or last value, of
    days since last or first, of gaps, busiest days and open intervals, only the contacts that set
    it; of a sequence also what followed; of a value put together from others, the contacts of
    every part. No rows means that the value rests on an absence (or on age).
    """
    return evidence_many(history, person_id, as_of, [signal])[signal.name]


def evidence_many(
    history: History, person_id: str, as_of: dt.date, signals: Sequence[Signal]
) -> dict[str, pa.Table]:
    """The evidence of several signals about one child, by signal name."""
    own = contacts_of(history, person_id)
    contacts = own.to_pylist()
    for place, contact in enumerate(contacts):
        contact["place"] = place
    day = clock.day_number(as_of)
    return {
        signal.name: own.take(pa.array(_places(signal, contacts, day), type=pa.int64()))
        for signal in signals
    }


def keys_behind(signal: Signal, contacts: Sequence[Contact], as_of: int) -> tuple[str, ...]:
    """The keys of the contacts that made a signal's value at day number `as_of`, sorted.

    `contacts` are one child's contacts as dicts, in the history's order, each with its `place` in
    that order: all versions, or at least those of the signal's types that were visible on that day.
    """
    parts = aggregates(signal.of)
    return tuple(
        sorted({one["contact_key"] for part in parts for one in _made(part, contacts, as_of)})
    )


def contacts_of(history: History, person_id: str) -> pa.Table:
    """All versions of one child's contacts: a slice of the history's contacts."""
    rows = rows_of(history.contacts.column("person_id"), person_id)
    return history.contacts.slice(rows.start, rows.stop - rows.start)


def _places(signal: Signal, contacts: Sequence[Contact], as_of: int) -> list[int]:
    made: set[int] = set()
    for part in aggregates(signal.of):
        made |= {contact["place"] for contact in _made(part, contacts, as_of)}
    return sorted(made)


def _made(part: Aggregate, contacts: Sequence[Contact], as_of: int) -> list[Contact]:
    contacts = _in_reach(part, contacts, as_of)
    looked_at = counted(part, contacts, as_of)
    if part.op not in IN_ORDER:
        return PICKS.get(part.op, _all)(part, looked_at)
    then = following(part, contacts, as_of)
    found = behind(part, looked_at, [contact["occurred_day"] for contact in then], as_of)
    return found + followers(part, found, then) if isinstance(part, Within) else found


def _in_reach(part: Aggregate, contacts: Sequence[Contact], as_of: int) -> Sequence[Contact]:
    """The contacts from a window's first day on: of a childhood's records mostly few.

    Of a sequence what followed is among them, for it happened no sooner than what it follows.
    """
    if part.days == clock.ALL_HISTORY or part.op == "days_inside":
        return contacts
    first = bisect_left(contacts, as_of - part.ending - part.days, key=_DAY)
    return contacts[first : bisect_left(contacts, as_of, key=_DAY)]


_DAY = itemgetter("occurred_day")


def _all(part: Aggregate, contacts: list[Contact]) -> list[Contact]:
    return contacts


def _with_number(part: Aggregate, contacts: list[Contact]) -> list[Contact]:
    return [contact for contact in contacts if usable(contact[str(part.attribute)])]


def _with_word(part: Aggregate, contacts: list[Contact]) -> list[Contact]:
    return [contact for contact in contacts if contact[str(part.attribute)] is not None]


def _first_or_last(part: Aggregate, contacts: list[Contact]) -> list[Contact]:
    pick = max if part.op == "days_since_last" else min
    day = pick((contact["occurred_day"] for contact in contacts), default=None)
    return [contact for contact in contacts if contact["occurred_day"] == day]


def _extreme(part: Aggregate, contacts: list[Contact]) -> list[Contact]:
    pick = max if part.op == "highest" else min
    found = {c["place"]: thousandths(c[str(part.attribute)]) for c in _with_number(part, contacts)}
    best = pick(found.values(), default=None)
    return [contact for contact in contacts if found.get(contact["place"]) == best is not None]


PICKS: dict[str, Pick] = {
    "total": _with_number,
    "mean": _with_number,
    "lowest": _extreme,
    "highest": _extreme,
    "distinct": _with_word,
    "days_since_last": _first_or_last,
    "days_since_first": _first_or_last,
}
