"""Alert health and the overview: recounted, nothing of one worker, small numbers never told."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random

import pyarrow as pa
import pytest

from riskflag.casework import groups, health, overview
from riskflag.casework.publishing import ReasonRow
from riskflag.casework.small_numbers import FEWEST, hidden, wilson
from riskflag.history.schema import PERSON, conform
from riskflag.history.store.parquet_store import HistoryStore
from tests import casework_world as world
from tests import night_world

SINCE, UNTIL = world.DAY, world.DAY
REASONS = ("rule:repeat_ed", "rule:bullying", "model:health")


def reasons(*names):
    return tuple(ReasonRow(name, name.split(":")[0], None, ()) for name in names)


@pytest.fixture
def store(tmp_path):
    """Forty flags: 30 of repeat_ed, 12 of bullying, 5 of health; the first 24 reviewed."""
    opened = world.opened(tmp_path / "w", 0)
    flags = [
        world.flag(
            place,
            reasons=reasons(
                *(["rule:repeat_ed"] if place <= 30 else []),
                *(["rule:bullying"] if place > 28 else []),
                *(["model:health"] if place <= 5 else []),
            ),
        )
        for place in range(1, 41)
    ]
    world.publish(opened, "two", flags, world.DAY)
    for place in range(1, 25):
        worth = "no" if place % 4 == 0 else "new_to_me"
        world.decide(opened, "refer", flag_id=world.number(place), worth_bringing=worth)
    yield opened
    opened.close()


def test_the_counts_of_a_rule_are_those_of_its_flags(store):
    """Flags, reviewed and the share worth bringing, recounted by hand."""
    found = health.alert_health(store, SINCE, UNTIL)
    lines = {line.name: line for line in found.rules}
    assert (found.all.flags, found.all.reviewed) == (40, 24)
    assert (lines["repeat_ed"].flags, lines["repeat_ed"].reviewed) == (30, 24)
    assert lines["repeat_ed"].worth.share == 18 / 24
    assert (lines["bullying"].flags, lines["bullying"].reviewed) == (12, 0)
    assert lines["bullying"].worth is None


def test_fewer_than_ten_are_never_told(store):
    """Five flags of a theme are told as too few, and so is all else about them."""
    (theme,) = health.alert_health(store, SINCE, UNTIL).themes
    assert dataclasses.astuple(theme) == ("health", None, None, None, None, None)


def test_an_agency_counts_with_the_flags_that_its_records_stand_behind(store):
    """Twenty flags of two agencies, twelve of one: each counts in the rows of its own agencies."""
    flags = [
        dataclasses.replace(
            world.flag(200 + place, person_id=f"D-{place}"),
            agencies=("ed", "police") if place <= 20 else ("school",),
        )
        for place in range(32)
    ]
    world.publish(store, "three", flags, world.DAY + dt.timedelta(days=1))
    lines = health.alert_health(store, SINCE, UNTIL).agencies
    assert {line.name: line.flags for line in lines} == {"ed": 21, "police": 21, "school": 11}


def test_another_period_has_other_flags(store):
    """Only flags first raised in the period count."""
    found = health.alert_health(store, dt.date(2020, 1, 1), dt.date(2020, 12, 31))
    assert (found.all.flags, found.rules) == (0, ())


def test_the_last_word_of_a_flag_counts_once(store):
    """An amendment replaces what was said of the flag; it does not count twice."""
    from riskflag.casework.reviews import reviews_of

    first = reviews_of(store, world.F1)[0].review_id
    world.decide(store, "refer", amends=first, worth_bringing="no")
    (line,) = [
        one for one in health.alert_health(store, SINCE, UNTIL).rules if one.name == "repeat_ed"
    ]
    assert (line.reviewed, line.worth.share) == (24, 17 / 24)


def test_a_flag_again_for_the_same_child_is_a_repeat(store):
    """New and repeat flags are told apart: ten come back, and the ten are a second flag each."""
    later = world.DAY + dt.timedelta(days=30)
    again = [
        world.flag(100 + place, person_id=f"C-{place}", first_raised=later, last_matched=later)
        for place in range(1, 11)
    ]
    world.publish(store, "three", again, later)
    found = health.alert_health(store, SINCE, later)
    assert (found.all.flags, found.all.first, found.all.again) == (50, 40, 10)


def test_groups_add_up_and_hide_in_twos(store):
    """One small group hides a second with it, so that the total gives neither away."""
    known = {
        f"C-{place}": {"age": "under 1" if place <= 4 else "1 to 4" if place <= 16 else "5 to 9"}
        for place in range(1, 41)
    }
    lines = health.alert_health(store, SINCE, UNTIL, known).groups["age"]
    assert {line.name: line.flags for line in lines} == {
        "under 1": None, "1 to 4": None, "5 to 9": 24,
    }  # fmt: skip


def test_no_hidden_count_can_be_found_by_subtraction():
    """In 2,000 drawn tables whatever is hidden is at least two counts that come to ten or more."""
    draw = random.Random(3)
    seen = 0
    for _ in range(2_000):
        counts = [draw.choice([0, 1, 4, 9, 10, 11, 30, 200]) for _ in range(draw.randint(1, 7))]
        places = hidden(counts, parts_of_a_whole=True)
        assert all(not 0 < count < FEWEST or place in places for place, count in enumerate(counts))
        if places and sum(count > 0 for count in counts) > 1 and sum(counts) >= FEWEST:
            seen += 1
            assert len(places) >= 2
            assert sum(counts[place] for place in places) >= FEWEST
    assert seen > 500


def test_without_the_second_hiding_subtraction_would_tell():
    """Negative control: hiding small counts alone leaves one hidden cell, which the total tells."""
    assert hidden([4, 12, 24], parts_of_a_whole=False) == {0}
    assert hidden([4, 12, 24], parts_of_a_whole=True) == {0, 1}


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (7, 20, 0.1812, 0.5671),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_interval_is_wilsons(count, of, low, high):
    """Against figures worked out elsewhere: Newcombe 1998 has 81 of 263 as 0.2553 to 0.3662."""
    found = wilson(count, of)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


BIRTHS = {
    dt.date(2026, 3, 11): "not yet born",
    dt.date(2026, 3, 10): "under 1",
    dt.date(2025, 3, 11): "under 1",
    dt.date(2025, 3, 10): "1 to 4",
    dt.date(2016, 3, 11): "5 to 9",
    dt.date(2010, 3, 10): "16 and 17",
    None: "not recorded",
}


@pytest.mark.parametrize("born", BIRTHS)
def test_a_band_begins_on_the_birthday(born):
    """The day before a birthday is still the earlier band."""
    assert groups.age_band(born, dt.date(2026, 3, 10)) == BIRTHS[born]


def test_groups_come_from_what_the_history_knew_by_then(tmp_path):
    """Codes by main group; what was not recorded, or was known only later, is said as such."""
    rows = [
        night_world.person("C-1", sex="F", ethnicity="CHNE"),
        night_world.person("C-2", sex=None, ethnicity="REFU"),
        night_world.person("C-3", known_on=dt.date(2026, 5, 1), sex="M", ethnicity="WBRI"),
    ]
    table = conform(pa.Table.from_pylist(rows), PERSON)
    HistoryStore(tmp_path / "history").append_batch("b1", "2026-01-01", {"person": table})
    asked = dict.fromkeys(("C-1", "C-2", "C-3", "C-4"), world.DAY)
    found = groups.groups_of(tmp_path / "history", asked)
    assert found["C-1"] == {"age": "5 to 9", "sex": "F", "ethnicity": "Asian"}
    assert found["C-2"] == {"age": "5 to 9", "sex": "not recorded", "ethnicity": "not recorded"}
    assert not {"C-3", "C-4"} & set(found)
    assert groups.main_group("Welsh") == "Welsh"


def test_the_overview_tells_of_the_work_and_of_no_worker(store):
    """Waiting, unread and overdue are recounted; no reviewer's name is anywhere in it."""
    told = overview.overview(store, world.DAY, share=0.0)
    soon = next(line for line in told.waiting if line.level == "soon")
    assert (soon.flags, soon.unread, soon.overdue, soon.oldest_days) == (16, 16, 0, 0)
    assert {one.name: one.reviews for one in told.decisions}["refer"] == 24
    assert sum(count for _, count in soon.by_age) == 16
    assert world.WORKER.name not in repr(told)


def test_the_overview_ages_what_waits_and_tells_why_nothing_further(store):
    """Ten days later the unread flags are overdue; reasons for nothing further are told."""
    later = world.DAY + dt.timedelta(days=10)
    rest = [
        world.flag(place, status="continuing", last_matched=later, payload_hash="later")
        for place in range(25, 41)
    ]
    world.publish(store, "three", rest, later)
    world.decide(store, "nothing_further", flag_id=world.number(40), why="All is well.")
    told = overview.overview(store, world.DAY, share=0.0)
    soon = next(line for line in told.waiting if line.level == "soon")
    assert (soon.flags, soon.overdue, dict(soon.by_age)["1 to 4 weeks"]) == (15, 15, 15)
    why = overview.whys(store, told.nothing_further)
    assert [(one.flag_id, one.why) for one in why] == [(world.number(40), "All is well.")]
    assert "All is well." not in repr(told)  # which is kept in memory
    assert [one.reviews for one in told.decisions].count(24) == 1


def test_why_nothing_further_is_not_told_while_a_second_look_waits(store):
    """A manager who may take the second look does not read the first decision in the overview."""
    world.decide(store, "nothing_further", flag_id=world.number(40), why="All is well.")
    assert overview.overview(store, world.DAY, share=1.0).nothing_further == ()
    assert len(overview.overview(store, world.DAY, share=0.0).nothing_further) == 1
