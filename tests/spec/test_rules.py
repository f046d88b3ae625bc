"""What fires each rule of the shipped rulebook, what does not, and what leaves it open."""

from __future__ import annotations

import re

import pytest

from riskflag.scoring.flags import NO, OUTCOME_WORDS, YES
from riskflag.scoring.manual import condition_words, shown
from riskflag.scoring.rulebook import Rulebook
from riskflag.scoring.rules import contact_keys, evaluate
from riskflag.signals import compute, load_catalogue
from tests.spec.drawn import AS_OF, CHILD, history
from tests.spec.rule_cases import CASES

CATALOGUE = load_catalogue()
BOOK = Rulebook.load(catalogue=CATALOGUE)


def results_of(past):
    table = compute(
        past, [CHILD], as_of=AS_OF, signals=tuple(BOOK.signals.values()), engine="reference"
    )
    return evaluate(BOOK, table)


def outcome(case, table, lost=()):
    results = results_of(history(table, born=case.born, lost=lost))
    return OUTCOME_WORDS[int(results.outcome[0, column(case)])]


def column(case):
    return [rule.id for rule in BOOK.rules].index(case.rule)


each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)


@each
def test_the_pattern_fires_the_rule(case):
    """A history with the pattern, and all feeds up to date, makes the rule say yes."""
    assert outcome(case, case.fires) == "yes"


@each
def test_a_history_just_below_does_not_fire_the_rule(case):
    """Negative control: one contact less, or one day further back, and the rule says no."""
    assert outcome(case, case.below) == "no"


@each
def test_without_its_feed_a_rule_that_did_not_fire_is_open(case):
    """Where a lost feed could have held what was missing, no becomes unknown."""
    assert outcome(case, case.below, lost=case.lost) == "unknown"


@each
def test_without_its_feed_a_rule_holds_only_on_what_is_proved(case):
    """What is recorded can prove a rule without the rest; what is absent can not."""
    assert outcome(case, case.fires, lost=case.lost) == case.despite_loss


@each
def test_the_statement_says_the_numbers_of_the_history(case):
    """The statement is complete sentences with the numbers the signals came to."""
    results = results_of(history(case.fires, born=case.born))
    text = BOOK.by_id[case.rule].text(results.values_of(0, column(case)))

    assert not re.search(r"[{}]|\bnan\b|\binf\b", text)
    for words in case.says:
        assert words in text


@each
def test_every_comparison_that_holds_names_its_contacts_or_rests_on_an_absence(case):
    """Evidence: a comparison that needs contacts has them; one without says that there are none."""
    past = history(case.fires, born=case.born)
    conditions = results_of(past).conditions(0, column(case))
    held = [one for one in conditions if one.speaks_for_rule]

    assert held
    for one in held:
        keys = contact_keys(past, CHILD, AS_OF, rulebook=BOOK, condition=one)
        above_zero = one.comparison in ("at_least", "more_than")
        assert bool(keys) or not above_zero or one.signal.startswith("days_since"), one


def test_every_rule_has_a_case():
    """No rule is shipped without a history that fires it, and none with a case is gone."""
    assert {case.rule for case in CASES} == set(BOOK.by_id)


def test_no_rule_says_yes_of_a_child_nobody_recorded():
    """A child without contacts fires nothing, at any age or at none."""
    for born in ("2026-03-01", "2018-01-15", "2009-01-01", None):
        results = results_of(history("", born=born))
        assert (results.outcome != YES).all()


def test_an_unknown_age_leaves_a_rule_about_infants_open():
    """A child whose birth date nobody recorded may be a baby: unknown, not no."""
    results = results_of(history("10, 60 | ed.attendance | category=injury", born=None))
    ids = [rule.id for rule in BOOK.rules]

    assert results.outcome[0, ids.index("infant_injury")] == -1
    older = results_of(history("10, 60 | ed.attendance | category=injury", born="2018-01-15"))
    assert older.outcome[0, ids.index("infant_injury")] == NO


def test_what_is_recorded_can_prove_a_no_whatever_else_may_arrive():
    """A child who was seen alone was seen alone, also when later visits have not arrived."""
    seen_alone = """
    10 | care.visit | category=cp seen=yes seen_alone=no
    40 | care.visit | category=cp seen=yes seen_alone=yes
    """
    results = results_of(history(seen_alone, lost=("care.visit",)))

    assert results.outcome[0, list(BOOK.by_id).index("on_plan_not_seen_alone")] == NO


def test_the_three_patterns_the_reviews_name_are_in_the_rulebook():
    """Repeat emergency attendance, repeat missing, and bullying with nothing recorded after."""
    named = {"repeat_emergency_attendance", "repeat_missing", "bullying_nothing_recorded_after"}

    assert named <= set(BOOK.by_id)
    assert all(BOOK.by_id[name].level in ("urgent", "soon") for name in named)


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_the_first_question_is_about_the_child(rule):
    """Nobody thought to ask the child: each rule asks that first."""
    assert re.search(r"\bchild('s)?\b", rule.questions[0], re.IGNORECASE)
    assert rule.questions[0].endswith("?")


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_a_rule_is_written_in_short_sentences(rule):
    """At most 25 words a sentence, in everything a caseworker reads."""
    sentences = [part for text in rule.texts for part in re.split(r"(?<=[.?!;]) ", shown(text))]

    assert [one for one in sentences if len(one.split()) > 25] == []
    assert len(sentences) >= 5


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_police_stops_weigh_in_no_rule(rule):
    """No rule reads a signal that rests on police stops."""
    types = {name for signal in rule.signals for name in BOOK.signals[signal].types}

    assert "police.stop" not in types


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_a_rule_that_loosens_a_threshold_by_one_is_noticed(rule):
    """Each threshold of a rule stands in its printed condition, so a change shows in the manual."""
    words = condition_words(rule.when)

    for leaf, _ in rule.when.comparisons:
        assert f"`{leaf.signal}` is" in words
        assert f"{leaf.threshold:g}" in words
