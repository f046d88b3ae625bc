"""Combining: the model can raise a child, never silence a rule; ties and capacity are settled."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

import numpy as np
import pytest

from riskflag.errors import IntegrityError
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.combine import Assessed, Policy, combine, keyed_order
from riskflag.scoring.contributions import Contributions

DAY = dt.date(2026, 3, 10)
LEVELS = ("urgent", "soon", "routine")


@dataclass(frozen=True)
class FakeRule:
    id: str
    level: str
    version: int = 1


@dataclass(frozen=True)
class FakeOutcomes:
    outcome: np.ndarray

    def conditions(self, i, r):
        return ()


@dataclass(frozen=True)
class FakeModel:
    """A model whose raw score is the first signal, plus 0.1 that belongs to the second."""

    names: tuple[str, ...] = ("push", "rest")

    def raw(self, values, names):
        return np.asarray(values)[:, 0] + 0.1

    def probability(self, raw):
        return Calibration((-10.0, 10.0), (0.0, 1.0)).apply(raw)

    def contributions(self, values, names):
        parts = np.column_stack([np.asarray(values)[:, 0], np.full(len(values), 0.1)])
        return Contributions(self.names, parts, 0.0, self.raw(values, names))


@dataclass(frozen=True)
class FakeBundle:
    model: FakeModel
    thresholds: dict
    themes: dict


BUNDLE = FakeBundle(
    FakeModel(), {"raw": 1.0, "probability": 0.5}, {"push": "health", "rest": "school"}
)
RULES = tuple(FakeRule(f"r_{level}", level) for level in LEVELS)


def night(outcome, scores=None, *, bundle=None, **policy):
    """Combine children given as rows of rule outcomes and, with a bundle, their scores."""
    outcome = np.asarray(outcome, dtype=np.int8).reshape(-1, len(RULES))
    values = np.zeros((len(outcome), 2))
    if scores is not None:
        values[:, 0] = np.asarray(scores) - 0.1
    ids = policy.pop("ids", [f"C-{i}" for i in range(len(outcome))])
    assessed = Assessed(ids, DAY, ("push", "rest"), values)
    return combine(RULES, FakeOutcomes(outcome), assessed, bundle=bundle, policy=Policy(**policy))


def found(combined):
    return {draft.person_id: draft for draft in combined.drafts}


def test_rules_alone_work_without_a_model():
    """No bundle: children are raised by rules from the configured level on."""
    drafts = found(night([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]))
    assert set(drafts) == {"C-0", "C-1"}
    assert [drafts[c].level for c in ("C-0", "C-1")] == ["urgent", "soon"]
    assert all(draft.raised_by == "rule" and draft.model is None for draft in drafts.values())


@pytest.mark.parametrize(("level", "raised"), [("urgent", 1), ("soon", 2), ("routine", 3)])
def test_the_level_from_which_rules_raise_is_a_setting(level, raised):
    """A rule below the level is a reason beside others, not a flag."""
    combined = night([[1, 0, 0], [0, 1, 0], [0, 0, 1]], from_level=level)
    assert len(combined.drafts) == raised


def test_no_score_takes_a_rule_flag_away_or_lowers_it():
    """For any score, the children and levels raised by rules are the same (1,000 children)."""
    rng = np.random.default_rng(3)
    outcome = rng.choice([-1, 0, 1], (1000, 3), p=[0.1, 0.8, 0.1])
    alone = found(night(outcome))
    assert len(alone) > 100
    for scores in (np.full(1000, -9.0), np.full(1000, 9.0), rng.normal(0, 3, 1000)):
        for limit in (0, 5):
            both = found(night(outcome, scores, bundle=BUNDLE, model_limit=limit))
            for person, draft in alone.items():
                assert both[person].level == draft.level
                assert both[person].rule_hits == draft.rule_hits


def test_the_capacity_limits_the_model_and_counts_whom_it_left_out():
    """The highest scores come first; rules take none of the places."""
    outcome = [[1, 0, 0]] * 3 + [[0, 0, 0]] * 6
    combined = night(outcome, [9.0] * 3 + [2, 7, 5, 1, 0.99, 6], bundle=BUNDLE, model_limit=2)
    drafts = found(combined)
    assert {p for p, d in drafts.items() if d.raised_by == "model"} == {"C-4", "C-8"}
    assert {p for p, d in drafts.items() if d.raised_by == "both"} == {"C-0", "C-1", "C-2"}
    assert (combined.squeezed_out, combined.over_threshold) == (3, 8)


def test_a_child_with_an_open_flag_takes_no_place():
    """Those already before a person are kept and the places go to others."""
    combined = night(
        [[0, 0, 0]] * 3, [5, 4, 3], bundle=BUNDLE, model_limit=1, keep=frozenset({"C-0"})
    )
    assert set(found(combined)) == {"C-0", "C-1"}
    assert combined.squeezed_out == 1


def test_ties_are_settled_the_same_way_for_every_order_of_rows():
    """1,000 children with two different scores: 200 shuffles give one set and one order."""
    scores = {f"C-{i}": 2.0 + i % 2 for i in range(1000)}
    seen = set()
    for seed in range(200):
        ids = sorted(scores)
        random.Random(seed).shuffle(ids)
        combined = night(
            np.zeros((1000, 3)), [scores[c] for c in ids], bundle=BUNDLE, model_limit=100, ids=ids
        )
        seen.add(tuple(draft.person_id for draft in combined.drafts))
    assert len(seen) == 1
    assert len(next(iter(seen))) == 100
    assert all(scores[child] == 3.0 for child in next(iter(seen)))


def test_drafts_are_in_the_order_of_levels_and_then_of_a_keyed_hash():
    """Never in the order of scores."""
    outcome = np.zeros((50, 3))
    outcome[::2, 1] = 1
    outcome[1::2, 0] = 1
    drafts = night(outcome, np.linspace(9, 0, 50), bundle=BUNDLE).drafts
    keys = [(LEVELS.index(d.level), keyed_order(DAY, d.person_id)) for d in drafts]
    assert len(keys) == 50
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("score", "raised"),
    [(np.nextafter(1.0, 0), False), (1.0, True), (np.nextafter(1.0, 2), True)],
)
def test_the_threshold_itself_raises(score, raised):
    """On the line is over it."""

    class Exact(FakeModel):
        def raw(self, values, names):
            return np.array([score])

    bundle = FakeBundle(Exact(), BUNDLE.thresholds, BUNDLE.themes)
    combined = night([[0, 0, 0]], [0.0], bundle=bundle, model_limit=0)
    assert combined.over_threshold == int(raised)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_a_number_stops_the_night(score):
    """Exit 40, nothing published."""
    with pytest.raises(IntegrityError):
        night([[0, 0, 0]], [score], bundle=BUNDLE, model_limit=1)


def test_a_child_whose_rule_cannot_be_decided_is_not_assessed_rather_than_clear():
    """Unknown is counted, unless another rule raises the child; a routine rule does not count."""
    combined = night([[-1, 0, 0], [-1, 1, 0], [0, 0, -1], [0, 0, 0]])
    assert combined.unknown.tolist() == [True, False, False, False]


def test_contributions_of_a_hit_add_up_to_its_score():
    """What the analyst's report shows is the whole score."""
    draft = night([[0, 0, 0]], [4.0], bundle=BUNDLE, model_limit=1).drafts[0]
    total = draft.model.base + sum(draft.model.contributions.values())
    assert abs(total - draft.model.raw) < 1e-9
