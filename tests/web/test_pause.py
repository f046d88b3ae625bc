"""Pausing and withdrawing: with a reason, after a question, and told on every page."""

from __future__ import annotations

import pytest

from riskflag.casework import pause
from tests.web.conftest import ROLES
from tests.web.reviewing import errors, hidden, said, sign_in_as

REASON = "The hospital's feed sends each visit twice since Monday."


@pytest.fixture
def owner(app):
    return sign_in_as(app, "responsible owner 1")


@pytest.fixture
def store(app):
    return app.extensions["riskflag_store"]


def take(owner, step: str, reason: str = REASON):
    """Choose a step, read what follows, and confirm it."""
    asked = owner.post("/pause", {"step": step, "reason": reason}, page="/pause")
    assert asked.status_code == 200, said(asked.text)
    data = {**hidden(asked.text), "step": step, "reason": reason}
    return owner.client.post("/pause/confirm", data=data)


def test_nothing_happens_before_the_question_is_answered(owner, store):
    """The consequences are read first; leaving the page changes nothing."""
    page = owner.post("/pause", {"step": "pause", "reason": REASON}, page="/pause").text
    text = said(page)
    assert "Do you want to pause riskflag?" in text
    assert "no new flag is raised" in text
    assert REASON in text
    assert pause.state(store).state == pause.RUNNING


@pytest.mark.parametrize("reason", ["", "because", "  "])
def test_a_reason_is_needed(owner, store, reason):
    """No step without a sentence that says why."""
    answer = owner.post("/pause", {"step": "withdraw", "reason": reason}, page="/pause")
    assert answer.status_code == 422
    assert "reason" in dict(errors(answer.text))
    assert pause.state(store).state == pause.RUNNING


def test_a_pause_is_told_on_every_page_until_it_ends(owner, app, store, flag_ids):
    """The notice says since when and why, to every role; it ends when it runs again."""
    assert take(owner, "pause").location == "/pause?done=pause"
    assert pause.state(store).state == pause.PAUSED
    worker = sign_in_as(app, "duty worker 1")
    for address in ("/worklist", f"/flag/{flag_ids[0]}", f"/flag/{flag_ids[0]}/review"):
        assert REASON in worker.get(address).text.replace("&#39;", "'"), address
    assert take(owner, "resume", "The feed is right again.").status_code == 303
    assert "No new flags are raised" not in worker.get("/worklist").text


def test_what_was_done_before_stays_on_the_page(owner, store):
    """Each step with who, when and why, the newest first."""
    take(owner, "withdraw", "We stop using it this winter.")
    text = said(owner.get("/pause").text)
    assert "riskflag is withdrawn" in text
    assert "We stop using it this winter." in text
    take(owner, "resume", "The board has decided again.")
    text = said(owner.get("/pause").text)
    assert text.index("The board has decided") < text.index("We stop using it")


def test_a_step_that_is_already_taken_is_not_offered(owner):
    """While it runs there is nothing to resume."""
    page = owner.get("/pause").text
    assert 'value="resume"' not in page
    answer = owner.post("/pause", {"step": "resume", "reason": REASON}, page="/pause")
    assert answer.status_code == 422
    assert "step" in dict(errors(answer.text))


def test_reviews_go_on_while_it_is_paused(owner, app, flag_ids):
    """A pause stops new flags, never a person's decision."""
    from tests.web.reviewing import Reviewer

    take(owner, "pause")
    Reviewer(sign_in_as(app, "duty worker 2"), flag_ids[1]).save()
    take(owner, "resume", "The feed is right again.")


@pytest.mark.parametrize("role", ROLES)
def test_only_the_owner_can_open_it(signed_in, role):
    """Nobody else pauses, and nobody else confirms."""
    desk = signed_in(role)
    assert (desk.get("/pause").status_code == 200) == (role == "owner")
    if role != "owner":
        data = {"step": "pause", "reason": REASON}
        assert desk.post("/pause/confirm", data).status_code == 403
