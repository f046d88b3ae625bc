"""All records of a child, and one of them: chosen, ordered, told, and never told too much."""

from __future__ import annotations

import copy

import pytest

from riskflag.reports import view
from riskflag.reports.person_records import PER_PAGE, Choice, all_records
from riskflag.reports.record_page import record_page
from tests.unit.reports.flags import AS_OF, contact, long_flag


def with_versions(one: dict, *changes: dict) -> dict:
    """A contact with its wordings: as it was first, then with each change."""
    versions = [{**copy.deepcopy(one), "until": None}]
    for number, change in enumerate(changes, 2):
        before = versions[-1]
        before["until"] = change["known_on"]
        attributes = {**before["attributes"], **change.get("attributes", {})}
        now = {**before, **change, "attributes": attributes, "version": number, "until": None}
        versions.append(now)
    last = {name: value for name, value in versions[-1].items() if name != "until"}
    return {**last, "withdrawn_on": None, "versions": versions}


FLAG = long_flag(30)
PAGE = view(FLAG)
CONTACTS = [with_versions(one) for one in FLAG["contacts"]]


def chosen(**choice):
    return all_records(FLAG, CONTACTS, PAGE, Choice(**choice))


def listed(found) -> list:
    return [line.record for line in found.lines if line.number]


def test_everything_is_there_with_the_numbers_of_the_flag_s_page():
    """A record that the flag's page holds keeps its number there."""
    found = chosen()
    assert found.total == found.chosen == 30
    numbers = {line.record.key: line.on_page for line in found.lines if line.number}
    assert numbers == {record.key: record.number for record in PAGE.records.listed}


def test_both_orders_hold_the_same():
    """Oldest first is newest first read backwards."""
    newest, oldest = chosen(), chosen(oldest_first=True)
    assert [r.key for r in listed(newest)] == [r.key for r in listed(oldest)][::-1]
    assert newest.text.split("\n")[3:-1] == oldest.text.split("\n")[3:-1][::-1]


def test_choices_narrow_together():
    """An agency, a kind, a period and a pattern at once leave what fits all of them."""
    first = FLAG["contacts"][0]
    found = chosen(
        agency=first["agency"], type=first["type"], since=first["occurred_on"], pattern="nothing"
    )
    assert found.chosen == 0
    found = chosen(agency=first["agency"], type=first["type"], since=first["occurred_on"])
    assert {(r.agency_name, r.iso >= first["occurred_on"]) for r in listed(found)} == {
        (first["agency"], True)
    }
    assert "from " in found.told


def test_pages_hold_a_hundred_each_and_the_text_holds_all():
    """A page beyond the last is the last."""
    flag = long_flag(230)
    many = [with_versions(one) for one in flag["contacts"]]
    pages = [all_records(flag, many, view(flag), Choice(page=page)) for page in (1, 2, 3, 9)]
    assert [len(listed(page)) for page in pages] == [PER_PAGE, PER_PAGE, 30, 30]
    assert [page.page for page in pages] == [1, 2, 3, 3]
    assert len(pages[0].text.strip().split("\n")) == 3 + 230


def test_other_people_are_shown_only_where_a_pattern_holds_them_unless_asked_for():
    """Need to know is what is not asked for is not shown."""
    contacts = copy.deepcopy(CONTACTS)
    contacts[0].update(link="sibling", in_pattern=True)
    contacts[1].update(link="mother", in_pattern=False)

    def keys(whose: str) -> set[str]:
        return {r.key for r in listed(all_records(FLAG, contacts, PAGE, Choice(whose=whose)))}

    sibling, mother = contacts[0]["contact_key"], contacts[1]["contact_key"]
    assert keys("") == {c["contact_key"] for c in contacts} - {mother}
    assert keys("child") == {c["contact_key"] for c in contacts} - {mother, sibling}
    assert keys("linked") == {mother, sibling}
    assert len(keys("all")) == 30


def test_a_text_line_cannot_be_broken_into_two():
    """Line ends in data do not make a further record of one."""
    contacts = [with_versions(contact(1, days_ago=5, file="a\nb|c.csv"))]
    found = all_records({**FLAG, "contacts": contacts}, contacts, PAGE, Choice())
    assert len(found.text.strip().split("\n")) == 4


def one_page(one: dict):
    return record_page(one, FLAG, PAGE, meaning="A definition.")


def test_what_a_record_said_before_is_told_change_by_change():
    """Each wording with its days; what changed in words, a value that came or went too."""
    first = contact(1, days_ago=40, kind=0, known_on="2026-09-12")
    changed = with_versions(
        first,
        {"known_on": "2026-09-20", "attributes": {"category": "assault", "outcome": None}},
        {"known_on": "2026-10-01", "occurred_on": "2026-09-11", "ended_on": "2026-09-12"},
    )
    one, two, three = one_page(changed).wordings
    assert (one.known, one.until, one.changed) == ("12 September 2026", "20 September 2026", ())
    assert two.changed == (
        "Recorded as: was injury, then assault.",
        "Outcome: was Treated, then not recorded.",
    )
    assert three.changed == (
        "Day: was 10 September 2026, then 11 September 2026.",
        "End: was not recorded, then 12 September 2026.",
    )
    assert three.until == ""


def test_another_person_s_record_keeps_who_it_is():
    """No line, no number in the source, no place."""
    mine = one_page(with_versions(contact(1, days_ago=5, kind=0)))
    theirs = one_page(with_versions(contact(1, days_ago=5, kind=0, link="sibling")))
    terms = {fact.term for fact in mine.provenance} - {fact.term for fact in theirs.provenance}
    assert terms == {"Line", "Number in that source"}
    assert {fact.term for fact in mine.facts} - {f.term for f in theirs.facts} == {"Place"}
    assert "held back" in theirs.withheld
    assert "R-000001" not in str(theirs)


@pytest.mark.parametrize(
    ("kind", "more", "label"),
    [
        ("school.bullying", {}, "Reported"),
        ("care.s47", {}, "Under enquiry"),
        ("care.s47", {"ended_on": AS_OF.isoformat()}, "The agency's own record"),
        ("care.visit", {}, "The agency's own record"),
    ],
)
def test_how_far_a_record_is_established_is_told(kind, more, label):
    """A report is not a finding; an enquiry goes on until an outcome or an end is recorded."""
    page = one_page(with_versions({**contact(1, days_ago=5), "type": kind, **more}))
    assert page.standing == label
    assert page.standing_means.endswith(".")


def test_a_withdrawn_record_says_so_and_a_pattern_is_named():
    """What an agency took back was once read."""
    key = FLAG["reasons"][0]["contact_keys"][0]
    one = next(c for c in CONTACTS if c["contact_key"] == key)
    page = one_page({**one, "withdrawn": True, "withdrawn_on": "2026-10-02"})
    assert page.course.startswith("The agency withdrew this record on 2 October 2026.")
    assert (PAGE.patterns[0].heading, "pattern-1") in page.patterns
