"""All records of flagged children: versions as they were known, read for one child alone."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.errors import IntegrityError
from riskflag.nightly import chronologies, folder
from tests import night_world as world

AS_OF = world.AS_OF


def contact(person: str, kind: str, days: int, **more) -> dict:
    return world.contact(person, kind, days, **more)


def corrected() -> list[dict]:
    """An attendance that was corrected once before the night and once on its day."""
    return [
        contact("C-1", "ed.attendance", 40, known=38, category="illness"),
        contact("C-1", "ed.attendance", 40, known=20, version=2, category="injury"),
        contact("C-1", "ed.attendance", 40, known=0, version=3, category="assault"),
    ]


def table(rows: list[dict], relationships=()):
    history = world.history(rows, persons=world.some_people(), relationships=relationships)
    return chronologies.table(history, AS_OF)


def records(rows: list[dict], person: str = "C-1", relationships=()) -> list[dict]:
    found = [r for r in table(rows, relationships).to_pylist() if r["person_id"] == person]
    return chronologies.records_of(found, AS_OF, {"contacts": []})


def test_a_record_tells_what_it_said_before_and_since_when():
    """Each wording with the day it became known and the day it stopped holding."""
    (one,) = records(corrected())
    told = [(v["attributes"]["category"], v["known_on"], v["until"]) for v in one["versions"]]
    day = lambda ago: (AS_OF - dt.timedelta(days=ago)).isoformat()  # noqa: E731
    assert told == [("illness", day(38), day(20)), ("injury", day(20), None)]
    assert one["attributes"]["category"] == "injury"
    assert not one["withdrawn"]


def test_what_became_known_on_the_day_or_later_leaves_no_trace():
    """Law 2: neither a new wording nor the end of an old one."""
    assert table(corrected()).equals(table(corrected()[:2]))
    assert table(corrected()).num_rows == 2


def test_a_withdrawn_record_is_told_as_it_stood_last_with_the_day_it_went():
    """What an agency took back was once read; that it went is part of the chronology."""
    rows = [
        contact("C-1", "missing.episode", 30, known=28),
        contact("C-1", "missing.episode", 30, known=10, version=2, op="retract"),
    ]
    (one,) = records(rows)
    assert one["withdrawn"]
    assert one["withdrawn_on"] == (AS_OF - dt.timedelta(days=10)).isoformat()


def test_another_persons_record_is_told_by_its_link_and_without_that_person():
    """Need to know: the relation, never who it is."""
    rows = [contact("ADULT", "adult.substance_treatment", 15)]
    (one,) = records(rows, "C-HOME", [world.mother("C-HOME", "ADULT")])
    assert one["link"] == "mother"
    assert "ADULT" not in str(one)


def many(people: int, each: int) -> list[dict]:
    return [
        contact(f"P{number:05d}", "ed.attendance", days + 1)
        for number in range(people)
        for days in range(each)
    ]


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A publication with several groups of people."""
    monkeypatch.setattr(chronologies, "GROUP", 10)
    data = chronologies.table_bytes(table(many(25, 4)))
    (tmp_path / chronologies.RECORDS).write_bytes(data)
    told = {"files": {chronologies.RECORDS: {"sha256": folder.sha256(data)}}}
    manifest = folder.pretty_bytes(told)
    (tmp_path / folder.MANIFEST).write_bytes(manifest)
    return tmp_path, folder.sha256(manifest)


def test_every_person_is_found_and_nobody_else(published):
    """Whole people to a group: each has their own rows, a stranger has none."""
    where, manifest_hash = published
    found = chronologies.opened(where, manifest_hash)
    assert len(found.last) > 5
    for number in range(25):
        rows = found.rows(f"P{number:05d}")
        assert len(rows) == 4
        assert {row["person_id"] for row in rows} == {f"P{number:05d}"}
    assert found.rows("P99999") == found.rows("A") == found.rows("P00003x") == []


def test_a_file_that_was_changed_is_not_read(published):
    """One changed byte anywhere is told, also after the file was opened before."""
    where, manifest_hash = published
    chronologies.opened(where, manifest_hash)
    path = where / chronologies.RECORDS
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data) + b" ")
    with pytest.raises(IntegrityError):
        chronologies.opened(where, manifest_hash)
    path.unlink()
    with pytest.raises(IntegrityError):
        chronologies.opened(where, manifest_hash)


def test_a_night_without_anybody_flagged_writes_an_empty_file():
    """No rows, and still a file that can be opened."""
    data = chronologies.table_bytes(table([])[:0])
    assert data[:4] == b"PAR1"
