"""An authority's own decisions on the pages: the form, what saving does, and what stays written."""

from __future__ import annotations

import pytest

from riskflag.reports.lint import LONGEST, banned_words, long_sentences
from tests.unit.casework.test_decisions import OWN
from tests.web.reviewing import Reviewer, flags_of, said, sign_in_as


@pytest.fixture(scope="module")
def own_list(web_workspace):
    path = web_workspace.root / "decisions.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


@pytest.fixture
def flag_id(web_workspace):
    return next(f["flag_id"] for f in flags_of(web_workspace) if f["level"] == "soon")


def test_the_form_asks_what_the_authority_decided_to_ask(app, own_list, flag_id):
    """Its decisions, times, questions and reasons for staying quiet, and none of the shipped."""
    html = Reviewer(sign_in_as(app, "duty worker 1"), flag_id).open()
    text = said(html)
    for words in (
        "Send to the front door team",
        "No further action",
        "In 1 week",
        "In 12 weeks",
        "What did the family say?",
        "These keep the flag open: Ask the school first; I cannot tell. The others close it.",
    ):
        assert words in text
    assert '<option value="A plan is being written">' in html
    assert "Refer under local thresholds" not in text
    assert banned_words(text) == []
    assert long_sentences([text], LONGEST * 20) == []


def test_a_saved_decision_keeps_its_label_when_the_list_changes(app, own_list, flag_id):
    """Past reviews and the team overview tell it as it was; the form has moved on."""
    desk = sign_in_as(app, "duty worker 1")
    Reviewer(desk, flag_id).save(decision="mash", comes_back="12_weeks")
    own_list.write_text(OWN.replace("Send to the front door team", "Tell the hub"))
    past = said(desk.get(f"/flag/{flag_id}/reviews").text)
    assert "Send to the front door team" in past
    assert "In 12 weeks" in past
    team = said(sign_in_as(app, "team manager 1").get("/team").text)
    assert "Tell the hub 0" in team
    assert "Send to the front door team 1" in team
    assert flag_id not in desk.get("/worklist").text


def test_a_shipped_decision_is_refused_when_the_list_does_not_hold_it(app, own_list, web_workspace):
    """Even when a browser sends it all the same."""
    other = [f["flag_id"] for f in flags_of(web_workspace) if f["level"] == "soon"][1]
    answer = Reviewer(sign_in_as(app, "duty worker 2"), other).fill(decision="refer")
    assert answer.status_code == 422
    assert "Select what you decided" in said(answer.text)
