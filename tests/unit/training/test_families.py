"""Families: who is drawn together when intervals are made."""

from __future__ import annotations

import numpy as np

from riskflag.training.data.families import families, grouped
from riskflag.training.data.rows import Rows
from riskflag.training.judging.evaluate import Trial, evaluate
from tests.factories import history_of

IDS = ("a", "b", "c", "d", "e")


def test_siblings_and_children_of_one_mother_are_one_family() -> None:
    kin = [("a", "mum", "mother"), ("c", "mum", "mother"), ("c", "d", "sibling")]
    links = [
        {"person_id": child, "related_id": other, "kind": kind, "valid_from": "2010-01-01"}
        for child, other, kind in [*kin, ("b", "e", "household_adult")]
    ]
    people = [{"person_id": one, "birth_on": "2015-01-01"} for one in IDS]
    found = families(history_of([], people, links), IDS)
    assert found[0] == found[2] == found[3]
    assert len({int(found[0]), int(found[1]), int(found[4])}) == 3


def test_without_relationships_everybody_is_alone() -> None:
    people = [{"person_id": one, "birth_on": "2015-01-01"} for one in IDS]
    assert families(history_of([], people), IDS).tolist() == [0, 1, 2, 3, 4]


def test_a_table_may_say_who_belongs_together() -> None:
    found = grouped(IDS, ["a", "b", "c"], ["x", "y", "x"])
    assert found[0] == found[2]
    assert len(set(found.tolist())) == 4


def test_intervals_are_wider_when_families_are_drawn_together() -> None:
    """Ten alike in each family tell no more than one: drawn alone, they would feign certainty."""
    rng = np.random.default_rng(4)
    n = 600
    family = np.repeat(np.arange(n // 10), 10)
    came = np.repeat(rng.random(n // 10) < 0.4, 10).astype(float)
    score = np.repeat(rng.normal(size=n // 10), 10) + came
    rows = Rows(tuple(f"p{i:04d}" for i in range(n)), np.arange(n), np.full(n, 20_000))
    widths = []
    for groups in (None, family):
        chance = np.full(n, 0.4)
        trial = Trial(rows, came, chance, {"model": score}, 50.0, 100, families=groups)
        area = evaluate(trial)["scorers"]["model"]["auroc"]
        widths.append(area["high"] - area["low"])
    assert widths[1] > 2 * widths[0]
