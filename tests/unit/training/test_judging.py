"""Judging: intervals, baselines, gates and the report that shows them together."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from riskflag.scoring.model import Model
from riskflag.training.data.experiment import PromotionConfig
from riskflag.training.data.reference import LEAST_CHILDREN, Spread, typical
from riskflag.training.data.rows import Rows
from riskflag.training.judging.baselines import best_signal, oriented
from riskflag.training.judging.evaluate import MODEL, Trial, evaluate
from riskflag.training.judging.gate_figures import CONTACTS, OVER_CONTACTS, SANE, of_figures
from riskflag.training.judging.gates import Gate, additivity
from riskflag.training.judging.judge import RULES, SINGLE, Judgement
from riskflag.training.model.operate import natural_frequency
from riskflag.training.record.report import as_html, as_text
from tests.made_up_training import learnt, prepared


def test_the_baselines_always_stand_beside_the_model(judgement: Judgement) -> None:
    scorers = judgement.result["scorers"]
    assert set(scorers) == {MODEL, RULES, *CONTACTS, SINGLE, "true hazard"}
    assert set(judgement.result["gain_over"]) == {RULES, *CONTACTS, SINGLE}
    assert judgement.result["single_signal"] == "attendances_90d"
    for figures in scorers.values():
        for figure in figures.values():
            assert figure["low"] <= figure["value"] <= figure["high"]


def test_the_report_names_every_scorer_gate_and_the_share_of_the_possible(
    judgement: Judgement,
) -> None:
    gates = [gate.to_dict() for gate in judgement.gates]
    text = as_text(judgement.result, gates)
    page = as_html("<b>Experiment</b>", judgement.result, gates)
    for name in (*judgement.result["scorers"], *(gate.name for gate in judgement.gates)):
        assert name in text
        assert name in page
    assert "of the way from 0.5 to the AUROC of the true hazard" in text
    share = judgement.result["oracle"]["share"]
    assert share["low"] <= share["value"] <= share["high"]
    assert "<script" not in page
    assert "<b>" not in page
    json.dumps(judgement.result, allow_nan=False)


def test_a_gate_that_was_not_decided_is_never_told_as_held(judgement: Judgement) -> None:
    """Text and page count it apart and say what it means; without one nothing is said of it."""
    held = Gate("a", True, "fine")
    few = Gate("b", True, "undecided: 12 children had the outcome")
    told = [gate.to_dict() for gate in (held, few, Gate("c", False, "wrong"))]
    for said in (as_text(judgement.result, told), as_html("x", judgement.result, told)):
        assert "1 held, 1 undecided, 1 NOT HELD. Undecided means that nothing shows" in said
    assert "ndecided" not in as_text(judgement.result, [held.to_dict()])


def trial(scores: np.ndarray, labels: np.ndarray, people: int) -> Trial:
    rows = Rows(
        tuple(f"P{n:04d}" for n in range(people)),
        np.arange(len(labels)) % people,
        np.arange(len(labels), dtype=np.int64) // people * 31,
    )
    probability = 1 / (1 + np.exp(-scores))
    return Trial(rows, labels, probability, {MODEL: scores, "noise": -scores}, 20.0, draws=40)


def test_intervals_are_wider_when_a_childs_months_repeat_each_other() -> None:
    """The bootstrap draws children: six copies of a month say no more than one."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=600)
    labels = (rng.random(600) < 1 / (1 + np.exp(2 - scores))).astype(float)
    one = evaluate(trial(scores, labels, 600))["scorers"][MODEL]["auroc"]
    six = evaluate(trial(np.tile(scores, 6), np.tile(labels, 6), 600))["scorers"][MODEL]["auroc"]
    wide, narrow = one["high"] - one["low"], six["high"] - six["low"]
    assert six["value"] == pytest.approx(one["value"])
    assert narrow == pytest.approx(wide, rel=0.05)


def test_the_same_seed_gives_the_same_intervals() -> None:
    rng = np.random.default_rng(1)
    scores, labels = rng.normal(size=300), (rng.random(300) < 0.2).astype(float)
    assert evaluate(trial(scores, labels, 100)) == evaluate(trial(scores, labels, 100))


def test_the_best_signal_is_taken_in_its_own_direction() -> None:
    labels = np.array([0.0, 0, 0, 1, 1])
    values = np.column_stack([[1, 2, 3, 4, 5], [5, 4, 3, 2, np.nan], [1, 5, 1, 5, 1]])
    assert best_signal(values, labels, ("raises", "lowers", "none"))[:2] == (0, False)
    assert best_signal(values, labels, ("lowers", "raises", "none"))[0] == 2
    assert best_signal(-values[:, :1], labels, ("none",)) == (0, True, 1.0)
    assert oriented(np.array([2.0, np.nan]), "lowers").tolist() == [-2.0, -np.inf]


def test_each_child_counts_once_in_the_natural_frequency() -> None:
    rows = Rows(("A", "B"), np.array([0, 0, 1, 1]), np.array([1, 32, 1, 32]))
    raw, labels = np.array([0.9, 0.9, 0.1, 0.9]), np.array([0.0, 1, 0, 1])
    told = natural_frequency(raw, labels, rows, line=0.5, period="2025")
    assert told == {"n": 2, "needed_more": 1, "period": "2025", "of_10_flags": None}
    many = Rows(tuple(str(n) for n in range(40)), np.arange(40), np.ones(40, dtype=np.int64))
    came = (np.arange(40) < 14).astype(float)
    assert natural_frequency(came + 1, came, many, line=0.5, period="")["of_10_flags"] == 4


def test_no_usual_value_is_told_over_few_children() -> None:
    ages = np.array([0.5] * LEAST_CHILDREN + [7.0] * (LEAST_CHILDREN - 1))
    values = np.arange(float(len(ages)))[:, None]
    told = typical(values, ("x",), ages)["signals"]["x"]
    assert [(band["from_age"], band["n"]) for band in told] == [(0, LEAST_CHILDREN)]
    values[0] = np.nan
    assert typical(values, ("x",), ages)["signals"] == {}


def test_never_is_not_told_as_a_usual_number() -> None:
    values = np.full((50, 1), np.inf)
    assert typical(values, ("x",), np.full(50, 3.0))["signals"] == {}


def test_made_up_rows_keep_the_shares_of_unknown_and_never() -> None:
    rng = np.random.default_rng(2)
    column = rng.poisson(2.0, 5000).astype(float)
    column[:1000] = np.inf
    column[1000:1500] = np.nan
    spread = Spread.of(column[:, None], ("x",))
    made = spread.rows(20_000, seed=3)[:, 0]
    assert np.isinf(made).mean() == pytest.approx(0.2, abs=0.02)
    assert np.isnan(made).mean() == pytest.approx(0.1, abs=0.02)
    assert Spread.from_dict(spread.to_dict()) == spread
    alone = Spread.of(np.array([[7.25]]), ("x",))
    assert set(alone.percentiles["x"]) == {0.0}, "one child's value is never kept"


class Liar(Model):
    """A model whose contributions are off by a little: the negative control of additivity."""

    def raw(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return super().raw(*args, **kwargs) + 2e-9


def test_the_additivity_gate_sees_a_gap_of_two_parts_in_a_billion() -> None:
    good = learnt().model
    rows = prepared().test.values[:50]
    assert additivity(good, rows).passed
    assert not additivity(Liar(good.text, good.names, good.calibration), rows).passed


def gate(name: str, result: dict[str, Any], **limits: Any) -> Gate:
    """One of the gates that read a run's figures."""
    found = of_figures(result, PromotionConfig(**limits))
    return next(one for one in found if one.name == name)


def test_the_gate_on_contacts_sees_a_model_that_may_add_nothing(judgement: Judgement) -> None:
    """It is the interval that counts, and the count that is the harder to beat."""
    assert gate(OVER_CONTACTS, judgement.result).passed
    worse = copy.deepcopy(judgement.result)
    worse["gain_over"][CONTACTS[1]]["precision_at_capacity"]["low"] = -0.001
    refused = gate(OVER_CONTACTS, worse)
    assert not refused.passed
    assert CONTACTS[1] in refused.measured
    worse["gain_over"][CONTACTS[1]]["precision_at_capacity"]["low"] = None
    assert not gate(OVER_CONTACTS, worse).passed
    del worse["gain_over"][CONTACTS[1]]
    assert "not measured" in gate(OVER_CONTACTS, worse).measured


@pytest.mark.parametrize(
    ("children", "high", "lenient", "passed"),
    [
        (99, 0.02, False, False),
        (99, 0.02, True, True),
        (99, -0.01, True, False),
        (99, None, True, False),
        (100, 0.02, True, False),
    ],
)
def test_with_few_outcomes_the_gate_on_contacts_is_undecided_and_says_so(
    judgement: Judgement, children: int, high: float | None, lenient: bool, passed: bool
) -> None:
    """Undecided is refused unless the experiment accepts it; shown to be worse, always."""
    result = copy.deepcopy(judgement.result) | {"children_with_outcome": children}
    gain = {"value": -0.02, "low": -0.1, "high": high}
    result["gain_over"][CONTACTS[0]]["precision_at_capacity"] = gain
    found = gate(OVER_CONTACTS, result, undecided_holds=lenient)
    assert found.passed is passed
    assert ("undecided" in found.measured) is (children < 100)


@pytest.mark.parametrize(
    ("figure", "low", "high", "passed"),
    [
        ("slope", 0.9, 1.1, True),
        ("slope", 0.3, 0.71, True),
        ("slope", 0.3, 0.69, False),
        ("slope", 1.5, 1.9, False),
        ("slope", None, None, False),
        ("expected_over_observed", 1.6, 2.2, False),
        ("expected_over_observed", 0.2, 0.5, False),
    ],
)
def test_the_gate_on_calibration_refuses_an_interval_wholly_outside(
    judgement: Judgement, figure: str, low: float | None, high: float | None, passed: bool
) -> None:
    result = copy.deepcopy(judgement.result)
    result["calibration"][figure] |= {"low": low, "high": high}
    result["children_with_outcome"] = 500
    assert gate(SANE, result).passed is passed
    assert gate(SANE, result, undecided_holds=True).passed is passed
    result["children_with_outcome"] = 99
    assert not gate(SANE, result).passed
    assert gate(SANE, result, undecided_holds=True).passed
