"""The review and team pages keep to the words of all pages: plain, short, nothing banned."""

from __future__ import annotations

import pytest

from riskflag.reports.lint import LONGEST, banned_words, long_sentences, visible_text
from tests.web.reviewing import Reviewer, names, sign_in_as

PAGES = {
    "duty worker 1": ("/review", "/review/wrong", "/review/check", "/review/kept", "/reviews"),
    "senior practitioner 1": ("second-look",),
    "data steward 1": ("data-problems",),
    "team manager 1": ("team", "alert-health"),
    "responsible owner 1": ("pause",),
}


@pytest.fixture(scope="module")
def at_work(app, flag_ids):
    """A caseworker with a draft in which a pattern is called wrong."""
    me = Reviewer(sign_in_as(app, "duty worker 1"), flag_ids[0])
    me.fill(**{names(me.open(), "verdict_")[0]: "wrong"})
    page = me.desk.get(f"{me.at}/wrong").text
    me.send(page, "/wrong", **{names(page, "problem_")[0]: "duplicate"})
    return me


@pytest.mark.parametrize("name", PAGES)
def test_no_banned_word_and_no_long_sentence(app, at_work, name):
    """Every page of these people, as it is read and as it is said aloud."""
    desk = sign_in_as(app, name)
    for end in PAGES[name]:
        address = f"/flag/{at_work.flag_id}{end}" if end.startswith("/") else f"/{end}"
        answer = desk.get(address)
        assert answer.status_code == 200, address
        text = visible_text(answer.text)
        assert banned_words("\n".join(text)) == [], address
        assert long_sentences(text, LONGEST) == [], address
