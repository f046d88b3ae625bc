"""A night in parts: however the people are divided, the same publication to the last byte."""

from __future__ import annotations

import dataclasses
import hashlib
import random

import pyarrow as pa
import pytest

from riskflag.casework.publishing import State
from riskflag.history.schema import CONTACT, COVERAGE, MATCH, PERSON, RELATIONSHIP, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.stored_view import StoredView, split, view_of
from riskflag.history.store.viewing import parts_for, stored_view
from riskflag.nightly import near, shares
from riskflag.nightly.build import Built, build
from riskflag.nightly.flag_lines import FlagsById
from riskflag.nightly.inputs import How, load
from riskflag.nightly.manifest import counts, rule_counts, unknown_values
from riskflag.nightly.run import run_night
from riskflag.nightly.verify import verify
from tests import night_world as world

DAY = world.dt.timedelta(days=1)
SMALL = 0.1
NOTHING = State(None, (), (), 0, 0)
PEOPLE = 60


def none_before() -> FlagsById:
    """There was no night before."""
    return FlagsById({})


FEEDS = {
    "ed": ["ed.attendance"],
    "missing": ["missing.episode"],
    "care": ["care.visit"],
    "police": ["police.da_incident"],
}


def rows(seed: int = 1) -> dict[str, list[dict]]:
    """Sixty children with brothers, sisters and mothers, of all of whom something is recorded."""
    make = random.Random(seed)
    children = [f"C-{number:02d}" for number in range(PEOPLE)]
    kinds = ("ed.attendance", "ed.attendance", "missing.episode", "care.visit")
    contacts, links = [], []
    for number, child in enumerate(children):
        for n in range(make.randint(0, 6)):
            kind = make.choice(kinds)
            contacts.append(world.contact(child, kind, make.randint(1, 300), n=n))
        mother = f"M-{number // 3:02d}"
        links.append(world.mother(child, mother))
        if number % 3:
            links.append(world.sibling(child, children[number - 1]))
    for number in range(PEOPLE // 3):
        for n in range(make.randint(0, 3)):
            days = make.randint(1, 300)
            contacts.append(world.contact(f"M-{number:02d}", "police.da_incident", days, n=n))
    corrected = [row | {"version": 2, "known_on": world.AS_OF - DAY} for row in contacts[::7]]
    moved = [
        row | {"version": 3, "known_on": world.AS_OF - DAY, "person_id": make.choice(children)}
        for row in corrected[::3]
    ]
    return {
        "contact": [*contacts, *corrected, *moved],
        "person": [world.person(child) for child in children],
        "relationship": links,
        "match": [one_person("C-03", "C-41"), one_person("M-01", "M-15")],
        "coverage": [
            row
            for source, types in FEEDS.items()
            for row in world.feed(source, types, world.AS_OF - DAY, world.AS_OF - DAY)
        ],
    }


def one_person(stays: str, other: str) -> dict:
    return {
        "match_key": f"{stays}-{other}",
        "person_id": stays,
        "other_id": other,
        "version": 1,
        "op": "assert",
        "known_on": world.AS_OF - 40 * DAY,
        "decision": "auto_linked",
    }


SCHEMAS = {
    "contact": CONTACT,
    "person": PERSON,
    "relationship": RELATIONSHIP,
    "match": MATCH,
    "coverage": COVERAGE,
}


def put(place, *, seed: int = 1, shuffle: int | None = None, batches: int = 3) -> None:
    """The rows in the workspace's own history, in several batches and any order."""
    store, told = HistoryStore(place.history), rows(seed)
    if shuffle is not None:
        for listed in told.values():
            random.Random(shuffle).shuffle(listed)
    for number in range(batches):
        tables = {
            name: conform(
                pa.Table.from_pylist(listed[number::batches], SCHEMAS[name]), SCHEMAS[name]
            )
            for name, listed in told.items()
        }
        store.append_batch(f"b{number}", world.AS_OF.isoformat(), tables)


def published(place) -> dict[str, str]:
    """Every file of the current publication and its hash."""
    name = (place.publications / "CURRENT").read_text().strip()
    folder = place.publications / name
    return {
        path.relative_to(place.publications).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The workspace of a night over a history in memory."""
    place = world.workspace(tmp_path_factory.mktemp("whole") / "w", capacity=1)
    put(place)
    run_night(place, world.AS_OF)
    return place


def test_a_view_in_files_holds_what_the_history_in_memory_holds(whole, tmp_path, monkeypatch):
    """Rows, links across parts, joined ids and moved records; every day sees the same."""
    monkeypatch.setattr("riskflag.history.store.viewing.BYTES_A_CONTACT", 1_000_000)
    store = HistoryStore(whole.history)
    view = stored_view(store, tmp_path / "view", memory=10**8)
    memory = view_of(store.load())
    assert len(view) >= 8
    for days in (0, 30, 41, 200, 500):
        number = world.AS_OF.toordinal() - world.dt.date(1970, 1, 1).toordinal() - days
        assert view.visible(number) == memory.visible(number)
    found = {
        name for number in range(len(view)) for name in view.part(number).children(world.AS_OF)
    }
    assert found == set(memory.part(0).children(world.AS_OF))
    linked = [view.part(number).contacts["link"].to_pylist() for number in range(len(view))]
    assert sum(link != "self" for links in linked for link in links) > 20


@pytest.mark.parametrize(("shuffle", "batches"), [(None, 3), (5, 1)])
def test_a_night_from_files_publishes_the_same_bytes(
    whole, tmp_path, monkeypatch, shuffle, batches
):
    """In several parts, from rows in any order and any batches."""
    place = world.workspace(tmp_path / "w", capacity=1)
    put(place, shuffle=shuffle, batches=batches)
    monkeypatch.setattr("riskflag.history.store.viewing.BYTES_A_CONTACT", 1_000_000)
    result = run_night(place, world.AS_OF, how=How(memory=SMALL))
    assert len(list((place.work / "view").glob("0*"))) >= 4
    assert published(place) == published(whole)
    assert result.manifest["counts"]["flags"] >= 10
    assert result.manifest["counts"]["by_origin"]["both"] > 0
    assert verify(place).faults == ()


def test_the_view_is_kept_until_something_is_loaded(tmp_path, monkeypatch):
    """The next night reads the same files; after a load only what was touched is made anew."""
    place = world.workspace(tmp_path / "w", with_bundle=False)
    put(place)
    monkeypatch.setattr("riskflag.history.store.viewing.BYTES_A_CONTACT", 1_000_000)

    def made(day) -> tuple[int, str | None]:
        view = load(place, day, how=How(memory=SMALL)).history
        return view.folder.stat().st_ino, view.newer

    first = made(world.AS_OF)
    assert made(world.AS_OF + DAY) == first
    more = [world.contact("C-07", "ed.attendance", 3, n=99)]
    store = HistoryStore(place.history)
    store.append_batch("b9", "2026-03-09", {"contact": pa.Table.from_pylist(more, CONTACT)})
    assert made(world.AS_OF)[1] is not None
    assert not list(place.work.glob(".*"))


def records(built: Built) -> dict[str, pa.Table]:
    """What a publication keeps of everybody who is shown."""
    people = sorted(entry.person_id for entry in built.lives.entries)
    return near.tables(built.assessment.near.select(people), world.AS_OF)


@pytest.mark.parametrize(("people", "threads"), [(1000, 4), (13, 1), (13, 4)])
def test_parts_of_any_size_on_any_threads_build_the_same(
    whole, tmp_path, monkeypatch, people, threads
):
    """Also where the model's line is met by more children than a week has room for.

    Reasons and flags of many children are made by copies of the process; here those of few are.
    """
    inputs = load(whole, world.AS_OF)
    lines = {"thresholds": {"raw": -9.0, "probability": 0.0, "share": 1.0}}
    bundle = dataclasses.replace(inputs.bundle, parts={**inputs.bundle.parts, **lines})
    inputs = dataclasses.replace(inputs, bundle=bundle)
    view = StoredView.write(tmp_path / "view", split(inputs.history, people))
    in_parts = dataclasses.replace(inputs, history=view, threads=threads)
    one = build(inputs, NOTHING, none_before)
    monkeypatch.setattr(shares, "MANY", 1)
    many = build(in_parts, NOTHING, none_before)
    assert many.lines == one.lines
    assert many.rows == one.rows
    assert [flag.short for flag in many.written] == [flag.short for flag in one.written]
    assert records(many) == records(one)
    for told in (counts, rule_counts):
        assert told(inputs, many) == told(inputs, one)
    assert unknown_values(many) == unknown_values(one)
    assert counts(inputs, one)["left_out_for_capacity"] > 10
    assert counts(inputs, one)["by_origin"]["model"] == 1


def test_more_memory_makes_fewer_parts():
    """A power of two, one when all fits."""
    found = [parts_for(10**7, gib * 2**30, 4) for gib in (1, 4, 16, 1024)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == 1
    assert all(parts & (parts - 1) == 0 for parts in found)
