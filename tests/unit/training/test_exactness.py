"""What the gates rely on, on 10,000 rows: sums that add up, scores that another reader confirms."""

from __future__ import annotations

import numpy as np
import pytest

from riskflag.scoring.model import capped
from riskflag.training.data.reference import Spread
from riskflag.training.judging.gates import monotone
from riskflag.training.model.learn import directions
from tests import tree_walker
from tests.made_up_training import learnt, prepared

ROWS = 10_000


@pytest.fixture(scope="module")
def spread() -> Spread:
    return Spread.of(prepared().test.values, learnt().model.names)


@pytest.fixture(scope="module")
def rows(spread: Spread) -> np.ndarray:
    """Made-up rows of the trained model's signals, with unknown and never among them."""
    made = spread.rows(ROWS, seed=41)
    assert np.isnan(made).any()
    assert np.isinf(made).any()
    return made


def test_contributions_add_up_to_a_billionth(rows: np.ndarray) -> None:
    assert learnt().model.contributions(rows, learnt().model.names).worst_gap <= 1e-9


def test_a_walk_of_the_models_text_gives_the_boosters_scores(rows: np.ndarray) -> None:
    """Written apart from LightGBM: the same to 1e-12, and another threshold would be seen."""
    model = learnt().model
    raw = model.raw(rows, model.names)
    forest = tree_walker.trees(model.text)
    walked = np.array([tree_walker.raw(forest, row) for row in capped(rows).tolist()])
    assert np.abs(walked - raw).max() <= 1e-12
    forest[0].value[0] += 1e-9
    moved = np.array([tree_walker.raw(forest, row) for row in capped(rows[:500]).tolist()])
    assert np.abs(moved - raw[:500]).max() > 1e-12


def test_no_row_falls_when_a_signal_is_swept_upwards(rows: np.ndarray, spread: Spread) -> None:
    """0 violations over all rows, signals with a direction and points; turned round, thousands."""
    model, ways = learnt().model, directions(prepared())
    assert monotone(model, rows, ways, spread, points=25).passed
    turned = ["lowers" if way == "raises" else way for way in ways]
    assert not monotone(model, rows[:200], turned, spread, points=25).passed
