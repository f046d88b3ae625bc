"""Alert health: what came of the flags, with intervals, and nothing that points at one child."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape

import pytest

from riskflag.casework.small_numbers import FEWEST, wilson
from riskflag.reports import words
from riskflag.web.bars import interval, interval_bar, level_bar
from tests.web.conftest import ROLES
from tests.web.reviewing import Reviewer, flags_of, said, sign_in_as

AGENCIES = "By agency behind the reasons"


@pytest.fixture(scope="module")
def reviewed(app, web_workspace):
    """Twelve reviewed flags, of which nine were worth bringing; or as many as the demo has."""
    chosen = [flag["flag_id"] for flag in flags_of(web_workspace)][:12]
    assert len(chosen) == 12
    for place, flag_id in enumerate(chosen):
        worth = "new_to_me" if place < 9 else "no"
        Reviewer(sign_in_as(app, "duty worker 1"), flag_id).save(worth_bringing=worth)
    return chosen


def rows_of(html: str, heading: str) -> dict[str, list[str]]:
    """The rows of one table by their first cell."""
    table = re.search(rf"{heading}</h2>.*?</table>", html, re.DOTALL)
    assert table, f"no table {heading}"
    found = re.findall(r"<th scope=\"row\"[^>]*>(.*?)</th>(.*?)</tr>", table[0], re.DOTALL)
    return {unescape(name): re.findall(r"<td[^>]*>\s*([^<]*?)\s*<", cells) for name, cells in found}


def test_the_share_worth_bringing_stands_with_its_interval(signed_in, reviewed, web_workspace):
    """Nine of twelve, with the 95% interval, in the table and said by the bar."""
    html = signed_in("governance").get("/alert-health").text
    [cells] = rows_of(html, "All flags").values()
    assert cells[0] == str(len(flags_of(web_workspace)))
    assert cells[3] == "12"
    share = wilson(9, 12)
    assert cells[4] == interval(share) == "75 of 100 (between 47 and 91)"
    assert f'aria-label="{interval(share)}"' in html


def test_no_count_of_one_to_nine_children_is_shown(signed_in, reviewed):
    """In every table a number is zero, hidden, or at least ten."""
    html = signed_in("governance").get("/alert-health").text
    shown = [
        cell
        for heading in ("All flags", "By rule", "By theme of the model", AGENCIES, "By age")
        for cells in (rows_of(html, heading) if f">{heading}</h2>" in html else {}).values()
        for cell in cells[:4]
    ]
    numbers = [int(cell.replace(",", "")) for cell in shown if cell != "hidden"]
    assert numbers
    assert [number for number in numbers if 0 < number < FEWEST] == []


def test_an_agency_is_told_with_the_flags_it_stands_behind(signed_in, reviewed, web_workspace):
    """Recounted from the flags: every agency behind ten flags or more has its row, by its name."""
    counts = Counter(name for flag in flags_of(web_workspace) for name in flag["why"]["agencies"])
    told = {words.agency(name): str(count) for name, count in counts.items() if count >= FEWEST}
    rows = rows_of(signed_in("governance").get("/alert-health").text, AGENCIES)
    assert told
    assert {name: cells[0] for name, cells in rows.items()} == told


def test_what_is_hidden_is_named_as_hidden(signed_in, reviewed):
    """A rule with few flags is listed as hidden: hidden does not mean none."""
    text = said(signed_in("governance").get("/alert-health").text)
    assert "Hidden, with fewer than" in text
    assert "Hidden does not mean none." in text


def test_no_child_and_no_reviewer_is_named(signed_in, reviewed, web_workspace):
    """Neither a flag, nor a person, nor a worker."""
    text = said(signed_in("governance").get("/alert-health").text)
    assert "duty worker" not in text
    for flag in flags_of(web_workspace):
        assert flag["flag_id"] not in text
        assert flag["person_id"] not in text


def test_groups_are_named_in_words(signed_in, reviewed):
    """Flags by age, sex and ethnic group as recorded, the youngest first."""
    text = said(signed_in("governance").get("/alert-health").text)
    for heading in ("By age", "By sex as recorded", "By ethnic group as recorded"):
        assert heading in text


def test_a_shorter_period_can_be_chosen_and_nonsense_is_the_usual_one(signed_in, reviewed):
    """Three months begin later than twelve; an unknown period is twelve months."""
    desk = signed_in("analyst")
    pages = {months: said(desk.get(f"/alert-health?months={months}").text) for months in "3x"}
    usual = said(desk.get("/alert-health").text)
    assert pages["x"] == usual
    assert pages["3"] != usual


def test_bars_never_leave_their_frame():
    """Shares of none and all, with intervals, stay between 0 and the width of the bar."""
    for count, of in ((0, 1), (1, 1), (0, 50), (50, 50), (7, 13)):
        bar = interval_bar(wilson(count, of))
        assert 0 <= bar.low_x <= bar.share_x <= bar.high_x <= 200
    assert level_bar(0, 0, mark=0).count_x == 0
    assert level_bar(30, 30, mark=15).mark_x == 100


@pytest.mark.parametrize("role", ROLES)
def test_who_may_open_it(signed_in, role):
    """Managers, analysts, governance and the owner."""
    allowed = role in ("manager", "analyst", "governance", "owner")
    assert (signed_in(role).get("/alert-health").status_code == 200) == allowed
