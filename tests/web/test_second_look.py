"""The second look queue: who sees it, in which order, and that it gives nothing away."""

from __future__ import annotations

import pytest

from riskflag.casework import second_looks
from riskflag.casework.users import User
from tests.web.conftest import ROLES
from tests.web.reviewing import Reviewer, flags_of, said, sign_in_as

SENIOR = User("senior practitioner 1", "senior", "Front door")


@pytest.fixture(scope="module")
def undecided(app, web_workspace):
    """Three flags that a caseworker could not decide, in the order of their reviews."""
    chosen = [flag["flag_id"] for flag in flags_of(web_workspace)][:3]
    for flag_id in chosen:
        Reviewer(sign_in_as(app, "duty worker 1"), flag_id).save(decision="unsure")
    return chosen


def test_the_list_is_empty_before_anything_waits(signed_in):
    """An empty list says so in words."""
    assert "Nothing waits for a second look from you" in said(
        signed_in("senior").get("/second-look").text
    )


def test_what_waits_is_listed_the_longest_waiting_first(signed_in, undecided):
    """Each flag once, each with a link to its form."""
    page = signed_in("senior").get("/second-look").text
    places = [page.index(f'href="/flag/{flag_id}/review"') for flag_id in undecided]
    assert places == sorted(places)


def test_the_list_says_neither_why_nor_about_whom(signed_in, undecided, web_workspace):
    """Why a review was chosen would tell the decision; a list needs no child either."""
    text = said(signed_in("senior").get("/second-look").text).lower()
    assert "duty worker 1" not in text
    assert "random" not in text.replace("a small random share of reviews", "")
    people = {flag["person_id"].lower() for flag in flags_of(web_workspace)}
    assert people
    assert not [person for person in people if person in text]


def test_a_second_look_that_was_saved_leaves_everybodys_list(app, undecided):
    """One second look is enough, and a late second press is told, not recorded."""
    senior = Reviewer(sign_in_as(app, "senior practitioner 1"), undecided[0])
    manager = Reviewer(sign_in_as(app, "team manager 1"), undecided[0])
    manager.fill(why="I see it differently from the records.")
    senior.save(why="The records alone are enough.")
    for person in (senior, manager):
        assert undecided[0] not in person.desk.get("/second-look").text
    answer = manager.press_save()
    assert answer.status_code == 409
    assert "I see it differently from the records." in said(answer.text)


@pytest.mark.parametrize("role", ROLES)
def test_only_seniors_and_managers_have_a_list(signed_in, role):
    """Everybody else is told in plain words that it is not their page."""
    answer = signed_in(role).get("/second-look")
    assert (answer.status_code == 200) == (role in ("senior", "manager"))


def test_the_page_lists_exactly_what_is_due(app, signed_in, undecided):
    """The page and the casework agree on who may look at what."""
    due = second_looks.due(app.extensions["riskflag_store"], SENIOR)
    assert due
    page = signed_in("senior").get("/second-look").text
    assert all(one.flag_id in page for one in due)
