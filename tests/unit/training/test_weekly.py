"""The weekly list: capacity, no child twice, days of warning, intervals by family."""

from __future__ import annotations

import numpy as np

from riskflag.clock import NEVER
from riskflag.training.data.outcome import Labels
from riskflag.training.data.rows import Contacts, Rows
from riskflag.training.figures.metrics import auroc
from riskflag.training.judging.rolling import recency, some
from riskflag.training.judging.weekly import Weeks, figures, in_words, weekly_list
from riskflag.training.model.logistic import logistic_scorer
from tests.made_up_training import prepared

IDS = ("a", "b", "c", "d")
START = 20_000


def two_weeks(capacity: int = 1) -> Weeks:
    """Four children in two weeks; a has the outcome on day 30, b on day 10, the others never."""
    rows = Rows(IDS, np.tile(np.arange(4), 2), np.repeat([START, START + 7], 4))
    day = np.tile([START + 30, START + 10, NEVER, NEVER], 2)
    labels = Labels(day < NEVER, day)
    return Weeks(rows, labels, np.array([0, 1, 2, 3])[rows.person], capacity)


def test_a_child_is_listed_once_and_the_next_week_goes_to_the_next() -> None:
    scores = np.array([4.0, 3, 2, 1] * 2)
    listed = weekly_list(two_weeks(), scores)
    assert listed.family.tolist() == [0, 1]
    assert listed.came.tolist() == [True, True]
    assert listed.warning.tolist() == [30, 3]


def test_figures_are_those_counted_by_hand() -> None:
    listed = weekly_list(two_weeks(), np.array([4.0, 1, 3, 2] * 2))
    told = {name: figure["value"] for name, figure in figures(listed, 50, 1).items()}
    assert told == {
        "precision": 0.5,
        "recall": 0.5,
        "children_found": 1.0,
        "days_of_warning": 30.0,
        "days_of_warning_quarter": 30.0,
        "days_of_warning_three_quarters": 30.0,
    }


def test_nobody_is_listed_without_a_reason() -> None:
    listed = weekly_list(two_weeks(4), some(np.array([0.0, 0, 0, 0, 0, 2, 0, 0])))
    assert listed.family.tolist() == [1]
    empty = figures(weekly_list(two_weeks(4), np.full(8, -np.inf)), 20, 1)
    assert empty["precision"]["value"] is None
    assert "nobody was listed" in in_words("rules alone", empty)


def test_equal_scores_are_drawn_by_lot_and_not_by_place() -> None:
    rows = Rows(tuple(f"p{i:04d}" for i in range(1000)), np.arange(1000), np.full(1000, START))
    never = Labels(np.zeros(1000, dtype=bool), np.full(1000, NEVER))
    weeks = Weeks(rows, never, np.arange(1000), 100)
    once, again = (weekly_list(weeks, np.zeros(1000)).family for _ in range(2))
    assert once.tolist() == again.tolist()
    assert 300 < once.mean() < 700


def test_a_family_of_many_makes_the_interval_wider() -> None:
    rng = np.random.default_rng(2)
    n = 400
    came = np.repeat(rng.random(n // 10) < 0.4, 10)
    rows = Rows(tuple(f"p{i:04d}" for i in range(n)), np.arange(n), np.full(n, START))
    labels = Labels(came, np.where(came, START + 20, NEVER))
    widths = []
    for family in (np.arange(n), np.arange(n) // 10):
        listed = weekly_list(Weeks(rows, labels, family, 200), rng.random(n))
        told = figures(listed, 200, 1)["precision"]
        widths.append(told["high"] - told["low"])
    assert widths[1] > 1.3 * widths[0]


def test_words_give_natural_frequencies_with_their_interval() -> None:
    one = {"value": 0.42, "low": 0.31, "high": 0.55}
    told = {
        "precision": one,
        "recall": {"value": 0.2, "low": 0.1, "high": 0.3},
        "children_found": {"value": 21.0, "low": 12.0, "high": 30.0},
        "days_of_warning": {"value": 44.0, "low": 30.0, "high": 60.0},
    }
    assert in_words("model", told) == (
        "model: of 10 flags like this, about 4 (3 to 6) were followed by the outcome; that is "
        "21 (12 to 30) children, 20 (10 to 30) in 100 who had it; half of them at least "
        "44 (30 to 60) days before."
    )
    rare = {**told, "precision": {"value": 0.08, "low": 0.05, "high": 0.12}}
    assert "of 100 flags like this, about 8 (5 to 12)" in in_words("model", rare)


def test_current_practice_is_the_newest_referral_that_was_known() -> None:
    rows = Rows(IDS, np.arange(4), np.full(4, START))
    occurred = np.array([START - 3, START - 20, START - 40, START - 2])
    known = np.array([START - 2, START - 19, START - 39, START])
    open_end = np.full(4, NEVER)
    scores = recency(rows, Contacts(np.arange(4), occurred, known, open_end, open_end))
    assert scores.tolist() == [-3, -20, -np.inf, -np.inf]


def test_the_regression_learns_from_signals_with_unknown_and_never() -> None:
    ready = prepared()
    scores = logistic_scorer(ready.train)(ready.test.values)
    assert np.isfinite(scores).all()
    assert auroc(scores, ready.test.labels.numbers) > 0.65
