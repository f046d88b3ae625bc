"""Contributions of many rows at once are LightGBM's own, bit for bit."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from riskflag.scoring import model as scoring
from riskflag.scoring.model import COMPARED, MANY, booster_of
from riskflag.scoring.together import AT_ONCE, contributions, read_forest
from tests.tiny_bundle import NAMES, matrix, tiny_model

ODD = (np.nan, 0.0, -0.0, scoring.NEVER_DAYS, -scoring.NEVER_DAYS)


def trained(*, leaves: int, missing: bool, trees: int = 12) -> lgb.Booster:
    """A model of few signals, each split on again and again; of one leaf each with `leaves` 1."""
    make = np.random.default_rng(leaves)
    values = make.normal(size=(3_000, 5)).round(1)
    if missing:
        values[make.random(values.shape) < 0.2] = np.nan
    label = (np.nan_to_num(values) @ [2, 1, -1, 0.5, 0] + make.normal(size=3_000) > 0) * 1.0
    least = 10_000 if leaves == 1 else 1
    told = {"objective": "binary", "verbosity": -1, "num_leaves": max(leaves, 2), "num_threads": 1}
    told |= {"min_data_in_leaf": least, "min_sum_hessian_in_leaf": 0.0, "learning_rate": 0.3}
    booster = lgb.train(told, lgb.Dataset(values, label), trees)
    return booster_of(booster.model_to_string())


def rows(count: int, columns: int) -> np.ndarray:
    make = np.random.default_rng(count)
    values = make.normal(size=(count, columns)).round(1)
    odd = make.random(values.shape) < 0.2
    values[odd] = make.choice(ODD, int(odd.sum()))
    return values


@pytest.mark.parametrize("leaves", [1, 2, 31, 255])
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("count", [1, 300, AT_ONCE + 7])
def test_every_bit_is_that_of_lightgbm(leaves: int, missing: bool, count: int) -> None:
    """Whatever is missing, however deep, and however many rows go the same way."""
    booster = trained(leaves=leaves, missing=missing)
    values = rows(count, 5)
    own = booster.predict(values, pred_contrib=True)[:, :-1]
    forest = read_forest(booster.model_to_string())
    for threads in (1, 3):
        found = contributions(forest, values, threads=threads)
        assert found.tobytes() == np.ascontiguousarray(own).tobytes()


@pytest.mark.parametrize("count", [COMPARED, COMPARED + 1, 2 * MANY])
def test_many_rows_have_the_contributions_of_few(count: int) -> None:
    model, values = tiny_model(threads=2), matrix(count, seed=4)
    many = model.contributions(values, NAMES)
    few = [model.contributions(values[i : i + 1], NAMES) for i in range(len(values))]
    assert many.values.tobytes() == b"".join(one.values.tobytes() for one in few)
    assert {one.base for one in few} == {many.base}


def test_where_bits_differ_lightgbm_works_out_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor for which it was built to multiply and add in one step."""
    model, values = tiny_model(), matrix(2 * COMPARED, seed=4)
    own = model.booster.predict(model.matrix(values, NAMES), pred_contrib=True)[:, :-1]
    monkeypatch.setattr(
        "riskflag.scoring.together.contributions",
        lambda forest, matrix, threads: np.zeros(matrix.shape),
    )
    for _ in range(2):  # nor later, when it was seen before
        assert np.array_equal(model.contributions(values, NAMES).values, own)
