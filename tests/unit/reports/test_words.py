"""The words: every type and value has some, dates and numbers are written as readers write them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from riskflag.reports import words
from riskflag.reports.lint import LONGEST, banned_words, long_sentences, visible_text
from tests.unit.reports.flags import contact

VOCABULARY = Path(words.__file__).parents[1] / "history" / "vocabulary.toml"


def vocabulary() -> dict[str, dict]:
    def types(tree: dict, prefix: str = "") -> dict[str, dict]:
        found = {}
        for name, entry in tree.items():
            if "meaning" in entry:
                found[prefix + name] = entry
            else:
                found |= types(entry, f"{prefix}{name}.")
        return found

    found = types(tomllib.loads(VOCABULARY.read_text(encoding="utf-8")))
    assert len(found) > 40
    return found


def test_every_contact_type_and_value_of_the_vocabulary_has_words():
    """Nothing an agency may record is shown as a code."""
    told = words.words()
    for type_, entry in vocabulary().items():
        assert type_ in told["types"], type_
        assert entry["agency"] in told["agencies"], type_
        for attribute, values in entry.items():
            if isinstance(values, list):
                missing = set(values) - set(told["values"].get(attribute, {}))
                assert not missing, (type_, attribute, missing)


def test_the_words_name_only_types_and_attributes_of_the_vocabulary():
    """A phrase for a type or attribute that cannot occur is a mistake in the words."""
    known = vocabulary()
    for type_, entry in words.words()["types"].items():
        assert type_ in known
        for variant in entry.get("when", ()):
            for attribute, value in variant.items():
                if attribute not in ("said", "help"):
                    assert value in known[type_][attribute], (type_, attribute, value)
        for attribute in entry.get("expects", ()):
            assert attribute in known[type_], (type_, attribute)
            assert attribute in words.words()["missing_value"]


def phrases(tree: object) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else []
    return [phrase for part in parts for phrase in phrases(part)]


def test_no_phrase_holds_a_banned_word_or_a_long_sentence():
    """The words cannot emit what the words forbid."""
    told = {name: tree for name, tree in words.words().items() if name != "banned"}
    found = phrases(told)
    assert len(found) > 300
    assert [p for p in found if banned_words(p)] == []
    assert long_sentences(found) == []


@pytest.mark.parametrize(
    "text", ["Absconded twice.", "a HIGH RISK family", "due to drink", "score 0.9", "he ran away"]
)
def test_the_check_for_banned_words_finds_them(text):
    """Negative control: planted words are found, whatever their case."""
    assert banned_words(text)


def test_the_check_for_banned_words_knows_whole_words_only():
    """ "Featured" and "scoreboard" are not "feature" and "score"."""
    assert banned_words("scoreboard, unpredictable, featured") == []


def test_the_check_for_long_sentences_finds_one_and_reads_the_text_alone():
    """Negative control: 26 words in one sentence are found; markup and styles are not text."""
    html = f"<style>{'a ' * 40}</style><p>{'word ' * (LONGEST + 1)}end.</p><p>Short.</p>"
    assert len(long_sentences(visible_text(html))) == 1
    assert visible_text('<svg aria-label="Said aloud"></svg>') == ["Said aloud"]


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        ("2026-08-03", "2026-08-03", "on 3 August 2026"),
        ("2026-08-03", "2026-10-01", "between 3 August and 1 October 2026"),
        ("2025-12-30", "2026-01-02", "between 30 December 2025 and 2 January 2026"),
    ],
)
def test_periods_are_written_in_full(first, last, told):
    """Day, month in words, year; the year once when it is the same."""
    assert words.period(first, last) == told


@pytest.mark.parametrize(
    ("instant", "told"),
    [
        ("2026-10-16T23:05:00", "11:05pm"),
        ("2026-10-16T12:00:00", "12pm"),
        ("2026-10-16T00:41:00", "12:41am"),
        ("2026-10-16T00:00:00", ""),
        (None, ""),
    ],
)
def test_a_time_is_told_only_when_one_was_recorded(instant, told):
    """A midnight that stands for "no time" is never shown."""
    assert words.time_of_day(instant) == told


@pytest.mark.parametrize(
    ("child", "told"),
    [
        ({"age_months": 8, "age_years": 0}, "eight months old"),
        ({"age_months": 1, "age_years": 0}, "one month old"),
        ({"age_months": 0, "age_years": 0}, "less than a month old"),
        ({"age_months": 184, "age_years": 15}, "15 years old"),
        ({"age_months": None, "age_years": None}, "age not recorded"),
    ],
)
def test_age_is_in_months_for_the_youngest(child, told):
    """Months say more than years up to two; unknown is said to be unknown."""
    assert words.age(child) == told


@pytest.mark.parametrize(
    ("signal", "told"),
    [
        ({"value": 3.0, "unit": "attendances"}, "3"),
        ({"value": 0.0, "unit": "attendances"}, "none recorded"),
        ({"value": None, "unit": "days", "state": "never_recorded"}, "never recorded"),
        ({"value": None, "unit": "contacts", "state": "not_known"}, "not known"),
        ({"value": None, "unit": "contacts"}, "not known"),
        ({"value": 1.0, "unit": "days"}, "1 day"),
        ({"value": 0.0, "unit": "days"}, "0 days"),
        ({"value": 0.0, "unit": "years"}, "less than one year"),
        ({"value": 2 / 3, "unit": "share"}, "67 in 100"),
        ({"value": 0.75, "unit": "notices more than expected"}, "0.75 more than expected"),
        ({"value": -2.4, "unit": "notices more than expected"}, "2.4 fewer than expected"),
        ({"value": 0.0, "unit": "notices more than expected"}, "as many as expected"),
        ({"value": 1204.0, "unit": "sessions"}, "1,204"),
    ],
)
def test_unknown_none_and_never_are_three_different_things(signal, told):
    """Law 6: unknown is not no and not zero."""
    assert words.value(signal) == told


def test_the_usual_range_is_told_only_if_it_rests_on_enough_children():
    """Under 30 children, or with no upper end, nothing is said."""
    band = {"age_band": "5 to 9", "n": 4410, "p50": 2.0, "p90": 11.0}
    assert words.usual(band) == "Nine in ten children aged 5 to 9 have 11 or fewer."
    assert words.usual({**band, "p90": 0.0}) == "Most children aged 5 to 9 have none."
    assert words.usual({**band, "n": 29}) == ""
    assert words.usual({**band, "p90": None}) == ""
    assert words.usual(None) == ""


def test_a_share_is_told_in_words_and_grows_with_the_share():
    """No digits, and a larger share never gets a smaller word."""
    told = [words.share(part / 100) for part in range(101)]
    assert not any(character.isdigit() for text in told for character in text)
    order = ["a small part", *[text for _, text in reversed(words.SHARES)]]
    ranks = [order.index(text) for text in told]
    assert ranks == sorted(ranks)
    assert words.share(0.46) == "about half"


def test_a_child_was_not_brought_and_an_unknown_type_is_still_told():
    """The words put the act where it belongs, and leave nothing out."""
    missed = contact(3, days_ago=4)
    assert words.said(missed) == "Was not brought to a health appointment: dental"
    other = contact(0, days_ago=4, type="fire.home_visit", agency="fire_north")
    assert words.said(other).startswith("Fire: home visit")
    assert words.agency("fire_north") == "Fire north"


def test_bullying_experienced_is_kept_apart_from_bullying_displayed():
    """Who was bullied and who bullied are never the same words."""
    roles = {
        role: words.said(contact(0, days_ago=1, type="school.bullying", attributes={"role": role}))
        for role in ("experiencing", "displaying", None)
    }
    assert len(set(roles.values())) == 3
    assert roles["experiencing"] == "Was reported to have been bullied"


def test_what_was_not_recorded_is_said_where_it_was_due():
    """An attendance without an outcome says so; a birth does not need one."""
    silent = contact(0, days_ago=1, attributes={"category": "injury"})
    assert words.status(silent) == ("Outcome: none recorded",)
    birth = contact(0, days_ago=1, type="maternity.birth", attributes={})
    assert words.status(birth) == ()


def test_places_are_shown_for_hospitals_only():
    """A placement's or a worker's reference could name a person or a safe address."""
    assert words.place(contact(0, days_ago=1)) == "East"
    placed = contact(0, days_ago=1, type="care.placement", attributes={"organisation": "12 Elm"})
    assert words.place(placed) == ""


def test_questions_about_what_the_child_says_come_first():
    """The child first; the order of the others is kept, and none is lost or doubled."""
    asked = words.child_first(["Who was there?", "What does the child say?", "Who was there?"])
    assert asked == ("What does the child say?", "Who was there?")
    for name in words.words()["themes"]:
        assert words.asks_child(words.theme(name)["ask"][0]), name


def test_every_type_and_attribute_of_the_vocabulary_has_a_name_for_lists():
    """No bare code such as "s47" or "da_incident" stands in a list or on a record's page."""
    from riskflag.history.schema import ATTRIBUTES
    from riskflag.history.vocabulary import load_vocabulary

    types = load_vocabulary().types
    names = [words.type_label(name) for name in types]
    assert len(set(names)) == len(types) > 40
    assert not [name for name in names if re.search(r"_|s47|icpc|marac|^Ed:|^Gp:", name)]
    assert set(ATTRIBUTES) <= set(words.words()["attributes"])
    told = words.words()["standings"]
    assert {*told["reported"]["types"], *told["enquiry"]["types"]} <= set(types)


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (59.0, "59 days"),
        (90.0, "90 days, about three months"),
        (913.0, "913 days, about two years"),
        (1834.0, "1,834 days, about five years"),
    ],
)
def test_many_days_are_told_in_months_or_years_too(days, told):
    """1,834 days is hard to picture."""
    assert words.value({"value": days, "unit": "days", "state": "value"}) == told
