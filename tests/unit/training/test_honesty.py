"""Honesty checks: what is planted is found, what is clean is left alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from riskflag.clock import NEVER
from riskflag.history.store.view import History
from riskflag.training.checks import (
    apart,
    base_rates,
    masking,
    net_benefit,
    own_flags,
    surveillance,
)
from riskflag.training.checks.hearing import Hearing
from riskflag.training.data.outcome import Labels
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.rows import Contacts, Rows
from riskflag.training.figures.checks import FAULT, FINE, LOOK, NOT_KNOWN, Check, recorded
from riskflag.training.figures.metrics import calibration_intercept, calibration_slope
from riskflag.training.judging import steadiness
from riskflag.training.judging.weekly import Listed, Weeks, gained, quartiles
from tests.factories import history_of
from tests.made_up_training import SMALL, learnt, prepared

MONTH = 30


def hearing(history: History | None = None, ready: Prepared | None = None) -> Hearing:
    line = learnt().thresholds["probability"]
    ready = ready or prepared()
    return Hearing(history or history_of(), ready, learnt().model, SMALL, 43.0, line)


def test_two_checks_of_one_name_and_an_unknown_verdict_are_refused() -> None:
    one = Check("a", "honesty", "Said.")
    assert [told["name"] for told in recorded([one])] == ["a"]
    with pytest.raises(ValueError, match="share a name"):
        recorded([one, one])
    with pytest.raises(ValueError, match="not a stable name"):
        Check("a name", "honesty", "Said.")
    with pytest.raises(ValueError, match="no such verdict"):
        Check("a", "honesty", "Said.", "splendid")


# --- base rates -------------------------------------------------------------------------------


def with_quiet_month(ready: Prepared, month: int | None) -> Prepared:
    """The same with the labels of one training month taken away."""
    if month is None:
        return ready
    train = ready.train
    happened = train.labels.happened & (train.rows.as_of != ready.split.train[month])
    labels = Labels(happened, np.where(happened, train.labels.day, NEVER))
    return dataclasses.replace(ready, train=dataclasses.replace(train, labels=labels))


@pytest.mark.parametrize("month", [1, 4, 6])
def test_a_month_without_labels_is_found_and_named(month: int) -> None:
    found, *_ = base_rates.checks(history_of(), with_quiet_month(prepared(), month), (), 28)
    assert found.verdict == FAULT
    assert [row["odd"] for row in found.table].count(True) == 1
    assert found.table[month]["odd"]
    assert "(0)" in found.sentence
    assert base_rates.date_of(prepared().split.train[month]).strftime("%B %Y") in found.sentence


def test_even_months_raise_no_alarm() -> None:
    found, drift = base_rates.checks(history_of(), prepared(), (), 28)
    assert found.verdict == FINE
    assert drift.verdict == FINE
    low, high = drift.figure["low"], drift.figure["high"]
    assert low is not None
    assert high is not None
    assert low < 1 < high


def outcomes(seed: int, quiet: int | None) -> Contacts:
    """Some thirty outcomes a month for two years, one month's not recorded."""
    rng = np.random.default_rng(seed)
    months = np.arange(np.datetime64("2022-01"), np.datetime64("2024-01")).astype("datetime64[D]")
    days = np.concatenate(
        [
            int(month.astype(np.int64)) + rng.integers(0, 28, rng.poisson(30))
            for place, month in enumerate(months)
            if place != quiet
        ]
    )
    never = np.full(len(days), NEVER)
    return Contacts(np.zeros(len(days), dtype=np.int64), days, days, never, never)


def test_a_month_whose_outcomes_were_not_recorded_is_found_among_outcomes_by_day() -> None:
    first, last = (
        int(np.datetime64(d, "D").astype(np.int64)) for d in ("2022-01-01", "2024-01-01")
    )
    for seed in range(10):
        quiet = base_rates.by_day_it_happened(outcomes(seed, 9), first, last)
        assert [quiet.odd(), len(quiet.day)] == [[9], 24]
        even = base_rates.by_day_it_happened(outcomes(seed, None), first, last)
        assert even.odd() == []


def test_another_level_in_the_test_months_is_told() -> None:
    ready = prepared()
    often = ready.test.labels.happened | (np.arange(len(ready.test.rows)) % 8 == 0)
    labels = Labels(often, np.where(often, ready.test.rows.as_of + 30, NEVER))
    moved = dataclasses.replace(ready, test=dataclasses.replace(ready.test, labels=labels))
    found = base_rates.drift(moved)
    assert found.verdict == LOOK
    assert "calibrate anew" in found.sentence


def test_small_numbers_of_outcomes_are_not_told_by_month() -> None:
    months = base_rates.Months(
        np.array([19_000, 19_031, 19_062]), np.array([3.0, 0, 12]), np.ones(3)
    )
    table = base_rates.finding("outcomes_by_month", months, "in").table
    assert [row["outcomes"] for row in table] == [None, 0, 12]


# --- outcomes of our own flags ----------------------------------------------------------------


def test_an_outcome_counts_as_ours_only_within_half_a_year_after_a_review() -> None:
    rows = Rows(("a", "b", "c", "d", "e"), np.arange(5), np.full(5, 20_000))
    happened = np.array([True, True, True, True, False])
    labels = Labels(happened, np.where(happened, 20_060, NEVER))
    reviews = [("a", 20_050), ("b", 20_061), ("c", 20_060 - 181), ("e", 20_010), ("z", 20_000)]
    assert own_flags.caused(rows, labels, reviews).tolist() == [True, False, False, False, False]


def test_without_reviews_that_is_said_and_with_many_the_figures_without_them_are_told() -> None:
    court = hearing()
    assert "No flag was reviewed yet" in own_flags.check(court, ()).sentence
    test = prepared().test
    ours = np.flatnonzero(test.labels.happened)[::2]
    reviews = [(test.rows.ids[test.rows.person[at]], int(test.labels.day[at]) - 5) for at in ours]
    found = own_flags.check(court, reviews)
    assert found.verdict == FAULT
    assert found.figure["value"] is not None
    assert found.figure["value"] >= 0.5
    assert [row["outcomes"] for row in found.table] == ["all", "without those after a review"]
    none = own_flags.check(court, [(test.rows.ids[0], 1)])
    assert none.verdict == FINE
    assert "no outcome of the training or the test months" in none.sentence


def test_a_model_that_learnt_from_what_its_own_flags_set_off_is_at_fault() -> None:
    """Though none of the test months' outcomes came of a review, most of those learnt from did."""
    train = prepared().train
    ours = np.flatnonzero(train.labels.happened)
    days = [int(train.labels.day[at]) for at in ours]
    reviews = [
        (train.rows.ids[train.rows.person[at]], day - 5) for at, day in zip(ours, days, strict=True)
    ]
    found = own_flags.check(hearing(), reviews)
    assert found.verdict == FAULT
    assert found.figure["value"] is not None
    assert found.figure["value"] < own_flags.SOME
    assert "Of the outcomes learnt from it is 100%." in found.sentence


# --- amount of contact ------------------------------------------------------------------------


class Counting:
    """A model whose score is the number of contacts and nothing else."""

    names = learnt().model.names

    def raw(self, values: np.ndarray, names: object) -> np.ndarray:
        assert len(values) == len(prepared().test.rows)
        return surveillance.amounts(prepared(), prepared().test.rows)[:, 2]


def test_a_score_that_only_counts_contacts_is_found_and_one_that_does_not_is_left_alone() -> None:
    honest = hearing()
    counting = dataclasses.replace(honest, model=Counting())  # type: ignore[arg-type]
    found, bands = surveillance.checks(counting)
    assert found.verdict == LOOK
    assert found.figure["value"] is not None
    assert found.figure["value"] > 0.9
    assert bands.verdict == LOOK
    found, bands = surveillance.checks(honest)
    assert found.figure["value"] is not None
    assert found.figure["value"] < 0.1
    assert [found.verdict, bands.verdict] == [FINE, FINE]
    assert bands.figure["low"] is not None
    assert bands.figure["low"] > 0.5


# --- hidden agencies, themes, feeds -----------------------------------------------------------


def test_the_agency_that_tells_most_is_the_one_missed_most() -> None:
    """Attendances make the outcome; without the emergency department the list is all but lost."""
    by_agency, by_theme, by_feed = masking.checks(hearing())
    assert by_agency.table[0]["agency"] == "ed"
    assert by_theme.table[0]["theme"] == "health"
    assert by_agency.figure["high"] is not None
    assert by_agency.figure["high"] < 0
    assert by_agency.verdict == LOOK
    assert {row["agency"]: row["list_kept"] for row in by_agency.table}["early_help"] > 0.5
    # A history without contacts has no feeds.
    assert by_feed.verdict == NOT_KNOWN


def test_a_feed_on_which_no_score_rests_is_told_and_changes_nothing() -> None:
    every = range(len(hearing().model.names))
    found = masking.without(hearing(), "feed_outage", {"all": tuple(every), "spare": ()})
    assert [row["feed"] for row in found.table] == ["all", "spare"]
    assert found.table[1]["auroc_change"] == masking.NOTHING
    assert found.table[1]["found_kept"] == 1
    assert found.sentence.endswith("Without the others (1), one at a time, no score changes.")


def test_a_feed_is_missed_only_where_no_other_sends_the_same() -> None:
    rows = [
        {"person_id": "a", "type": kind, "occurred_on": "2024-01-01", "source": feed}
        for kind, feed in (
            ("ed.attendance", "ecds"),
            ("ed.attendance", "walk_in"),
            ("early_help.support", "early_help"),
            ("missing.report", "walk_in"),
        )
    ]
    signals = prepared().inputs.signals
    found = masking.by_feed(history_of(rows), signals)
    names = {feed: {signals[i].name for i in places} for feed, places in found.items()}
    assert names == {
        "ecds": set(), "walk_in": {"missing_ever"}, "early_help": {"support_365d"},
    }  # fmt: skip


# --- figures by hand --------------------------------------------------------------------------


def test_net_benefit_is_that_counted_by_hand() -> None:
    """Of ten, three listed, two rightly, at one in five: (2 - 1 / 4) / 10."""
    chosen = np.array([1.0, 1, 1, 0, 0, 0, 0, 0, 0, 0])
    labels = np.array([1.0, 1, 0, 1, 0, 0, 0, 0, 0, 0])
    assert net_benefit.net_benefit(chosen, labels, 0.2, np.ones(10)) == pytest.approx(0.175)


def test_the_model_is_worth_more_than_everybody_nobody_and_a_list_by_lot() -> None:
    lot = np.random.default_rng(4).random(len(prepared().test.rows))
    found = net_benefit.check(hearing(), {"lot": lot})
    assert found.verdict == FINE
    ways = {row["way"]: row["net_benefit"] for row in found.table if "way" in row}
    assert set(ways) == {"model", "nobody", "everybody", "lot"}
    assert ways["model"] == max(ways.values())
    useless = net_benefit.check(hearing(), {"the same": hearing().raw})
    assert useless.verdict == LOOK


def test_the_level_of_probabilities_that_are_too_low_is_told_in_log_odds() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(-2, 1, 40_000)
    labels = (rng.random(40_000) < 1 / (1 + np.exp(-(x + 0.5)))).astype(float)
    p = 1 / (1 + np.exp(-x))
    assert calibration_intercept(p, labels) == pytest.approx(0.5, abs=0.05)
    assert calibration_slope(p, labels) == pytest.approx(1.0, abs=0.05)


def test_days_gained_are_days_ahead_of_the_other_list_or_the_whole_warning() -> None:
    came = np.array([True, True, False])
    some = np.arange(3)
    mine = Listed(some, came, np.array([40.0, 20, np.nan]), some, np.array([7, 8, 9]))
    theirs = Listed(some, came, np.array([50.0, 20, np.nan]), some, np.array([7, 5, 9]))
    family, days = gained(mine, theirs)
    assert days.tolist() == [-10, 20]
    told = quartiles(family, days, 20, 1)
    assert [told[name]["value"] for name in ("quarter", "median", "three_quarters")] == [
        -10,
        -10,
        20,
    ]


def test_rows_on_an_assumed_day_are_told_apart() -> None:
    ready = prepared()
    rows = ready.test.rows.take(np.arange(3))
    contacts = [
        {"person_id": rows.ids[person], "type": "ed.attendance", "known_basis": basis,
         "occurred_on": str(np.datetime64(int(rows.as_of[0]) - ago, "D"))}
        for person, ago, basis in (
            (0, 40, "assumed_lag"), (1, 40, "recorded"), (2, 500, "assumed_lag"),
        )
    ]  # fmt: skip
    found = apart.resting_on_assumed(history_of(contacts), ready, rows)
    assert found.tolist() == [True, False, False]
    assert "No test row" in apart.check(hearing()).sentence


# --- from week to week ------------------------------------------------------------------------


def weeks(count: int = 4, children: int = 200) -> Weeks:
    ids = tuple(f"P{n:04d}" for n in range(children))
    rows = Rows(ids, np.tile(np.arange(children), count), np.repeat(np.arange(count) * 7, children))
    labels = Labels(np.zeros(len(rows), dtype=bool), np.full(len(rows), NEVER))
    return Weeks(rows, labels, rows.person, 20)


def test_a_list_that_stays_is_steady_and_one_by_lot_is_not() -> None:
    ready = weeks()

    def same(rows: Rows) -> list[tuple[str, ...]]:
        return [("health", "police")] * len(rows)

    def changing(rows: Rows) -> list[tuple[str, ...]]:
        return [("health",) if day % 2 else ("police",) for day in rows.as_of // 7]

    steady = steadiness.checks(steadiness.kept(ready, ready.rows.person.astype(float), same))
    assert [one.figure["value"] for one in steady] == [1.0, 1.0]
    assert [one.verdict for one in steady] == [FINE, FINE]
    lot = np.random.default_rng(2).random(len(ready.rows))
    tossed = steadiness.checks(steadiness.kept(ready, lot, changing))
    assert [one.verdict for one in tossed] == [LOOK, LOOK]
    assert tossed[0].figure["value"] == pytest.approx(0.1, abs=0.1)
    assert tossed[1].figure["value"] == 0.0
