"""Three-valued rules: truth tables in full, and what missing feeds can and cannot prove."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskflag.scoring.flags import NO, UNKNOWN, YES
from riskflag.scoring.rulebook import COMPARISONS, Rulebook, When
from riskflag.scoring.rules import compare, evaluate
from riskflag.scoring.rules_plan import together, turned
from riskflag.signals import Signal, contacts, count, days_since_last

STATES = (YES, NO, UNKNOWN)


def column(*outcomes):
    return np.array(outcomes, dtype=np.int8)


def truth(outcome):
    return {YES: {True}, NO: {False}, UNKNOWN: {True, False}}[outcome]


def state(possible):
    return UNKNOWN if len(possible) == 2 else (YES if possible == {True} else NO)


@pytest.mark.parametrize("parts", list(itertools.product(STATES, repeat=3)))
def test_all_and_any_follow_from_what_the_unknown_parts_could_be(parts):
    """Each of the 27 combinations equals the answer over every way to settle its unknowns."""
    ways = list(itertools.product(*(truth(part) for part in parts)))
    held = np.array(parts, np.int8)

    assert together(held, NO) == state({all(way) for way in ways})
    assert together(held, YES) == state({any(way) for way in ways})


@pytest.mark.parametrize(("part", "other"), [(YES, NO), (NO, YES), (UNKNOWN, UNKNOWN)])
def test_not_turns_yes_and_no_and_leaves_unknown(part, other):
    """The whole truth table of not."""
    assert turned(part) == other


def test_a_single_part_is_itself():
    """One part in all or any changes nothing."""
    for part in STATES:
        alone = np.array([part], np.int8)
        assert together(alone, NO) == together(alone, YES) == part


VALUES = [0.0, 1.0, 2.0, 3.0, np.inf, np.nan]


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("value", VALUES)
def test_with_every_feed_there_a_comparison_is_yes_or_no_and_of_nothing_unknown(comparison, value):
    """Only an undefined value leaves a comparison open when all feeds are there."""
    got = compare(np.array([value]), np.array([True]), comparison, 2.0, moves="up")[0]
    holds = {
        "at_least": value >= 2,
        "more_than": value > 2,
        "at_most": value <= 2,
        "less_than": value < 2,
        "equals": value == 2,
    }[comparison]

    assert got == (UNKNOWN if np.isnan(value) else YES if holds else NO)


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("moves", ["up", "down", "mixed"])
@pytest.mark.parametrize("value", [0, 1, 2, 3, 4])
def test_without_a_feed_a_comparison_is_decided_only_when_no_contact_could_change_it(
    comparison, moves, value
):
    """The outcome equals the answer over every value that further contacts could make of it."""
    reachable = {
        "up": range(value, 8),
        "down": range(-3, value + 1),
        "mixed": range(-3, 8),
    }[moves]
    possible = {
        int(compare(np.array([float(v)]), np.array([True]), comparison, 2.0, moves=moves)[0])
        for v in reachable
    }
    expected = possible.pop() if len(possible) == 1 else UNKNOWN

    got = compare(np.array([float(value)]), np.array([False]), comparison, 2.0, moves=moves)
    assert got[0] == expected


def signal(name, of):
    return Signal(
        name,
        of=of,
        question="How many?",
        rationale="A test.",
        source="A test.",
        direction="none",
        theme="health",
        agency="ed",
    )


SIGNALS = {
    "visits_90d": signal("visits_90d", count(contacts("ed.attendance"), 90)),
    "days_since": signal("days_since", days_since_last(contacts("ed.attendance"))),
}


def book(when):
    rule = SimpleNamespace(
        id="r", when=When.model_validate(when), signals=("visits_90d", "days_since")
    )
    return Rulebook("A test", 1, (rule,), SIGNALS)


def table(values, complete=(True, True)):
    return SimpleNamespace(
        names=("visits_90d", "days_since"),
        values=np.array(values, dtype=np.float64),
        complete=np.array(complete),
    )


LEAF = {"signal": "visits_90d", "at_least": 2}
RECENT = {"signal": "days_since", "at_most": 10}


def test_conditions_come_in_reading_order_with_value_threshold_and_outcome():
    """Each comparison says what it compared, how it came out, and whether it is under a not."""
    results = evaluate(book({"all": [LEAF, {"not": RECENT}]}), table([[3, 30], [1, 5]]))
    first, second = results.conditions(0, 0)

    assert (first.signal, first.value, first.comparison, first.threshold) == (
        "visits_90d",
        3.0,
        "at_least",
        2.0,
    )
    assert (first.outcome, first.negated, first.speaks_for_rule) == (YES, False, True)
    assert (second.outcome, second.negated, second.speaks_for_rule) == (NO, True, True)
    assert results.outcome[:, 0].tolist() == [YES, NO]
    assert results.values_of(1, 0) == {"visits_90d": 1.0, "days_since": 5.0}
    assert [rule.id for rule in results.fired(0)] == ["r"]
    assert results.fired(1) == ()


def test_a_double_not_is_not_negated():
    """Two nots cancel: the comparison speaks for the rule when it holds."""
    condition = evaluate(book({"not": {"not": LEAF}}), table([[3, 30]])).conditions(0, 0)[0]

    assert not condition.negated
    assert condition.speaks_for_rule


def test_never_is_not_unknown():
    """A time since that is infinite is known: never recorded, so not within ten days."""
    results = evaluate(book(RECENT), table([[0, np.inf]]))

    assert results.outcome[0, 0] == NO


def test_one_missing_feed_leaves_other_rules_decided():
    """A signal that is not complete leaves open only what rests on it."""
    either = book({"any": [LEAF, RECENT]})

    partly = evaluate(either, table([[3, 30]], (True, False)))
    assert partly.outcome[0, 0] == YES
    assert partly.partial(0, 0) == {"days_since"}
    assert [one.complete for one in partly.conditions(0, 0)] == [True, False]
    assert evaluate(either, table([[1, 30]], (True, False))).outcome[0, 0] == UNKNOWN
    assert evaluate(either, table([[1, 5]], (True, False))).outcome[0, 0] == YES


def test_an_empty_night_has_no_outcomes_and_no_error():
    """No children: a table of none by the number of rules."""
    results = evaluate(book(LEAF), table(np.empty((0, 2))))

    assert results.outcome.shape == (0, 1)


numbers = st.sampled_from([0.0, 1.0, 2.0, 3.0, 20.0, float("inf"), float("nan")])
leaves = st.builds(
    lambda name, comparison, threshold: {"signal": name, comparison: threshold},
    st.sampled_from(["visits_90d", "days_since"]),
    st.sampled_from(COMPARISONS),
    st.sampled_from([0.0, 1.0, 2.0, 20.0]),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
)


@given(when=conditions, rows=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4))
def test_a_lost_feed_never_turns_a_decided_rule_round(when, rows):
    """Silence is not safety: with a feed lost, yes and no become unknown, never each other."""
    there = evaluate(book(when), table(rows)).outcome[:, 0]
    for complete in itertools.product([True, False], repeat=2):
        gone = evaluate(book(when), table(rows, complete)).outcome[:, 0]
        assert ((gone == there) | (gone == UNKNOWN)).all()


@given(
    when=conditions,
    row=st.tuples(st.sampled_from([0, 1, 2, 3]), st.sampled_from([2, 20, 30])),
    more=st.tuples(st.integers(0, 5), st.integers(0, 30)),
)
def test_what_is_decided_without_a_feed_stays_so_when_its_contacts_arrive(when, row, more):
    """More contacts raise a count and shorten a time since; a decided rule is still the same."""
    before = evaluate(book(when), table([row], (False, False))).outcome[0, 0]
    after = (row[0] + more[0], max(row[1] - more[1], 1))
    settled = evaluate(book(when), table([after])).outcome[0, 0]

    assert before in (UNKNOWN, settled)


@given(when=conditions, rows=st.lists(st.tuples(numbers, numbers), min_size=2, max_size=6))
def test_each_child_is_decided_alone(when, rows):
    """The outcome of a child is the same whoever else is in the table."""
    together = evaluate(book(when), table(rows)).outcome[:, 0].tolist()
    alone = [int(evaluate(book(when), table([row])).outcome[0, 0]) for row in rows]

    assert together == alone
