"""The model at scoring time."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskflag.errors import IntegrityError
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.contributions import TOLERANCE, Contributions
from riskflag.scoring.model import NEVER_DAYS, Model, capped
from tests import tree_walker
from tests.tiny_bundle import CALIBRATION, NAMES, matrix, model_text, tiny_model

ROWS = matrix(500, seed=2)


def test_column_order_changes_nothing() -> None:
    """Fifty orders of the same columns give the same bits."""
    model = tiny_model()
    expected = model.raw(ROWS, NAMES)
    rng = np.random.default_rng(3)
    for _ in range(50):
        order = rng.permutation(len(NAMES))
        names = [NAMES[i] for i in order]
        assert model.raw(ROWS[:, order], names).tobytes() == expected.tobytes()
        frame = pd.DataFrame(ROWS[:, order], columns=names)
        assert model.raw(frame).tobytes() == expected.tobytes()


def test_order_matters_to_the_booster_itself() -> None:
    """The guard guards something: the bare booster takes swapped columns without a word."""
    swapped = capped(ROWS[:, [2, 1, 0, 3]])
    scores = tiny_model().booster.predict(swapped, raw_score=True)
    assert not np.array_equal(scores, tiny_model().raw(ROWS, NAMES))


def test_more_columns_than_the_model_uses_are_fine() -> None:
    frame = pd.DataFrame(ROWS, columns=list(NAMES)).assign(unused=1.0)
    assert np.array_equal(tiny_model().raw(frame), tiny_model().raw(ROWS, NAMES))


@pytest.mark.parametrize("names", [NAMES[:3], (*NAMES[:3], "renamed"), (*NAMES[:3], NAMES[0])])
def test_missing_renamed_and_doubled_columns_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(IntegrityError) as refusal:
        tiny_model().raw(ROWS[:, : len(names)], names)
    assert refusal.value.exit_code == 40


def test_a_model_with_other_names_is_refused() -> None:
    with pytest.raises(IntegrityError, match="promote the run again"):
        Model(model_text(), ("a", "b", "c", "d"), CALIBRATION)


def test_never_is_capped_and_unknown_stays_unknown() -> None:
    values = np.array([[np.inf, -np.inf, np.nan, 1e6]])
    assert capped(values).tolist()[0][:2] == [NEVER_DAYS, -NEVER_DAYS]
    assert np.isnan(capped(values)[0, 2])
    assert capped(values)[0, 3] == 1e6
    assert np.isinf(values[0, 0]), "the caller's matrix is not touched"


@pytest.mark.parametrize("threads", [2, 4])
@pytest.mark.parametrize("chunk", [1, 137, 500])
def test_threads_and_chunks_change_no_bit(threads: int, chunk: int) -> None:
    one, many = tiny_model(), tiny_model(threads=threads)
    raw = np.concatenate([many.raw(ROWS[i : i + chunk], NAMES) for i in range(0, 500, chunk)])
    assert raw.tobytes() == one.raw(ROWS, NAMES).tobytes()
    parts = many.contributions(ROWS[:chunk], NAMES)
    assert parts.values.tobytes() == one.contributions(ROWS[:chunk], NAMES).values.tobytes()


values = st.one_of(st.floats(-1e5, 1e5), st.sampled_from([np.nan, np.inf, -np.inf, 0.0]))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(*[values] * len(NAMES)), min_size=1, max_size=40))
def test_contributions_add_up_to_the_raw_score(rows: list[tuple[float, ...]]) -> None:
    """For any values, unknown and never included, the parts and the base give the score."""
    parts = tiny_model().contributions(np.array(rows), NAMES)
    assert np.abs(parts.values.sum(axis=1) + parts.base - parts.raw).max() <= TOLERANCE


@pytest.mark.parametrize("off", [2e-9, -1.0, np.nan])
def test_contributions_that_do_not_add_up_cannot_be_built(off: float) -> None:
    with pytest.raises(IntegrityError, match="do not add up"):
        Contributions(("a", "b"), np.array([[0.5, 0.25 + off]]), 0.25, np.array([1.0]))


def test_no_rows_give_no_scores() -> None:
    none = np.empty((0, len(NAMES)))
    assert len(tiny_model().raw(none, NAMES)) == 0
    assert tiny_model().contributions(none, NAMES).worst_gap == 0.0


def test_calibration_interpolates_between_knots_and_is_flat_outside() -> None:
    told = CALIBRATION.apply(np.array([-9.0, -4.0, -2.0, 0.0, 4.0, 9.0]))
    assert told.tolist() == pytest.approx([0.01, 0.01, 0.105, 0.2, 0.9, 0.9])
    assert Calibration.from_dict(CALIBRATION.to_dict()) == CALIBRATION


@pytest.mark.parametrize(
    ("raw", "probability"),
    [
        ((0.0,), (0.5,)),
        ((0.0, 0.0), (0.1, 0.2)),
        ((0.0, 1.0), (0.2, 0.1)),
        ((0.0, 1.0), (0.2, 1.1)),
        ((0.0, float("nan")), (0.1, 0.2)),
        ((0.0, 1.0), (0.1, float("nan"))),
    ],
)
def test_a_calibration_cannot_be_built_wrong(
    raw: tuple[float, ...], probability: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError):
        Calibration(raw, probability)


def test_an_independent_walk_of_the_text_gives_every_score() -> None:
    """A second reader of the model's text agrees on 10,000 rows, unknown and never among them."""
    model, rows = tiny_model(), matrix(10_000, seed=21)
    forest = tree_walker.trees(model.text)
    assert len(forest) == 30
    walked = [tree_walker.raw(forest, row) for row in capped(rows).tolist()]
    assert np.abs(np.array(walked) - model.raw(rows, NAMES)).max() <= 1e-12


def test_scoring_does_without_what_training_needs() -> None:
    """A night does not wait for scikit-learn; who wants it afterwards still gets it."""
    code = (
        "import sys; from riskflag.scoring.model import _lightgbm; _lightgbm();"
        "assert 'sklearn' not in sys.modules; import sklearn"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
