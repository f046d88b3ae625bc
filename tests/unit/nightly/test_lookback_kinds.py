"""Days of one kind: rules and model say of all of them what they say of the first."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from riskflag.nightly.lookback_kinds import Cuts
from riskflag.nightly.lookback_replay import Rows, results_on
from riskflag.scoring.rulebook import COMPARISONS, Rulebook, When
from riskflag.scoring.rules import evaluate
from tests.tiny_bundle import NAMES, tiny_model

MODEL = tiny_model()
#: One more signal than the model has, first, so that no column is in its own place by chance.
COLUMNS = ("age_years", *NAMES)
SPLITS = [
    cut for cut in Cuts.of(COLUMNS, Rulebook("None", 1, (), {}), MODEL).cuts if abs(cut) < 1e6
]
THRESHOLDS = (0.0, 2.0, 90.0)


def rulebook() -> Rulebook:
    """Every comparison of every signal with a few numbers, all under one roof."""
    parts = [
        {"signal": name, comparison: number}
        for name in COLUMNS
        for comparison in COMPARISONS
        for number in THRESHOLDS
    ]
    rules = [
        SimpleNamespace(id="some", when=When.model_validate({"any": parts})),
        SimpleNamespace(id="not", when=When.model_validate({"not": {"all": parts[:7]}})),
    ]
    signals = {name: SimpleNamespace(rises_with_contacts="up") for name in COLUMNS}
    return Rulebook("A test", 1, tuple(rules), signals)


def days(seed: int) -> Rows:
    """A childhood of steps: values on, beside and far from every number, unknown and never."""
    chance = np.random.default_rng(seed)
    on = np.array([*SPLITS, *THRESHOLDS])
    near = np.r_[on, np.nextafter(on, np.inf), np.nextafter(on, -np.inf)]
    pool = np.r_[near, [np.nan, np.inf, -np.inf, -0.0, 36_500.0, 1e9]]
    values = chance.choice(pool, (600, len(COLUMNS)))
    stays = chance.random(values.shape) < 0.7
    complete = chance.random(values.shape) < 0.8
    for day in range(1, len(values)):
        values[day, stays[day]] = values[day - 1, stays[day]]
        complete[day, stays[day]] = complete[day - 1, stays[day]]
    return Rows(COLUMNS, values, complete)


@pytest.mark.parametrize("seed", range(5))
def test_rules_and_model_say_on_every_day_what_they_say_when_asked_about_each(seed):
    """Outcomes, comparisons, scores and contributions, to the last bit."""
    book, table = rulebook(), days(seed)
    first, kind = Cuts.of(COLUMNS, book, MODEL).kinds(table.values, table.complete)
    assert 2 < len(first) < len(table.values)
    assert (kind[first] == np.arange(len(first))).all()

    short, whole = results_on(book, table, first, kind), evaluate(book, table)
    assert (short.outcome == whole.outcome).all()
    for some, every in zip(short.leaves, whole.leaves, strict=True):
        assert (some == every).all()
    for row in (0, 299, 599):
        told = [repr(each.conditions(row, 0)) for each in (short, whole)]
        assert told[0] == told[1]

    raw = MODEL.raw(table.masked, COLUMNS)
    assert (MODEL.raw(table.rows(first).masked, COLUMNS)[kind] == raw).all()
    parts = MODEL.contributions(table.masked, COLUMNS).values
    assert (MODEL.contributions(table.rows(first).masked, COLUMNS).values[kind] == parts).all()


def test_without_the_numbers_of_the_rules_days_would_be_taken_for_alike():
    """The check above has something to find."""
    book, table = rulebook(), days(0)
    first, kind = Cuts.of(COLUMNS, Rulebook("None", 1, (), {}), MODEL).kinds(
        table.values, table.complete
    )
    short = results_on(book, table, first, kind)
    assert any(
        (some != every).any()
        for some, every in zip(short.leaves, evaluate(book, table).leaves, strict=True)
    )
