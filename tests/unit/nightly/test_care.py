"""Where a child stands with social care: open intervals at the as-of date, nothing later."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.clock import day_number
from riskflag.nightly.care import care
from riskflag.nightly.records import Records
from tests import night_world as world

AS_OF = world.AS_OF
NOTHING = frozenset()


def ago(days: int) -> dt.date:
    return AS_OF - dt.timedelta(days=days)


def told(*contacts, unseen=NOTHING, **more):
    history = world.history(contacts, persons=[world.person("C-1")], **more)
    rows = Records.of(history, AS_OF).contacts.get("C-1", ())
    return care(rows, day_number(AS_OF), unseen=unseen)


def plan(days: int, *, end: int | None = None, kind: str = "care.cp_plan", **more):
    ended = None if end is None else ago(end)
    return world.contact("C-1", kind, days, ended_on=ended, **more)


@pytest.mark.parametrize(
    ("end", "open_"), [(None, True), (1, False), (0, True), (-30, True), (20, False)]
)
def test_a_plan_is_open_until_the_day_it_ended_lies_before_the_night(end, open_):
    """An end that lies ahead was not known to anybody on the day."""
    status = told(plan(40, end=end))["status"]
    expected = [("care.cp_plan", ago(40).isoformat())] if open_ else []
    assert [(one["type"], one["since"]) for one in status] == expected


def test_what_was_not_known_then_is_not_told():
    """Neither a plan recorded on or after the day, nor another person's."""
    late = plan(5, known=0)
    mothers = world.contact("M-1", "care.cp_plan", 50)
    found = told(late, mothers, relationships=[world.mother("C-1", "M-1")])
    nothing = {"worker_allocated_on": None, "team": None, "team_until": None}
    assert found == {"status": [], "not_seen": [], **nothing}


def test_placements_that_follow_each_other_are_one_time_of_being_looked_after():
    """Since is the beginning of the unbroken row; an earlier time that ended is not counted in."""
    kind = "care.looked_after"
    found = told(
        plan(900, end=700, kind=kind),
        plan(300, end=200, kind=kind),
        plan(200, end=99, kind=kind),
        plan(98, kind=kind),
    )
    told_of = [(one["type"], one["since"]) for one in found["status"]]
    assert told_of == [(kind, ago(300).isoformat())]


def test_the_last_allocation_is_told_and_every_open_status():
    """Looked after first, then protection plan, then child in need plan."""
    found = told(
        plan(30, kind="care.cin_plan"),
        plan(20),
        plan(10, kind="care.looked_after"),
        world.contact("C-1", "care.worker_change", 50),
        world.contact("C-1", "care.worker_change", 15),
    )
    kinds = ["care.looked_after", "care.cp_plan", "care.cin_plan"]
    assert [one["type"] for one in found["status"]] == kinds
    assert found["worker_allocated_on"] == ago(15).isoformat()


@pytest.mark.parametrize(("end", "until"), [(None, None), (-9, None), (0, None), (3, 3)])
def test_the_team_is_that_of_the_newest_allocation_and_says_when_it_ended(end, until):
    """An allocation that names no team, or was not known then, changes nothing."""
    kind = "care.worker_change"
    found = told(
        plan(50, end=20, kind=kind, organisation="Team East"),
        plan(20, end=end, kind=kind, organisation="Team North"),
        plan(10, kind=kind),
        plan(5, known=0, kind=kind, organisation="Team West"),
    )
    assert found["team"] == "Team North"
    assert found["team_until"] == (until and ago(until).isoformat())


def test_what_no_feed_tells_of_is_named_as_not_seen():
    """Unknown is not none."""
    found = told(unseen=frozenset({"care.cp_plan", "ed.attendance"}))
    assert found["not_seen"] == ["care.cp_plan"]
