"""Whose flags a list shows: one's own team's at first, everybody's one link away, none lost."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from tests.web.reviewing import Reviewer, said, sign_in_as
from tests.web.test_worklist import all_pages, shown

MINE = "locality worker 1"


@pytest.fixture(scope="module")
def published(web_workspace) -> list[dict]:
    folder = web_workspace.publications
    folder /= (folder / "CURRENT").read_text(encoding="utf-8").strip()
    return json.loads((folder / "flags.json").read_text())


@pytest.fixture(scope="module")
def by_team(published) -> dict[str | None, set[str]]:
    """The flag numbers of each team, read from the published flags."""
    found: dict[str | None, set[str]] = {}
    for flag in published:
        found.setdefault(flag["care"]["team"], set()).add(flag["flag_id"])
    assert {"Team North", None} < set(found), "the demo has no flag of the reader's team"
    assert len(found) > 2
    return found


def test_a_team_is_what_the_newest_allocation_says(published):
    """Neither made up nor lost: the page's own records name it."""
    checked = 0
    for flag in published:
        named = [
            (c["occurred_on"], c["contact_key"], c["attributes"]["organisation"])
            for c in flag["contacts"]
            if c["type"] == "care.worker_change" and c["link"] == "self"
        ]
        if named:
            assert flag["care"]["team"] == max(named)[2]
            checked += 1
    assert checked > 5


def test_the_list_opens_with_ones_own_team_and_says_so(app, by_team):
    """All teams and the flags without one are a link away, with how many wait there."""
    desk = sign_in_as(app, MINE)
    answer = desk.get("/worklist")
    assert set(shown(answer)) == by_team["Team North"]
    text = said(answer.text)
    assert "These are the flags of your team, Team North." in text
    assert f"No team recorded ({len(by_team[None])})" in text
    assert 'href="/worklist?team=all">All teams' in answer.text


def test_no_flag_is_in_two_teams_or_in_none(app, by_team, published):
    """The teams' lists and that of flags without one add up to all that wait."""
    desk = sign_in_as(app, MINE)
    choices = re.findall(r'<option value="(team:[^"]+|none)"', desk.get("/worklist").text)
    lists = {choice: all_pages(desk, f"team={choice}") for choice in choices}
    assert {name.removeprefix("team:") for name in lists} == {name or "none" for name in by_team}
    for choice, found in lists.items():
        assert set(found) == by_team[choice.removeprefix("team:").replace("none", "") or None]
    together = Counter(flag for found in lists.values() for flag in found)
    assert together == Counter(flag["flag_id"] for flag in published)
    assert sorted(all_pages(desk, "team=all")) == sorted(together)


def test_a_reader_whose_team_no_flag_names_sees_all_teams(app, published):
    """And is told why the list is not cut down."""
    desk = sign_in_as(app, "duty worker 1")
    assert "No waiting flag names your team, Front door, so all teams are shown." in said(
        desk.get("/worklist").text
    )
    assert len(all_pages(desk)) == len(published)


def test_other_filters_keep_the_team_and_each_can_be_taken_away(app, published):
    """Another team is a filter in force; without it all teams are shown, not one's own."""
    desk = sign_in_as(app, MINE)
    answer = desk.get("/worklist?team=team:Team+East&agency=school")
    assert 'href="/worklist?agency=school&amp;team=all"' in answer.text
    assert 'href="/worklist?team=team%3ATeam+East"' in answer.text
    assert 'href="/worklist?team=all">Clear all filters' in answer.text
    wanted = {
        f["flag_id"]
        for f in published
        if f["care"]["team"] == "Team East" and "school" in f["why"]["agencies"]
    }
    assert set(shown(answer)) == wanted != set()
    assert set(shown(desk.get("/worklist?team=nobody"))) == set(shown(desk.get("/worklist")))


def test_a_brother_or_sister_of_another_list_is_still_named(app, published):
    """A family is never cut apart without a word."""
    desk = sign_in_as(app, MINE)
    number = {flag["person_id"]: flag["flag_id"] for flag in published}
    told = 0
    for team in ("team:Team North", "team:Team East", "team:Team South", "team:Team West", "none"):
        text = desk.get(f"/worklist?team={team}").text
        for flag in published:
            if f'href="/flag/{flag["flag_id"]}"' in text and flag["siblings"]:
                assert all(f'href="/flag/{number[one]}"' in text for one in flag["siblings"])
                told += 1
    assert told


def test_the_team_overview_counts_the_teams_own_flags_and_reviews(app, by_team):
    """What waits and what was decided, of one team; all teams together are the sum."""
    mine, other = sorted(by_team["Team North"])[0], sorted(by_team["Team East"])[0]
    worker = sign_in_as(app, "duty worker 1")
    for flag in (mine, other):
        Reviewer(worker, flag).save(decision="contact_family", why="The family asked for help.")
    desk = sign_in_as(app, "team manager 1")
    totals = Counter()
    for choice in ("team:Team North", "team:Team East", "all"):
        text = desk.get(f"/team?team={choice}").text
        rows = re.findall(r'data-label="Open"[^>]*>(\d+)<', text)
        totals[choice] = sum(int(count) for count in rows)
        decided = re.search(r"Contact the family or child</th><td[^>]*>(\d+)<", text)
        totals[f"{choice} decided"] = int(decided[1]) if decided else 0
    assert totals["team:Team North"] == len(by_team["Team North"])
    assert totals["team:Team East"] == len(by_team["Team East"])
    assert totals["all"] == sum(len(flags) for flags in by_team.values())
    assert [totals[f"{c} decided"] for c in ("team:Team North", "team:Team East", "all")] == [
        1,
        1,
        2,
    ]


def test_new_flags_of_each_week_are_those_of_the_team_chosen(app, by_team):
    """Each team's arrivals, those without a team and all together, beside the same capacity."""
    desk = sign_in_as(app, "team manager 1")
    ways = {"all": None, "none": None, **{f"team:{one}": one for one in by_team if one}}
    counted = {}
    for way, team in ways.items():
        html = desk.get("/team", query_string={"team": way}).text
        weeks = html.split('id="weeks-h"')[1].split("</section>")[0]
        counted[way] = max(int(one) for one in re.findall(r'aria-label="(\d+) of \d+"', weeks))
        if way != "all":
            assert counted[way] == len(by_team[team])
            assert "set for all teams together" in said(html)
    assert counted["all"] == sum(count for way, count in counted.items() if way != "all")
    assert len(set(counted.values())) > 2
