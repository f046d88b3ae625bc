"""Plainer models: the same rows, true numbers kept as text, and a verdict in words."""

from __future__ import annotations

import dataclasses
import json
import warnings

import numpy as np
import pytest

from riskflag.scoring.model import capped
from riskflag.training.data.prepare import Prepared
from riskflag.training.figures.metrics import auroc
from riskflag.training.judging.challengers import Challengers, in_words
from riskflag.training.judging.judge import Court, Judgement
from riskflag.training.model.additive import Additive, fit
from riskflag.training.model.logistic import Logistic, logistic_scorer
from tests.made_up_training import SMALL, learnt, prepared

BOTH = SMALL.model.model_copy(update={"challengers": ("logistic", "ebm")})


@pytest.fixture(scope="module")
def challengers() -> Challengers:
    return Challengers.learn(prepared(), BOTH)


def judged(made: Prepared, challengers: Challengers) -> Judgement:
    return Court(made, learnt(), SMALL, 43.0, challengers.scores(made.test.values)).judge()


def test_each_stands_in_the_report_with_the_same_figures_and_a_calibration(
    challengers: Challengers,
) -> None:
    result = judged(prepared(), challengers).result
    told = challengers.beside(prepared(), result, SMALL.evaluation)
    for name in ("logistic regression", "explainable boosting"):
        assert set(result["scorers"][name]) == set(result["scorers"]["model"])
        assert result["scorers"][name]["auroc"]["value"] > 0.6
        assert set(told[name]["calibration"]) == {*result["calibration"], "method"}
        assert 0.7 < told[name]["calibration"]["slope"]["value"] < 1.4
        assert any(name in one for one in told["sentences"])


def test_the_text_of_a_challenger_is_the_whole_of_it(challengers: Challengers) -> None:
    """Scores made from the numbers in the text alone are the scores that were judged."""
    texts = challengers.texts()
    rows = capped(prepared().test.values[:200])
    scores = challengers.scores(rows)
    kept = json.loads(texts["challengers/explainable_boosting.json"])
    for row, score in zip(rows, scores["explainable boosting"], strict=True):
        total = kept["intercept"]
        for value, curve in zip(row, kept["curves"], strict=True):
            below = sum(value >= cut for cut in curve["cuts"])
            total += curve["unknown"] if np.isnan(value) else curve["adds"][below]
        assert total == pytest.approx(score, abs=1e-9)
    again = Logistic(**json.loads(texts["challengers/logistic_regression.json"]))
    assert again.score(rows) == pytest.approx(scores["logistic regression"], abs=1e-12)


def test_the_curves_are_those_of_the_library_and_keep_the_directions() -> None:
    """The recorded curves give the library's own log-odds; none moves against its direction."""
    machine = fit(prepared(), seed=1)
    curves = Additive.of(machine, prepared().inputs.names)
    rows = capped(prepared().test.values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert curves.score(rows) == pytest.approx(machine.decision_function(rows), abs=1e-9)
    for signal, heights in zip(prepared().inputs.signals, curves.heights, strict=True):
        steps = np.diff(heights[1:])
        assert signal.direction != "raises" or (steps >= -1e-12).all()
        assert signal.direction != "lowers" or (steps <= 1e-12).all()
    assert any(len(set(heights)) > 3 for heights in curves.heights)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    one, again, other = (Additive.learn(prepared(), seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_the_words_say_who_is_better_and_when_nobody_is() -> None:
    figure = {"value": 1.0, "low": 0.9, "high": 1.1}
    calibration = {"slope": figure, "brier": figure}
    for bounds, words in (
        ((-0.2, -0.05), "the plain one is better"),
        ((0.05, 0.2), "the model is better"),
        ((-0.1, 0.1), "cannot be told apart"),
    ):
        gain = dict(zip(("value", "low", "high"), (0.1, *bounds), strict=True))
        both = {"auroc": gain, "precision_at_capacity": gain}
        said = in_words("the plain one", both, calibration)[0]
        assert said.count(words) == 2
    nothing = dict.fromkeys(("value", "low", "high"))
    empty = {"auroc": nothing, "precision_at_capacity": nothing}
    assert "nothing can be told" in in_words("the plain one", empty, calibration)[0]


def test_a_regression_learns_by_the_weights_of_its_rows() -> None:
    """Rows that stand for others bring the level of all of them; without weights it is wrong."""
    train = prepared().train
    kept = np.flatnonzero(train.labels.happened | (np.arange(len(train.rows)) % 5 == 0))
    some = dataclasses.replace(
        train,
        rows=train.rows.take(kept),
        labels=train.labels.take(kept),
        weights=np.where(train.labels.happened[kept], 1.0, 5.0),
        values=train.values[kept],
    )
    base = train.labels.numbers.mean()
    weighted = chance(Logistic.learn(some).score(train.values)).mean()
    assert weighted == pytest.approx(base, rel=0.1)
    bare = dataclasses.replace(some, weights=np.ones(len(kept)))
    assert chance(Logistic.learn(bare).score(train.values)).mean() > 2 * base


def chance(raw: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-raw))


def test_without_outcomes_a_regression_tells_nothing_and_with_them_it_ranks() -> None:
    train, test = prepared().train, prepared().test
    assert auroc(logistic_scorer(train)(test.values), test.labels.numbers) > 0.65
    none = dataclasses.replace(train.labels, happened=np.zeros(len(train.rows), dtype=bool))
    assert not logistic_scorer(dataclasses.replace(train, labels=none))(test.values).any()
