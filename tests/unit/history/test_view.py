"""The view: which version held when, whose contacts reach a child, which feeds can be relied on."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskflag.clock import NEVER, day_number, visible
from riskflag.history.store.view import CONTACT_COLUMNS, History
from tests.factories import contact_rows, coverage_rows, history_of, person_rows, relationship_rows


def at(text):
    return day_number(dt.date.fromisoformat(text))


def seen(history, as_of, columns=("person_id", "contact_key", "version", "link")):
    """What is visible at an as-of date, by the clock's own rule."""
    return [
        tuple(row[name] for name in columns)
        for row in history.contacts.to_pylist()
        if visible(row["known_day"], row["superseded_day"], at(as_of))
    ]


def test_an_empty_history_is_a_history():
    history = history_of()
    assert history.contacts.column_names == list(CONTACT_COLUMNS)
    assert history.person_ids() == []
    assert history.children(dt.date(2024, 1, 1)) == []
    assert history.unavailable_types(dt.date(2024, 1, 1)) == frozenset()


def test_a_correction_replaces_its_version_from_the_day_it_was_known_and_not_before():
    said = {
        "person_id": "a",
        "type": "ed.attendance",
        "contact_key": "k",
        "occurred_on": "2024-01-02",
    }
    history = history_of(
        [
            said | {"version": 2, "known_on": "2024-02-01", "category": "injury"},
            said | {"version": 1},
            said | {"version": 3, "known_on": "2024-03-01", "op": "retract"},
        ]
    )
    assert seen(history, "2024-01-02") == []
    assert [row[2] for row in seen(history, "2024-02-01")] == [1]
    assert [row[2] for row in seen(history, "2024-02-02")] == [2]
    assert [row[2] for row in seen(history, "2024-03-01")] == [2]
    assert seen(history, "2024-03-02") == []


def test_a_version_replaced_on_the_day_it_became_known_is_never_seen():
    said = {
        "person_id": "a",
        "type": "ed.attendance",
        "contact_key": "k",
        "occurred_on": "2024-01-02",
    }
    history = history_of([said | {"version": 1}, said | {"version": 2}])
    assert [row[2] for row in seen(history, "2025-01-01")] == [2]
    assert history.contacts.num_rows == 1


def test_contacts_without_a_person_are_counted_and_left_out():
    history = history_of(
        [
            {"person_id": None, "type": "ed.attendance", "occurred_on": "2024-01-02"},
            {"person_id": "a", "type": "ed.attendance", "occurred_on": "2024-01-02"},
        ]
    )
    assert history.unlinked == 1
    assert history.contacts.num_rows == 1


def test_rows_are_sorted_and_texts_encoded_with_sorted_dictionaries():
    rows = [
        {"person_id": p, "type": t, "occurred_on": d}
        for p in "cab"
        for t in ("police.stop", "ed.attendance")
        for d in ("2024-01-03", "2024-01-01")
    ]
    table = history_of(rows).contacts
    keys = [
        (row["person_id"], row["occurred_day"], row["contact_key"]) for row in table.to_pylist()
    ]
    assert keys == sorted(keys)
    person = table.column("person_id").combine_chunks()
    assert person.dictionary.to_pylist() == ["a", "b", "c"]
    assert np.all(np.diff(person.indices.to_numpy()) >= 0)


def test_an_end_is_not_told_before_it_came_however_early_the_row_was_known():
    """A bulk load knows how long an episode was to last; the night of its third day did not."""
    episode = {
        "person_id": "a",
        "type": "missing.episode",
        "occurred_on": "2024-05-01",
        "ended_on": "2024-05-06",
        "known_on": "2024-05-02",
        "duration_days": 5.0,
    }
    history = history_of([episode])
    told = ("ended_day", "duration_days", "open_ended")
    assert seen(history, "2024-05-02", told) == []
    assert seen(history, "2024-05-03", told) == [(None, None, True)]
    assert seen(history, "2024-05-06", told) == [(None, None, True)]
    [(ended, length, _)] = seen(history, "2024-05-07", told)
    assert (ended, length) == (at("2024-05-06"), 5.0)


MOTHER = {"person_id": "child", "related_id": "mum", "kind": "mother"}
CRISIS = {"person_id": "mum", "type": "adult.mental_health_crisis", "occurred_on": "2024-05-01"}


def test_a_mothers_contact_reaches_her_child_and_stays_hers():
    history = history_of([CRISIS], relationships=[MOTHER])
    assert seen(history, "2024-05-02", ("person_id", "link", "contact_person_id")) == [
        ("child", "mother", "mum"),
        ("mum", "self", "mum"),
    ]


@pytest.mark.parametrize(
    ("dates", "known", "gone"),
    [
        ({"known_on": "2024-06-01"}, "2024-06-01", NEVER),
        ({"known_on": "2024-04-01"}, "2024-05-01", NEVER),
        ({"valid_to": "2024-05-01"}, "2024-05-01", NEVER),
        ({"valid_to": "2024-04-30"}, None, None),
        ({"valid_from": "2024-05-01"}, "2024-05-01", NEVER),
        ({"valid_from": "2024-05-02"}, None, None),
    ],
)
def test_a_link_counts_from_the_later_knowledge_and_only_while_it_was_valid(dates, known, gone):
    linked = [
        row
        for row in history_of([CRISIS], relationships=[MOTHER | dates]).contacts.to_pylist()
        if row["link"] == "mother"
    ]
    if known is None:
        assert linked == []
    else:
        assert [(row["known_day"], row["superseded_day"]) for row in linked] == [(at(known), gone)]


def test_a_withdrawn_link_stops_counting_from_the_day_it_was_withdrawn():
    history = history_of(
        [CRISIS],
        relationships=[
            MOTHER | {"relationship_key": "r", "known_on": "2024-01-01"},
            MOTHER
            | {"relationship_key": "r", "version": 2, "op": "retract", "known_on": "2024-07-01"},
        ],
    )
    assert ("child", "c000001", 1, "mother") in seen(history, "2024-07-01")
    assert ("child", "c000001", 1, "mother") not in seen(history, "2024-07-02")


@pytest.mark.parametrize(
    ("household", "expected"),
    [
        ({"known_on": "2024-01-05"}, {"2024-03-01": "household_adult", "2024-07-01": "mother"}),
        ({"known_on": "2024-08-01"}, {"2024-07-01": "mother", "2024-09-01": "mother"}),
    ],
)
def test_a_mother_who_is_also_in_the_household_reaches_the_child_once_each_night(
    household, expected
):
    """Whatever was known that night, her contact counts once, by the closest relationship known."""
    related = [
        MOTHER | {"known_on": "2024-04-01"},
        MOTHER | {"kind": "household_adult"} | household,
    ]
    contact = {"person_id": "mum", "type": "adult.safeguarding", "occurred_on": "2024-01-02"}
    history = history_of([contact], relationships=related)
    for as_of, kind in expected.items():
        assert [row[3] for row in seen(history, as_of) if row[0] == "child"] == [kind]


def test_two_sources_naming_the_same_mother_do_not_double_her_contacts():
    relations = [
        MOTHER | {"source": "one", "known_on": "2024-06-10"},
        MOTHER | {"source": "two", "known_on": "2024-06-01"},
    ]
    history = history_of([CRISIS], relationships=relations)
    for as_of, count in (("2024-06-01", 0), ("2024-06-02", 1), ("2024-06-11", 1)):
        assert len([row for row in seen(history, as_of) if row[3] == "mother"]) == count


PERSONS = [
    {"person_id": "young", "birth_on": "2015-06-01"},
    {"person_id": "grown", "birth_on": "2006-01-10"},
    {"person_id": "unborn", "birth_on": "2024-03-01", "known_on": "2023-12-01"},
    {"person_id": "died", "birth_on": "2015-06-01", "death_on": "2024-01-05"},
    {"person_id": "parent", "kind": "adult", "birth_on": "2010-01-01"},
    {"person_id": "undated"},
    {"person_id": "undated_landed", "known_on": "2023-01-01"},
]


def test_children_are_those_known_under_eighteen_and_alive():
    history = history_of(
        [
            {"person_id": "only_contact", "type": "ed.attendance", "occurred_on": "2024-01-02"},
            {"person_id": "undated", "type": "ed.attendance", "occurred_on": "2024-01-08"},
        ],
        PERSONS,
    )
    alive = {"young", "unborn", "undated_landed", "only_contact"}
    assert history.children(dt.date(2024, 1, 5)) == sorted(alive | {"died", "grown"})
    assert history.children(dt.date(2024, 1, 9)) == sorted(alive | {"undated", "grown"})
    assert history.children(dt.date(2024, 1, 10)) == sorted(alive | {"undated"})


def test_a_childs_parent_of_unknown_birth_is_an_adult():
    rows = [
        {"person_id": p, "type": "ed.attendance", "occurred_on": "2024-01-02"}
        for p in ("mum", "child")
    ]
    history = history_of(rows, relationships=[MOTHER])
    assert history.children(dt.date(2024, 2, 1)) == ["child"]


def test_what_one_source_does_not_say_another_keeps_saying():
    history = history_of(
        persons=[
            {"person_id": "a", "birth_on": "2015-06-01", "source": "one"},
            {"person_id": "a", "sex": "female", "source": "two", "known_on": "2024-01-01"},
            {
                "person_id": "a",
                "birth_on": "2015-07-01",
                "source": "two",
                "version": 2,
                "known_on": "2024-02-01",
            },
        ]
    )
    rows = history.persons.to_pylist()
    assert [(row["birth_day"], row["sex"]) for row in rows] == [
        (at("2015-06-01"), None),
        (at("2015-06-01"), "female"),
        (at("2015-07-01"), "female"),
    ]


FEED = {"source": "ed", "type": "ed.attendance", "complete_to": "2024-03-10"}


@pytest.mark.parametrize(
    ("as_of", "state"),
    [
        ("2024-03-11", "FRESH"),
        ("2024-03-12", "FRESH"),
        ("2024-03-13", "STALE"),
        ("2024-03-17", "STALE"),
        ("2024-03-18", "LOST"),
        ("2024-03-10", "LOST"),
    ],
)
def test_a_feed_ages_from_fresh_to_lost(as_of, state):
    history = history_of(coverage=[FEED])
    day = dt.date.fromisoformat(as_of)
    assert [feed.state for feed in history.feeds(day)] == [state]
    assert history.unavailable_types(day) == ({"ed.attendance"} if state == "LOST" else set())


def test_a_refused_delivery_holds_the_feed_and_a_second_feed_keeps_the_type_available():
    refused = FEED | {"status": "held", "complete_to": "2024-03-12"}
    history = history_of(coverage=[FEED, refused])
    assert [feed.state for feed in history.feeds(dt.date(2024, 3, 13))] == ["HELD"]
    assert [feed.state for feed in history.feeds(dt.date(2024, 3, 20))] == ["LOST"]
    other = FEED | {"source": "ed2", "complete_to": "2024-03-19"}
    both = history_of(coverage=[FEED, refused, other])
    assert both.unavailable_types(dt.date(2024, 3, 20)) == frozenset()


def test_before_the_first_load_its_reach_counts_as_covered_and_says_so():
    history = history_of(coverage=[FEED | {"first_load": True, "covered_from": "2020-01-01"}])
    (feed,) = history.feeds(dt.date(2022, 1, 1))
    assert (feed.state, feed.assumed) == ("FRESH", True)
    assert history.unavailable_types(dt.date(2019, 6, 1)) == {"ed.attendance"}


def test_nothing_delivered_later_changes_how_a_feed_looked():
    later = FEED | {"complete_to": "2024-03-18", "first_load": False}
    for as_of in (dt.date(2024, 3, day) for day in range(11, 19)):
        assert history_of(coverage=[FEED]).feeds(as_of) == history_of(coverage=[FEED, later]).feeds(
            as_of
        )


PERSON = st.sampled_from(["a", "b", "mum"])
DAY = st.dates(dt.date(2024, 1, 1), dt.date(2024, 3, 1))
VERSIONS = st.lists(
    st.tuples(PERSON, DAY, st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=3)),
    max_size=8,
)


def versioned(spec):
    """Contacts with versions whose known days never go back."""
    rows = []
    for number, (person, day, later) in enumerate(spec):
        known, said = (
            day,
            {
                "person_id": person,
                "type": "ed.attendance",
                "contact_key": f"k{number}",
                "record_id": f"{number}",
            },
        )
        rows.append(said | {"occurred_on": day, "known_on": known, "version": 1})
        for version, (days, retracted) in enumerate(later, start=2):
            known += dt.timedelta(days)
            op = "retract" if retracted else "assert"
            rows.append(
                said | {"occurred_on": day, "known_on": known, "version": version, "op": op}
            )
    return rows


@settings(max_examples=120, deadline=None)
@given(VERSIONS, DAY, st.randoms(use_true_random=False))
def test_nothing_known_on_or_after_a_day_changes_what_is_visible_that_day(spec, as_of, shuffle):
    """Law 2, and the order of rows never matters."""
    rows = versioned(spec)
    earlier = [row for row in rows if row["known_on"] < as_of]
    relation = [MOTHER | {"person_id": "a"}, MOTHER | {"person_id": "b", "known_on": as_of}]
    whole, before = (
        history_of(rows, relationships=relation),
        history_of(earlier, relationships=relation[:1]),
    )
    assert seen(whole, as_of.isoformat()) == seen(before, as_of.isoformat())
    mixed = list(rows)
    shuffle.shuffle(mixed)
    assert history_of(mixed, relationships=relation).digest() == whole.digest()


@settings(max_examples=60, deadline=None)
@given(VERSIONS)
def test_exactly_one_version_is_visible_unless_the_last_is_a_retraction(spec):
    rows = versioned(spec)
    history = history_of(rows)
    visible_keys = [row[1] for row in seen(history, "2030-01-01")]
    last = {row["contact_key"]: row.get("op", "assert") for row in rows}
    assert sorted(visible_keys) == sorted(key for key, op in last.items() if op == "assert")


def test_the_digest_sees_every_change_of_content_and_no_change_of_lineage():
    row = {
        "person_id": "a",
        "type": "ed.attendance",
        "occurred_on": "2024-01-02",
        "category": "injury",
    }
    base = history_of([row]).digest()
    assert history_of([row | {"source_line": 77, "source_file": "other.csv"}]).digest() == base
    for change in (
        {"category": "assault"},
        {"category": None},
        {"quantity": 1.0},
        {"occurred_on": "2024-01-03", "known_on": "2024-01-02"},
        {"known_on": "2024-01-03"},
        {"person_id": "b"},
        {"issues": "future"},
    ):
        assert history_of([row | change]).digest() != base, change
    assert history_of([row], [{"person_id": "a"}]).digest() != base


def test_a_selection_is_the_history_of_those_people():
    rows = versioned([("a", dt.date(2024, 1, 1), [(3, False)]), ("mum", dt.date(2024, 1, 2), [])])
    tables = contact_rows(rows), person_rows(PERSONS), relationship_rows([MOTHER])
    history = History.of(*tables, coverage_rows([FEED]))
    part = history.select(["child", "young"])
    assert set(part.person_ids()) == {"child", "young"}
    assert part.contacts.num_rows == 1
    assert history.select(history.person_ids()).digest() == history.digest()
    assert isinstance(part.coverage, pa.Table)
