"""The team overview: counts that add up, and nothing of any one worker."""

from __future__ import annotations

import re

import pytest

from riskflag.cli.init import MADE_UP_USERS
from tests.web.conftest import ROLES
from tests.web.reviewing import Reviewer, flags_of, said, sign_in_as

WHY = "The family already has a worker whom they trust."


@pytest.fixture(scope="module")
def reviewed(app, web_workspace):
    """Six flags reviewed by two workers: four need nothing further."""
    chosen = [flag["flag_id"] for flag in flags_of(web_workspace)][:6]
    for place, flag_id in enumerate(chosen):
        worker = sign_in_as(app, f"duty worker {1 + place % 2}")
        decision = "nothing_further" if place < 4 else "contact_family"
        Reviewer(worker, flag_id).save(decision=decision, why=f"{WHY} Case {place}.")
    return chosen


def cells(html: str, row: str) -> list[str]:
    """The cells of the row that begins with this heading."""
    found = re.search(rf"<tr[^>]*>\s*<th[^>]*>{re.escape(row)}</th>(.*?)</tr>", html, re.DOTALL)
    assert found, f"no row {row}"
    return re.findall(r"<td[^>]*>\s*([^<]*?)\s*<", found[1])


def test_what_waits_adds_up_to_the_open_flags(signed_in, reviewed, web_workspace):
    """Levels, ages and unread flags count every open flag once."""
    html = signed_in("manager").get("/team").text
    rows = [cells(html, level) for level in ("Urgent", "Soon", "Routine")]
    open_flags = len(flags_of(web_workspace)) - 4
    assert sum(int(row[0]) for row in rows) == open_flags
    assert sum(int(row[1]) for row in rows) == open_flags - 2
    assert sum(int(count) for row in rows for count in row[3:7]) == open_flags


def test_decisions_are_counted(signed_in, reviewed):
    """Each decision with how often it was taken since the period began."""
    html = signed_in("manager").get("/team").text
    assert cells(html, "Nothing further from this now")[0] == "4"
    assert cells(html, "Contact the family or child")[0] == "2"
    assert cells(html, "Strategy discussion")[0] == "0"


def test_arrivals_stand_against_the_capacity(signed_in, web_workspace, reviewed):
    """The newest week holds the flags of the first night, and the capacity is named."""
    html = signed_in("manager").get("/team").text
    capacity = web_workspace.config.capacity_per_week
    assert f"{capacity} flags a week" in said(html)
    raised = len({flag["person_id"] for flag in flags_of(web_workspace)})
    assert f'aria-label="{raised} of {capacity}"' in html


def test_no_worker_is_named_and_no_agreement_is_counted(signed_in, reviewed):
    """The page tells of work, never of one worker."""
    text = said(signed_in("manager").get("/team").text)
    assert WHY in text
    for name, _, _ in MADE_UP_USERS:
        assert name not in text


def test_a_reviewers_words_are_for_those_who_read_flags(signed_in, reviewed):
    """Governance and the owner see the counts and none of the words about a child."""
    for role in ("governance", "owner"):
        text = said(signed_in(role).get("/team").text)
        assert WHY not in text
        assert reviewed[0] not in text
        assert "What was decided" in text


def test_reading_the_reasons_is_recorded_for_each_child(app, signed_in, reviewed):
    """One look for each child whose reviewer's words are shown (law 10)."""
    import sqlalchemy as sa

    count = sa.text("SELECT count(*) FROM audit WHERE action = 'read_reasons'")
    engine = app.extensions["riskflag_store"].engine
    with engine.connect() as connection:
        before = connection.execute(count).scalar()
    # A reason waits, unshown, where chance gave its flag a second look.
    shown = said(signed_in("manager").get("/team").text).count(WHY)
    assert 1 <= shown <= 4
    with engine.connect() as connection:
        assert connection.execute(count).scalar() == before + shown


@pytest.mark.parametrize("role", ROLES)
def test_who_may_open_it(signed_in, role):
    """Managers, governance and the owner."""
    allowed = role in ("manager", "governance", "owner")
    assert (signed_in(role).get("/team").status_code == 200) == allowed
