"""The ways for very many rows give what the plain ways give, to the byte."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import signal
import subprocess
import sys
import zlib
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskflag import fast_hash
from riskflag.history import hashing
from riskflag.history.files import csv_reader, csv_scan, delivered
from riskflag.history.loading import delivery, known
from riskflag.history.loading import ingest as ingesting
from riskflag.history.loading.ingest import ingest
from riskflag.history.store import shelf, writing
from riskflag.history.store.ledger import live_files
from riskflag.history.store.parquet_store import HistoryStore
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
    whole = fast_hash.Texts(ends, np.frombuffer(b"".join(said), np.uint8))
    found = fast_hash.hexadecimal_digests([whole], len(said))
    wanted = [hashlib.blake2b(text, digest_size=16).hexdigest() for text in said]
    assert found.tobytes().decode() == "".join(wanted)
    first, second = fast_hash.pairs(found)
    assert [f"{a:016x}{b:016x}" for a, b in zip(first.tolist(), second.tolist(), strict=True)] == (
        wanted
    )


@pytest.mark.parametrize("few", [True, False], ids=["few", "many"])
def test_the_digest_of_columns_is_that_of_their_joined_texts(monkeypatch, few):
    """Of every kind of column, with nulls, and whether or not the texts are made in between."""
    monkeypatch.setattr(hashing, "MANY", 1_000_000 if few else 1)
    monkeypatch.setattr(hashing, "SOME", 1_000_000 if few else 1)
    size, chance = 300, random.Random(4)
    words = ["", "a", "\x00", "é", None, "x" * 200]
    text = pa.array([chance.choice(words) for _ in range(size + 7)], pa.string()).slice(7)
    plain = pa.array([f"r{number}" for number in range(size)])
    days = pa.array([chance.choice([None, 1, 20_000]) for _ in range(size)], pa.int32())
    columns = [
        pa.scalar("head"),
        plain,
        pa.chunked_array([text.slice(0, 100), text.slice(100)]),
        text.dictionary_encode(),
        days.cast(pa.date32()),
        days.cast(pa.float64()),
        pa.scalar(None, pa.string()),
        pc.equal(days, 1),
        pa.nulls(size, pa.timestamp("us")),
        pa.repeat("same", size).dictionary_encode(),
    ]
    wanted = [
        hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
        for said in hashing.joined(columns).to_pylist()
    ]
    assert hashing.digests_of(columns).to_pylist() == wanted
    assert len(set(wanted)) == size


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
    assert fast_hash.matched((first, second), among).tolist() == wanted
    assert -1 in wanted or values == 3
    counts = Counter(zip(first.tolist(), second.tolist(), strict=True))
    often = [counts[pair] > 1 for pair in zip(first.tolist(), second.tolist(), strict=True)]
    assert fast_hash.repeated((first, second)).tolist() == often
    assert True in often


NOTICES = """name = "notices"
title = "Notices"
agency = "ed"

[files]
pattern = "notices*.csv"

[delivery]
scope = "delta"

[[contact]]
type = "ed.attendance"
subject = { column = "nhs", scheme = "nhs" }
occurred = { column = "seen" }

[[relationship]]
kind = "sibling"
person = { column = "nhs", scheme = "nhs" }
related = { column = "other", scheme = "nhs" }
"""


def weeks(chance):
    """Three weekly extracts in which records come, change, repeat, contradict and go; and notices
    without a name of their own, some about a child whose identifier only the last week tells."""
    for week in range(3):
        lines = ["ref,child,nhs,from,to,home"]
        for ref in chance.sample(range(60), 45):
            day = dt.date(2026, 1, 1) + dt.timedelta(days=ref % 40)
            ended = day + dt.timedelta(days=9) if chance.random() < 0.5 else ""
            lines.append(f"r{ref},c{ref % 9},n{ref % 9},{day},{ended},{chance.choice('AB')}")
        lines += [lines[5], lines[7].rsplit(",", 1)[0] + ",C", "short,row", "r99,c1,n1,nonsense,,"]
        lines += ["r77,c77,n77,2026-01-09,,A"] if week == 2 else []
        notices = ["nhs,seen,other"]
        for number in range(25):
            who = chance.choice([77, *range(12)])
            notices.append(f"n{who},2026-01-{1 + number % 20:02d},n{(who + 1) % 12}")
        notices += notices[3:6]
        yield {"care.csv": "\n".join(lines) + "\n", "notices.csv": "\n".join(notices) + "\n"}


def loaded(folder, seed):
    """All that three weeks leave behind: reports, rows, quarantined lines; and the files."""
    made = Workspace.create(folder, "Test")
    (made.sources_dir / "care.toml").write_text(SOURCE)
    (made.sources_dir / "notices.toml").write_text(NOTICES)
    reports = []
    for number, files in enumerate(weeks(random.Random(seed))):
        day = DAY + dt.timedelta(days=7 * number)
        landing = made.landing / day.isoformat()
        landing.mkdir()
        for name, text in files.items():
            (landing / name).write_text(text)
        reports.append(ingest(Workspace(made.root), landed=day))
    assert reports[2].linked_later > 0
    store = HistoryStore(made.history)
    names = ("contact", "person", "identifier", "relationship", "coverage")
    rows = {name: sorted(map(str, store.read(name).to_pylist())) for name in names}
    quarantined = sorted(path.read_text() for path in made.quarantine.rglob("*.csv"))
    said = [report.to_json() for report in reports]
    contacts = {
        file.path: file.sha256
        for file in live_files(store.batches())
        if file.path.startswith("contact/")
    }
    return (said, store.load().digest(), rows, quarantined), contacts


@pytest.fixture
def cut(monkeypatch):
    """Makes every load work in so many parts, on disk, whatever its size."""

    def cut_into(parts, of_known=None):
        monkeypatch.setattr(ingesting, "parts_for", lambda size, memory: parts)
        monkeypatch.setattr(known, "parts_for", lambda size, memory: of_known or parts)

    return cut_into


@pytest.mark.parametrize("seed", range(3))
def test_parts_threads_and_compiled_keys_change_nothing(tmp_path, monkeypatch, cut, seed):
    """Reports, versions, quarantine and digest are the same, however the rows are cut up."""
    plain, _ = loaded(tmp_path / "plain", seed)
    monkeypatch.setattr(csv_reader, "CHUNK_BYTES", 400)
    monkeypatch.setattr(csv_scan, "_BLOCK", 64)
    monkeypatch.setattr(csv_reader, "PART_ROWS", 20)
    monkeypatch.setattr(writing, "SMALL_BATCH", 0)
    monkeypatch.setattr(writing, "_PART_ROWS", 8)
    monkeypatch.setattr(hashing, "MANY", 1)
    cut(4)
    assert loaded(tmp_path / "cut", seed)[0] == plain


@pytest.mark.parametrize(
    "parts",
    [(4, 4), (8, 2), (2, 8), pytest.param((256, 256), marks=pytest.mark.long)],
    ids=["as many", "fewer known", "more known", "most"],
)
def test_the_files_of_the_history_are_the_same_bytes_in_one_part_and_in_many(
    tmp_path, monkeypatch, cut, parts
):
    """Whether what is known lies in as many parts as what is delivered, in fewer or in more."""
    monkeypatch.setattr(writing, "SMALL_BATCH", 0)
    whole, files = loaded(tmp_path / "whole", 5)
    cut(*parts)
    assert loaded(tmp_path / "cut", 5) == (whole, files)
    assert len(files) > 10


def test_the_comparison_sees_rows_that_got_into_the_wrong_part(tmp_path, monkeypatch, cut):
    """Negative control: parted by something else than whom they are about."""
    plain, _ = loaded(tmp_path / "plain", 5)
    cut(4)
    monkeypatch.setattr(
        delivery, "by_subject", lambda table: np.arange(table.num_rows) % shelf.CODES
    )
    assert loaded(tmp_path / "cut", 5)[0] != plain


KILLED = """
import os, signal, sys
from pathlib import Path
from riskflag.history.loading import day
from riskflag.history.loading import ingest
from riskflag.history.loading import known
from riskflag.workspace import Workspace

for module in (ingest, known):
    module.parts_for = lambda size, memory: 4
day.Day.tables = lambda self: os.kill(os.getpid(), signal.SIGKILL)
ingest.ingest(Workspace.open(Path(sys.argv[1])))
"""


def test_nothing_is_left_of_a_long_load_that_was_killed(tmp_path):
    """Its rows waited in a file that had no name; the next load finds everything to do."""
    made = Workspace.create(tmp_path / "w", "Test")
    (made.sources_dir / "care.toml").write_text(SOURCE)
    (made.landing / "care.csv").write_text(next(weeks(random.Random(1)))["care.csv"])
    before = {path for path in made.root.rglob("*") if path.is_file()}
    run = subprocess.run([sys.executable, "-c", KILLED, str(made.root)], check=False)
    assert run.returncode == -signal.SIGKILL
    left = {path for path in made.root.rglob("*") if path.is_file()} - before
    assert left <= {made.root / ".lock"}
    assert ingest(made).new_versions > 0


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    made = Workspace.create(tmp_path / "w", "Test")
    (made.sources_dir / "care.toml").write_text(SOURCE)
    path = made.landing / "care.csv"
    text = next(weeks(random.Random(1)))["care.csv"]
    path.write_text(text)
    real = delivered.FileContent.at

    def then_changed(where):
        found = real(where)
        path.write_text(text.replace("c3", "c4"))
        return found

    monkeypatch.setattr(delivered.FileContent, "at", then_changed)
    (file,) = ingest(made).files
    assert (file.status, file.reason) == ("held", "changed")


def test_keys_that_are_no_digests_are_left_to_the_plain_way():
    assert hashing.key_pairs(pa.array(["short", "texts"])) is None
    assert hashing.key_pairs(pa.array(["0" * 32, None])) is None
