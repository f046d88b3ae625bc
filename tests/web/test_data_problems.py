"""Data problems: from a reviewer's *wrong* to the steward's answer."""

from __future__ import annotations

import re

import pytest

from riskflag.casework import data_problems
from tests.web.conftest import ROLES
from tests.web.reviewing import Reviewer, errors, flags_of, names, said, sign_in_as

NOTE = "The school and the nursery both sent it."


@pytest.fixture(scope="module")
def reported(app, web_workspace):
    """A problem that a caseworker reported, with the record named; (flag, problem's number)."""
    flag = next(f for f in flags_of(web_workspace) if f["reasons"][0]["contact_keys"])
    me = Reviewer(sign_in_as(app, "duty worker 1"), flag["flag_id"])
    fields = names(me.open(), "verdict_")
    me.fill(**dict.fromkeys(fields, "wrong"))
    page = me.desk.get(f"{me.at}/wrong").text
    sent = dict.fromkeys(names(page, "problem_"), "duplicate")
    sent |= dict.fromkeys(names(page, "note_"), NOTE)
    for select in names(page, "record_"):
        options = re.search(rf'name="{select}".*?</select>', page, re.DOTALL)[0]
        sent[select] = re.findall(r'value="([0-9a-f]{8,})"', options)[0]
    assert me.send(page, "/wrong", **sent).status_code == 303
    assert me.press_save().status_code == 303
    waiting = data_problems.open_problems(app.extensions["riskflag_store"])
    return flag, [one.problem_id for one in waiting if one.flag_id == flag["flag_id"]]


@pytest.fixture
def steward(app):
    return sign_in_as(app, "data steward 1")


def test_the_list_tells_what_is_wrong_and_with_whom_it_is_not(steward, reported, web_workspace):
    """Each problem stands in the list with its kind and flag, and no child is named."""
    flag, numbers = reported
    page = steward.get("/data-problems").text
    assert len(numbers) == len(flag["reasons"])
    for number in numbers:
        assert f'href="/data-problems/{number}"' in page
    assert "The same thing is recorded twice" in page
    assert NOTE not in page
    assert not [f for f in flags_of(web_workspace) if f["person_id"] in said(page)]


def test_a_problem_names_the_record_as_the_agency_knows_it(steward, reported):
    """The file and line that the agency sent, its own number, and the reviewer's note."""
    flag, [number, *_] = reported
    text = said(steward.get(f"/data-problems/{number}").text)
    contacts = {c["contact_key"]: c for c in flag["contacts"]}
    sent = [contacts[key] for key in flag["reasons"][0]["contact_keys"]]
    assert any(f"{one['file']}, line {one['line']}" in text for one in sent)
    assert NOTE in text
    assert "duty worker 1" in text


def test_looking_at_a_problem_is_recorded_as_a_look_at_the_child(app, steward, reported):
    """The steward's look stands in the audit chain before the page is shown (law 10)."""
    import sqlalchemy as sa

    store = app.extensions["riskflag_store"]
    count = sa.text("SELECT count(*) FROM audit WHERE action = 'read_problem'")
    with store.engine.connect() as connection:
        before = connection.execute(count).scalar()
    steward.get(f"/data-problems/{reported[1][0]}")
    with store.engine.connect() as connection:
        assert connection.execute(count).scalar() == before + 1


def test_an_answer_needs_a_state_and_a_sentence(steward, reported):
    """Both are missed at once; nothing is kept."""
    address = f"/data-problems/{reported[1][0]}"
    answer = steward.post(address, {"note": "ok"}, page=address)
    assert answer.status_code == 422
    assert {anchor for anchor, _ in errors(answer.text)} == {"state", "note"}
    assert "Answers so far" not in steward.get(address).text


def test_an_answered_problem_moves_on_and_its_steps_stay(steward, reported):
    """Asked first, then settled: it leaves the waiting list and both steps are shown."""
    address = f"/data-problems/{reported[1][0]}"
    for state, note in (
        ("asked", "The school was asked on Monday."),
        ("stands", "Two separate visits on one day."),
    ):
        done = steward.post(address, {"state": state, "note": note}, page=address)
        assert done.location == "/data-problems?answered=1"
    page = steward.get("/data-problems").text
    waiting, answered = page.split("Answered", 1)
    assert f'"{address}"' in answered
    assert f'"{address}"' not in waiting
    text = said(steward.get(address).text)
    assert text.index("asked on Monday") < text.index("Two separate visits")


def test_there_is_nothing_under_a_number_that_is_not_there(steward):
    """A mistyped number is told in plain words."""
    answer = steward.get("/data-problems/999999")
    assert answer.status_code == 404
    assert "no data problem with this number" in said(answer.text)


@pytest.mark.parametrize("role", ROLES)
def test_only_the_steward_has_the_list(signed_in, role):
    """Everybody else is refused."""
    assert (signed_in(role).get("/data-problems").status_code == 200) == (role == "steward")
