"""Figures of merit, held against scikit-learn and against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from riskflag.training.figures.metrics import (
    Levels,
    Ranking,
    auroc,
    brier,
    calibration_bins,
    calibration_intercept,
    calibration_slope,
    expected_over_observed,
    logistic_line,
)

cases = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=2, max_size=60
)


@given(cases)
def test_areas_equal_those_of_scikit_learn_with_ties_and_weights(
    rows: list[tuple[int, bool, int]],
) -> None:
    scores, labels, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume((weights * labels).sum() > 0)
    assume((weights * (1 - labels)).sum() > 0)
    ranking = Ranking(scores, labels)
    assert ranking.auroc(weights) == pytest.approx(
        roc_auc_score(labels, scores, sample_weight=weights)
    )
    assert ranking.average_precision(weights) == pytest.approx(
        average_precision_score(labels, scores, sample_weight=weights)
    )


@given(cases, st.integers(0, 70))
def test_found_in_top_is_the_mean_over_every_way_to_break_ties(
    rows: list[tuple[int, bool, int]], k: int
) -> None:
    """A list that cuts through equal scores finds what a fair draw among them would on average."""
    scores, labels = (np.array([row[i] for row in rows], dtype=float) for i in (0, 1))
    found = Ranking(scores, labels).found_in_top(k)
    expected, room = 0.0, float(k)
    for score in sorted(set(scores), reverse=True):
        group = labels[scores == score]
        taken = min(room, len(group))
        expected += taken * group.mean()
        room -= taken
    assert found == pytest.approx(expected)


def test_the_order_of_rows_changes_no_figure() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 5, 300).astype(float), (rng.random(300) < 0.2).astype(float)
    shuffled = rng.permutation(300)
    one, two = Ranking(scores, labels), Ranking(scores[shuffled], labels[shuffled])
    assert one.auroc() == two.auroc()
    assert one.average_precision() == two.average_precision()
    assert one.found_in_top(40) == two.found_in_top(40)


def test_without_one_of_the_classes_the_area_is_not_a_number() -> None:
    assert np.isnan(auroc(np.array([1.0, 2.0]), np.zeros(2)))
    assert np.isnan(auroc(np.empty(0), np.empty(0)))


def test_calibration_figures_know_a_calibrated_model_from_an_extreme_one() -> None:
    rng = np.random.default_rng(1)
    raw = rng.normal(-2, 1, 40_000)
    truth = 1 / (1 + np.exp(-raw))
    labels = (rng.random(40_000) < truth).astype(float)
    extreme = 1 / (1 + np.exp(-2 * raw))
    assert calibration_slope(truth, labels) == pytest.approx(1, abs=0.05)
    assert calibration_slope(extreme, labels) == pytest.approx(0.5, abs=0.05)
    assert expected_over_observed(truth, labels) == pytest.approx(1, abs=0.05)
    assert expected_over_observed(2 * truth, labels) == pytest.approx(2, abs=0.1)
    assert brier(truth, labels) < brier(extreme, labels)
    twice = np.concatenate([truth, truth[:9]]), np.concatenate([labels, labels[:9]])
    weights = np.where(np.arange(40_000) < 9, 2.0, 1.0)
    assert brier(truth, labels, weights) == pytest.approx(brier(*twice), abs=1e-15)
    bins = calibration_bins(truth, labels)
    assert len(bins) == 10
    assert all(one["probability"] == pytest.approx(one["observed"], abs=0.03) for one in bins)


def test_figures_of_many_draws_are_those_of_each_draw_by_itself() -> None:
    """Rows of like probability are added up, and steps begin near the answer: neither is seen."""
    rng = np.random.default_rng(2)
    told = 1 / (1 + np.exp(-rng.normal(-2, 1, 9_000)))
    told[:3_000] = 0.04
    labels = (rng.random(9_000) < 0.8 * told).astype(float)
    levels = Levels(told, labels)
    for weights in (np.ones(9_000), rng.poisson(1, 9_000).astype(float)):
        found = levels.figures(weights)
        assert found["slope"] == pytest.approx(calibration_slope(told, labels, weights), abs=1e-5)
        level = calibration_intercept(told, labels, weights)
        assert found["intercept"] == pytest.approx(level, abs=1e-5)
        assert found["brier"] == brier(told, labels, weights)
        ratio = expected_over_observed(told, labels, weights)
        assert found["expected_over_observed"] == ratio


def test_the_slope_of_a_draw_is_found_where_probabilities_hardly_differ() -> None:
    """Far from 0 and close together: intercept and slope are found together, or not at all."""
    rng = np.random.default_rng(5)
    odds = -4.6 + 0.09 * np.round(rng.normal(size=20_000), 1)
    told, labels = 1 / (1 + np.exp(-odds)), (rng.random(20_000) < 0.006).astype(float)
    levels = Levels(told, labels)
    for _ in range(60):
        weights = rng.poisson(1, 20_000).astype(float)
        intercept, slope = logistic_line(odds, labels, weights)
        missing = weights * (labels - 1 / (1 + np.exp(-(intercept + slope * odds))))
        # Both sums are 0 at the answer, and nowhere else.
        assert np.abs([missing.sum(), (missing * odds).sum()]).max() < 1e-3
        assert levels.figures(weights)["slope"] == pytest.approx(slope, abs=1e-3)


@pytest.mark.parametrize("equal", [1, 500])
def test_a_short_list_is_judged_without_going_down_all_of_it(equal: int) -> None:
    """However far a draw without weight at the top, or a long tie, makes it look."""
    rng = np.random.default_rng(3)
    scores, labels = np.arange(3_000) // equal, (rng.random(3_000) < 0.3).astype(float)
    weights = rng.poisson(1, 3_000).astype(float)
    weights[2_000:] = 0
    order = np.argsort(-scores, kind="stable")
    for k in (0.5, 7, 200, 5_000):
        found = Ranking(scores.astype(float), labels).found_in_top(k, weights)
        room, expected = float(k), 0.0
        for score in np.unique(scores[order])[::-1]:
            group = scores == score
            size = weights[group].sum()
            share = min(room / size, 1.0) if size else 0.0
            expected += share * (weights * labels)[group].sum()
            room -= share * size
        assert found == pytest.approx(expected)


def test_a_line_is_found_even_where_x_tells_the_classes_fully_apart() -> None:
    intercept, slope = logistic_line(np.array([-1.0, -0.5, 0.5, 1.0]), np.array([0.0, 0, 1, 1]))
    assert np.isfinite([intercept, slope]).all()
    assert slope > 1


def test_bins_of_fewer_than_thirty_rows_are_not_told() -> None:
    assert calibration_bins(np.linspace(0, 1, 100), np.zeros(100)) == []
