"""The first thought: asked only where the authority wants it, before any pattern is shown."""

from __future__ import annotations

import shutil

import pytest

from riskflag.casework.reviews import reviews_of
from riskflag.web.app import create_app
from riskflag.workspace import Workspace
from tests.web.reviewing import Reviewer, errors, flags_of, said, sign_in_as

ME = "duty worker 1"


@pytest.fixture(scope="module")
def asking(web_workspace, tmp_path_factory):
    """The app of an authority that asks for a first thought."""
    copy = tmp_path_factory.mktemp("asking") / "workspace"
    shutil.copytree(web_workspace.root, copy)
    with (copy / "riskflag.toml").open("a", encoding="utf-8") as file:
        file.write("\nask_first_thought = true\n")
    made = create_app(Workspace.open(copy), development_sign_in=True)
    yield made
    made.extensions["riskflag_store"].close()


@pytest.fixture(scope="module")
def unused(web_workspace):
    return [flag["flag_id"] for flag in flags_of(web_workspace)]


def test_it_is_off_unless_the_authority_asks(app, flag_ids):
    """Without the setting the flag's page opens at once."""
    assert sign_in_as(app, ME).get(f"/flag/{flag_ids[0]}").status_code == 200


def test_the_records_come_before_the_patterns(asking, unused):
    """The flag leads to the records alone; no pattern is told before the answer."""
    me = Reviewer(sign_in_as(asking, ME), unused.pop())
    answer = me.desk.get(f"/flag/{me.flag_id}")
    assert answer.location == f"/flag/{me.flag_id}/first-thought"
    page = me.desk.get(answer.location).text
    assert "From the records alone, does anything need doing?" in page
    assert "pattern" not in said(page).replace("before the patterns are shown", "")


def test_an_answer_is_needed_and_kept_with_the_review(asking, unused):
    """Without an answer the question is asked again; with one it leads on and is recorded."""
    me = Reviewer(sign_in_as(asking, ME), unused.pop())
    address = f"/flag/{me.flag_id}/first-thought"
    assert errors(me.desk.post(address, page=address).text)
    answer = me.desk.post(address, {"first_thought": "not_sure"}, page=address)
    assert answer.location == f"/flag/{me.flag_id}"
    assert me.desk.get(answer.location).status_code == 200
    me.save()
    [review] = reviews_of(asking.extensions["riskflag_store"], me.flag_id)
    assert review.first_thought == "not_sure"
    assert me.desk.get(f"/flag/{me.flag_id}").status_code == 200


def test_who_does_not_review_is_not_asked(asking, unused):
    """A role that may not open the flag meets its usual refusal, not the question."""
    steward = sign_in_as(asking, "data steward 1")
    assert steward.get(f"/flag/{unused[0]}").status_code == 403
