"""Recent improvement: from the child's own records alone, and never from silence."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.clock import day_number
from riskflag.history.store.coverage import FeedState
from riskflag.nightly.improvement import improvement, seen_to
from riskflag.nightly.records import Records
from tests import night_world as world

AS_OF = world.AS_OF
LAST = day_number(AS_OF) - 1
EVERY = ("school.absence", "ed.attendance", "school.concern", "care.cp_plan")


def ago(days: int) -> str:
    return (AS_OF - dt.timedelta(days=days)).isoformat()


def told(*contacts, seen: dict | None = None, age: int | None = 9, pattern: object = None, **more):
    """The improvements of C-1; every contact is in the pattern unless told otherwise."""
    history = world.history(contacts, persons=[world.person("C-1")], **more)
    rows = Records.of(history, AS_OF).contacts.get("C-1", ())
    keys = {row["contact_key"] for row in rows} if pattern is None else pattern
    seen = dict.fromkeys(EVERY, LAST) if seen is None else seen
    return improvement(rows, day_number(AS_OF), seen=seen, pattern=keys, age=age)


def missed(days: int, sessions: float | None, **more):
    return world.contact("C-1", "school.absence", days, quantity=sessions, **more)


def visits(*days: int, **more):
    return [world.contact("C-1", "ed.attendance", day, **more) for day in days]


def test_half_the_sessions_missed_of_the_months_before_is_an_improvement():
    """Both sums, their days, and every absence they rest on."""
    (one,) = told(missed(150, 8.0), missed(91, 6.0), missed(90, 5.0), missed(3, 2.0))
    assert (one["before"], one["since"], one["days"]) == (14.0, 7.0, 90)
    assert (one["kind"], one["to"], len(one["contact_keys"])) == ("fewer_absences", ago(1), 4)


@pytest.mark.parametrize(
    ("contacts", "more"),
    [
        ([missed(150, 14.0), missed(3, 8.0)], {}),
        ([missed(150, 9.0)], {}),
        ([missed(150, 14.0), missed(3, None)], {}),
        ([missed(150, 14.0), missed(3, 8.0, known=1)], {}),
        ([missed(150, 14.0)], {"seen": {}}),
        ([missed(150, 14.0)], {"age": 16}),
        ([missed(150, 14.0)], {"age": None}),
        ([missed(150, 14.0), world.contact("C-1", "school.home_educated", 40)], {}),
        ([missed(150, 14.0), world.contact("C-1", "school.move", 170)], {}),
    ],
    ids=[
        "more than half",
        "few before",
        "a number not known",
        "known in time",
        "no feed",
        "may have left school",
        "age not known",
        "educated at home",
        "moved",
    ],
)
def test_no_absence_is_not_always_attendance(contacts, more):
    """What is missing, too little or may only mean that the child left tells nothing."""
    assert told(*contacts, **more) == []


def test_an_absence_known_on_the_day_itself_has_not_happened_yet_for_the_night():
    """What was first known on or after the day changes nothing (law 2)."""
    before = told(missed(150, 14.0))
    assert before == told(missed(150, 14.0), missed(3, 30.0, known=0))
    assert before != told(missed(150, 14.0), missed(3, 5.0))


def test_a_run_is_over_when_none_followed_for_ninety_days():
    """Its records are those within a year of the last, and the days are counted to the feed's."""
    (one,) = told(*visits(700, 400, 200, 120))
    assert (one["kind"], one["type"], one["days"]) == ("run_over", "ed.attendance", 119)
    assert len(one["contact_keys"]) == 3
    (short,) = told(*visits(400, 200, 120), seen={"ed.attendance": LAST - 20})
    assert (short["days"], short["to"]) == (99, ago(21))


@pytest.mark.parametrize(
    ("contacts", "more"),
    [
        (visits(300, 120), {}),
        (visits(300, 200, 60), {}),
        (visits(600, 500, 400), {}),
        (visits(300, 200, 120), {"seen": {"ed.attendance": LAST - 40}}),
        (visits(300, 200, 120), {"seen": {}}),
        (visits(300, 200, 120), {"pattern": set()}),
        ([world.contact("C-1", "care.visit", d) for d in (300, 200, 120)], {}),
    ],
    ids=["two", "too new", "long ago", "late feed", "no feed", "not of a reason", "other kind"],
)
def test_silence_alone_is_no_improvement(contacts, more):
    """A late feed, a lost one, few records or another kind: nothing is told."""
    assert told(*contacts, **more) == []


def test_another_childs_records_are_not_this_childs_improvement():
    """Only the child's own records count."""
    other = [world.contact("M-1", "ed.attendance", day) for day in (300, 200, 120)]
    assert told(*other, relationships=[world.mother("C-1", "M-1")]) == []


@pytest.mark.parametrize(("end", "closed"), [(1, True), (180, True), (181, False), (0, False)])
def test_a_plan_that_ended_lately_is_told(end, closed):
    """An end that lies ahead was not known to anybody on the day."""
    plan = world.contact("C-1", "care.cp_plan", 400, ended_on=AS_OF - dt.timedelta(days=end))
    found = told(plan)
    assert [(one["kind"], one["to"]) for one in found] == ([("closed", ago(end))] if closed else [])


def test_a_plan_is_not_closed_while_another_is_open_and_help_must_be_completed():
    """An ended plan beside an open one, and help that was declined, are no improvement."""
    ended = world.contact("C-1", "care.cp_plan", 400, ended_on=AS_OF - dt.timedelta(days=30))
    assert told(ended, world.contact("C-1", "care.cp_plan", 20)) == []
    for outcome, number in (("declined", 0), ("completed", 1)):
        ended_on = AS_OF - dt.timedelta(days=30)
        help_ = world.contact("C-1", "early_help.episode", 90, ended_on=ended_on, outcome=outcome)
        assert len(told(help_)) == number


def test_a_type_is_seen_to_the_day_of_its_latest_feed_and_not_at_all_when_one_is_lost():
    """Of two feeds the one that is behind counts; the night's own day is never reached."""
    day = AS_OF - dt.timedelta(days=9)

    def feed(name: str, types: tuple[str, ...], to: dt.date | None, state: str = "FRESH"):
        return FeedState(name, "school", types, to, state)

    feeds = [
        feed("a", ("school.absence", "school.move"), AS_OF),
        feed("b", ("school.absence",), day, "STALE"),
        feed("c", ("school.concern",), None, "LOST"),
        feed("d", ("school.concern",), AS_OF),
    ]
    assert seen_to(feeds, AS_OF) == {"school.absence": day_number(day), "school.move": LAST}
