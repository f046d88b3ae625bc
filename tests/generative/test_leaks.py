"""The suite has power: faults planted on purpose are found by the checks that should find them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

import pandas as pd
import pytest

from riskflag import clock
from riskflag.history.store import view
from riskflag.signals import Signal, in_order
from riskflag.signals import reference as engine
from tests.generative import laws
from tests.generative.worlds import World, contact_rows

#: Cases a check may take to find a planted leak; it stops at the first.
POWER = 2_000 if laws.LONG else 600
LONG_AGO = clock.date_of(0)


def with_clock(**faults: Callable[..., bool]) -> laws.Subject:
    """The reference engine with another clock."""
    real = {
        name: getattr(clock, name) for name in ("visible", "in_window", "date_of", "ALL_HISTORY")
    }

    def subject(world: World, declared: tuple[Signal, ...], rows: pd.DataFrame) -> pd.DataFrame:
        with mock.patch.object(engine, "clock", SimpleNamespace(**{**real, **faults})):
            return laws.reference(world, declared, rows)

    return subject


def with_rows(part: str, change: Callable[[tuple[dict, ...]], list[dict]]) -> laws.Subject:
    """The kernel on a history whose rows were changed before it saw them."""

    def subject(world: World, declared: tuple[Signal, ...], rows: pd.DataFrame) -> pd.DataFrame:
        parts = {name: getattr(world, name) for name in ("contacts", "persons", "relationships")}
        parts[part] = tuple(change(parts[part]))
        return laws.kernel(World(**parts), declared, rows)

    return subject


def known_when_it_occurred(rows: tuple[dict, ...]) -> list[dict]:
    return [{**row, "known_on": min(row["known_on"], row["occurred_on"])} for row in rows]


def known_all_along(rows: tuple[dict, ...]) -> list[dict]:
    return [{**row, "known_on": LONG_AGO} for row in rows]


def said_last(rows: tuple[dict, ...]) -> list[dict]:
    """Every version says what the contact's last version says: a column filled in later."""
    last = {row["contact_key"]: row for row in rows}
    own = ("version", "op", "known_on")
    return [{**last[row["contact_key"]], **{k: row[k] for k in own}} for row in rows]


def without_retractions(rows: tuple[dict, ...]) -> list[dict]:
    return [row for row in rows if row["op"] != "retract"]


def born_as_said_last(rows: tuple[dict, ...]) -> list[dict]:
    last = {row["person_id"]: row["birth_on"] for row in rows}
    return [{**row, "birth_on": last[row["person_id"]], "known_on": LONG_AGO} for row in rows]


def unknown_matches(selection, contact) -> bool:
    return (
        contact["type"] in selection.types
        and contact["link"] in selection.links
        and all(contact[name] in (*values, None) for name, values in selection.where)
    )


def missing_is_a_match(
    world: World, declared: tuple[Signal, ...], rows: pd.DataFrame
) -> pd.DataFrame:
    with mock.patch.object(engine, "selected", unknown_matches):
        return laws.reference(world, declared, rows)


def in_sorted_order(world: World, declared: tuple[Signal, ...], rows: pd.DataFrame) -> pd.DataFrame:
    """Sorts the rows to work on them and forgets to put the values back."""
    ordered = rows.sort_values(["person_id", "as_of"])
    return laws.kernel(world, declared, ordered).set_axis(rows.index)


def ends_to_come_are_known(
    world: World, declared: tuple[Signal, ...], rows: pd.DataFrame
) -> pd.DataFrame:
    """Takes an end on or after the as-of date for an end at it: what is to come leaks.

    Two doors keep it out, the view of the history and the engine; this leaves both open.
    """

    def end(contact: dict, as_of: int) -> int | None:
        if contact["ended_day"] is None:
            return as_of if contact["open_ended"] else None
        return min(contact["ended_day"], as_of - 1)

    with (
        mock.patch.object(view, "_ends_when_over", lambda table: table),
        mock.patch.object(in_order, "end", end),
    ):
        return laws.reference(replace(world), declared, rows)


def followed_on_the_day(
    world: World, declared: tuple[Signal, ...], rows: pd.DataFrame
) -> pd.DataFrame:
    def follows(of, contact, day) -> bool:
        return 0 <= day - contact["occurred_day"] <= of.within

    with mock.patch.object(in_order, "_follows", follows):
        return laws.reference(world, declared, rows)


LEAKS: dict[str, tuple[laws.Subject, set[str]]] = {
    "known_on ignored": (
        with_clock(visible=lambda known, until, as_of: as_of <= until),
        {"future", "reference", "edges"},
    ),
    "known on the day itself": (
        with_clock(visible=lambda known, until, as_of: known <= as_of <= until),
        {"future", "reference", "edges"},
    ),
    "replaced on the day itself": (
        with_clock(visible=lambda known, until, as_of: known < as_of < until),
        {"future", "reference", "edges"},
    ),
    "corrections and retractions ignored": (
        with_clock(visible=lambda known, until, as_of: known < as_of),
        {"reference", "edges"},
    ),
    "window one day short": (
        with_clock(in_window=lambda on, as_of, days, end=0: as_of - end - days < on < as_of - end),
        {"reference", "edges"},
    ),
    "window with the as-of day": (
        with_clock(
            in_window=lambda on, as_of, days, end=0: as_of - end - days <= on <= as_of - end
        ),
        {"reference", "edges"},
    ),
    "gap before the window ignored": (
        with_clock(in_window=lambda on, as_of, days, end=0: as_of - days <= on < as_of),
        {"reference", "edges"},
    ),
    "occurred_on for known_on": (with_rows("contacts", known_when_it_occurred), {"future"}),
    "what was said last": (with_rows("contacts", said_last), {"future", "reference"}),
    "retractions lost": (with_rows("contacts", without_retractions), {"reference", "edges"}),
    "today's household": (with_rows("relationships", known_all_along), {"future", "reference"}),
    "today's birth date": (with_rows("persons", born_as_said_last), {"future", "reference"}),
    "unknown taken for a match": (missing_is_a_match, {"reference"}),
    "ends to come are known": (ends_to_come_are_known, {"ends", "reference"}),
    "followed on the day itself": (followed_on_the_day, {"reference"}),
    "values in another order": (in_sorted_order, {"order"}),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_found(name):
    """Each fault planted in an engine fails every check that is there to find it."""
    subject, expected = LEAKS[name]

    for check in sorted(expected):
        with pytest.raises(AssertionError):
            laws.CHECKS[check](subject, POWER)


@pytest.mark.parametrize("check", sorted(laws.CHECKS))
def test_the_checks_find_nothing_in_the_engine_itself(check):
    """The same checks pass on the kernel: they do not fail on everything."""
    laws.CHECKS[check](laws.kernel, 60)


def test_there_are_enough_planted_leaks():
    """The power of the suite rests on at least fourteen different faults."""
    assert len(LEAKS) >= 14
    assert contact_rows([]).num_rows == 0
