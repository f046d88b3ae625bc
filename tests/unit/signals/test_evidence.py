"""Every value names the contacts behind it."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.signals import (
    Signal,
    age,
    busiest,
    change,
    contacts,
    count,
    days_inside,
    days_since_first,
    days_since_last,
    distinct,
    evidence,
    evidence_many,
    highest,
    last_value,
    longest_gap,
    lowest,
    open_now,
    ratio,
    sequence,
    shortest_gap,
    total,
    unanswered,
)
from tests.factories import history_of

AS_OF = dt.date(2026, 3, 1)
ABSENCES = contacts("school.absence")
ILLNESSES = contacts("school.absence", category="illness")
ROWS = [
    {"contact_key": "a", "occurred_on": "2026-02-20", "quantity": 2.0, "category": "illness"},
    {"contact_key": "b", "occurred_on": "2026-02-20", "quantity": 5.0, "open_ended": True},
    {"contact_key": "c", "occurred_on": "2026-02-01", "ended_on": "2026-03-01"},
    {
        "contact_key": "d",
        "occurred_on": "2025-11-01",
        "quantity": 2.0,
        "category": "illness",
        "ended_on": "2025-11-03",
    },
    {"contact_key": "e", "occurred_on": "2025-01-01", "quantity": 1.0, "category": "authorised"},
    {"contact_key": "late", "occurred_on": "2026-02-25", "known_on": "2026-03-01"},
    {"contact_key": "gone", "occurred_on": "2026-02-24"},
    {"contact_key": "gone", "occurred_on": "2026-02-24", "version": 2, "op": "retract"},
]


def known():
    ben = {"person_id": "ben", "type": "school.absence", "occurred_on": "2026-02-20"}
    rows = [{"person_id": "anna", "type": "school.absence", **row} for row in ROWS]
    return history_of([*rows, {**ben, "contact_key": "other"}])


def signal(of, name="s"):
    return Signal(name, of, "What?", "Why.", "Test.", "none", "context", "several")


@pytest.mark.parametrize(
    ("of", "keys"),
    [
        (count(ABSENCES, 90), "cab"),
        (count(ABSENCES, None), "edcab"),
        (count(contacts("school.absence", category="illness"), None), "da"),
        (count(contacts("ed.attendance"), None), ""),
        (total(ABSENCES, "quantity", 90), "ab"),
        (highest(ABSENCES, "quantity", None), "b"),
        (lowest(ABSENCES, "quantity", 365), "da"),
        (distinct(ABSENCES, "category", None), "eda"),
        (days_since_last(ABSENCES), "ab"),
        (days_since_first(ABSENCES), "e"),
        (days_since_last(contacts("ed.attendance")), ""),
        (change(ABSENCES, 30, 300), "dcab"),
        (ratio(count(ABSENCES, 30), age()), "cab"),
        (age(), ""),
        (last_value(ABSENCES, "quantity"), "b"),
        (last_value(ABSENCES, "quantity", 8), ""),
        (longest_gap(ABSENCES, None), "ed"),
        (shortest_gap(ABSENCES, None), "cab"),
        (busiest(ABSENCES, 30, None), "cab"),
        (busiest(ABSENCES, 1, None), "ab"),
        (open_now(ABSENCES), "cb"),
        (days_inside(ABSENCES, 20), "cb"),
        (days_inside(ABSENCES, None), "dcb"),
        (sequence(ABSENCES, ILLNESSES, 19, None), "ca"),
        (sequence(ABSENCES, ILLNESSES, 19, 20), ""),
        (sequence(ABSENCES, ILLNESSES, 18, None), ""),
        (unanswered(ABSENCES, ILLNESSES, 18, None), "edc"),
    ],
)
def test_the_contacts_behind_a_value(of, keys):
    """Visible, selected, in the window, and only those that set the value; in history order."""
    found = evidence(known(), "anna", AS_OF, signal(of))

    assert found.column("contact_key").to_pylist() == list(keys)
    assert found.schema.equals(known().contacts.schema)


def test_several_signals_of_one_child_at_once():
    """`evidence_many` gives the same as asking for each."""
    asked = [signal(count(ABSENCES, 90), "a"), signal(days_since_first(ABSENCES), "b")]
    found = evidence_many(known(), "anna", AS_OF, asked)

    assert found == {one.name: evidence(known(), "anna", AS_OF, one) for one in asked}


def test_nobody_has_no_evidence():
    """A person without contacts has none, in the same columns."""
    found = evidence(known(), "nobody", AS_OF, signal(count(ABSENCES, None)))

    assert found.num_rows == 0
    assert "contact_key" in found.column_names
