"""Training data in little memory: no value is rounded, and the trees are those of plain numbers."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from riskflag.scoring.model import capped
from riskflag.training.data import narrow as narrow_module
from riskflag.training.data.narrow import Narrow, in_blocks
from riskflag.training.data.outage import Outages
from riskflag.training.data.outcome import Labels
from riskflag.training.data.prepare import Learning
from riskflag.training.data.rows import Rows
from riskflag.training.data.sample import sample
from riskflag.training.model.fit import Grower, Matrix
from tests.made_up_training import SMALL

ROWS = 9_000
NAMES = ("count", "days", "share", "sum", "large")


def values() -> np.ndarray:
    """A count, days with never and unknown, shares, sums, and what only eight bytes hold."""
    rng = np.random.default_rng(2)
    days = rng.integers(0, 4000, ROWS).astype(float)
    days[::7], days[::11] = np.inf, np.nan
    return np.column_stack(
        [
            rng.poisson(2, ROWS),
            days,
            rng.random(ROWS).astype(np.float32),
            rng.random(ROWS),
            rng.integers(0, 9, ROWS) * 1e9 + 0.1,
        ]
    ).astype(float)


def narrowed(whole: np.ndarray, step: int) -> Narrow:
    order = np.random.default_rng(1).permutation(len(whole))
    parts = [order[first : first + step] for first in range(0, len(whole), step)]
    return Narrow.of(*whole.shape, ((part, whole[part]) for part in parts))


@pytest.mark.parametrize("step", [ROWS, 100])
def test_every_value_comes_back_as_it_was_in_less_memory(step: int) -> None:
    whole = values()
    narrow = narrowed(whole, step)
    rows = np.array([5, 0, 8_999])
    assert narrow[:].tobytes() == whole.tobytes()
    assert narrow[rows].tobytes() == whole[rows].tobytes()
    assert narrow[10:20].tobytes() == whole[10:20].tobytes()
    assert narrow[whole[:, 0] > 2, 3].tobytes() == whole[whole[:, 0] > 2, 3].tobytes()
    assert narrow.bytes == ROWS * (2 + 4 + 4 + 8 + 8)


def test_rows_scored_some_at_a_time_get_the_scores_of_all_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(narrow_module, "AT_ONCE", 700)
    whole, asked = values(), np.array([8_999, *range(0, 8_000, 3)])
    narrow, sizes = narrowed(whole, 1_000), []

    def score(rows: np.ndarray) -> np.ndarray:
        sizes.append(len(rows))
        return rows[:, 0] + 2 * rows[:, 3]

    told = whole[:, 0] + 2 * whole[:, 3]
    assert in_blocks(score, narrow).tobytes() == told.tobytes()
    assert in_blocks(score, narrow, asked).tobytes() == told[asked].tobytes()
    assert in_blocks(score, narrow, asked[:0]).shape == (0,)
    assert max(sizes) == 700


@pytest.mark.parametrize(("most", "with_outcome"), [(9_000, 3_000), (4_500, 2_250), (700, 350)])
def test_fewer_rows_weigh_what_all_of_them_weighed(most: int, with_outcome: int) -> None:
    """Rows with the outcome stay as far as they fit half; weights stand for those left out."""
    whole, happened = values(), np.arange(ROWS) % 3 == 0
    days = np.repeat(np.arange(9), ROWS // 9)
    rows = Rows(tuple(map(str, range(ROWS))), np.arange(ROWS), days)
    weights = np.where(happened, 1.0, 5.0)
    train = Learning(rows, Labels(happened, days), weights, narrowed(whole, 500))
    some = train.some(most)
    assert len(some.rows) == len(some.values) == most
    assert some.labels.happened.sum() == with_outcome
    for which in (True, False):
        mine = some.labels.happened == which
        assert some.weights[mine].sum() == pytest.approx(weights[happened == which].sum())
    assert some.values[:].tobytes() == whole[some.rows.person].tobytes()
    months = np.bincount(some.rows.as_of)
    assert months.min() > 0.9 * months.max()


def test_trees_grown_from_batches_are_those_grown_from_the_whole_matrix() -> None:
    """The bins that LightGBM makes of rows it is handed some at a time are the same."""
    whole, rng = values(), np.random.default_rng(3)
    labels = (rng.random(ROWS) < 0.1 + 0.2 * (whole[:, 0] > 3)).astype(float)
    weights = np.where(labels > 0, 1.0, 3.0)
    agencies = (frozenset({"ed"}), frozenset(), frozenset({"police"}), frozenset(), frozenset())
    outages = Outages.drawn(ROWS, agencies, share=0.2, seed=4)
    grower = Grower(NAMES, ("raises", *["none"] * 4), SMALL.model, 1)
    half = rng.random(ROWS) < 0.5
    plain = capped(whole)
    outages.blank(plain, np.arange(ROWS))
    data = Matrix(narrowed(whole, 500), labels, weights, outages=outages)
    for chosen in (np.ones(ROWS, dtype=bool), half):
        told = lgb.Dataset(
            plain[chosen],
            labels[chosen],
            weight=weights[chosen],
            feature_name=list(NAMES),
            params={**grower.parameters(), "feature_pre_filter": False},
        )
        trees = lgb.train(grower.parameters(), told, 8)
        batches = lgb.Booster(model_str=grower.grow(data.take(chosen), 8))
        assert (trees.predict(plain) == batches.predict(plain)).all()
        assert trees.trees_to_dataframe().equals(batches.trees_to_dataframe())


def test_who_is_kept_does_not_depend_on_who_else_is_there() -> None:
    """The lot of a row is its own: by person, as-of date and seed."""
    people = tuple(f"P{number:04d}" for number in range(4000))
    person, as_of = np.tile(np.arange(4000), 2), np.repeat([100, 131], 4000)
    happened = np.arange(8000) % 50 == 0
    labels = Labels(happened, np.zeros(8000, dtype=np.int64))
    kept, _ = sample(Rows(people, person, as_of), labels, most=2000, seed=1)
    # The same rows, their people under other numbers and in another order.
    turned = Rows(people[::-1], 3999 - person[::-1], as_of[::-1])
    again, _ = sample(turned, Labels(happened[::-1], labels.day), most=2000, seed=1)
    assert sorted(7999 - again) == kept.tolist()
    other, _ = sample(Rows(people, person, as_of), labels, most=2000, seed=2)
    assert set(other) != set(kept)
    negative = kept[~happened[kept]]
    months = np.bincount(as_of[negative] == 131)
    assert months.min() > 0.8 * months.max()
    both = np.intersect1d(negative[negative < 4000], negative[negative >= 4000] - 4000)
    assert len(both) < 0.5 * len(negative) / 2
