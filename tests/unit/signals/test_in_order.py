"""Open intervals, gaps, busy days and sequences at their edges, by hand, in both engines."""

from __future__ import annotations

import datetime as dt
import math

import pandas as pd
import pytest

from riskflag.signals import (
    Signal,
    build,
    busiest,
    contacts,
    days_inside,
    definition,
    last_value,
    longest_gap,
    open_now,
    sequence,
    shortest_gap,
    unanswered,
)
from tests.factories import history_of

AS_OF = dt.date(2026, 3, 1)
NAN = math.nan
ENGINES = ("kernel", "reference")
PLANS = contacts("care.cp_plan")
MISSING = contacts("missing.episode")
VISITS = contacts("care.visit")
ABSENCES = contacts("school.absence")


def signal(of, name="s"):
    return Signal(name, of, "What?", "Why.", "Test.", "none", "context", "several")


def ago(days):
    return AS_OF - dt.timedelta(days=days)


def plan(begin, end="open", **said):
    """A protection plan, begun and ended so many days ago; "open", or None where nobody says."""
    told = {"open_ended": True} if end == "open" else {}
    if isinstance(end, int):
        told = {"ended_on": ago(end)}
    row = {"person_id": "anna", "type": "care.cp_plan", "occurred_on": ago(begin), **told, **said}
    return {**row, "known_on": ago(said["known_on"])} if "known_on" in said else row


def on(kind, *days, **said):
    rows = [{"person_id": "anna", "type": kind, "occurred_on": ago(day)} for day in days]
    return [row | said for row in rows]


def value(rows, of, engine):
    asked = pd.DataFrame({"person_id": ["anna"], "as_of": [AS_OF]})
    return build(history_of(rows), asked, [signal(of)], engine=engine).iloc[0, 0]


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("rows", "number", "inside"),
    [
        # plans, how many are open, days inside one in the last 30
        ([], 0, 0),
        ([plan(10)], 1, 10),
        ([plan(0)], 0, 0),  # begins on the day itself
        ([plan(1)], 1, 1),
        ([plan(10, 0)], 1, 10),  # ends on the day itself: not known at it
        ([plan(10, -50)], 1, 10),  # a bulk load knows the end to come
        ([plan(10, 1)], 0, 9),  # ended yesterday; the day of the end is not inside
        ([plan(10, 10)], 0, 0),
        ([plan(10, 12)], 0, 0),  # ended before it began
        ([plan(400)], 1, 30),
        ([plan(400, 30)], 0, 0),
        ([plan(400, 29)], 0, 1),
        ([plan(31, 5)], 0, 25),
        ([plan(20, 10), plan(15, 5)], 0, 15),  # overlapping days count once
        ([plan(20, 5), plan(15, 10)], 0, 15),  # one within the other
        ([plan(20, 15), plan(10, 5)], 0, 10),
        ([plan(20, 15), plan(15, 10)], 0, 10),
        ([plan(20, 10), plan(20, 12), plan(5)], 1, 15),
        ([plan(10, None)], NAN, NAN),  # nobody says whether it ended: unknown, not no
        ([plan(10, None), plan(20, 15)], 0, 5),
        ([plan(10, known_on=0)], 0, 0),
        ([plan(10, known_on=1)], 1, 10),
    ],
)
def test_open_intervals_by_hand(engine, rows, number, inside):
    """What is open, and the days inside, at every edge of the window and of knowledge."""
    assert same(value(rows, open_now(PLANS), engine), number)
    assert same(value(rows, days_inside(PLANS, 30), engine), inside)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_plan_is_open_until_its_end_is_known(engine):
    """A correction that brings the end closes the plan from the day after it was known."""
    first = plan(100, contact_key="k")
    rows = [first, {**plan(100, 50, contact_key="k"), "version": 2, "known_on": ago(20)}]
    days = [ago(101), ago(99), ago(50), ago(20), ago(19)]
    asked = pd.DataFrame({"person_id": "anna", "as_of": days})
    wanted = [signal(open_now(PLANS), "a"), signal(days_inside(PLANS, None), "b")]
    found = build(history_of(rows), asked, wanted, engine=engine)

    assert found["a"].tolist() == [0, 1, 1, 1, 0]
    assert found["b"].tolist() == [0, 1, 50, 80, 50]


@pytest.mark.parametrize("engine", ENGINES)
def test_days_inside_a_window_that_ended_earlier(engine):
    """The window from 40 to 10 days ago; an interval begun after it does not exist for it."""
    of = days_inside(PLANS, 30, ending=10)

    assert value([plan(15)], of, engine) == 5
    assert value([plan(60)], of, engine) == 30
    assert value([plan(10)], of, engine) == 0
    assert value([plan(50, 39)], of, engine) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("days", "longest", "shortest"),
    [
        ([], NAN, NAN),
        ([5], NAN, NAN),
        ([5, 5], NAN, NAN),  # the same day is no gap
        ([5, 5, 6], 1, 1),
        ([1, 4, 10], 6, 3),
        ([1, 4, 4, 10, 30], 20, 3),
        ([1, 31], NAN, NAN),  # the window holds 30 days
        ([0, 1, 2], 1, 1),  # not the day itself
        ([3, 8, 13], 5, 5),
    ],
)
def test_gaps_by_hand(engine, days, longest, shortest):
    """Gaps lie between consecutive days with contacts, both in the window."""
    rows = on("missing.episode", *days)

    assert same(value(rows, longest_gap(MISSING, 30), engine), longest)
    assert same(value(rows, shortest_gap(MISSING, 30), engine), shortest)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("days", "within", "most"),
    [
        ([], 7, 0),
        ([5], 7, 1),
        ([5, 5, 5], 1, 3),
        ([5, 11], 7, 2),  # the 7 days from the 11th to the 5th
        ([5, 12], 7, 1),
        ([1, 2, 3, 20, 21, 22, 23], 3, 3),
        ([1, 2, 3, 20, 21, 22, 23], 4, 4),
        ([1, 30, 31, 31, 31], 2, 1),  # beyond the window
        ([1, 7, 8, 14, 15], 8, 3),
        ([1, 29], 30, 2),
    ],
)
def test_the_busiest_days_by_hand(engine, days, within, most):
    """The most contacts in any so many consecutive days."""
    assert value(on("missing.episode", *days), busiest(MISSING, within, 30), engine) == most


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("first", "then", "followed", "out_of_time"),
    [
        ([], [3], 0, 0),
        ([10], [], 0, 1),
        ([10], [10], 0, 1),  # not on the day itself
        ([10], [9], 1, 0),
        ([10], [7], 1, 0),  # the last of the three days
        ([10], [6], 0, 1),
        ([10], [11], 0, 1),
        ([10, 9], [8], 2, 0),  # one visit may follow both
        ([10, 10, 20], [9], 2, 1),
        ([4], [], 0, 1),  # its three days are just over
        ([3], [], 0, 0),  # today may still answer it
        ([3], [0], 0, 0),  # today is not known
        ([3], [1], 1, 0),
        ([30], [29], 1, 0),
        ([31], [29], 0, 0),  # outside the window
        ([10, 8, 5, 2], [9, 4], 2, 1),
        ([10, 4], [4], 0, 2),
        ([6, 5], [5, 2], 2, 0),
    ],
)
def test_sequences_by_hand(engine, first, then, followed, out_of_time):
    """Missing episodes that a visit followed within three days, and those that none did."""
    rows = [*on("missing.episode", *first), *on("care.visit", *then)]

    assert value(rows, sequence(MISSING, VISITS, 3, 30), engine) == followed
    assert value(rows, unanswered(MISSING, VISITS, 3, 30), engine) == out_of_time


@pytest.mark.parametrize("engine", ENGINES)
def test_a_visit_not_yet_known_has_not_followed(engine):
    """Both clocks: a visit that happened in time but was told late counts from then on."""
    rows = [*on("missing.episode", 10), *on("care.visit", 9, known_on=ago(0))]

    assert value(rows, sequence(MISSING, VISITS, 3), engine) == 0
    assert value(rows, unanswered(MISSING, VISITS, 3), engine) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_contact_may_follow_one_of_its_own_kind(engine):
    """Repeats: episodes followed by another within three days; the same one is no repeat."""
    rows = on("missing.episode", 20, 18, 10, 5, 5)

    assert value(rows, sequence(MISSING, MISSING, 3), engine) == 1
    assert value(rows, unanswered(MISSING, MISSING, 3), engine) == 4


@pytest.mark.parametrize("engine", ENGINES)
def test_the_last_value_by_hand(engine):
    """The number of the latest contact that has one; of one day, of the last in the order."""
    rows = [
        *on("school.absence", 9, quantity=4.0, contact_key="a"),
        *on("school.absence", 9, quantity=2.5, contact_key="b"),
        *on("school.absence", 5, contact_key="c"),
        *on("school.absence", 4, quantity=math.inf, contact_key="d"),
    ]

    assert value(rows, last_value(ABSENCES, "quantity"), engine) == 2.5
    assert value(rows[::-1], last_value(ABSENCES, "quantity"), engine) == 2.5
    assert math.isnan(value(rows, last_value(ABSENCES, "quantity", 8), engine))
    assert math.isnan(value([], last_value(ABSENCES, "quantity"), engine))


@pytest.mark.parametrize(
    ("of", "moves", "words"),
    [
        (open_now(PLANS), "mixed", "had not ended by then"),
        (days_inside(PLANS, 30), "mixed", "number of days in the 30 days before"),
        (last_value(ABSENCES, "quantity"), "mixed", "the quantity of the latest of"),
        (longest_gap(MISSING), "mixed", "the most days between"),
        (shortest_gap(MISSING), "down", "the fewest days between"),
        (busiest(MISSING, 7), "up", "in any 7 consecutive days in the 365 days"),
        (sequence(MISSING, VISITS, 3), "up", "within 3 days, by the child's own contacts of type"),
        (unanswered(MISSING, VISITS, 3), "mixed", "whose 3 days after are over"),
    ],
)
def test_what_a_declaration_says(of, moves, words):
    """Each operation says in words what it is, and how further contacts could move it."""
    assert words in definition(signal(of))
    assert signal(of).rises_with_contacts == moves


def test_a_signal_needs_the_feeds_of_both_parts_of_a_sequence():
    """The types a signal rests on include those that may follow."""
    assert signal(unanswered(MISSING, VISITS, 3)).types == {"missing.episode", "care.visit"}
