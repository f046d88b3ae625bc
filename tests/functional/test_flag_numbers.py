"""Every number, reason and word on the pages of real nights, counted again from what is listed.

The same on over 1,000 flags: `pytest -m long tests/functional/test_flag_numbers_many.py`.
"""

from __future__ import annotations

import copy
import datetime as dt
import json

import pytest

from riskflag.workspace import Workspace
from tests.functional import flag_checks as checks

#: A demo of 800 children has 30 to 40 flags a night.
DAYS = (dt.date(2026, 4, 1), dt.date(2025, 10, 1))
AT_LEAST = 60


@pytest.fixture(scope="module")
def of(demo_folder):
    """The flags of two nights of the small demo."""
    made = checks.nights(Workspace.open(demo_folder / "workspace"), DAYS)
    assert len(made.flags) >= AT_LEAST
    return made


def test_the_flags_are_those_that_were_published(of, demo_folder):
    """What is checked here is what the demo's night published, but for the number."""
    folder = demo_folder / "workspace" / "publications"
    folder /= (folder / "CURRENT").read_text().strip()
    published = json.loads((folder / "flags.json").read_text())
    made = {f["person_id"]: f for f in of.flags if f["as_of"] == DAYS[0].isoformat()}
    assert len(published) == len(made) > 25
    for flag in published:
        assert made[flag["person_id"]]["reasons"] == flag["reasons"]


def test_every_number_on_a_page_is_that_of_the_contacts_it_lists(of):
    """Law 9: values, statements, openings, strengths; the page made of the recount is the page."""
    wrong, tally = checks.numbers_differ(of)
    assert wrong == []
    assert tally["values"] > 1000
    assert tally["statements"] > 30
    assert tally["strengths"] > 30
    assert tally["improvements"] > 10
    assert tally["improvements looked for"] > 30


@pytest.mark.parametrize("change", ["dropped", "moved", "quantity"])
def test_the_recount_notices_one_changed_contact(of, change):
    """Negative control: a contact that goes, moves or says another number is found out."""
    found = 0
    for flag in of.flags[:25]:
        broken = copy.deepcopy(flag)
        key = broken["reasons"][0]["contact_keys"][0]
        contact = next(c for c in broken["contacts"] if c["contact_key"] == key)
        if change == "dropped":
            for reason in broken["reasons"]:
                for rule in [reason["rule"], *reason["also"]] if reason["rule"] else []:
                    for condition in rule["conditions"]:
                        condition["contact_keys"] = [
                            k for k in condition["contact_keys"] if k != key
                        ]
                for signal in (reason["model"] or {"signals": []})["signals"]:
                    signal["contact_keys"] = [k for k in signal["contact_keys"] if k != key]
        elif change == "moved":
            contact["occurred_on"] = "2001-01-01"
        else:
            contact["quantity"] = 40.0
        wrong, _ = checks.numbers_differ(checks.Nights([broken], of.catalogue, of.rulebook))
        found += bool(wrong)
    assert found >= (1 if change == "quantity" else 20)


@pytest.mark.parametrize("change", ["key", "number", "made up"])
def test_the_recount_notices_a_changed_improvement(of, change):
    """Negative control: a record left out, another number, one that the records do not tell."""
    tried = found = 0
    for flag in of.flags:
        broken = copy.deepcopy(flag)
        told = [one for one in broken["improvement"] if one["kind"] == "run_over"]
        if not told:
            continue
        if change == "key":
            told[0]["contact_keys"].pop()
        elif change == "number":
            told[0]["days"] += 1
        else:
            told[0]["kind"] = "fewer_absences"
            told[0].update(type="school.absence", before=40.0, since=1.0, days=90)
        wrong, _ = checks.numbers_differ(checks.Nights([broken], of.catalogue, of.rulebook))
        tried, found = tried + 1, found + bool(wrong)
    assert tried == found > 5


def test_the_numbers_read_off_the_sentences_are_those_of_the_contacts(of):
    """Openings, news, evidence and lanes: the words themselves, parsed again."""
    wrong, read = checks.sentences_differ(of)
    assert wrong == []
    assert read > 400


def test_every_reason_leads_to_its_records_and_no_two_to_the_same(of):
    """Or says that it rests on an absence."""
    assert checks.unresolved(of) == []


def test_no_banned_word_and_no_long_sentence(of):
    """On real pages with the real rulebook's words: none at all."""
    assert checks.bad_words(of) == []


def test_two_processes_with_other_hash_seeds_make_the_same_bytes(of, tmp_path):
    """Same inputs, same page."""
    flags = of.flags[:20]
    first = checks.pages_in_another_process(flags, tmp_path, "1")
    assert first == checks.pages_in_another_process(flags, tmp_path, "4711")
    assert first == [checks.page_hash(flag) for flag in flags]
    assert len(set(first)) == 20
