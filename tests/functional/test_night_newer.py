"""Nights over a view of which only the people something came about are made anew."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from riskflag.cli import run
from riskflag.errors import ALREADY_PUBLISHED
from riskflag.history.schema import conform
from riskflag.history.store import parquet_store, viewing
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.stored_view import Shelves, view_of
from riskflag.history.store.viewing import stored_view
from riskflag.nightly.inputs import How
from riskflag.nightly.run import run_night
from tests import night_world as world
from tests.functional.test_night_parts import PEOPLE, SCHEMAS, one_person, published, put

DAY = world.dt.timedelta(days=1)
KINDS = ("ed.attendance", "missing.episode", "care.visit", "police.da_incident")


@pytest.fixture
def small_parts(monkeypatch):
    """Several parts even for a small history, and room for many people in the newer one."""
    monkeypatch.setattr(viewing, "BYTES_A_CONTACT", 1_000_000)
    monkeypatch.setattr(viewing, "MOST_RENEWED", 2.0)
    monkeypatch.setattr(parquet_store, "ROWS_AT_ONCE", 200)


class Deliveries:
    """What agencies send day after day: new, corrected, withdrawn and moved records, and links."""

    def __init__(self, seed: int) -> None:
        self.make, self.number = random.Random(seed), 0
        self.standing: list[dict] = []
        self.links: list[dict] = []

    def child(self) -> str:
        return f"C-{self.make.randrange(PEOPLE + 10):02d}"

    def day(self, known_on) -> dict[str, list[dict]]:
        """One day's rows, by table; some days bring nothing about anybody."""
        told: dict[str, list[dict]] = {name: [] for name in SCHEMAS}
        for _ in range(self.make.randrange(4)):
            self.number += 1
            days = self.make.randint(1, 200)
            row = world.contact(self.child(), self.make.choice(KINDS), days, n=1000 + self.number)
            told["contact"].append(row | {"known_on": known_on})
        for row in self.make.sample(self.standing, min(2, len(self.standing))):
            change = self.make.choice(
                [
                    {"op": "retract"},
                    {"occurred_on": row["occurred_on"] - DAY},
                    {"person_id": self.child()},
                ]
            )
            again = row | {"version": row["version"] + 1, "known_on": known_on} | change
            told["contact"].append(again)
            self.standing.remove(row)
            self.standing += [again] if again["op"] == "assert" else []
        self.standing += [row for row in told["contact"] if row["version"] == 1]
        self._people(told, known_on)
        told["coverage"] = world.feed("ed", ["ed.attendance"], known_on, known_on)
        return told

    def _people(self, told: dict[str, list[dict]], known_on) -> None:
        if self.make.random() < 0.4:
            link = world.sibling(self.child(), self.child(), known_on)
            if link["person_id"] != link["related_id"] and link["relationship_key"] not in {
                one["relationship_key"] for one in self.links
            }:
                self.links.append(link)
                told["relationship"].append(link)
        if self.links and self.make.random() < 0.3:
            link = self.links.pop()
            told["relationship"].append(
                link | {"version": 9, "op": "retract", "known_on": known_on}
            )
        if self.make.random() < 0.2:
            pair = one_person(f"C-{self.number % 9:02d}", self.child())
            if pair["person_id"] != pair["other_id"]:
                told["match"].append(pair | {"known_on": known_on})
        if self.make.random() < 0.3:
            self.number += 1
            born = world.dt.date(2008, 3, 9) + self.make.randrange(6) * DAY
            told["person"].append(
                world.person(self.child(), born, known_on=known_on, version=1)
                | {"person_key": f"more-{self.number}", "row_hash": f"{self.number}"}
            )


def deliver(place, number: int, told: dict[str, list[dict]]) -> None:
    tables = {
        name: conform(pa.Table.from_pylist(rows, SCHEMAS[name]), SCHEMAS[name])
        for name, rows in told.items()
        if rows
    }
    HistoryStore(place.history).append_batch(f"d{number:03d}", "2026-03-09", tables)


def compared_nights(root, seed: int, nights: int) -> list[str]:
    """Publish night after night from memory and from files; how the view came about each night."""
    whole, in_parts = (world.workspace(root / name, capacity=3) for name in ("a", "b"))
    for place in (whole, in_parts):
        put(place, seed=seed)
    ways, deliveries, day = [], Deliveries(seed), world.AS_OF
    for number in range(nights):
        run_night(whole, day)
        run_night(in_parts, day, how=How(memory=0.1))
        assert published(in_parts) == published(whole), f"night {number} of seed {seed}"
        view = in_parts.work / "view"
        ways.append("newer" if list(view.glob("newer-*")) else "whole")
        told = deliveries.day(day)
        for place in (whole, in_parts):
            deliver(place, number, told)
        day += deliveries.make.choice([1, 1, 2, 9]) * DAY
    return ways


def test_nights_over_renewed_people_publish_what_whole_nights_publish(tmp_path, small_parts):
    """To the last byte, on each of several nights with all kinds of deliveries between."""
    ways = compared_nights(tmp_path, 1, 3)
    assert ways == ["whole", "newer", "newer"]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 22))
def test_many_nights_over_renewed_people_publish_what_whole_nights_publish(
    tmp_path, small_parts, seed
):
    """Twenty boroughs, twelve nights each."""
    assert compared_nights(tmp_path, seed, 12).count("newer") >= 10


def test_only_people_that_a_delivery_can_touch_are_made_anew(tmp_path, small_parts):
    """A child, its brothers and sisters, and whoever lost a record; not the others."""
    place = world.workspace(tmp_path / "w", with_bundle=False)
    put(place)
    store = HistoryStore(place.history)
    first = stored_view(store, place.work / "view", memory=10**8)
    deliver(place, 1, {"contact": [world.contact("C-07", "ed.attendance", 1, n=5000)]})
    newer = stored_view(store, place.work / "view", memory=10**8)
    assert newer.folder == first.folder
    assert newer.renewed.to_pylist() == ["C-07", "C-08"]
    day = 20_500
    assert newer.visible(day) == view_of(store.load()).visible(day)


def test_without_the_people_whom_a_record_reaches_the_nights_would_differ(
    tmp_path, small_parts, monkeypatch
):
    """Negative control: when only those a row names are made anew, the comparison finds it."""
    monkeypatch.setattr(viewing, "everyone_ever", lambda matches, people: sorted(people))
    real = viewing.touched

    def too_few(store, view, files):
        named = real(store, view, files)
        return named[: len(named) // 2]

    monkeypatch.setattr(viewing, "touched", too_few)
    with pytest.raises(AssertionError, match="night"):
        compared_nights(tmp_path, 1, 2)


def test_a_view_that_too_many_are_touched_of_is_made_whole(tmp_path, monkeypatch):
    """Then one pass over everything costs less than looking for most of it."""
    monkeypatch.setattr(viewing, "BYTES_A_CONTACT", 1_000_000)
    monkeypatch.setattr(viewing, "MOST_RENEWED", 0.01)
    place = world.workspace(tmp_path / "w", with_bundle=False)
    put(place)
    store, folder = HistoryStore(place.history), place.work / "view"
    stored_view(store, folder, memory=10**8)
    deliver(place, 1, {"contact": [world.contact("C-07", "ed.attendance", 1, n=5000)]})
    again = stored_view(store, folder, memory=10**8)
    assert again == Shelves(folder)
    assert again.visible(20_500) == view_of(store.load()).visible(20_500)


def test_a_large_night_says_in_how_many_parts_and_of_how_many_people(tmp_path, small_parts, capsys):
    """By itself it makes anew what it must; --full makes everything anew, to the same bytes."""
    place = world.workspace(tmp_path / "w", with_bundle=False)
    put(place)

    def night(day: str, *more: str) -> tuple[int, str]:
        small = ["score", "--workspace", str(place.root), "--memory", "0.1", "--no-pages"]
        code = run([*small, "--as-of", day, *more])
        return code, capsys.readouterr().out

    assert "parts; the view of the history was made of all." in night("2026-03-10")[1]
    deliver(place, 1, {"contact": [world.contact("C-07", "ed.attendance", 1, n=5000)]})
    assert "what is known of 2 people was made anew" in night("2026-03-11")[1]
    before = published(place)
    assert night("2026-03-11", "--full")[0] == ALREADY_PUBLISHED
    assert not list((place.work / "view").glob("newer-*"))
    assert published(place) == before


def test_a_making_that_is_stopped_leaves_nothing_and_what_a_kill_left_is_tidied(
    tmp_path, small_parts
):
    """Stopped at its first, a middle or its last step; the view that was there stays as it was."""
    place = world.workspace(tmp_path / "w", with_bundle=False)
    put(place)
    store, folder = HistoryStore(place.history), place.work / "view"

    def stop_at(label: str, number: int):
        def progress(what: str, done: int, total: int) -> None:
            if (what, done) == (label, number):
                raise KeyboardInterrupt

        return progress

    for label, number in (("Reading the history", 0), ("Making the view", 2)):
        with pytest.raises(KeyboardInterrupt):
            stored_view(store, folder, memory=10**8, progress=stop_at(label, number))
        assert list(place.work.iterdir()) == []
    before = stored_view(store, folder, memory=10**8).visible(20_500)
    deliver(place, 1, {"contact": [world.contact("C-07", "ed.attendance", 1, n=5000)]})
    with pytest.raises(KeyboardInterrupt):
        stored_view(store, folder, memory=10**8, progress=stop_at("Reading the history", 1))
    assert Shelves(folder).visible(20_500) == before
    assert not list(folder.glob(".newer-*"))
    (folder / ".newer-0000").mkdir()
    (place.work / ".view" / "scratch").mkdir(parents=True)
    after = stored_view(store, folder, memory=10**8, anew=True)
    assert after.visible(20_500) == view_of(store.load()).visible(20_500)
    assert [path.name for path in place.work.iterdir()] == ["view"]
