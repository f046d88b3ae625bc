"""The leak check finds what is planted, leaves alone what is clean, and says what it found."""

from __future__ import annotations

import numpy as np
import pytest

from riskflag.clock import NEVER
from riskflag.training.checks.leaks import (
    MOST_ROWS,
    Alone,
    as_it_happened,
    each_alone,
    late_share,
    leak_check,
    some_rows,
)
from riskflag.training.data.rows import Rows
from tests.factories import history_of
from tests.made_up_training import learnt, prepared


def judged(planted: float | None, seed: int) -> list[Alone]:
    """Twenty honest signals of one lasting frailty and, if asked, one that knows the outcome."""
    rng = np.random.default_rng(seed)
    n = 1500
    frailty = rng.normal(size=n)
    labels = (rng.random(n) < 1 / (1 + np.exp(1.5 - 1.5 * frailty))).astype(float)
    honest = frailty[:, None] + rng.normal(size=(n, 20)) * rng.uniform(0.3, 3, 20)
    before = honest + rng.normal(size=(n, 20)) * 0.3
    if planted is not None:
        honest = np.column_stack([honest, labels + rng.normal(size=n) * planted])
        before = np.column_stack([before, rng.normal(size=n)])
    names = [f"honest_{i}" for i in range(20)] + ["planted"] * (planted is not None)
    versions = {"stood": honest, "occurred": honest, "-28": before}
    return each_alone(names, ["none"] * len(names), versions, labels)


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5, 0.6, 0.75])
def test_a_planted_signal_that_knows_the_outcome_is_found(noise: float) -> None:
    for seed in range(10):
        found = {one.signal: one for one in judged(noise, seed)}
        assert found["planted"].auroc >= 0.80
        assert found["planted"].suspect


def test_honest_signals_raise_no_alarm() -> None:
    alarms = [one for seed in range(20) for one in judged(None, seed) if one.suspect]
    assert alarms == []


def test_a_strong_signal_that_was_strong_before_is_not_suspect_and_one_that_was_not_is() -> None:
    assert Alone("a", 0.85, 0.80, 0.85).suspect is None
    assert "recorded because of the outcome" in str(Alone("a", 0.85, 0.6, 0.85).suspect)
    assert "almost by itself" in str(Alone("a", 0.97, 0.97, 0.97).suspect)


def test_forgetting_that_records_come_late_keeps_the_latest_version_from_its_day() -> None:
    rows = [
        {"person_id": "a", "type": "ed.attendance", "occurred_on": "2024-01-01",
         "known_on": "2024-03-01", "contact_key": "x"},
        {"person_id": "a", "type": "ed.attendance", "occurred_on": "2024-01-05",
         "known_on": "2024-04-01", "contact_key": "x", "version": 2},
    ]  # fmt: skip
    history = history_of(rows)
    seen = as_it_happened(history)
    naive = seen.contacts
    assert naive.num_rows == 1
    assert naive["known_day"].to_pylist() == naive["occurred_day"].to_pylist()
    assert naive["superseded_day"].to_pylist() == [NEVER]
    row = Rows(("a",), np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))
    assert late_share(history, row) == 1.0
    assert late_share(seen, row) == 0.0


def test_both_outcomes_are_among_the_rows_asked_about() -> None:
    happened = np.zeros(50_000, dtype=bool)
    happened[::2] = True
    rows = some_rows(happened, seed=1)
    assert len(rows) == MOST_ROWS
    assert happened[rows].sum() == MOST_ROWS // 2
    assert (np.diff(rows) > 0).all()


def test_the_check_says_what_late_records_and_later_ones_would_have_been_worth() -> None:
    """Attendances become known two months late, so taking their own day for it flatters."""
    ready = prepared()
    rows, came = ready.test.rows, ready.test.labels.happened
    rng = np.random.default_rng(8)
    visits = [
        {
            "person_id": rows.ids[person],
            "type": "ed.attendance",
            "occurred_on": str(np.datetime64(int(day - 5 - back), "D")),
            "known_on": str(np.datetime64(int(day + 40), "D")),
        }
        for person, day, bad in zip(rows.person, rows.as_of, came, strict=True)
        for back in range(rng.poisson(2.0 if bad else 0.3))
    ]
    people = [{"person_id": one, "birth_on": "2015-06-01"} for one in rows.ids]
    told = leak_check(history_of(visits, people), ready, learnt().model)
    assert told["gain_by_day_it_happened"] > 0.01
    assert told["known_later_than_happened"] == 1.0
    assert told["auroc_later"]["56"] > told["auroc_earlier"]
    assert any("Wrongly using the day they happened" in line for line in told["sentences"])
    assert not any(one in str(told) for one in rows.ids[:50])
