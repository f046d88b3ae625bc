"""What a feed's state is, night by night: fresh, stale, held or lost, and stuck exports told."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.history.loading.ingest import ingest
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace

START = dt.date(2026, 3, 2)
SOURCE = """name = "care"
title = "Placements"
agency = "social_care"

[files]
pattern = "care*.csv"

[delivery]
scope = "full"
fresh_days = 2
tolerance_days = 7
{more}

[[contact]]
type = "care.placement"
record_id = ["ref"]
subject = {{ column = "child" }}
occurred = {{ column = "from" }}
"""


class Feed:
    """One source whose extracts land on days counted from the first."""

    def __init__(self, folder, more=""):
        self.workspace = Workspace.create(folder / "w", "Test")
        (self.workspace.sources_dir / "care.toml").write_text(SOURCE.format(more=more))

    def lands(self, day, rows=60, made=None, text=None):
        landed = START + dt.timedelta(days=day)
        folder = self.workspace.landing / landed.isoformat()
        folder.mkdir(exist_ok=True)
        cut = START + dt.timedelta(days=day if made is None else made)
        lines = [f"r{number},c{number},2026-01-01,{cut}" for number in range(rows)]
        said = text or "\n".join(["ref,child,from,made", *lines]) + "\n"
        (folder / f"care-{day}.csv").write_text(said)
        return ingest(Workspace(self.workspace.root), landed=landed)

    def on(self, day):
        """The feed at the night of a day."""
        as_of = START + dt.timedelta(days=day)
        (feed,) = HistoryStore(self.workspace.history).load().feeds(as_of)
        return feed

    def states(self, days):
        return [self.on(day).state for day in days]


def test_a_feed_goes_from_fresh_to_stale_to_lost_when_nothing_comes(tmp_path):
    feed = Feed(tmp_path)
    feed.lands(0)
    assert feed.states((1, 2, 3, 7, 8)) == ["FRESH", "FRESH", "STALE", "STALE", "LOST"]


def test_a_refused_delivery_holds_the_feed_until_a_good_one_comes(tmp_path):
    feed = Feed(tmp_path)
    feed.lands(0)
    assert feed.lands(1, text="nothing\n1\n").files[-1].reason == "missing_column"
    assert feed.states((1, 2, 8)) == ["FRESH", "HELD", "LOST"]
    feed.lands(3)
    assert feed.on(4).state == "FRESH"


def test_an_export_that_sends_the_same_extract_again_and_again_goes_stale_and_says_so(tmp_path):
    """The known fault: every night a file came, and none of them was new."""
    feed = Feed(tmp_path)
    for day in range(12):
        report = feed.lands(day, made=0)
    assert feed.states((7, 8, 9, 12)) == ["FRESH", "FRESH", "STALE", "STALE"]
    assert "keeps coming" in feed.on(12).why
    assert any("stuck" in note for note in report.notes)
    assert not any("stuck" in note for note in feed.lands(12, rows=61, made=0).notes)
    assert (feed.on(13).state, feed.on(13).why) == ("FRESH", "")


@pytest.mark.parametrize(("more", "rows"), [("unchanged_days = 0", 60), ("", 20)])
def test_a_source_that_may_stay_the_same_is_not_suspected(tmp_path, more, rows):
    """Switched off, or so few rows that an unchanged list is ordinary."""
    feed = Feed(tmp_path, more)
    for day in range(12):
        feed.lands(day, rows=rows, made=0)
    assert feed.on(12).state == "FRESH"


def test_with_the_day_it_was_made_an_old_extract_is_refused_and_the_feed_ages(tmp_path):
    """A stuck export is lost in the end: what it tells of does not move on."""
    feed = Feed(tmp_path, 'generated = { column = "made" }')
    feed.lands(0)
    feed.lands(1)
    for day in range(2, 10):
        assert feed.lands(day, made=1, rows=60 + day % 2).files[-1].reason == "stale"
    assert feed.states((2, 3, 8, 9)) == ["FRESH", "HELD", "HELD", "LOST"]
    feed.lands(10)
    assert feed.on(11).state == "FRESH"


def test_an_extract_that_was_made_earlier_than_it_landed_is_complete_to_then(tmp_path):
    feed = Feed(tmp_path, 'generated = { column = "made" }')
    feed.lands(5, made=1)
    assert feed.on(6).complete_to == START + dt.timedelta(days=1)
    assert feed.on(6).state == "STALE"


def test_a_file_without_the_day_it_was_made_is_refused(tmp_path):
    feed = Feed(tmp_path, 'generated = { column = "made" }')
    report = feed.lands(0, text="ref,child,from,made\nr1,c1,2026-01-01,\n")
    assert report.files[0].reason == "no_cut_day"
