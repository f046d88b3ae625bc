"""Growing trees: the same bytes on any number of threads, and never against a direction."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import riskflag.training
from riskflag.errors import ConfigError
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.model import Model
from riskflag.signals import contacts, count
from riskflag.training.data.experiment import ModelConfig
from riskflag.training.data.inputs import agencies_of, choose_inputs
from riskflag.training.data.outcome import Labels
from riskflag.training.data.reference import Spread
from riskflag.training.data.rows import Rows
from riskflag.training.data.sample import sample
from riskflag.training.judging.gates import monotone
from riskflag.training.model.calibrate import calibrate, isotonic, platt
from riskflag.training.model.fit import Grower, Matrix
from tests.made_up_training import SMALL, blank_agencies, learnt, prepared, signal, signals

NAMES = ("up", "down", "free")
DIRECTIONS = ("raises", "lowers", "none")
CONFIG = ModelConfig(max_trees=40, min_rows_in_leaf=20, learning_rate=0.2, patience=5)
UNSET = Calibration((0.0, 1.0), (0.0, 1.0))


def data(rows: int = 4000, seed: int = 0) -> Matrix:
    """A law that goes against both directions, so that only the constraint can hold them."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 3))
    values[rng.random((rows, 3)) < 0.05] = np.nan
    push = -2 * np.nan_to_num(values[:, 0]) + 2 * np.nan_to_num(values[:, 1]) + values[:, 2] ** 2
    labels = (rng.random(rows) < 1 / (1 + np.exp(-np.nan_to_num(push) + 2))).astype(float)
    return Matrix(values, labels, np.ones(rows))


def grower(directions: tuple[str, ...] = DIRECTIONS, threads: int = 1) -> Grower:
    return Grower(NAMES, directions, CONFIG, threads)


def test_the_number_of_threads_changes_no_byte_of_the_model() -> None:
    texts = {grower(threads=threads).grow(data(), 25) for threads in (1, 2)}
    assert len(texts) == 1
    assert grower().grow(data(seed=1), 25) not in texts


def test_no_row_moves_against_a_direction_even_when_the_data_asks_for_it() -> None:
    """The constraint is checked on the grown model, and a model without it fails the check."""
    spread = Spread.of(data().values, NAMES)
    rows = data(60, seed=3).values
    held = Model(grower().grow(data(), 40), NAMES, UNSET)
    free = Model(grower(("none",) * 3).grow(data(), 40), NAMES, UNSET)
    assert monotone(held, rows, DIRECTIONS, spread).passed
    assert not monotone(free, rows, DIRECTIONS, spread).passed


def test_a_sweep_over_no_signal_is_no_proof() -> None:
    model = Model(grower(("none",) * 3).grow(data(), 5), NAMES, UNSET)
    assert not monotone(
        model, data(9).values, ("none",) * 3, Spread.of(data().values, NAMES)
    ).passed


def test_the_number_of_trees_comes_from_later_months() -> None:
    found = grower().trees_needed(data(), data(seed=5))
    assert 1 <= found <= CONFIG.max_trees
    nothing = Matrix(np.empty((0, 3)), np.empty(0), np.empty(0))
    assert grower().trees_needed(nothing, nothing) == CONFIG.max_trees


def test_the_scikit_learn_wrapper_of_lightgbm_is_nowhere_used() -> None:
    """It would be saved as a pickle."""
    files = sorted(Path(riskflag.training.__file__).parent.rglob("*.py"))
    assert len(files) > 10
    for file in files:
        names = {
            n.attr for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Attribute)
        }
        assert not names & {"LGBMClassifier", "LGBMModel", "LGBMRegressor", "autolog", "log_input"}


def test_an_outage_takes_every_signal_of_one_agency_and_no_other() -> None:
    agencies = (frozenset({"ed"}), frozenset({"ed", "gp"}), frozenset({"gp"}), frozenset())
    values = np.ones((4000, 4))
    struck = blank_agencies(values, agencies, share=0.2, seed=1)
    lost = np.isnan(values)
    patterns = {tuple(row) for row in lost.tolist()}
    assert patterns == {(False,) * 4, (True, True, False, False), (False, True, True, False)}
    assert lost.any(axis=1).sum() == struck
    assert 0.17 < struck / 4000 < 0.23
    again = np.ones((4000, 4))
    blank_agencies(again, agencies, share=0.2, seed=1)
    assert np.array_equal(np.isnan(again), lost)


def test_no_outage_is_made_where_none_is_asked_for() -> None:
    values = np.ones((10, 1))
    assert blank_agencies(values, (frozenset({"ed"}),), share=0.0, seed=1) == 0
    assert blank_agencies(values, (frozenset(),), share=0.5, seed=1) == 0
    assert not np.isnan(values).any()


def test_a_missing_feed_is_not_scored_as_if_nothing_had_happened() -> None:
    """Trained with outages, all unknown differs from all zero; trained without, it does not."""
    rng = np.random.default_rng(4)
    seen = rng.poisson(1.0, 6000).astype(float)
    labels = (rng.random(6000) < 0.05 + 0.2 * (seen > 1)).astype(float)
    names, directions = ("seen",), ("raises",)
    scores = {}
    for share in (0.0, 0.2):
        values = seen[:, None].copy()
        blank_agencies(values, (frozenset({"ed"}),), share=share, seed=2)
        grown = Grower(names, directions, CONFIG, 1).grow(Matrix(values, labels, np.ones(6000)), 30)
        model = Model(grown, names, UNSET)
        scores[share] = model.raw(np.array([[np.nan], [0.0]]), names)
    assert scores[0.0][0] == scores[0.0][1]
    assert scores[0.2][0] > scores[0.2][1] + 0.2


def test_every_outcome_is_kept_and_weights_stand_for_the_rest() -> None:
    happened = np.arange(10_000) % 100 == 0
    labels = Labels(happened, np.zeros(10_000, dtype=np.int64))
    ids = tuple(f"P{number:04d}" for number in range(2000))
    rows = Rows(ids, np.tile(np.arange(2000), 5), np.repeat(np.arange(5), 2000) * 30)
    positions, weights = sample(rows, labels, most=2000, seed=3)
    assert happened[positions].sum() == 100
    assert len(positions) == pytest.approx(2000, abs=150)
    assert weights.sum() == pytest.approx(10_000)
    assert (np.diff(positions) > 0).all()
    everything, ones = sample(rows, labels, most=50_000, seed=3)
    assert len(everything) == 10_000
    assert set(ones) == {1.0}


def test_signals_of_the_outcome_and_of_protected_characteristics_are_never_inputs() -> None:
    about_disability = signal(
        "disability_referrals_ever", count(contacts("care.referral", category="disability"), None),
        "none", "care", "social_care",
    )  # fmt: skip
    everything = signal("contacts_90d", count(contacts("*"), 90), "raises", "care", "several")
    found = choose_inputs((*signals(), about_disability, everything), SMALL.outcome.types)
    reasons = dict(found.excluded)
    assert set(reasons) == {"enquiries_ever", "disability_referrals_ever", "contacts_90d"}
    assert "care.s47" in reasons["enquiries_ever"]
    assert "protected" in reasons["disability_referrals_ever"]
    assert found.names == tuple(s.name for s in signals()[:5])
    assert agencies_of(signals()[0]) == {"ed"}
    assert agencies_of(signals()[4]) == frozenset()


def test_an_outcome_that_every_signal_counts_is_refused() -> None:
    with pytest.raises(ConfigError, match="choose another outcome"):
        choose_inputs(signals()[5:], ("care.s47",))


def test_isotonic_knots_rise_strictly_and_bring_the_level_right() -> None:
    rng = np.random.default_rng(5)
    raw = rng.normal(-2, 1.5, 30_000)
    labels = (rng.random(30_000) < 1 / (1 + np.exp(-0.5 * raw))).astype(float)
    curve = isotonic(raw, labels)
    told = curve.apply(raw)
    assert told.mean() == pytest.approx(labels.mean(), rel=0.03)
    ordered = np.unique(raw[(raw > curve.raw[0]) & (raw < curve.raw[-1])])
    assert (np.diff(curve.apply(ordered)) > 0).all()
    assert calibrate(raw, labels).method == "isotonic"


def test_with_few_outcomes_the_curve_has_two_parameters_and_never_falls() -> None:
    rng = np.random.default_rng(6)
    raw = rng.normal(size=2000)
    labels = np.zeros(2000)
    labels[:20] = 1
    curve = calibrate(raw, labels)
    assert curve.method == "platt"
    assert curve.apply(raw).mean() == pytest.approx(0.01, rel=0.2)
    falling = platt(raw, (rng.random(2000) < 1 / (1 + np.exp(3 * raw))).astype(float))
    assert np.ptp(falling.probability) == pytest.approx(0, abs=1e-9)


def test_the_line_lets_through_the_capacity_of_the_calibration_window() -> None:
    done, later = learnt(), prepared().calibration
    raw = done.model.raw(later.values, done.model.names)
    assert (raw >= done.thresholds["raw"]).sum() == pytest.approx(2 * 43, abs=3)
    assert done.thresholds["share"] == pytest.approx(43 / 1500, rel=0.02)
    assert done.rows_with_outage > 0
