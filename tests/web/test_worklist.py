"""My reviews: who waits, in which order, what is left out, and that each look is recorded first."""

from __future__ import annotations

import html
import json
import re

import pytest
import sqlalchemy as sa

from riskflag.casework import looks
from riskflag.casework.audit import pseudonym
from riskflag.casework.tables import Audit
from riskflag.casework.worklist import WorklistPage
from riskflag.errors import StorageError
from riskflag.reports.lint import banned_words, long_sentences, visible_text
from riskflag.web.pages import worklist


@pytest.fixture(scope="module")
def published(web_workspace) -> list[dict]:
    publications = web_workspace.publications
    folder = publications / (publications / "CURRENT").read_text(encoding="utf-8").strip()
    flags = json.loads((folder / "flags.json").read_text())
    assert len(flags) > 25, "too few flags for a second page"
    return flags


def shown(answer) -> list[str]:
    """The flag numbers of a page's lines, from top to bottom."""
    return re.findall(r'class="govuk-link" href="/flag/(F-\d{4}-\d{6})">[^<]*<span', answer.text)


def all_pages(desk, query: str = "") -> list[str]:
    """The flag numbers of every page of a list, in order."""
    found, page = [], 1
    while True:
        answer = desk.get(f"/worklist?{query}&page={page}")
        assert answer.status_code == 200
        found += shown(answer)
        if f"page={page + 1}" not in answer.text:
            return found
        page += 1


def looked_at(app) -> list[tuple[str, str, str]]:
    """Actor, action and pseudonym of every entry of the audit chain."""
    with app.extensions["riskflag_store"].reading() as session:
        rows = session.execute(sa.select(Audit.actor, Audit.action, Audit.subject))
        return [tuple(row) for row in rows.all()]


def test_every_waiting_flag_is_listed_once_and_25_to_a_page(signed_in, published):
    """Nobody falls between two pages."""
    desk = signed_in("caseworker")
    assert len(shown(desk.get("/worklist"))) == 25
    assert sorted(all_pages(desk)) == sorted(flag["flag_id"] for flag in published)


def test_urgent_rules_come_first_and_families_stand_together(signed_in, published):
    """The order is by rule, waiting time and family; no score has a part in it."""
    from riskflag.nightly.listing import in_order

    wanted = [flag["flag_id"] for flag in in_order(published)]
    assert all_pages(signed_in("caseworker")) == wanted
    assert published[0]["level"] == "urgent"


def test_no_page_of_the_list_holds_a_score(signed_in, published):
    """The model's numbers are not in the page, however they would be printed."""
    text = re.sub(r"<[^>]+>", " ", signed_in("caseworker").get("/worklist").text)
    for flag in published:
        for number in (flag["model"] or {}).values():
            if isinstance(number, float):
                assert f"{number:.2f}" not in text
                assert f"{number:.1%}" not in text
    assert "%" not in text


@pytest.mark.parametrize("agency", ["police", "school", "ed"])
def test_the_agency_filter_leaves_those_with_that_agency_behind_a_reason(
    signed_in, published, agency
):
    """Neither more nor fewer."""
    wanted = {flag["flag_id"] for flag in published if agency in flag["why"]["agencies"]}
    assert wanted, f"no flag rests on {agency}"
    assert set(all_pages(signed_in("caseworker"), f"agency={agency}")) == wanted


def test_the_filter_by_rule_finds_those_whose_reason_it_is_even_when_joined(signed_in, published):
    """A rule that stands beside another on the same records is found too."""
    desk = signed_in("caseworker")
    rules = {
        one["id"]
        for flag in published
        for reason in flag["reasons"]
        for one in [*([reason["rule"]] if reason["rule"] else []), *reason["also"]]
    }
    assert len(rules) > 5
    for rule in sorted(rules):
        wanted = {
            flag["flag_id"]
            for flag in published
            if any(
                rule in [one["id"] for one in [*([r["rule"]] if r["rule"] else []), *r["also"]]]
                for r in flag["reasons"]
            )
        }
        assert set(all_pages(desk, f"reason=rule:{rule}")) == wanted, rule


def test_filters_add_up_and_each_can_be_taken_away(signed_in, published):
    """Two filters leave what both let through; the page names both with a way back."""
    desk = signed_in("caseworker")
    wanted = {
        flag["flag_id"]
        for flag in published
        if flag["level"] == "urgent" and "school" in flag["why"]["agencies"]
    }
    assert set(all_pages(desk, "level=urgent&agency=school")) == wanted
    answer = desk.get("/worklist?level=urgent&agency=school")
    assert 'href="/worklist?agency=school"' in answer.text
    assert 'href="/worklist?level=urgent"' in answer.text
    assert "Clear all filters" in answer.text


def test_an_unknown_filter_is_no_filter(signed_in, published):
    """What is not on offer is left out, and never printed back."""
    desk = signed_in("caseworker")
    answer = desk.get(
        "/worklist?agency=<script>&reason=%27;--&waited=9999&only=x&page=-1&level=%00"
    )
    assert len(shown(answer)) == 25
    assert "<script>" not in answer.text.replace('<script type="module"', "")
    assert "Filters in force" not in answer.text


def test_the_capacity_line_says_how_many_wait_beside_what_the_team_set(signed_in, published):
    """The reader sees the load, not a target."""
    text = signed_in("caseworker").get("/worklist").text
    assert f"{len(published)} flags wait for a person. Your team set 15 a week." in text


def test_when_nothing_waits_there_is_no_order_and_nothing_to_filter(signed_in, monkeypatch):
    """The page says so, and that it is no word about any child; no list is described."""
    none = WorklistPage((), total=0, waiting=0, page=1, pages=1, as_of=None, numbers={})
    monkeypatch.setattr(worklist, "worklist_page", lambda *_, **__: none)
    text = signed_in("caseworker").get("/worklist").text
    assert "Nothing waits for you now. That says nothing about any child" in text
    assert "No flags wait for a person." in text
    for of_a_list in ("Filter the list", "Urgent rules come first", "These are the flags"):
        assert of_a_list not in text


def test_an_empty_list_does_not_reassure(signed_in):
    """Filters that nothing fits, and what the sentence says then."""
    answer = signed_in("caseworker").get("/worklist?waited=28")
    assert shown(answer) == []
    assert "No waiting flag fits these filters" in answer.text
    for word in ("no concern", "all clear", "low risk", "no risk", "nobody is at risk"):
        assert word not in answer.text.lower()
    assert "has not been found safe" in answer.text


def test_each_child_of_the_page_is_recorded_as_looked_at(app, signed_in, published):
    """One entry for each child shown, under the reader's name, and none for others."""
    key = app.extensions["riskflag_store"].key
    desk = signed_in("senior")
    before = len(looked_at(app))
    numbers = shown(desk.get("/worklist?page=2"))
    people = {flag["flag_id"]: flag["person_id"] for flag in published}
    wanted = [("senior practitioner 1", "list_flag", pseudonym(key, people[n])) for n in numbers]
    assert looked_at(app)[before:] == wanted


def test_without_the_record_of_the_look_there_is_no_page(app, signed_in, published, monkeypatch):
    """A store that cannot write the entry shows nothing of any child (law 10)."""
    desk = signed_in("caseworker")

    def full(*_, **__):
        raise StorageError("The disk is full.")

    monkeypatch.setattr(looks.audit, "record_all", full)
    for path in ("/worklist", f"/flag/{published[0]['flag_id']}"):
        answer = desk.get(path)
        assert answer.status_code == 503, path
        for flag in published:
            assert flag["child"]["display"] not in answer.text
            assert flag["person_id"] not in answer.text


def test_what_the_night_could_not_see_is_said_above_the_list(signed_in, app):
    """Late deliveries and children who were not assessed are facts of the list."""
    from riskflag.reports.waiting import facts

    manifest = {
        "feeds": [
            {
                "source": "pupil_absence",
                "agency": "school",
                "state": "LOST",
                "complete_to": "2026-01-04",
            },
            {"source": "ecds", "agency": "ed", "state": "FRESH", "complete_to": "2026-03-31"},
        ],
        "counts": {"not_assessed": 2, "left_out_for_capacity": 1},
    }
    told = facts(manifest)
    assert told[0] == (
        "Late or missing on this night: School (pupil absence, up to 4 January 2026)."
    )
    assert told[1].startswith("Two children were not fully assessed")
    assert told[2].startswith("The model pointed to one further child.")
    assert facts({}) == ("No night has been published yet, so no child has been looked at.",)


@pytest.mark.parametrize(
    "path",
    ["/worklist", "/how-this-works", "/help", "/privacy", "/accessibility", "/before-you-start"],
)
def test_the_words_are_plain(signed_in, path):
    """No banned word, and no sentence of more than 25 words outside the rules' own texts."""
    answer = signed_in("caseworker").get(path)
    assert answer.status_code == 200
    body = re.search(r"<main.*?</main>", answer.text, re.DOTALL)[0]
    body = re.sub(r"<select.*?</select>", "", body, flags=re.DOTALL)
    if path == "/how-this-works":
        body = body.split('id="rules"')[0]
    blocks = [html.unescape(block) for block in visible_text(body)]
    assert blocks
    assert [word for block in blocks for word in banned_words(block)] == []
    assert long_sentences(blocks, 36 if path == "/worklist" else 25) == []


def test_how_this_works_tells_every_rule_and_the_six_kinds_of_explanation(client, published):
    """For everybody, signed in or not, and with no child in it."""
    from riskflag.scoring.rulebook import Rulebook

    text = client.get("/how-this-works").text
    for rule in Rulebook.load().rules:
        assert str(html.escape(rule.title, quote=False)) in html.unescape(text) or (
            rule.title in html.unescape(text)
        )
    for part in ("why", "who", "data", "fair", "right", "after", "rules"):
        assert f'id="{part}"' in text
        assert f'href="#{part}"' in text or part == "rules"
    for flag in published:
        assert flag["person_id"] not in text
        assert flag["flag_id"] not in text


def test_a_question_about_a_protected_characteristic_is_named(client):
    """Negative control of the sentence that none is asked."""
    from riskflag.reports.how_it_works import PROTECTED

    assert PROTECTED.search("What is the ethnicity of the child?")
    assert PROTECTED.search("How many free school meals were taken?")
    assert "No question asks about sex, ethnicity" in client.get("/how-this-works").text


@pytest.mark.parametrize(("n", "told"), [(29, 0), (30, 3), (None, 0)])
def test_how_often_is_not_told_below_thirty_past_flags(n, told):
    """Too few to say anything."""
    from riskflag.reports.how_it_works import often

    performance = {"n": n, "needed_more": 3, "period": "May"} if n else None
    assert len(often(performance)) == told
