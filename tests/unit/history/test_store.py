"""The store: rows come back, damage is caught, a kill leaves the old history whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskflag.errors import IntegrityError, StorageError
from riskflag.history.hashing import bucket
from riskflag.history.schema import CONTACT, SCHEMAS, conform
from riskflag.history.store.ledger import LEDGER, live_files
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.view import History
from tests.factories import contact_rows, coverage_rows, person_rows, relationship_rows

PEOPLE = [f"p{number}" for number in range(40)]


def contacts(count, start=0):
    return contact_rows(
        {
            "person_id": PEOPLE[number % 40] if number % 7 else None,
            "type": "ed.attendance",
            "occurred_on": f"2024-01-{number % 28 + 1:02d}",
            "contact_key": f"k{number}",
            "record_id": str(number),
            "quantity": None,
        }
        for number in range(start, start + count)
    )


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_was_appended_is_what_is_loaded(tmp_path):
    store = HistoryStore(tmp_path / "history")
    persons, coverage = (
        person_rows([{"person_id": "p1", "birth_on": "2015-01-01"}]),
        coverage_rows([{"source": "s", "type": "ed.attendance", "complete_to": "2024-02-01"}]),
    )
    relations = relationship_rows([{"person_id": "p1", "related_id": "p2", "kind": "mother"}])
    first = {"contact": contacts(60), "person": persons, "relationship": relations}
    store.append_batch("b1", "2024-02-01", first)
    store.append_batch("b2", "2024-02-02", {"contact": contacts(60, 60), "coverage": coverage})
    everything = pa.concat_tables([contacts(60), contacts(60, 60)])
    expected = History.of(everything, persons, relations, coverage)
    assert store.load().digest() == expected.digest()
    assert store.load().unlinked == expected.unlinked > 0
    raw = conform(store.read("contact"), CONTACT)
    assert sorted(raw.to_pylist(), key=lambda row: row["contact_key"]) == sorted(
        everything.to_pylist(), key=lambda row: row["contact_key"]
    )
    assert store.verify() == len(live_files(store.batches()))


def test_loading_some_people_is_selecting_them(tmp_path):
    store = HistoryStore(tmp_path)
    relations = relationship_rows([{"person_id": "p1", "related_id": "p2", "kind": "mother"}])
    store.append_batch("b1", "2024-02-01", {"contact": contacts(80), "relationship": relations})
    some = ["p1", "p5", "nobody"]
    part = store.load(some)
    assert part.digest() == store.load().select(some).digest()
    assert part.contacts.num_rows > 0
    assert "mother" in part.contacts.column("link").to_pylist()


def test_a_store_without_batches_is_empty(tmp_path):
    assert HistoryStore(tmp_path / "none").load().person_ids() == []


def test_the_same_batch_is_not_taken_twice(tmp_path):
    store = HistoryStore(tmp_path)
    store.append_batch("b1", "2024-02-01", {"contact": contacts(5)})
    before = content(tmp_path)
    with pytest.raises(IntegrityError, match="already"):
        store.append_batch("b1", "2024-02-01", {"contact": contacts(5)})
    assert content(tmp_path) == before


def test_buckets_are_stable():
    """A changed hash would look for people in the wrong folder."""
    assert [bucket(name) for name in ("p1", "12799c", "")] == [51, 18, 0]


def test_any_flipped_bit_in_a_stored_file_is_caught(tmp_path):
    store = HistoryStore(tmp_path)
    store.append_batch("b1", "2024-02-01", {"contact": contacts(120)})
    path = max(tmp_path.rglob("*.parquet"), key=lambda p: p.stat().st_size)
    good, chance = path.read_bytes(), random.Random(7)
    for _ in range(25):
        place = chance.randrange(len(good) * 8)
        bad = bytearray(good)
        bad[place // 8] ^= 1 << place % 8
        path.write_bytes(bytes(bad))
        with pytest.raises(IntegrityError):
            store.load()
    path.write_bytes(good)
    assert store.load().contacts.num_rows > 0
    path.unlink()
    with pytest.raises(IntegrityError, match="missing"):
        store.load()


def test_a_damaged_ledger_line_is_named_and_a_cut_one_is_not_yet_a_batch(tmp_path):
    store = HistoryStore(tmp_path)
    store.append_batch("b1", "2024-02-01", {"contact": contacts(5)})
    ledger = tmp_path / LEDGER
    ledger.write_text(ledger.read_text() + '{"batch_id": "b2", "fil')
    assert [batch.batch_id for batch in store.batches()] == ["b1"]
    ledger.write_text("{}\n")
    with pytest.raises(IntegrityError, match="line 1"):
        store.batches()


@pytest.mark.parametrize("stop_at", range(0, 30, 6))
def test_a_stop_at_any_moment_leaves_the_old_history_whole(tmp_path, stop_at, monkeypatch):
    """Progress is called between all steps of writing; stopping there must leave nothing."""
    monkeypatch.setattr("riskflag.history.store.writing.SMALL_BATCH", 0)
    store = HistoryStore(tmp_path)
    store.append_batch("b1", "2024-02-01", {"contact": contacts(50)})
    before, digest = content(tmp_path), store.load().digest()

    def stop(label, done, total):
        if done == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.append_batch("b2", "2024-02-02", {"contact": contacts(50, 50)}, progress=stop)
    assert content(tmp_path) == before
    assert store.load().digest() == digest


KILLED = """
import os, signal, sys
from pathlib import Path
from riskflag.history.store import parquet_store as module
from tests.unit.history.test_store import contacts
real = os.fsync
left = int(sys.argv[2])
def fsync(handle):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(handle)
os.fsync = fsync
more = {"contact": contacts(50, 50)}
module.HistoryStore(Path(sys.argv[1])).append_batch("b2", "2024-02-02", more)
"""


@pytest.mark.parametrize("syncs", [0, 1, 2, 3, 5])
def test_a_kill_leaves_the_old_history_or_the_new_and_the_next_load_works(tmp_path, syncs):
    store = HistoryStore(tmp_path)
    store.append_batch("b1", "2024-02-01", {"contact": contacts(50)})
    old = store.load().digest()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(syncs)], env={**os.environ}, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL)
    assert store.load().digest() == old or len(store.batches()) == 2
    if len(store.batches()) == 1:
        store.append_batch("b2", "2024-02-02", {"contact": contacts(50, 50)})
    both = pa.concat_tables([contacts(50), contacts(50, 50)])
    assert store.load().digest() == History.of(both).digest()


def test_a_history_that_cannot_be_written_says_so(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises((StorageError, IntegrityError)):
        HistoryStore(blocked / "history").append_batch("b", "2024-01-01", {"contact": contacts(3)})


TEXT = st.none() | st.text(max_size=6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT, st.none() | st.floats(allow_nan=False)), max_size=20))
def test_any_content_survives_the_round_trip(tmp_path_factory, values):
    rows = contact_rows(
        {
            "person_id": person,
            "type": "ed.attendance",
            "occurred_on": "2024-01-01",
            "category": category,
            "subject_value": subject,
            "quantity": quantity,
            "contact_key": str(number),
        }
        for number, (person, category, subject, quantity) in enumerate(values)
    )
    store = HistoryStore(tmp_path_factory.mktemp("store"))
    store.append_batch("b", "2024-01-01", {"contact": rows})
    stored = conform(store.read("contact"), SCHEMAS["contact"]).to_pylist()
    assert sorted(stored, key=lambda r: r["contact_key"]) == sorted(
        rows.to_pylist(), key=lambda r: r["contact_key"]
    )


def test_a_column_that_an_older_version_did_not_write_is_unknown(tmp_path):
    """A history outlives its versions: what was not stored then is null, nothing fails."""
    store = HistoryStore(tmp_path / "history")
    old = coverage_rows([{"source": "s", "type": "ed.attendance", "complete_to": "2024-01-01"}])
    store.append_batch("b1", "2024-01-01", {"coverage": old.drop_columns(["says"])})
    store.append_batch("b2", "2024-01-02", {"coverage": old})
    assert store.load().coverage.column("says").to_pylist() == [None, None]


def filled(folder, nights=40):
    """A history of many nights of a few contacts, and one larger one."""
    store = HistoryStore(folder)
    for night in range(nights):
        day = {"source": "s", "type": "ed.attendance", "complete_to": "2024-02-01"}
        said = {"contact": contacts(5, 5 * night), "coverage": coverage_rows([day])}
        store.append_batch(f"b{night}", "2024-02-01", said)
    return store


def test_many_small_files_become_few_and_say_the_same(tmp_path):
    """The same rows, whole or by person; what was merged is removed at the next call."""
    store = filled(tmp_path)
    old = {path.name for path in tmp_path.rglob("*.parquet")}
    whole, some = store.load().digest(), store.load(["p3"]).digest()
    assert len(live_files(store.batches())) == 80
    assert store.compact() is not None
    assert len(live_files(store.batches())) == 2
    assert (store.load().digest(), store.load(["p3"]).digest()) == (whole, some)
    assert old < {path.name for path in tmp_path.rglob("*.parquet")}, "someone may be reading"
    assert store.compact() is None
    assert not old & {path.name for path in tmp_path.rglob("*.parquet")}
    assert store.verify() == 2
    store.append_batch("later", "2024-02-02", {"contact": contacts(5, 500)})
    assert store.load().contacts.num_rows > 0


def test_merged_contacts_go_into_buckets_when_they_are_many(tmp_path, monkeypatch):
    monkeypatch.setattr("riskflag.history.store.writing.MOST_LOOSE", 100)
    store = filled(tmp_path)
    whole = store.load().digest()
    store.compact()
    assert store.load().digest() == whole
    assert any("bucket=64" in file.path for file in live_files(store.batches()))
    assert not any("bucket=any" in file.path for file in live_files(store.batches()))


KILLED_MERGING = KILLED.replace('append_batch("b2", "2024-02-02", more)', "compact()")


@pytest.mark.parametrize("syncs", [0, 2, 4])
def test_a_kill_while_merging_changes_nothing_that_is_said(tmp_path, syncs):
    store = filled(tmp_path)
    whole = store.load().digest()
    done = subprocess.run(
        [sys.executable, "-c", KILLED_MERGING, str(tmp_path), str(syncs)], check=False
    )
    assert done.returncode in (0, -signal.SIGKILL)
    assert store.load().digest() == whole
    store.compact()
    store.compact()
    assert len(live_files(store.batches())) == 2
    assert store.load().digest() == whole
