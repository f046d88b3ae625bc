"""Refits: grown on other children, the same every time, and only kept when asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from riskflag.scoring.calibration import Calibration
from riskflag.scoring.model import Model, capped
from riskflag.training.model import refits as module
from riskflag.training.model.refits import refits
from tests.made_up_training import SMALL, prepared


def config(wanted: int):
    evaluation = SMALL.evaluation.model_copy(update={"refits": wanted})
    return SMALL.model_copy(update={"evaluation": evaluation})


def test_refits_differ_from_each_other_and_agree_on_what_matters():
    """Three texts of models with the same signals; their scores go together, none is another."""
    made = refits(prepared(), config(3), 25, threads=1)
    assert len(set(made["models"])) == 3
    names = prepared().inputs.names
    models = [Model(t, names, Calibration((0.0, 1.0), (0.0, 1.0), "none")) for t in made["models"]]
    rows = capped(prepared().test.values)
    scores = np.array([model.raw(rows, names) for model in models])
    assert np.corrcoef(scores).min() > 0.5
    assert len(np.unique(scores, axis=0)) == 3


def test_the_same_data_gives_the_same_refits():
    """Byte for byte, whatever the number of threads."""
    one = refits(prepared(), config(2), 10, threads=1)
    two = refits(prepared(), config(2), 10, threads=2)
    assert one == two


def test_none_are_grown_when_none_are_wanted():
    assert refits(prepared(), config(0), 10) is None


def test_brothers_and_sisters_are_drawn_together(monkeypatch):
    """Every refit learns from whole families; drawn child by child, some would be cut apart."""
    whole = prepared()
    people = len(whole.train.rows.ids)
    kin = np.arange(people) // 3
    seen = []

    class Watched(module.Grower):
        def grow(self, data, trees):
            seen.append(len(data.labels))
            return super().grow(data, trees)

    monkeypatch.setattr(module, "Grower", Watched)
    refits(replace(whole, families=kin), config(2), 5, threads=1)
    for number, rows in enumerate(seen):
        seed = module.FIRST_SEED + config(2).model.seed + number
        half = np.random.default_rng(seed).random(int(kin.max()) + 1) < 0.5
        assert rows == int(half[kin[whole.train.rows.person]].sum())
        assert 0 < rows < len(whole.train.rows.person)
    assert len(seen) == 2
