"""Feeds over time say on every day what the night's own rule says on that day."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from riskflag.clock import date_of, day_number
from riskflag.history.schema import COVERAGE, conform
from riskflag.history.store.coverage import feed_states
from riskflag.history.store.feed_course import FeedCourse
from tests.night_world import _table

BASE = day_number(dt.date(2026, 1, 1))
DAYS = st.integers(0, 40)


@st.composite
def coverage_rows(draw):
    """Deliveries of two sources: in time, late, refused, with and without a first load."""
    rows = []
    for source, types in (("a", ["ed.attendance", "ed.safeguarding_concern"]), ("b", [None])):
        fresh = draw(st.integers(0, 5))
        for _ in range(draw(st.integers(1, 5))):
            received = draw(DAYS)
            for type_ in types:
                rows.append(
                    {
                        "source": source,
                        "agency": "ed",
                        "type": type_,
                        "says": draw(st.sampled_from([None, "", "outcome"])),
                        "covered_from": draw(
                            st.sampled_from([None, dt.date(2025, 12, 1), date_of(BASE + 8)])
                        ),
                        "complete_to": date_of(BASE + received - draw(st.integers(0, 9))),
                        "received_on": date_of(BASE + received),
                        "rows": 1,
                        "status": draw(st.sampled_from(["ok", "ok", "held"])),
                        "fresh_days": fresh,
                        "tolerance_days": fresh + draw(st.integers(0, 6)),
                        "first_load": draw(st.booleans()),
                        "batch_id": "b",
                    }
                )
    return rows


def comparable(states):
    return [
        (s.source, s.agency, s.types, s.complete_to, s.state, s.assumed, s.says) for s in states
    ]


@given(coverage_rows())
def test_every_day_is_judged_as_the_night_judges_it(rows):
    """Looking a date up gives what reading all coverage rows on that day gives."""
    table = conform(_table(rows), COVERAGE)
    course = FeedCourse.of(table)
    for day in range(BASE - 5, BASE + 60):
        assert comparable(course.at(day)) == comparable(feed_states(table, day))


@given(coverage_rows())
def test_between_two_turns_no_state_changes(rows):
    """A turn is named for every day on which a state is another than the day before."""
    course = FeedCourse.of(conform(_table(rows), COVERAGE))
    turns = set(course.turns(BASE - 5, BASE + 60))
    for day in range(BASE - 4, BASE + 61):
        before, now = course.at(day - 1), course.at(day)
        if [(s.state, s.assumed) for s in before] != [(s.state, s.assumed) for s in now]:
            assert day in turns


def test_a_state_does_change_in_the_cases_above():
    """Control: a feed that is given two fresh days and six of tolerance is late, then lost."""
    row = {"source": "a", "agency": "ed", "type": "ed.attendance", "covered_from": None,
           "complete_to": date_of(BASE), "received_on": date_of(BASE), "rows": 1, "status": "ok",
           "fresh_days": 2, "tolerance_days": 6, "first_load": False, "batch_id": "b"}  # fmt: skip
    course = FeedCourse.of(conform(_table([row]), COVERAGE))
    assert [course.at(BASE + day)[0].state for day in (1, 2, 3, 6, 7)] == [
        "FRESH", "FRESH", "STALE", "STALE", "LOST",
    ]  # fmt: skip
    assert course.turns(BASE + 1, BASE + 20) == [BASE + 1, BASE + 3, BASE + 7]
