"""The reference pages of signals and rules are what the declarations say, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskflag.scoring.manual import condition_words, rules_page, shown, signals_page
from riskflag.scoring.rulebook import COMPARISONS, Rule, Rulebook, When
from riskflag.signals import load_catalogue

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
CATALOGUE = load_catalogue()
BOOK = Rulebook.load(catalogue=CATALOGUE)
PAGES = {"signals": signals_page(CATALOGUE), "rules": rules_page(BOOK)}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_in_docs_is_the_page_that_the_command_prints(name):
    """Write it again with `riskflag signals --markdown` or `riskflag rules --markdown`."""
    assert (REFERENCE / f"{name}.md").read_text(encoding="utf-8") == PAGES[name]


def test_every_signal_and_rule_has_its_heading_question_and_source():
    """Nothing of the catalogue is left out of the manual."""
    for signal in CATALOGUE.signals:
        assert f"\n### {signal.name}\n\n{signal.question}\n" in PAGES["signals"]
        assert signal.source in PAGES["signals"]
    for rule in BOOK.rules:
        assert f"\n## {rule.title}\n" in PAGES["rules"]
        for text in rule.texts:
            assert shown(text) in PAGES["rules"]


def test_a_condition_reads_as_a_sentence():
    """Brackets stand only where and, or and not would be unclear."""
    leaf = {"signal": "a", "at_least": 1}
    other = {"signal": "b", "equals": 0}
    either = {"any": [leaf, other]}

    assert condition_words(When.model_validate(leaf)) == "`a` is at least 1"
    assert condition_words(When.model_validate({"all": [leaf]})) == "`a` is at least 1"
    assert (
        condition_words(When.model_validate({"all": [leaf, either]}))
        == "`a` is at least 1 and (`a` is at least 1 or `b` is exactly 0)"
    )
    assert condition_words(When.model_validate({"not": other})) == "not (`b` is exactly 0)"


def test_the_example_of_a_rule_is_a_rulebook_that_loads(tmp_path):
    """What the page on writing a rule shows can be copied and used."""
    page = (REFERENCE / "rulebook-format.md").read_text(encoding="utf-8")
    example = page.split("```toml\n", 1)[1].split("```", 1)[0]
    (tmp_path / "rulebook.toml").write_text(example, encoding="utf-8")
    book = Rulebook.load(tmp_path / "rulebook.toml", CATALOGUE)

    assert [rule.id for rule in book.rules] == ["repeat_missing"]
    assert all(name in page for name in (*Rule.model_fields, *COMPARISONS))
