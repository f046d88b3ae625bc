"""The look-back page: for roles that learn from the past, recorded before it is shown."""

from __future__ import annotations


import pytest
import sqlalchemy as sa

from riskflag.casework.tables import Audit
from riskflag.reports.lint import banned_words, visible_text
from tests.functional.test_pages_in_browser import violations


def entries(app) -> list[str]:
    with app.extensions["riskflag_store"].reading() as session:
        return list(session.scalars(sa.select(Audit.action).order_by(Audit.seq)))


@pytest.mark.parametrize("role", ["manager", "governance"])
def test_those_who_learn_from_the_past_read_it_and_the_look_is_recorded(
    app, signed_in, flag_ids, role
):
    """One audit entry per look, and no person's id in the address, the title or the page."""
    reader = signed_in(role)
    before = len(entries(app))
    answer = reader.get(f"/flag/{flag_ids[0]}/lookback")
    assert answer.status_code == 200
    assert entries(app)[before:] == ["look_back"]
    assert f"<title>Look-back, flag {flag_ids[0]}" in answer.text
    assert "What would have been seen, and when" in answer.text


@pytest.mark.parametrize("role", ["caseworker", "senior", "steward", "analyst", "owner"])
def test_other_roles_are_told_no_and_nothing_is_recorded(app, signed_in, flag_ids, role):
    """403, and the child was not looked at."""
    reader = signed_in(role)
    before = entries(app)
    assert reader.get(f"/flag/{flag_ids[0]}/lookback").status_code == 403
    assert entries(app) == before


def test_days_can_be_narrowed_and_a_wrong_day_is_told_beside_the_form(signed_in, flag_ids):
    """The days asked for are those shown; a slip gives one sentence and no look-back."""
    manager = signed_in("manager")
    path = f"/flag/{flag_ids[0]}/lookback"
    narrow = manager.get(path, query_string={"from": "2025-06-01", "to": "2025-12-31"})
    assert "<dd>1 June 2025</dd>" in narrow.text
    assert "<dd>31 December 2025</dd>" in narrow.text
    wrong = manager.get(path, query_string={"from": "last summer"})
    assert wrong.status_code == 400
    assert "The first day is not a date" in wrong.text
    assert "Error: " in wrong.text.split("</title>")[0]
    backwards = manager.get(path, query_string={"from": "2025-06-02", "to": "2025-06-01"})
    assert "ends before it begins" in backwards.text


def test_a_flag_that_is_not_there_is_not_found(signed_in):
    """404, like every other page about a flag."""
    assert signed_in("manager").get("/flag/F-1999-000001/lookback").status_code == 404


def test_the_words_are_plain(signed_in, flag_ids, web_workspace):
    """No banned word on the look-backs of six flags."""
    manager = signed_in("manager")
    for flag_id in flag_ids[:6]:
        blocks = visible_text(manager.get(f"/flag/{flag_id}/lookback").text)
        assert banned_words(" ".join(blocks)) == []


def test_in_a_browser_nothing_is_broken_at_any_width(running, live_server, flag_ids):
    """axe-core finds nothing, and the page fits 1280 and 320 pixels."""
    for width in (1280, 320):
        context = running.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.goto(f"{live_server}/sign-in?next=/flag/{flag_ids[0]}/lookback")
        page.get_by_label("team manager 1", exact=True).check()
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("text=Day by day")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()


def test_the_page_shows_the_flag_that_was_raised(signed_in, flag_ids, web_workspace):
    """What people were shown at the time stands beside what the replay says."""
    told = signed_in("manager").get(f"/flag/{flag_ids[0]}/lookback").text
    assert f"Flag {flag_ids[0]} was raised on" in told
