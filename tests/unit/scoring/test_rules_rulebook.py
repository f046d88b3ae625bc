"""A rulebook is read whole or refused, with the line of its first mistake."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.errors import ConfigError
from riskflag.scoring.rulebook import Rulebook
from riskflag.scoring.rules_wording import BANNED, banned_in, fill, number_words, placeholders
from riskflag.signals import load_catalogue

CATALOGUE = load_catalogue()
GOOD = """title = "Test rules"
version = 1

[[rule]]
id = "repeat_visits"
version = 2
title = "Repeat visits"
statement = "Departments recorded {value:ed_attendances_180d|visit|visits}."
level = "soon"
theme = "health"
questions = ["What does the child say?", "Who was there?"]
other_explanations = ["A long-term condition."]
source = "A guideline"
window = "180 days"
owner = "Data lead"
review_by = 2027-01-31
[rule.when]
all = [
    { signal = "ed_attendances_180d", more_than = 3 },
    { not = { signal = "assessments_180d", at_least = 1 } },
]
"""
CONDITIONS = GOOD[GOOD.index("all = [") :]


@pytest.fixture
def refused(tmp_path):
    def load(text):
        path = tmp_path / "rulebook.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as error:
            Rulebook.load(path, CATALOGUE)
        return str(error.value)

    return load


def loaded(tmp_path, text):
    path = tmp_path / "rulebook.toml"
    path.write_text(text, encoding="utf-8")
    return Rulebook.load(path, CATALOGUE)


def test_a_good_rulebook_is_read_with_every_part(tmp_path):
    """What is written is what the rule holds."""
    book = loaded(tmp_path, GOOD)
    rule = book.by_id["repeat_visits"]

    assert (book.title, rule.version, rule.level) == ("Test rules", 2, "soon")
    assert rule.signals == ("ed_attendances_180d", "assessments_180d")
    assert set(book.signals) == set(rule.signals)
    assert rule.text({"ed_attendances_180d": 4}) == "Departments recorded 4 visits."
    assert book.overdue(dt.date(2027, 2, 1)) == (rule,)
    assert book.overdue(dt.date(2027, 1, 31)) == ()


def test_the_shipped_rulebook_has_at_least_sixteen_rules_and_no_named_person():
    """Owners are roles."""
    book = Rulebook.load()

    assert len(book.rules) >= 16
    assert all("lead" in r.owner or r.owner.split()[0] in ROLES for r in book.rules)


ROLES = {"Designated", "Principal", "Fostering"}


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('"ed_attendances_180d", more', '"ed_atendances_180d", more', 19, "ed_attendances_180d"),
        ('"assessments_180d", at', '"zzz", at', 20, "riskflag signals"),
        ("more_than = 3", "more_than = 3, at_least = 2", 18, "exactly one comparison"),
        (", more_than = 3", "", 18, "exactly one comparison"),
        ("more_than = 3", "more_than = nan", 18, "finite"),
        ("more_than = 3", "moer_than = 3", 18, "moer_than"),
        ('level = "soon"', 'level = "red"', 9, "urgent"),
        ('theme = "health"', 'theme = "weather"', 4, "theme"),
        ("version = 2", "version = 0", 6, "greater than or equal to 1"),
        ('owner = "Data lead"\n', "", 4, "owner"),
        ('owner = "Data lead"', 'owner = " "', 15, "owner"),
        ("review_by = 2027-01-31", 'review_by = "soon"', 16, "review_by"),
        ('["What does the child say?", "Who was there?"]', '["Why?"]', 11, "questions"),
        ('id = "repeat_visits"', 'id = "Repeat visits"', 5, "id"),
        ("Repeat visits", "Absconded again", 4, "was reported missing"),
        ("{value:ed_attendances_180d|visit|visits}", "{value:ed_sites_365d}", 8, "ed_sites_365d"),
        ("{value:ed_attendances_180d|visit|visits}", "{0.__class__}", 4, "brace"),
        ('title = "Test rules"', 'title = "Test rules', 1, "TOML"),
        (CONDITIONS, "all = []", 18, "at least 1 item"),
    ],
)
def test_a_mistake_is_refused_with_its_line(refused, old, new, line, says):
    """One sentence: the file, the line, what is wrong."""
    assert old in GOOD
    message = refused(GOOD.replace(old, new, 1))

    assert f"rulebook.toml line {line}" in message
    assert says in message


def test_two_rules_of_one_id_are_refused(refused):
    """An id names one rule."""
    second = GOOD.split("\n", 3)[3]

    assert "two rules have the id repeat_visits" in refused(GOOD + "\n" + second)


def test_a_missing_rulebook_is_one_sentence(tmp_path):
    """The path is named."""
    with pytest.raises(ConfigError, match="does not exist"):
        Rulebook.load(tmp_path / "none.toml", CATALOGUE)


def test_a_fingerprint_changes_with_any_word_and_with_nothing_else(tmp_path):
    """Comments and spaces are not the rule; every word and number of it is."""
    base = loaded(tmp_path, GOOD)
    same = loaded(tmp_path, "# a comment\n" + GOOD.replace("more_than = 3 }", "more_than   =  3 }"))
    changes = [
        ("more_than = 3", "more_than = 4"),
        ("A long-term condition.", "A long-term illness."),
        ("version = 2", "version = 3"),
        ("Data lead", "Other lead"),
        ("2027-01-31", "2027-02-01"),
    ]

    assert base.fingerprint == same.fingerprint
    seen = {loaded(tmp_path, GOOD.replace(old, new)).fingerprint for old, new in changes}
    assert len(seen) == len(changes)
    assert base.fingerprint not in seen


def test_a_statement_says_each_number_with_its_noun():
    """One visit, several visits, and words where a number is not known."""
    text = "{value:x|visit|visits} and {value:y}"

    assert list(placeholders(text)) == ["x", "y"]
    assert fill(text, {"x": 1, "y": 2.0}) == "1 visit and 2"
    assert fill(text, {"x": 0, "y": 2.49}) == "0 visits and 2.5"
    assert fill(text, {"y": float("inf")}) == "an unknown number of visits and no recorded"
    assert number_words(-1.5) == "-1.5"


def test_a_number_from_a_feed_that_stopped_is_at_least_that_many():
    """None recorded by a feed that stopped is an unknown number, never none."""
    text = "{value:x|visit|visits}."

    assert fill(text, {"x": 1}, {"x"}) == "at least 1 visit."
    assert fill(text, {"x": 0}, {"x"}) == "an unknown number of visits."
    assert fill(text, {"x": 0}, {"y"}) == "0 visits."


def test_nothing_in_a_statement_is_executed():
    """Braces that are not a placeholder stay as they are: there is no template language."""
    assert (
        fill("{x.__class__} {value:a.b} %s {{}}", {"x": 1}) == "{x.__class__} {value:a.b} %s {{}}"
    )


@pytest.mark.parametrize("phrase", BANNED)
def test_every_banned_phrase_is_found_in_any_case_and_inside_a_sentence(phrase):
    """Negative control for the wording check."""
    assert banned_in(f"Records say that {phrase.title()} was noted.") == phrase


def test_plain_wording_is_let_through():
    """The check does not see banned words inside others."""
    assert banned_in("The police took 3 reports; the child was not brought.") is None


@pytest.mark.parametrize("signal", CATALOGUE.signals, ids=lambda signal: signal.name)
def test_the_wording_of_signals_is_held_to_the_same_standard(signal):
    """Questions and reasons of the catalogue use no banned word either."""
    assert banned_in(signal.question) is None
    assert banned_in(signal.rationale) is None
