"""No threshold of the shipped rulebook can move by one without a drawn history noticing it."""

from __future__ import annotations

import dataclasses
from functools import cache

import pytest

from riskflag.scoring.flags import OUTCOME_WORDS
from riskflag.scoring.rulebook import Rulebook, When
from riskflag.scoring.rules import evaluate
from riskflag.signals import compute, load_catalogue
from tests.spec.drawn import AS_OF, CHILD, history
from tests.spec.rule_cases import CASES
from tests.spec.rule_edges import EDGES

BOOK = Rulebook.load(catalogue=load_catalogue())
#: Every drawn history with what its rule says of it: (rule, history, birth date, outcome).
STATED = (
    *((case.rule, case.fires, case.born, "yes") for case in CASES),
    *((case.rule, case.below, case.born, "no") for case in CASES),
    *((edge.rule, edge.table, edge.born, edge.says) for edge in EDGES),
)


@cache
def signals_of(table, born):
    wanted = tuple(BOOK.signals.values())
    return compute(history(table, born=born), [CHILD], as_of=AS_OF, signals=wanted, engine="kernel")


def outcome(rule, table, born):
    results = evaluate(dataclasses.replace(BOOK, rules=(rule,)), signals_of(table, born))
    return OUTCOME_WORDS[int(results.outcome[0, 0])]


def moved(when):
    """Every condition that differs from this one in a single threshold moved by one."""
    if when.signal:
        name, threshold = when.comparison, when.threshold
        yield When.model_validate({"signal": when.signal, name: threshold + 1})
        if name == "equals":  # nothing is counted below zero: equal to 0 loosens to any number
            yield When.model_validate({"signal": when.signal, "at_least": threshold})
        else:
            yield When.model_validate({"signal": when.signal, name: threshold - 1})
        return
    form = "all" if when.all else "any"
    for place, part in enumerate(when.parts):
        for other in moved(part):
            parts = [*when.parts[:place], other, *when.parts[place + 1 :]]
            yield When.model_validate({form: parts})


MUTANTS = [(rule, when) for rule in BOOK.rules for when in moved(rule.when)]


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.rule)
def test_the_rule_says_what_is_stated_of_a_history_on_its_edge(edge):
    """Each edge comes out as stated."""
    assert outcome(BOOK.by_id[edge.rule], edge.table, edge.born) == edge.says


@pytest.mark.parametrize(("rule", "when"), MUTANTS, ids=lambda part: getattr(part, "id", ""))
def test_a_threshold_moved_by_one_is_noticed(rule, when):
    """Negative control: a rulebook with one threshold moved contradicts a stated outcome."""
    changed = rule.model_copy(update={"when": when})
    mine = [stated for stated in STATED if stated[0] == rule.id]

    assert any(outcome(changed, table, born) != says for _, table, born, says in mine)


def test_there_are_thresholds_to_move():
    """The control above is not empty: every comparison of every rule is moved both ways."""
    comparisons = sum(1 for rule in BOOK.rules for _ in rule.when.comparisons)

    assert len(MUTANTS) == 2 * comparisons > 100
