"""The ways for very many rows give what the plain ways give, to the byte."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import zlib

import numpy as np
import pyarrow as pa
import pytest

from riskflag import fast_hash
from riskflag.history import csv_reader, csv_scan, hashing, key_join, shelf, writing
from riskflag.history.ingest import ingest
from riskflag.history.store import HistoryStore
from riskflag.workspace import Workspace

DAY = dt.date(2026, 3, 2)
SOURCE = """name = "care"
title = "Placements"
agency = "social_care"

[files]
pattern = "care*.csv"

[delivery]
scope = "full"

[[contact]]
type = "care.placement"
record_id = ["ref"]
subject = { column = "nhs", scheme = "nhs" }
occurred = { column = "from" }
ended = { column = "to" }
attributes = { organisation = { column = "home" } }

[[identifier]]
person = { column = "child" }
scheme = "nhs"
value = { column = "nhs" }

[[person]]
id = { column = "child" }
"""


def texts(count=400):
    chance = random.Random(9)
    sizes = [0, 1, 127, 128, 129, 255, 256, 257, *(chance.randrange(300) for _ in range(count))]
    return [chance.randbytes(size) for size in sizes]


def test_the_compiled_hash_is_blake2b():
    """Sizes around the block of 128 bytes, and some hundred between."""
    said = texts()
    ends = np.cumsum([0, *map(len, said)]).astype(np.int64)
    found = fast_hash.hexadecimal_digests(ends, np.frombuffer(b"".join(said), np.uint8))
    wanted = [hashlib.blake2b(text, digest_size=16).hexdigest() for text in said]
    assert found.tobytes().decode() == "".join(wanted)
    first, second = fast_hash.pairs(found)
    assert [f"{a:016x}{b:016x}" for a, b in zip(first.tolist(), second.tolist(), strict=True)] == (
        wanted
    )


def test_the_compiled_buckets_are_zlibs():
    said = texts()
    ends = np.cumsum([0, *map(len, said)]).astype(np.int64)
    found = fast_hash.remainders(ends, np.frombuffer(b"".join(said), np.uint8), 64)
    assert found.tolist() == [zlib.crc32(text) % 64 for text in said]


@pytest.mark.parametrize("values", [3, 1_000])
def test_keys_are_found_as_a_dictionary_finds_them(values):
    """Also when many share their first number, which digests practically never do."""
    chance = np.random.default_rng(values)
    first = chance.integers(0, values, 2_000).astype(np.uint64) << np.uint64(50)
    second = chance.integers(0, 50, 2_000).astype(np.uint64)
    known = list(dict.fromkeys(zip(first[:900].tolist(), second[:900].tolist(), strict=True)))
    among = tuple(np.array(column, np.uint64) for column in zip(*known, strict=True))
    place = {pair: number for number, pair in enumerate(known)}
    wanted = [place.get(pair, -1) for pair in zip(first.tolist(), second.tolist(), strict=True)]
    assert key_join.matched((first, second), among).tolist() == wanted
    assert -1 in wanted or values == 3
    counts = {number: first.tolist().count(number) for number in set(first.tolist())}
    assert key_join.repeated(first).tolist() == [counts[n] > 1 for n in first.tolist()]


def weeks(chance):
    """Three weekly extracts in which records come, change, repeat, contradict and go."""
    for _ in range(3):
        lines = ["ref,child,nhs,from,to,home"]
        for ref in chance.sample(range(60), 45):
            day = dt.date(2026, 1, 1) + dt.timedelta(days=ref % 40)
            ended = day + dt.timedelta(days=9) if chance.random() < 0.5 else ""
            lines.append(f"r{ref},c{ref % 9},n{ref % 9},{day},{ended},{chance.choice('AB')}")
        lines += [lines[5], lines[7].rsplit(",", 1)[0] + ",C", "short,row", "r99,c1,n1,nonsense,,"]
        yield "\n".join(lines) + "\n"


def loaded(folder, seed):
    made = Workspace.create(folder, "Test")
    (made.sources_dir / "care.toml").write_text(SOURCE)
    reports = []
    for number, text in enumerate(weeks(random.Random(seed))):
        day = DAY + dt.timedelta(days=7 * number)
        landing = made.landing / day.isoformat()
        landing.mkdir()
        (landing / "care.csv").write_text(text)
        reports.append(ingest(Workspace(made.root), landed=day).to_json())
    store = HistoryStore(made.history)
    rows = store.read("contact").to_pylist()
    quarantined = sorted(path.read_text() for path in made.quarantine.rglob("*.csv"))
    return reports, store.load().digest(), sorted(map(str, rows)), quarantined


@pytest.mark.parametrize("seed", range(3))
def test_parts_threads_and_compiled_keys_change_nothing(tmp_path, monkeypatch, seed):
    """Reports, versions, quarantine and digest are the same, however the rows are cut up."""
    plain = loaded(tmp_path / "plain", seed)
    monkeypatch.setattr(csv_reader, "CHUNK_BYTES", 100)
    monkeypatch.setattr(csv_scan, "_BLOCK", 64)
    monkeypatch.setattr(csv_reader, "PART_ROWS", 7)
    monkeypatch.setattr(writing, "SMALL_BATCH", 0)
    monkeypatch.setattr(writing, "_PART_ROWS", 8)
    monkeypatch.setattr(hashing, "MANY", 1)
    monkeypatch.setattr(shelf, "_GROWTH", 1 << 20)
    assert loaded(tmp_path / "cut", seed) == plain


def test_keys_that_are_no_digests_are_left_to_the_plain_way():
    assert hashing.key_pairs(pa.array(["short", "texts"])) is None
    assert hashing.key_pairs(pa.array(["0" * 32, None])) is None
