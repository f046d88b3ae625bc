"""The chronology: which contacts are shown, which are marked, and who the page is about."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.nightly.records import Records, child, chronology, voice
from tests import night_world as world

AS_OF = world.AS_OF


def shown(*extra, who="C-ED", pattern=(), since=None, **more):
    people = Records.of(world.some_history(extra, **more), AS_OF)
    return chronology(people.contacts[who], AS_OF, pattern=frozenset(pattern), new_since=since)


def days_ago(contacts):
    return [(AS_OF - dt.date.fromisoformat(c["occurred_on"])).days for c in contacts]


def test_own_contacts_of_two_years_are_shown_oldest_first():
    """Older ones only when they are part of a pattern."""
    assert days_ago(shown()) == [200, 60, 30, 5]
    old = world.contact("C-ED", "ed.attendance", 1000)["contact_key"]
    found = shown(pattern=[old])
    assert days_ago(found) == [1000, 200, 60, 30, 5]
    assert [contact["in_pattern"] for contact in found] == [True, False, False, False, False]


def test_contacts_of_others_are_shown_only_in_a_pattern():
    """Another person's record stays away from the page unless a reason rests on it."""
    assert days_ago(shown(who="C-HOME")) == [100]
    notice = world.contact("ADULT", "police.da_incident", 15)["contact_key"]
    found = shown(who="C-HOME", pattern=[notice])
    assert [(c["type"], c["link"]) for c in found] == [
        ("care.contact", "self"),
        ("police.da_incident", "mother"),
    ]


@pytest.mark.parametrize(("since", "new"), [(None, 0), (6, 1), (31, 2), (900, 4)])
def test_new_is_what_became_known_since(since, new):
    """By the day it became known, not the day it happened."""
    day = None if since is None else AS_OF - dt.timedelta(days=since)
    assert sum(contact["new"] for contact in shown(since=day)) == new


def test_the_newest_words_of_the_child_are_shown_however_old():
    """The child's voice is never cut off by the window."""
    spoken = [world.contact("C-ED", "care.child_voice", days) for days in (1200, 900)]
    found = shown(*spoken)
    assert days_ago(found)[0] == 900
    assert voice(found)["latest"] == (AS_OF - dt.timedelta(days=900)).isoformat()
    assert voice(shown()) == {"contact_keys": [], "latest": None}


@pytest.mark.parametrize(("days", "shown_end"), [(1, True), (0, False), (-400, False)])
def test_an_end_that_lay_ahead_is_not_shown(days, shown_end):
    """On the day itself the contact was still going on, whatever a later load knows."""
    end = AS_OF - dt.timedelta(days=days)
    found = shown(world.contact("C-ED", "care.cin_plan", 40, ended_on=end))
    plan = next(contact for contact in found if contact["type"] == "care.cin_plan")
    assert plan["ended_on"] == (end.isoformat() if shown_end else None)


def test_an_unknown_time_is_not_midnight():
    """No time recorded is null."""
    assert {contact["occurred_at"] for contact in shown()} == {None}


@pytest.mark.parametrize(
    ("born", "years", "months", "kind"),
    [
        (dt.date(2026, 3, 10), 0, 0, "child"),
        (dt.date(2025, 3, 10), 1, 12, "child"),
        (dt.date(2025, 3, 11), 0, 11, "child"),
        (dt.date(2024, 2, 29), 2, 24, "child"),
        (dt.date(2026, 5, 1), None, None, "unborn"),
        (None, None, None, "child"),
    ],
)
def test_age_is_in_whole_years_and_months(born, years, months, kind):
    """An unborn child has no age, and an unknown birthday gives none."""
    people = world.history(
        [world.contact("C-1", "ed.attendance", 5)], persons=[world.person("C-1", born)]
    )
    found = Records.of(people, AS_OF)
    who = child("C-1", found.persons["C-1"], AS_OF)
    assert (who["age_years"], who["age_months"], who["kind"]) == (years, months, kind)


def test_initials_are_shown_when_names_are_held_and_the_number_when_not():
    """Never the name itself."""
    assert child("C-1", {"given_name": "Ann", "family_name": "baker"}, AS_OF)["display"] == "A.B."
    assert child("C-1", {"given_name": None, "family_name": " "}, AS_OF)["display"] == "C-1"
    assert child("C-1", None, AS_OF)["display"] == "C-1"
