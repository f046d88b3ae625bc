"""Tuning: what it may see, what it chooses, and when it leaves things as they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from riskflag.errors import InputError
from riskflag.training.data.experiment import ModelConfig, TuningConfig
from riskflag.training.data.prepare import Prepared, Window
from riskflag.training.model.fit import Grower
from riskflag.training.model.learn import directions, learn, material
from riskflag.training.model.tune import Grounds, Tuned, by_family, tune
from riskflag.training.record.report import sentences
from tests.made_up_training import SMALL, prepared

FEW = TuningConfig(trials=6, folds=2, seed=4)


def grounds(made: Prepared, config: ModelConfig = SMALL.model, threads: int = 2) -> Grounds:
    data = material(made, config)
    grower = Grower(made.inputs.names, directions(made), config, threads)
    return Grounds.of(made, grower, data)


def spoilt(window: Window) -> Window:
    """The same rows with the opposite outcomes and other values."""
    labels = dataclasses.replace(window.labels, happened=~window.labels.happened)
    return dataclasses.replace(window, labels=labels, values=window.values[::-1] * 7)


def test_no_row_of_a_later_window_is_seen() -> None:
    """Other rows in the later windows change no trial; other training labels do."""
    made = prepared()
    seen = tune(grounds(made), FEW)
    later = dataclasses.replace(made, test=spoilt(made.test), calibration=spoilt(made.calibration))
    assert tune(grounds(later), FEW) == seen
    other = dataclasses.replace(made, train=spoilt(made.train))
    assert tune(grounds(other), FEW).trials != seen.trials


def test_a_tuning_fold_learns_from_nothing_that_its_later_months_decide() -> None:
    """Every row to grow on was answered before the first row to judge by was asked."""
    ground = grounds(prepared())
    folds = ground.folds(3)
    assert len(folds) == 2
    for fold in folds:
        assert ground.ends[fold.fitting].max() <= ground.as_of[fold.later].min()
    first, last = folds
    assert not (first.later & last.later).any()
    assert ground.as_of[first.later].max() < ground.as_of[last.later].min()
    windows = prepared().split
    assert ground.ends.max() <= min(windows.calibration[0], windows.test[0])


def test_a_training_row_that_reaches_into_a_later_window_stops_everything() -> None:
    made = prepared()
    reaching = made.train.rows.as_of + 180
    reaching[-1] = made.split.calibration[0] + 1
    with pytest.raises(ValueError, match="later window"):
        grounds(dataclasses.replace(made, ends_known=reaching))


def test_the_trials_are_the_same_on_any_number_of_threads_and_others_with_another_seed() -> None:
    one, two = (tune(grounds(prepared(), threads=threads), FEW) for threads in (1, 2))
    assert one == two
    assert len(one.trials) == FEW.trials
    other = tune(grounds(prepared()), TuningConfig(trials=6, folds=2, seed=5))
    assert other.trials[0] == one.trials[0], "the declared settings are always tried first"
    assert other.trials[1:] != one.trials[1:]


def test_a_poor_start_is_left_and_a_good_one_is_kept() -> None:
    """From settings that cannot learn the winner is used; a gain within noise changes nothing."""
    stiff = SMALL.model.model_copy(update={"min_rows_in_leaf": 4000, "max_trees": 40})
    poor = tune(grounds(prepared(), stiff), TuningConfig(trials=8, folds=2))
    assert poor.won
    assert poor.gain["low"] > 0
    assert poor.config.min_rows_in_leaf <= 500
    assert "beyond noise" in " ".join(poor.to_dict()["sentences"])
    good = tune(grounds(prepared(), poor.config), FEW)
    assert not good.won
    assert good.config == poor.config
    assert "stay" in " ".join(good.to_dict()["sentences"])


def test_the_gain_is_beyond_noise_only_when_families_agree() -> None:
    rng = np.random.default_rng(1)
    noise, weights, family = rng.normal(0, 1, 4000), np.ones(4000), np.arange(4000) // 4
    assert by_family(noise, weights, family)["low"] < 0
    assert by_family(noise + 0.2, weights, family)["low"] > 0
    # One family's months are one piece of evidence, however many there are.
    alone = by_family(np.where(family == 0, 300.0, -0.01), weights, family)
    assert alone["value"] > 0 > alone["low"]


def test_too_little_history_to_tune_is_told_with_what_to_do() -> None:
    ground = grounds(prepared())
    short = dataclasses.replace(ground, ends=ground.ends + 400)
    with pytest.raises(InputError, match="bring more history"):
        tune(short, FEW)


def test_a_tuned_model_keeps_its_directions_and_its_report_tells_of_the_search() -> None:
    config = SMALL.model.model_copy(update={"tuning": FEW})
    done = learn(prepared(), config, capacity=43.0)
    tuned = done.tuned
    assert isinstance(tuned, Tuned)
    assert done.config == tuned.config
    grower = Grower(("a",), ("raises",), done.config)
    assert grower.parameters()["monotone_constraints"] == [1]
    head, *rows = tuned.table().splitlines()
    assert head.startswith("trial,leaves,learning_rate")
    assert len(rows) == FEW.trials
    result = {"tuning": tuned.to_dict()}
    assert any("6 trials" in one for one in sentences_of(result))


def sentences_of(result: dict[str, object]) -> list[str]:
    whole = {
        "natural_frequency": {"n": 1, "needed_more": 1},
        "period": "",
        "rows": 1,
        "children": 1,
        "outcomes": 1,
        "base_rate": 0.1,
        "capacity_per_month": 1.0,
        "calibration": {
            "slope": {"value": None, "low": None, "high": None},
            "expected_over_observed": {"value": None, "low": None, "high": None},
            "brier": {"value": 0.1, "low": None, "high": None},
        },
    }
    return sentences(whole | result)
