"""The checks on words: banned words, sentence length and reading age, on all that is fixed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import riskflag
from riskflag.reports import lint, render_flag, view, words
from riskflag.reports.render import TEMPLATES
from riskflag.scoring.rulebook import Rulebook
from riskflag.scoring.rules_wording import banned_in
from riskflag.signals.catalogue import load_catalogue
from tests.unit.reports.flags import examples

WEB = Path(riskflag.__file__).parent / "web" / "templates"
MINE = ("flag.html", "records.html", "record.html")


def fixed(template: Path) -> list[str]:
    """The fixed text of a template, block by block, without its code."""
    text = re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
    # A choice ends a text: what stands in its branches is never read together.
    text = re.sub(r"\{%.*?%\}", "<br>", text, flags=re.DOTALL)
    text = re.sub(r"\{\{.*?\}\}", " X ", text, flags=re.DOTALL)
    return lint.visible_text(text)


TEMPLATES_OF_PAGES = sorted([*TEMPLATES.glob("*.html"), *(WEB / name for name in MINE)])


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue(None)


@pytest.fixture(scope="module")
def rules(catalogue):
    return Rulebook.load(catalogue.rulebook_path, catalogue).rules


@pytest.mark.parametrize("template", TEMPLATES_OF_PAGES, ids=lambda path: path.name)
def test_no_template_holds_a_banned_word_or_a_long_sentence(template):
    """What is fixed in a page cannot emit what is forbidden, whatever the data."""
    read = fixed(template)
    if template.name not in {"analyst.html", "base.html"}:
        assert lint.banned_words("\n".join(read)) == []
    assert lint.long_sentences(read) == []


def test_there_are_templates_to_check():
    """The test above would pass on nothing otherwise."""
    assert len(TEMPLATES_OF_PAGES) > 8
    assert sum(len(fixed(path)) for path in TEMPLATES_OF_PAGES) > 150


@pytest.mark.parametrize("word", sorted(words.words()["banned"]["words"]))
def test_a_rulebook_with_a_banned_word_is_refused(word):
    """Words that no page may hold cannot come in by a rule either, wherever they stand."""
    assert banned_in(f"Before {word} after") is not None


@pytest.mark.parametrize("text", ["The shape of the house", "A scoreboard", "It featured there"])
def test_harmless_words_are_not_refused(text):
    """Whole words only, where the beginning of another word would be met."""
    assert banned_in(text) is None


def test_no_shipped_rule_or_question_holds_a_banned_word_or_a_long_sentence(rules, catalogue):
    """All that a rule or a signal puts on a page."""
    told = [re.sub(r"\{[^}]*\}", "3", text) for rule in rules for text in rule.texts]
    told += [signal.question for signal in catalogue.signals]
    assert len(told) > 300
    assert lint.banned_words("\n".join(told)) == []
    # One question of the catalogue has 26 words; a model's signals keep the words it was made with.
    assert lint.long_sentences(told, lint.LONGEST + 1) == []


@pytest.mark.parametrize(
    ("word", "count"),
    [
        *(("the", 1), ("child", 1), ("missed", 1), ("wanted", 2), ("school", 1), ("people", 2)),
        *(("record", 2), ("records", 2), ("recorded", 3), ("family", 3), ("agency", 3)),
        *(("police", 2), ("social", 2), ("created", 3), ("violent", 3), ("station", 2)),
        *(("neglect", 2), ("table", 2), ("voices", 2), ("idea", 3), ("x", 1), ("", 1)),
    ],
)
def test_syllables_are_counted_about_right(word, count):
    """By ear, for words such as stand on these pages."""
    assert lint.syllables(word) == count


def test_reading_age_tells_plain_from_hard():
    """A sentence for a child of six, one for a child of about ten, and one for nobody."""
    assert lint.reading_age(["The cat sat on the mat.", "The dog ran to the big red house."]) < 7
    plain = ["A social worker visited and saw the child alone.", "What does the child say?"]
    assert lint.reading_age(plain) < 9
    hard = (
        "Multifactorial vulnerability indicators necessitate comprehensive interdisciplinary "
        "consideration notwithstanding methodological limitations of probabilistic stratification."
    )
    assert lint.reading_age([hard]) > 20
    assert lint.reading_age([]) == 0.0


def test_a_term_that_no_plainer_word_replaces_does_not_count_against_a_text():
    """Names of agencies are as long as they are."""
    assert lint.reading_age(["The emergency department wrote."]) < 9


def test_headings_and_questions_are_for_readers_of_eleven(rules):
    """The ceiling of headings and questions to ask."""
    headings = [
        text
        for path in (TEMPLATES / "sections.html", *(WEB / name for name in MINE))
        for text in re.findall(r"<h[1-4][^>]*>([^{}<]+)</h", path.read_text())
    ]
    themes = words.words()["themes"].values()
    assert len(headings) > 20
    assert lint.reading_age(headings) <= lint.OLDEST_HEADINGS
    assert lint.reading_age([theme["heading"] for theme in themes]) <= lint.OLDEST_HEADINGS
    asked = [ask for theme in themes for ask in theme["ask"]]
    asked += [ask for rule in rules for ask in rule.questions]
    assert lint.reading_age(asked) <= lint.OLDEST_HEADINGS


def test_fixed_text_is_for_readers_of_twelve(rules, catalogue):
    """The ceiling of all other fixed words: templates, phrases, statements, signals' questions."""
    told = {
        "templates": [t for path in TEMPLATES_OF_PAGES[1:] for t in fixed(path)],
        "phrases": [entry["said"] for entry in words.words()["types"].values()],
        "statements": [re.sub(r"\{[^}]*\}", "3", rule.statement) for rule in rules],
        "explanations": [text for rule in rules for text in rule.other_explanations],
        "questions": [signal.question for signal in catalogue.signals],
    }
    ages = {name: round(lint.reading_age(texts), 1) for name, texts in told.items()}
    assert max(ages.values()) <= lint.OLDEST_TEXT, ages


@pytest.mark.parametrize("flag", examples(), ids=lambda flag: flag["flag_id"])
def test_a_whole_page_is_for_readers_of_eleven(flag):
    """Everything on it, data too."""
    assert lint.reading_age(lint.visible_text(render_flag(view(flag)))) <= lint.OLDEST_HEADINGS
