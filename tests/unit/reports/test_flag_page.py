"""A flag's page: what is always there, what is never there, and numbers that can be recounted."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import json
import re

import pytest

from riskflag.nightly.folder import flag_line, sha256
from riskflag.reports import render_flag, view
from riskflag.reports.flag_page import record_hash
from riskflag.reports.lint import banned_words, long_sentences, visible_text
from riskflag.reports.render import style
from riskflag.reports.timeline import timeline
from riskflag.reports.words import SMALL
from tests.unit.reports.flags import examples, long_flag

SECTIONS = [
    "why",
    "new",
    "records",
    "patterns",
    "other-way",
    "not-seen",
    "voice",
    "often",
    "review",
    "about",
]
FLAGS = [*examples(), long_flag(60), long_flag(12, reasons=3, in_pattern=9)]
IDS = [f"{flag['flag_id']}-{len(flag['contacts'])}" for flag in FLAGS]
each_flag = pytest.mark.parametrize("flag", FLAGS, ids=IDS)


def text_of(html: str) -> str:
    return "\n".join(visible_text(html))


def section(html: str, name: str) -> str:
    return html.split(f'<section id="{name}"')[1].split("</section>", maxsplit=1)[0]


def bare(flag: dict) -> dict:
    """The flag with everything that may be empty empty."""
    flag = copy.deepcopy(flag)
    flag.update(
        reasons=[],
        earlier_reasons=[],
        lowering=[],
        improvement=[],
        not_seen=[],
        caveats=[],
        contacts=[],
        model=None,
        performance=None,
        voice={"contact_keys": [], "latest": None},
        why={"contacts": 0, "agencies": [], "from": None, "to": None},
    )
    return flag


@pytest.mark.parametrize("flag", [*FLAGS, bare(FLAGS[0])])
def test_every_section_is_there_in_its_order(flag):
    """No section is ever left out, however little there is to say."""
    html = render_flag(view(flag))
    assert re.findall(r'<section id="([a-z-]+)"', html) == SECTIONS
    for name in SECTIONS:
        words = text_of("<p>" + section(html, name)).split()
        assert len(words) > 8, name


def test_an_empty_section_says_so():
    """What is not there is said to be not there, and silence is not reassurance."""
    html = render_flag(view(bare(FLAGS[0])))
    assert "None recorded." in section(html, "other-way")
    assert "not reassurance" in section(html, "other-way")
    assert "up to date" in section(html, "not-seen")
    assert "None recorded in the data we hold." in section(html, "records")
    assert "not yet known" in section(html, "often")
    assert "Nothing is recorded" in section(html, "voice")


@each_flag
def test_the_same_flag_gives_the_same_bytes(flag):
    """Law 3: same input, same bytes, whatever the order of the dict's keys."""
    shuffled = json.loads(json.dumps(flag, sort_keys=True))
    assert render_flag(view(flag)) == render_flag(view(shuffled))


@each_flag
def test_no_banned_word_and_no_long_sentence(flag):
    """Zero banned words in all that is read or said aloud; sentences of at most 25 words."""
    read = visible_text(render_flag(view(flag)))
    assert banned_words("\n".join(read)) == []
    assert long_sentences(read) == []


@each_flag
def test_the_opening_is_one_sentence_of_at_most_35_words_and_says_what_it_is_not(flag):
    """Why this came, then what it is not."""
    html = render_flag(view(flag))
    assert len(view(flag).why.split()) <= 35
    assert view(flag).why.count(".") == 1
    assert "It is not an assessment and does not say that harm has happened." in html


@each_flag
def test_the_file_stands_alone(flag):
    """No script, no address outside, a policy that forbids both, a title without a name."""
    html = render_flag(view(flag))
    assert "<script" not in html
    assert not re.search(r"(?:https?:|//[a-z]|url\((?!#)|@import|\son[a-z]+=)", html)
    assert all(a.startswith("#") for a in re.findall(r'(?:href|src)="([^"]*)"', html))
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    assert re.search(r"<title>(.*?)</title>", html)[1] == flag["flag_id"]


@each_flag
def test_structure_for_who_does_not_see_the_page(flag):
    """One h1, no heading level skipped, unique ids, every link lands, captions and scopes."""
    html = render_flag(view(flag))
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", html)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)
    assert html.count("<table") == html.count("<caption")
    assert not re.search(r"<th(?![^>]*scope)[ >]", html)
    assert '<html lang="en-GB">' in html


@each_flag
def test_the_numbers_of_the_model_are_never_shown(flag):
    """No raw score, probability, base value or contribution on the caseworker's page."""
    html = render_flag(view(flag))
    model = flag["model"] or {}
    told = [model[name] for name in ("raw", "base", "probability") if name in model]
    told += [part["contribution"] for part in model.get("contributions", ())]
    told += [r["model"]["share"] for r in flag["reasons"] if r["model"]]
    text = text_of(html)
    for number in told:
        for form in (f"{number}", f"{number:.3f}", f"{number:.2%}", f"{number:.0%}"):
            assert not re.search(rf"(?<![\d.]){re.escape(form)}(?!\d|\.\d)", text), form
    assert "%" not in text


def numbers(text: str) -> list[int]:
    """Counts in a text, in words or digits, dates left out."""
    text = re.sub(r"\d{1,2} [A-Z][a-z]+( \d{4})?", "", text)
    word = "|".join(SMALL[1:])
    found = re.findall(rf"\b({word}|\d[\d,]*)\b", text.lower())
    return [SMALL.index(f) if f in SMALL else int(f.replace(",", "")) for f in found]


@each_flag
def test_every_number_of_the_evidence_can_be_recounted_from_the_records(flag):
    """Law 9: counts, agencies and dates of why and of each card equal those of listed records."""
    page = view(flag)
    by_key = {c["contact_key"]: c for c in flag["contacts"]}
    pattern = [c for c in flag["contacts"] if c["in_pattern"]]
    why = [len(pattern), len({c["agency"] for c in pattern})]
    assert numbers(page.why)[:2] == why
    reasons = [*flag["reasons"], *flag["earlier_reasons"]]
    assert len(reasons) == len(page.patterns)
    for reason, card in zip(reasons, page.patterns, strict=True):
        behind = [by_key[key] for key in reason["contact_keys"] if key in by_key]
        if not behind:
            assert "rests on" in card.evidence
            continue
        agencies = {c["agency"] for c in behind}
        counted = numbers(card.evidence)
        assert counted[0] == len(behind)
        assert counted[1:] == ([len(agencies)] if len(agencies) > 3 else [])
        assert card.records.total == len(behind)


@each_flag
def test_every_counted_answer_can_be_recounted_from_the_records_it_names(flag):
    """Counts, sums and days since equal what the records behind them give."""
    page, by_key = view(flag), {c["contact_key"]: c for c in flag["contacts"]}
    checked = 0
    for reason, card in zip(flag["reasons"], page.cards + page.more_cards, strict=True):
        signals = {s["question"]: s for s in (reason["model"] or {"signals": []})["signals"]}
        conditions = (reason["rule"] or {"conditions": []})["conditions"]
        signals |= {c["question"]: c for c in conditions}
        for count in card.counts:
            signal = signals[count.question]
            behind = [by_key[key] for key in signal["contact_keys"]]
            expected = recount(signal, behind, flag["as_of"])
            if expected is not None:
                assert int(re.sub(r"\D", "", count.answer) or 0) == expected, count
                checked += 1
    assert checked or not flag["reasons"]


def recount(signal: dict, behind: list[dict], as_of: str) -> int | None:
    """The value of a signal from the records behind it; None where records do not give it."""
    if signal["unit"] in ("years", "months") or signal["value"] is None:
        return None
    if signal["unit"] == "days":
        newest = max(dt.date.fromisoformat(c["occurred_on"]) for c in behind)
        return (dt.date.fromisoformat(as_of) - newest).days
    if signal["unit"] == "sessions":
        return round(sum(c["quantity"] for c in behind))
    return len(behind)


@each_flag
def test_every_reason_leads_to_its_records_or_says_it_rests_on_an_absence(flag):
    """Each reason is one click from its records."""
    html, page = render_flag(view(flag)), view(flag)
    for reason, card in zip(
        [*flag["reasons"], *flag["earlier_reasons"]], page.patterns, strict=True
    ):
        if reason["rests_on_absence"]:
            assert "not recorded, so no record stands behind it" in card.evidence
        else:
            assert card.records.linked
        for number in card.records.linked:
            assert f'id="r{number}"' in html
        assert card.questions
        assert card.others


def test_a_record_is_traced_to_its_file_and_line_and_marked():
    """Where it comes from, whether it is in a pattern, new, late, withdrawn or doubtful."""
    flag = copy.deepcopy(FLAGS[1])
    first = flag["contacts"][-1]
    first.update(known_on=flag["as_of"], occurred_on="2026-09-30", withdrawn=True)
    first["issues"] = ["date_assumed", "some_new_mark"]
    html = section(render_flag(view(flag)), "records").replace("<wbr>", "")
    for text in (
        f"{first['file']}, line {first['line']}",
        "In a pattern",
        "Arrived 20 days later",
        "Since withdrawn or corrected",
        "Day is assumed",
        "Some new mark",
    ):
        assert text in html, text


def test_an_assumed_day_is_never_told_as_a_late_arrival():
    """The gap of an assumed day is our guess, not the agency's delay."""
    flag = copy.deepcopy(FLAGS[1])
    flag["contacts"][0].update(known_basis="assumed_lag", known_on=flag["as_of"])
    text = section(render_flag(view(flag)), "records")
    assert "The day on which 1 of 8 records became known is assumed." in text
    assert text.count(", known day assumed") == 1
    assert "Line to the day it arrived" not in text


def test_assumed_days_are_told_once_and_each_row_only_carries_a_sign():
    """A sentence on every row would drown what was recorded; the sign is said aloud in words."""
    flag = copy.deepcopy(FLAGS[1])
    for basis, signs in (("landed", 0), ("assumed_lag", 8)):
        for contact in flag["contacts"]:
            contact["known_basis"] = basis
        text = section(render_flag(view(flag)), "records")
        assert text.count('aria-hidden="true">†<') == text.count(", known day assumed") == signs
    assert text.count("became known is assumed") == 1
    assert "The day on which all 8 records became known is assumed." in text


def test_the_order_of_the_records_is_newest_first_and_all_of_them_are_there():
    """Up to 140 records each have a row; those in a pattern are never left out before others."""
    page = view(long_flag(60, reasons=3))
    dates = [record.iso for record in page.records.listed]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == 60
    assert len(page.records.first) == 20
    assert len(view(long_flag(60, reasons=5)).records.first) == 12
    assert len(view(long_flag(60, reasons=9)).records.first) == 8
    long = view(long_flag(900))
    assert long.records.omitted == 760
    assert sum(record.in_pattern for record in long.records.listed) == 30
    assert "760 more records are left out" in render_flag(long)


@pytest.mark.parametrize(("reasons", "apart"), [(5, 5), (6, 4), (9, 3)])
def test_a_page_full_of_patterns_tells_the_last_ones_in_short(reasons, apart):
    """Four sheets hold it; each pattern is still on the page with its records and a question."""
    page = view(long_flag(60, reasons=reasons))
    assert (len(page.cards), len(page.more_cards)) == (apart, reasons - apart)
    html = section(render_flag(page), "patterns")
    for card in page.more_cards:
        assert card.questions[0] in html
        assert f'id="{card.anchor}"' in html


def test_what_could_not_be_seen_names_the_agency_and_its_last_day():
    """ "We hold no data since" is not "none recorded"."""
    flag = copy.deepcopy(FLAGS[1])
    flag["not_seen"] = [
        {"agency": "housing", "source": "h", "state": "LOST", "complete_to": "2026-08-31"},
        {"agency": "police", "source": "p", "state": "STALE", "complete_to": "2026-10-14"},
        {"agency": "school", "source": "s", "state": "HELD", "complete_to": "2026-10-01"},
        {"agency": "gp", "source": "g", "state": "LOST", "complete_to": None},
    ]
    assert view(flag).not_seen == (
        "Housing: we hold no data since 31 August 2026.",
        "Police: the latest data is of 14 October 2026, six days before this night.",
        "School: we hold no data since 1 October 2026. A delivery is being checked.",
        "GP practice: we hold no data.",
    )
    assert "No data from that agency" in render_flag(view(flag))


def test_agencies_without_any_feed_are_one_line_and_one_sentence():
    """Twelve empty lanes would push the drawn ones off the page; the names are still told."""
    flag = copy.deepcopy(FLAGS[1])
    lanes = len(timeline(flag).lanes)
    never = ["adult_services", "fire", "housing", "probation", "youth_justice"]
    flag["not_seen"] += [
        {"agency": name, "source": None, "state": "NEVER", "complete_to": None, "types": []}
        for name in never[:1] + never[3:]
    ]
    picture, page = timeline(flag), view(flag)
    assert len(picture.lanes) == lanes
    assert picture.without_feed == "Three more agencies send us no data and cannot be drawn here."
    html = render_flag(page)
    assert picture.without_feed in section(html, "records")
    assert [line for line in page.not_seen if line.startswith("These send us no data: ")]
    assert section(html, "not-seen").count("send us no data") == 1
    assert "probation" in section(html, "not-seen")
    flag["not_seen"] = []
    assert timeline(flag).without_feed == ""


def test_two_rules_on_the_same_records_are_one_card_that_names_both():
    """Titles, statements, sources and numbers of both; questions of both without repeats."""
    flag = copy.deepcopy(FLAGS[1])
    reason = flag["reasons"][0]
    other = copy.deepcopy(reason["rule"]) | {
        "id": "another_rule",
        "version": 7,
        "title": "Another pattern",
        "statement": "Another statement.",
        "source": "Another source",
        "questions": [*reason["rule"]["questions"], "What else is known?"],
    }
    other["conditions"][0]["threshold"] = 1
    before = view(flag).cards[0]
    reason["also"] = [other]
    card, html = view(flag).cards[0], render_flag(view(flag))
    assert card.questions == (*before.questions, "What else is known?")
    assert card.others == before.others
    assert [count.question for count in card.counts] == [c.question for c in before.counts]
    assert card.counts[0].asked == f"{before.counts[0].asked}; the rule asks for at least 1"
    assert card.tags[:2] == (before.tags[0], "Rule another rule, version 7")
    for text in ("The same records also meet: Another pattern.", "Another statement."):
        assert text in section(html, "patterns")
    assert card.source == f"{before.source}; Another source"
    assert "another rule, version 7" in section(html, "about")


STATUS = {"type": "care.cp_plan", "since": "2026-08-03", "contact_key": "k"}


@pytest.mark.parametrize(
    ("care", "plans", "worker"),
    [
        ({}, "none recorded", "none recorded"),
        ({"status": [STATUS]}, "on a child protection plan since 3 August 2026", "none recorded"),
        (
            {"status": [STATUS | {"type": f"care.{t}"} for t in ("looked_after", "cin_plan")]},
            "looked after since 3 August 2026; on a child in need plan since 3 August 2026",
            "none recorded",
        ),
        ({"worker_allocated_on": "2026-02-03"}, "none recorded", "on 3 February 2026"),
        (
            {"worker_allocated_on": "2026-02-03", "team": "Team North", "team_until": None},
            "none recorded",
            "on 3 February 2026, Team North",
        ),
        (
            {"worker_allocated_on": "2026-02-03", "team": "Team B", "team_until": "2026-03-01"},
            "none recorded",
            "on 3 February 2026, Team B until 1 March 2026",
        ),
        (
            {"not_seen": ["care.cp_plan", "care.worker_change"]},
            "not known: records are missing",
            "not known: records are missing",
        ),
    ],
)
def test_the_identity_bar_tells_plans_care_and_the_last_allocation(care, plans, worker):
    """As far as records tell; what could not be looked up is not told as none."""
    flag = copy.deepcopy(FLAGS[1])
    flag["care"] = {"status": [], "worker_allocated_on": None, "not_seen": []} | care
    facts = {fact.term: fact.value for fact in view(flag).identity}
    assert (facts["Plans and care"], facts["Last worker allocated"]) == (plans, worker)


@pytest.mark.parametrize("standing", ["not_reassessed", "no_longer_present", "rule_withdrawn"])
def test_a_flag_that_was_not_found_again_stays_and_says_why(standing):
    """Law 5: silence never closes or hides a flag."""
    flag = copy.deepcopy(FLAGS[0])
    flag["standing"] = standing
    flag["earlier_reasons"][0]["standing"] = standing
    html = render_flag(view(flag))
    assert "Only a person can close this flag." in html
    assert "Patterns from an earlier night" in html


def test_how_often_right_is_told_both_ways_and_not_on_few_flags():
    """Counts of ten, both ways; nothing under 30 past flags."""
    flag = copy.deepcopy(FLAGS[1])
    flag["performance"] = {"n": 412, "needed_more": 165, "period": "April 2025 to March 2026"}
    assert "about 4 were followed" in view(flag).often[0]
    assert "about 6 were not" in view(flag).often[0]
    flag["performance"] |= {"basis": "reviews"}
    assert "reviewers decided that about 4 needed something more" in view(flag).often[0]
    assert "about 6 did not" in view(flag).often[1]
    flag["performance"]["n"] = 29
    assert "too few" in view(flag).often[0]


def test_the_child_s_voice_is_told_with_its_day_and_agency():
    """The newest record of the child's words, or the question to ask."""
    told = view(FLAGS[2]).voice
    assert told.lead.startswith("The child's words or wishes were last recorded on 10 June 2026")
    assert "children's social care" in told.lead
    assert told.records.total == 1
    assert "this baby" in view(FLAGS[1]).voice.ask


def test_what_is_new_is_counted_and_nothing_new_is_said():
    """New records by number; a flag without any says since when."""
    assert "One new record has arrived" in view(FLAGS[2]).news.lead
    flag = copy.deepcopy(FLAGS[2])
    for contact in flag["contacts"]:
        contact["new"] = False
    assert "No new record has arrived since 13 October 2026." in view(flag).news.lead


@each_flag
def test_the_record_hash_is_the_night_s_and_the_review_names_it(flag):
    """A review that comes back can be tied to exactly what was shown."""
    assert record_hash(flag) == sha256(flag_line(flag))
    data = json.loads(view(flag).review_data)
    assert data["record_hash"] == record_hash(flag)
    assert len(data["reasons"]) == len(view(flag).patterns)
    assert record_hash(flag)[:16] in render_flag(view(flag))


PAYLOAD = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"


def poisoned(value: object, key: str = "") -> object:
    """Every displayed text replaced by markup; dates, names of kinds and numbers stay."""
    kept = {
        "as_of",
        "first_raised",
        "last_matched",
        "previous_as_of",
        "occurred_on",
        "occurred_at",
        "ended_on",
        "known_on",
        "complete_to",
        "from",
        "to",
        "latest",
        "since",
        "worker_allocated_on",
        "team_until",
        "contact_key",
        "contact_keys",
        "run_key",
        "signals",
        "rulebook",
        "history",
    }
    if isinstance(value, dict):
        return {k: poisoned(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(v, key) for v in value]
    return PAYLOAD if isinstance(value, str) and key not in kept else value


@each_flag
def test_markup_in_any_displayed_field_is_shown_as_text(flag):
    """Names, files, questions, titles and codes with markup in them are text, never markup."""
    html = render_flag(view(poisoned(flag)))
    assert html.count("&lt;script&gt;") > 10
    assert "<script" not in html
    assert "<img" not in html
    assert "onerror=alert(1)>" not in html.replace("&gt;", "").replace("onerror=alert(1)&gt;", "")
    assert "49" not in visible_text(html)[0]
    assert not re.search(r'="[^"]*"[\'"]', html)


def test_sizes_stay_within_their_budget():
    """16 kB of styles, 60 kB for a typical flag, 120 kB for the longest chronology."""
    assert len(style("style", "text", "flag")) <= 16_000
    for flag in FLAGS[:4]:
        assert len(render_flag(view(flag)).encode()) <= 60_000
    assert len(render_flag(view(long_flag(30, reasons=5))).encode()) <= 60_000
    assert len(render_flag(view(long_flag(900, reasons=14, in_pattern=400))).encode()) <= 120_000


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (
            {"kind": "run_over", "type": "police.da_incident", "days": 111},
            "Police: domestic abuse notice: three records in a year, and none in the 111 days up "
            "to 19 October 2026.",
        ),
        (
            {"kind": "fewer_absences", "type": "school.absence", "days": 90}
            | {"before": 12.5, "since": 0.0},
            "Sessions missed at school: none in the 90 days to 19 October 2026, and 12.5 in the 90 "
            "days before that. Holidays may be part of it.",
        ),
        (
            {"kind": "closed", "type": "care.cp_plan"},
            "Children's social care: child protection plan ended on 19 October 2026.",
        ),
    ],
    ids=["a run is over", "fewer absences", "closed"],
)
def test_recent_improvement_is_told_with_its_records(one, said):
    """One plain sentence, and the records it rests on, under what points the other way."""
    flag = copy.deepcopy(FLAGS[0])
    keys = [contact["contact_key"] for contact in flag["contacts"]]
    flag["improvement"] = [{**one, "to": "2026-10-19", "contact_keys": keys}]
    html = render_flag(view(flag))
    shown = section(html, "other-way")
    assert said in shown.replace("&#39;", "'")
    assert shown.count('href="#r') == len(keys) == 3
    assert long_sentences(visible_text(html)) == []
