"""Fewer rows, and a feed that is out: what the probabilities are worth then."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from riskflag.training.data.prepare import Prepared
from riskflag.training.data.sample import sample
from riskflag.training.figures.metrics import auroc, expected_over_observed
from riskflag.training.model.learn import Learnt, learn
from tests.made_up_training import SMALL, blank_agencies, prepared


def sampled(made: Prepared, *, weighted: bool) -> Prepared:
    """The same with a fifth of the rows to learn from, all of those with the outcome."""
    train = made.train
    chosen, weights = sample(train.rows, train.labels, most=len(train.rows) // 5, seed=3)
    few = dataclasses.replace(
        train,
        rows=train.rows.take(chosen),
        labels=train.labels.take(chosen),
        weights=weights if weighted else np.ones(len(chosen)),
        values=train.values[chosen],
    )
    return dataclasses.replace(made, train=few, ends_known=made.ends[chosen])


def level(done: Learnt, made: Prepared) -> float:
    """Outcomes foretold by the trees themselves, before any calibration, per outcome that came."""
    raw = done.model.raw(made.test.values, done.model.names)
    return expected_over_observed(1 / (1 + np.exp(-raw)), made.test.labels.numbers)


def test_probabilities_are_true_when_most_rows_without_the_outcome_were_left_out() -> None:
    """By their weights the rows that stayed stand for the others; without weights nobody does."""
    made = prepared()
    done = learn(sampled(made, weighted=True), SMALL.model, capacity=43.0)
    assert level(done, made) == pytest.approx(1, abs=0.2)
    told = done.model.probability(done.model.raw(made.test.values, done.model.names))
    assert expected_over_observed(told, made.test.labels.numbers) == pytest.approx(1, abs=0.2)
    bare = learn(sampled(made, weighted=False), SMALL.model, capacity=43.0)
    assert level(bare, made) > 2


def test_a_feed_that_is_out_does_less_harm_to_a_model_that_has_seen_one_out() -> None:
    """Without A&E's records the level stays nearer the truth, and with them nothing is lost."""
    made = prepared()
    out = made.test.values.copy()
    attendances = [frozenset({"ed"}) & one for one in made.inputs.agencies]
    blank_agencies(out, attendances, share=1.0 - 1e-12, seed=1)
    without_ed = dataclasses.replace(made, test=dataclasses.replace(made.test, values=out))
    levels, ranks = {}, {}
    for share in (0.0, 0.3):
        config = SMALL.model.model_copy(update={"outage_share": share})
        done = learn(made, config, capacity=43.0)
        levels[share] = level(done, without_ed)
        raw = done.model.raw(made.test.values, done.model.names)
        ranks[share] = auroc(raw, made.test.labels.numbers)
    assert abs(levels[0.3] - 1) < 0.75 * abs(levels[0.0] - 1)
    assert levels[0.0] < 0.7, "silence was taken for calm"
    assert ranks[0.3] == pytest.approx(ranks[0.0], abs=0.02)
