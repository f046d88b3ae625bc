"""What a flag's page says of patterns that do not always stand, and how strong it calls them."""

from __future__ import annotations

import copy

import pytest

from riskflag.reports import render_flag, view
from riskflag.reports.lint import LONGEST, banned_words, long_sentences, visible_text
from tests.unit.reports.flags import examples


def theme(name: str, *, kept: int = 5, without: tuple[str, ...] = ()) -> dict:
    feeds = [{"source": one, "agency": one} for one in without]
    span = {"contribution": 1.0, "low": 0.5, "high": 1.5}
    return {"theme": name, **span, "kept": kept, "without": feeds}


def block(*themes: dict, main: str, word: str = "mixed", changed: tuple[str, ...] = ()) -> dict:
    """A stability block of five refits; each agency of `changed` makes another theme the main."""
    feeds = [
        {"source": one, "agency": one, "main_theme": "other", "raises": True} for one in changed
    ]
    same = 5 if word == "high" else 2
    told = {"refits": 5, "same_main_theme": same, "word": word, "main_theme": main}
    return {**told, "themes": list(themes), "feeds": feeds}


@pytest.fixture(scope="module")
def flag():
    """A flag whose reasons are one of the model alone and one of a rule and the model."""
    found = next(one for one in examples() if any(r["source"] == "model" for r in one["reasons"]))
    found = copy.deepcopy(found)
    first = next(r for r in found["reasons"] if r["source"] == "model")
    first["model"].update(theme="school", strength="main", share=0.6)
    first["agencies"] = ["school"]
    found["reasons"] = [first]
    return found


def shown(flag: dict, stability: dict | None):
    page = view({**flag, "stability": stability})
    return page, page.patterns[0]


def test_a_steady_pattern_keeps_its_strength(flag):
    """Nothing hidden and no refit changes it: the word is the model's own."""
    _, card = shown(flag, block(theme("school"), main="school", word="high"))
    assert (card.strength.word, card.doubt) == ("Main pattern", "")


@pytest.mark.parametrize(
    ("stability", "said"),
    [
        (
            block(theme("school", without=("school",)), main="care"),
            "This rests on records from one agency only: School.",
        ),
        (
            block(theme("school"), main="school", changed=("school", "police")),
            "This rests on records from one agency only: School.",
        ),
        (
            block(theme("school", without=("school", "police")), main="care"),
            "This rests mainly on records from Police and School.",
        ),
        (
            block(theme("school", without=("police",)), main="care"),
            "This stands out only beside records from Police.",
        ),
        (
            block(theme("school", without=("ed", "gp", "police")), main="care"),
            "This needs records from three agencies together.",
        ),
        (
            block(theme("school", kept=1), main="care"),
            "Of five further models from other past families, one finds this pattern too.",
        ),
    ],
)
def test_a_pattern_that_vanishes_says_why_and_is_not_called_main(flag, stability, said):
    """The model's word is not used, and the page says so in one plain sentence."""
    page, card = shown(flag, stability)
    assert card.doubt == said
    assert card.strength.word == "Unsteady pattern"
    assert "One pattern is not steady; it says why." in page.often
    read = visible_text(render_flag(page))
    assert any(said in text for text in read)
    assert "Main pattern" not in " ".join(read)
    assert banned_words("\n".join(read)) == []
    assert long_sentences(read, LONGEST) == []


def test_a_smaller_pattern_stays_a_smaller_one(flag):
    """The words below strong promise nothing that could be too much."""
    small = copy.deepcopy(flag)
    small["reasons"][0]["model"]["strength"] = "some"
    _, card = shown(small, block(theme("school", without=("school",)), main="care"))
    assert card.strength.word == "Smaller pattern"
    assert card.doubt


def test_a_rules_reason_speaks_of_the_models_part_alone(flag):
    """The rule stands whatever the model finds."""
    both = copy.deepcopy(flag)
    rule = next(r["rule"] for one in examples() for r in one["reasons"] if r["rule"])
    both["reasons"][0].update(rule=rule, source="both", also=[])
    _, card = shown(both, block(theme("school", without=("school",)), main="care"))
    assert card.doubt == "The model's part rests on records from one agency only: School."


@pytest.mark.parametrize("stability", [None, block(theme("school", kept=5), main="school")])
def test_without_a_block_or_a_doubt_nothing_is_said(flag, stability):
    """A night without refits tells nothing it does not know."""
    page, card = shown(flag, stability)
    assert (card.doubt, card.strength.word) == ("", "Main pattern")
    assert not any("not steady" in line for line in page.often)
