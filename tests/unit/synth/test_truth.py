"""The truth of a borough: complete, in agreement with what happened, and hard to guess."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.synth import approach
from riskflag.synth.base_rates import as_table
from riskflag.synth.draws import stack
from riskflag.synth.truth import hazard_at, status_at

#: Siblings come together, so a figure rests on fewer independent cases than it counts.
PER_FAMILY = 1.8
HORIZON = 180


def auroc(happened, score) -> float:
    """The chance that a child to whom it happened is ranked above one to whom it did not."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    yes = happened.sum()
    return float((ranks[happened].sum() - yes * (yes + 1) / 2) / (yes * (~happened).sum()))


def cohort(lived, day):
    """Children at home and not on a plan that day; whether an outcome begins within the horizon."""
    scene, _, care = lived
    child = np.arange(scene.people.children.n)
    days = np.full(len(child), day)
    home = scene.lives_here({"child": child, "day": days}) & (status_at(care, child, days) < 2)
    happened = np.zeros(len(child), bool)
    for name in ("enquiries", "conferences", "plans", "care"):
        rows = care[name]
        soon = (rows["day"] >= day) & (rows["day"] < day + HORIZON)
        happened[rows["child"][soon]] = True
    return child[home], happened[home]


def test_the_stretches_of_a_life_follow_each_other(borough):
    """Every child's stretches are in order, leave no gap and carry a sensible hazard."""
    table = pq.read_table(borough.truth / "hazard.parquet")
    person = np.asarray(table["person_id"].to_pylist())
    start, end = table["from_day"].to_numpy(), table["to_day"].to_numpy()
    hazard = table["hazard"].to_numpy()
    assert len(set(person)) > 1000
    assert (start < end).all()
    same = person[1:] == person[:-1]
    assert (start[1:][same] == end[:-1][same]).all()
    assert ((hazard > 0) & (hazard < 0.5)).all()


def test_outcomes_come_as_often_as_the_hazard_says(large):
    """The days lived times the hazard give the number of enquiries and entries to care."""
    table = pq.read_table(large.truth / "hazard.parquet")
    days = table["to_day"].to_numpy() - table["from_day"].to_numpy()
    expected = float((days * table["hazard"].to_numpy()).sum())
    outcomes = pq.read_table(large.truth / "outcomes.parquet")
    begun = outcomes.filter(
        pa.compute.and_(
            pa.compute.is_in(
                outcomes["cause"],
                pa.array(["harm in the household", "harm to the child", "care without an enquiry"]),
            ),
            pa.compute.greater_equal(outcomes["day"], int(table["from_day"].to_numpy().min())),
        )
    )
    assert expected > 1000
    assert abs(begun.num_rows / expected - 1) < 0.1


def test_the_true_hazard_ranks_well_and_the_number_of_contacts_clearly_worse(lived):
    """What can be known at best is 0.80 to 0.88; counting contacts is far from it."""
    scene, seen, care = lived
    day = scene.calendar.end - HORIZON
    child, happened = cohort(lived, day)
    assert happened.sum() > 100
    best = auroc(happened, hazard_at(scene, care, child, np.full(len(child), day)))
    total = np.zeros(scene.people.children.n)
    names = ("child", "day")
    parts = [rows for rows in [*seen.values(), care["contacts"]] if "child" in rows]
    every = stack([{name: rows[name] for name in names} for rows in parts])
    past = (every["day"] < day) & (every["day"] >= scene.calendar.start)
    np.add.at(total, every["child"][past], 1)
    counted = auroc(happened, total[child])
    assert 0.79 < best < 0.89
    assert 0.6 < counted < 0.76
    assert best - counted > 0.07


def test_most_children_with_many_contacts_come_to_no_harm(lived):
    """Nine in ten of the children with the most contacts have no outcome in the half year after."""
    scene, seen, care = lived
    day = scene.calendar.end - HORIZON
    child, happened = cohort(lived, day)
    total = np.zeros(scene.people.children.n)
    for rows in (seen["emergency"], seen["concern"], seen["notice"], care["contacts"]):
        np.add.at(total, rows["child"][rows["day"] < day], 1)
    most = total[child] >= np.quantile(total[child], 0.95)
    assert most.sum() > 200
    assert happened[most].mean() < 0.1


def test_groups_are_reported_unequally_for_the_same_trouble(lived):
    """The over-reported group has more contacts per child, not more trouble."""
    scene, _, care = lived
    kids, homes = scene.people.children, scene.people.households
    group = homes.group[kids.household]
    police = care["contacts"]["source"] == approach.SOURCES.index("6")
    contacts = np.bincount(care["contacts"]["child"][police], minlength=kids.n)
    trouble = scene.course.household["neglect"].mean(axis=1)
    over, under = contacts[group == 1].mean(), contacts[group == 2].mean()
    assert over / under > 1.6
    levels = [trouble[homes.group == number].mean() for number in range(3)]
    assert max(levels) / min(levels) < 1.25


def test_base_rates_are_within_a_fifth_of_the_official_ones(large):
    """Every figure is within 20% of England's, but for what the number of cases leaves open."""
    print(as_table(large.base_rates))
    assert len(large.base_rates) > 30
    outside = [
        rate.name
        for rate in large.base_rates
        if abs(rate.off_by) > 0.2 and abs(rate.off_by) > 2 / np.sqrt(rate.cases / PER_FAMILY)
    ]
    assert outside == []
    headline = [rate for rate in large.base_rates if rate.cases > 250]
    assert len(headline) > 20
    assert all(abs(rate.off_by) <= 0.2 for rate in headline)
