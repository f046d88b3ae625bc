"""Merges and un-merges at any time: each night sees the people as they were known that night."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskflag import clock
from riskflag.history.store.view import History
from riskflag.signals import (
    Signal,
    age,
    build,
    contacts,
    count,
    days_since_first,
    days_since_last,
    difference,
    distinct,
)
from tests.factories import contact_rows, match_rows, person_rows, relationship_rows
from tests.generative.worlds import (
    AS_OFS,
    CHILDREN,
    KNOWN,
    TYPES,
    World,
    all_rows,
    same_bytes,
    worlds,
)

LINKED = ("mother", "parent", "household_adult", "sibling", "carer")
OWN, OTHERS = contacts(*TYPES), contacts(*TYPES, link=LINKED)
SIGNALS = tuple(
    Signal(f"s{number}", of, "What?", "Why.", "Test.", "none", "context", "several")
    for number, of in enumerate(
        (
            count(OWN, days=90),
            count(OTHERS, days=90),
            difference(count(OWN, days=7), count(OTHERS, days=30)),
            distinct(contacts(*TYPES, link=("self", *LINKED)), "agency", days=90),
            days_since_last(OWN),
            days_since_first(OTHERS),
            age("years"),
        )
    )
)
NAMES = [signal.name for signal in SIGNALS]
PEOPLE = (*CHILDREN, "mother", "brother")
BORN = dt.date(2020, 2, 29)
DECISIONS = ("linked", "auto_linked", "kept_apart", "for_a_steward")


@st.composite
def decisions(draw):
    """A few pairs, each with one to three decisions in the order of their days."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        stays, other = draw(st.permutations(PEOPLE))[:2]
        if any({stays, other} == {one["person_id"], one["other_id"]} for one in found):
            continue
        known = draw(st.sampled_from(KNOWN))
        for _ in range(draw(st.integers(1, 3))):
            found.append(
                {
                    "person_id": stays,
                    "other_id": other,
                    "known_on": clock.date_of(known),
                    "decision": draw(st.sampled_from(DECISIONS)),
                }
            )
            known += draw(st.sampled_from((0, 1, 7, 30)))
    return found


def history(world: World, matches) -> History:
    """The world with decisions; everyone of whom anything is said has a birth date."""
    return History.of(
        contact_rows(world.contacts),
        person_rows({**row, "birth_on": row["birth_on"] or BORN} for row in world.persons),
        relationship_rows(world.relationships),
        None,
        match_rows(matches),
    )


def stays_on(matches, as_of: int) -> dict[str, str]:
    """Who each person is at `as_of`, worked out by hand: the last decision of each pair counts."""
    last = {}
    for one in matches:
        if clock.day_number(one["known_on"]) < as_of:
            last[one["person_id"], one["other_id"]] = one["decision"]
    pairs = [pair for pair, said in last.items() if said in ("linked", "auto_linked")]
    group = {name: {name} for name in PEOPLE}
    for left, right in pairs:
        whole = group[left] | group[right]
        group |= dict.fromkeys(whole, whole)
    absorbed = {other for _, other in pairs}
    return {name: min(some, key=lambda n: (n in absorbed, n)) for name, some in group.items()}


def renamed(world: World, name_of: dict[str, str]) -> World:
    """The world as if every id had been its person's from the start; nobody their own relative."""
    parts = []
    for part in (world.contacts, world.persons, world.relationships):
        rows = [
            row
            | {
                column: name_of.get(row[column], row[column])
                for column in ("person_id", "related_id")
                if column in row
            }
            for row in part
        ]
        parts.append(tuple(row for row in rows if row["person_id"] != row.get("related_id")))
    return World(*parts)


def rows_at(as_of: int):
    rows = all_rows()
    return rows[rows["as_of"] == clock.date_of(as_of)].reset_index(drop=True)


@given(worlds(), decisions(), st.sampled_from(AS_OFS))
def test_signals_on_a_night_are_those_of_the_people_as_they_were_known(world, matches, as_of):
    seen = history(world, matches)
    plain = history(renamed(world, stays_on(matches, as_of)), [])
    ours, expected = (build(one, rows_at(as_of), SIGNALS) for one in (seen, plain))
    assert same_bytes(ours[NAMES], expected[NAMES])
    assert seen.children(clock.date_of(as_of)) == plain.children(clock.date_of(as_of))


@given(worlds(), decisions(), st.sampled_from(AS_OFS))
def test_no_decision_first_known_on_or_after_a_night_changes_it(world, matches, as_of):
    limit = clock.date_of(as_of)
    before = [one for one in matches if one["known_on"] < limit]
    ours, then = (build(history(world, one), rows_at(as_of), SIGNALS) for one in (matches, before))
    assert same_bytes(ours[NAMES], then[NAMES])
    assert history(world, matches).children(limit) == history(world, before).children(limit)


def test_the_laws_would_see_a_merge_that_counts_from_its_own_day():
    """Negative control: the same decision known a day earlier is another night."""
    world = World(
        (
            {
                "contact_key": "k1",
                "record_id": "r1",
                "version": 1,
                "op": "assert",
                "person_id": "ben",
                "type": "ed.attendance",
                "agency": "ed",
                "occurred_on": clock.date_of(AS_OFS[1] - 5),
                "known_on": clock.date_of(AS_OFS[1] - 5),
                "ended_on": None,
                "open_ended": False,
            },
        ),
        (),
        (),
    )
    joined = {"person_id": "anna", "other_id": "ben", "decision": "linked"}
    children = [
        history(world, [{**joined, "known_on": clock.date_of(AS_OFS[1] - early)}]).children(
            clock.date_of(AS_OFS[1])
        )
        for early in (0, 1)
    ]
    assert children == [["ben"], ["anna"]]
    with pytest.raises(AssertionError):
        assert children[0] == children[1]
