"""Two person ids that are one person: from the day after it was known, and until it is undone."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from riskflag.clock import day_number
from riskflag.history.store.matches import doubtful_on, everyone_ever, joins, roots_on
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.signals import build, contacts, count
from riskflag.signals.define import Signal
from tests.factories import (
    contact_rows,
    day,
    history_of,
    match_rows,
    person_rows,
    relationship_rows,
)

VISITS = Signal(
    "visits",
    count(contacts("ed.attendance"), days=365),
    "How many visits?",
    "A test.",
    "Test.",
    "none",
    "context",
    "several",
)
TWO = [
    {"person_id": "anna", "type": "ed.attendance", "occurred_on": "2024-01-05"},
    {"person_id": "school-7", "type": "ed.attendance", "occurred_on": "2024-01-09"},
    {"person_id": "school-7", "type": "ed.attendance", "occurred_on": "2024-03-01"},
]
KNOWN = [
    {"person_id": "anna", "birth_on": "2015-05-05"},
    {"person_id": "school-7", "given_name": "Anna", "known_on": "2024-01-09"},
]
JOINED = {"person_id": "anna", "other_id": "school-7", "known_on": "2024-02-01"}
PARTED = {**JOINED, "known_on": "2024-04-01", "decision": "kept_apart"}


def visits(history, person, *days):
    rows = pd.DataFrame({"person_id": person, "as_of": [day(one) for one in days]})
    return build(history, rows, (VISITS,))["visits"].tolist()


def test_before_a_merge_is_known_there_are_two_people_and_from_the_next_day_there_is_one():
    history = history_of(TWO, KNOWN, matches=[JOINED])
    assert history.children(day("2024-02-01")) == ["anna", "school-7"]
    assert history.children(day("2024-02-02")) == ["anna"]
    assert visits(history, "anna", "2024-02-01", "2024-02-02", "2024-03-02") == [1, 2, 3]
    assert visits(history, "school-7", "2024-02-01", "2024-02-02", "2024-03-02") == [1, 0, 0]


def test_an_unmerge_gives_each_their_own_records_back_and_leaves_the_days_between_as_they_were():
    history = history_of(TWO, KNOWN, matches=[JOINED, PARTED])
    apart = history_of(TWO, KNOWN)
    assert visits(history, "anna", "2024-04-01", "2024-04-02") == [3, 1]
    for person in ("anna", "school-7"):
        after = ("2024-04-02", "2024-12-31")
        assert visits(history, person, *after) == visits(apart, person, *after)
    assert history.children(day("2024-04-02")) == ["anna", "school-7"]


def test_what_is_known_of_one_person_holds_for_both_only_while_they_are_one():
    history = history_of(TWO, KNOWN, matches=[JOINED, PARTED])
    rows = [row for row in history.persons.to_pylist() if row["person_id"] == "anna"]
    told = {
        on: [r for r in rows if r["known_day"] < number(on) <= r["superseded_day"]]
        for on in ("2024-02-01", "2024-02-02", "2024-04-02")
    }
    assert [[row["given_name"] for row in some] for some in told.values()] == [
        [None],
        ["Anna"],
        [None],
    ]


def number(text):
    return (day(text) - dt.date(1970, 1, 1)).days


@pytest.mark.parametrize("decision", ["for_a_steward", "not_linked", "kept_apart"])
def test_only_a_link_in_force_joins_anybody(decision):
    history = history_of(TWO, KNOWN, matches=[{**JOINED, "decision": decision}])
    assert history.digest() == history_of(TWO, KNOWN).digest()


def test_a_mother_whose_records_are_joined_reaches_her_child_with_both_and_once_only():
    hers = [
        {"person_id": "m1", "type": "police.da_incident", "occurred_on": "2024-01-02"},
        {"person_id": "m2", "type": "police.da_incident", "occurred_on": "2024-01-03"},
    ]
    related = [
        {"person_id": "anna", "related_id": "m1", "kind": "mother"},
        {"person_id": "anna", "related_id": "m2", "kind": "mother"},
        {"person_id": "ben", "related_id": "m2", "kind": "mother"},
    ]
    merged = {"person_id": "m1", "other_id": "m2", "known_on": "2024-02-01"}
    history = history_of(hers, KNOWN, related, matches=[merged])
    for child, expected in (("anna", (2, 2)), ("ben", (1, 2))):
        assert (
            tuple(reaching(history, child, on) for on in ("2024-02-01", "2024-02-02")) == expected
        )


def reaching(history, child, on):
    return sum(
        row["person_id"] == child and row["known_day"] < number(on) <= row["superseded_day"]
        for row in history.contacts.to_pylist()
    )


def test_a_child_joined_to_its_own_sibling_by_mistake_is_not_its_own_sibling():
    related = [{"person_id": "anna", "related_id": "school-7", "kind": "sibling"}]
    history = history_of(TWO, KNOWN, related, matches=[JOINED])
    assert reaching(history, "anna", "2024-03-05") == 3


def test_who_stays_does_not_depend_on_the_order_of_decisions_or_on_ids_that_join_later():
    rows = [
        {"person_id": "m", "other_id": "z", "known_on": "2024-01-01"},
        {"person_id": "m", "other_id": "a", "known_on": "2024-01-02"},
    ]
    for order in (rows, rows[::-1]):
        assert roots_on(match_rows(order), number("2024-06-01")) == dict.fromkeys("amz", "m")
    assert roots_on(match_rows(rows), number("2024-01-01")) == dict.fromkeys("mz", "m")


def test_a_record_that_joins_people_linked_in_a_circle_leaves_their_id_as_it_was():
    circle = [
        {"person_id": one, "other_id": other, "known_on": f"2024-01-0{day}"}
        for day, (one, other) in enumerate([("m", "n"), ("n", "o"), ("o", "m")], start=1)
    ]
    more = {"person_id": "m", "other_id": "a", "known_on": "2024-01-04"}
    assert roots_on(match_rows(circle), number("2024-06-01")) == dict.fromkeys("mno", "m")
    assert roots_on(match_rows([*circle, more]), number("2024-06-01")) == dict.fromkeys("amno", "m")


def test_chains_are_followed_and_nobody_else_is_drawn_in():
    rows = [
        {"person_id": "a", "other_id": "b", "known_on": "2024-01-01"},
        {"person_id": "b", "other_id": "c", "known_on": "2024-01-03"},
        {"person_id": "x", "other_id": "y", "known_on": "2024-01-02"},
    ]
    table = match_rows(rows)
    assert everyone_ever(table, ["c"]) == ["a", "b", "c"]
    assert roots_on(table, number("2024-01-05"))["c"] == "a"
    assert set(joins(table).roots.base.to_pylist()) == set("abcxy")


def test_the_store_reads_for_one_person_all_that_was_ever_theirs(tmp_path):
    store = HistoryStore(tmp_path)
    tables = {
        "contact": contact_rows(TWO),
        "person": person_rows(KNOWN),
        "relationship": relationship_rows([]),
        "match": match_rows([JOINED, PARTED]),
    }
    store.append_batch("one", "2024-04-01", tables)
    for person in ("anna", "school-7"):
        part = store.load([person])
        assert part.digest() == store.load().select([person]).digest()
        assert part.contacts.num_rows > 2


def test_a_pair_that_waits_is_a_doubt_from_the_day_after_it_was_known_until_it_is_decided():
    """Two waiting pairs are two doubts; one that is decided, or joined through others, is none."""
    asked = {**JOINED, "decision": "for_a_steward", "known_on": "2024-01-20"}
    third = {**asked, "other_id": "police-9"}
    matches = match_rows([asked, third, JOINED])

    def doubts(on: str) -> dict[str, int]:
        return doubtful_on(matches, day_number(day(on)))

    assert doubts("2024-01-19") == {}
    assert doubts("2024-01-20") == {"anna": 2, "school-7": 1, "police-9": 1}
    assert doubts("2024-02-01") == {"anna": 1, "police-9": 1}
    through = match_rows([asked, JOINED, {**asked, "person_id": "school-7", "other_id": "anna-2"}])
    assert doubtful_on(through, day_number(day("2024-02-01"))) == {"anna": 1, "anna-2": 1}
