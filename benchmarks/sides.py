"""One side of a comparison, in a process of its own so that its peak memory is its own.

    python -m benchmarks.sides SIDE VIEW --threads 4 --repeats 3

prints one line of JSON. With `--check` the side answers once and the line has the number of rows
and their fingerprint; without, it answers once to warm up and then `repeats` times on the clock,
and the line has the seconds of each and the peak memory.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import mmap
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import questions
from benchmarks.made_up import AS_OF
from riskflag import clock
from riskflag.history.store.stored_view import StoredView
from riskflag.history.store.view import History
from riskflag.signals.fast import Kernel
from riskflag.signals.parts import Grid, compute_parts, grid_parts, needed

NIGHT = clock.day_number(AS_OF)
#: The first days of 24 months before the night.
GRID = [
    AS_OF.replace(year=AS_OF.year - 2 + month // 12, month=month % 12 + 1) for month in range(24)
]
DAYS = [clock.day_number(day) for day in GRID]
#: What a scratch file may need.
ROOM = 8 * 2**30
ODD = np.random.default_rng(1).integers(1, 2**63, 1024, dtype=np.uint64) | np.uint64(1)


class Out:
    """A file that is there already and is written over: no side waits for room or for a disk."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT)
        self._end, self._lock = 0, Lock()
        self._mapped = np.empty(0, np.float64)

    def rewind(self) -> None:
        """Begin again at the front; what is there is mapped for those who work in place."""
        self._end, size = 0, os.fstat(self._file).st_size
        if size > self._mapped.nbytes:
            flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
            self._mapped = np.frombuffer(mmap.mmap(self._file, size, flags=flags), np.float64)

    def room(self, rows: int, columns: int) -> np.ndarray:
        """The file's next place for numbers [rows, columns]; beyond its end, room to write from."""
        with self._lock:
            stop = self._end + 8 * rows * columns
            if stop <= self._mapped.nbytes:
                mine, self._end = slice(self._end // 8, stop // 8), stop
                return self._mapped[mine].reshape(rows, columns)
        return np.empty((rows, columns))

    def write(self, *arrays: np.ndarray) -> None:
        """Write arrays, each at once, in the order they come, but for those that lie there."""
        for array in arrays:
            if np.may_share_memory(array, self._mapped):
                continue
            with self._lock:
                place, self._end = self._end, self._end + array.nbytes
            if os.pwrite(self._file, array.data, place) != array.nbytes:
                raise OSError("The scratch file could not be written in one go.")


@dataclass
class Sink:
    """Where a side's answer goes: into a file as raw numbers, a fingerprint, or only a count."""

    out: Out | None = None
    check: bool = False
    rows: int = 0
    fingerprint: int = 0

    def take(self, people: Any, day: int, values: np.ndarray) -> None:
        """Rows of children who have been seen by `day`: values [children, questions]."""
        self.rows += len(values)
        if self.out is not None:
            self.out.write(values)
        if self.check:
            self.fingerprint = (self.fingerprint + _fingerprint(people, day, values)) % 2**64

    def take_columns(self, day: int, found: pa.Table) -> None:
        """The same as a table with a column per question; each is written as it lies."""
        if self.check:
            self.take(found.column("person_id").to_pylist(), day, questions.matrix(found))
            return
        self.rows += found.num_rows
        if self.out is not None:
            self.out.write(*questions.columns(found))


def _fingerprint(people: Any, day: int, values: np.ndarray) -> int:
    """The same for the same rows in any order; one bit more in one number changes it."""
    numbers = np.array([int(str(name)[6:]) for name in people], dtype=np.uint64)
    total = np.uint64(0)
    with np.errstate(over="ignore"):
        for first in range(0, len(values), 50_000):
            some = values[first : first + 50_000]
            bits = np.where(np.isnan(some), np.nan, some + 0.0).view(np.uint64)
            mixed = (bits ^ (bits >> np.uint64(29))) * ODD[: bits.shape[1]]
            row = (mixed ^ (mixed >> np.uint64(31))).sum(axis=1, dtype=np.uint64)
            who = numbers[first : first + 50_000] * ODD[1000] + np.uint64(day) * ODD[1001]
            total += ((row + who) * ODD[1002] ^ (row >> np.uint64(7))).sum(dtype=np.uint64)
    return int(total)


Side = Callable[[Sink], None]


def reading(view: StoredView, threads: int) -> Side:
    """Only the columns the signals need, into memory and away again."""
    columns = needed(questions.signals())

    def run(sink: Sink) -> None:
        with ThreadPoolExecutor(threads) as pool:
            for part in pool.map(lambda one: view.contacts(one, columns), range(len(view))):
                sink.rows += part.num_rows

    return run


def riskflag_files(view: StoredView, threads: int) -> Side:
    wanted = questions.signals()

    def run(sink: Sink) -> None:
        for table in compute_parts(view, as_of=AS_OF, signals=wanted, threads=threads):
            sink.take(table.people, NIGHT, table.values)

    return run


@dataclass
class Held:
    """The parts of a view in memory, as its files give them."""

    parts: list[History]
    feeds: Callable[[dt.date], Any]

    def __len__(self) -> int:
        return len(self.parts)

    def part(self, number: int, columns: Any) -> History:
        return self.parts[number]


def riskflag_memory(view: StoredView, threads: int) -> Side:
    columns = needed(questions.signals())
    held: Any = Held([view.part(number, columns) for number in range(len(view))], view.feeds)
    return riskflag_files(held, threads)


def duckdb_side(query: Callable[[str, int], str], days: list[int], *, files: bool) -> Any:
    def side(view: StoredView, threads: int) -> Side:
        import duckdb

        session = duckdb.connect(config={"threads": threads})
        table = f"read_parquet('{view.folder}/contacts.parquet')"
        if not files:
            columns = ", ".join(questions.COLUMNS)
            session.execute(f"CREATE TABLE contacts AS SELECT {columns} FROM {table}")
            table = "contacts"

        def run(sink: Sink) -> None:
            for day in days:
                sink.take_columns(day, session.sql(query(table, day)).to_arrow_table())

        return run

    return side


def polars_side(days: list[int], *, files: bool) -> Any:
    def side(view: StoredView, threads: int) -> Side:
        import polars as pl

        path = view.folder / "contacts.parquet"
        frame = None if files else pl.read_parquet(path, columns=list(questions.COLUMNS))

        def run(sink: Sink) -> None:
            for day in days:
                scan = pl.scan_parquet(path) if frame is None else frame.lazy()
                asked = questions.in_polars(scan, day)
                sink.take_columns(day, asked.collect(engine="streaming").to_arrow())

        return run

    return side


def pandas_files(view: StoredView, threads: int) -> Side:
    import pandas as pd

    def run(sink: Sink) -> None:
        frame = pd.read_parquet(view.folder / "contacts.parquet", columns=list(questions.COLUMNS))
        found = questions.in_pandas(frame, NIGHT)
        sink.take(found.index, NIGHT, found.to_numpy(dtype=np.float64))

    return run


def riskflag_grid(view: StoredView, threads: int) -> Side:
    """All dates at once; rows of children nobody had seen by a date are left out."""
    wanted = questions.signals()

    def run(sink: Sink) -> None:
        def keep(grid: Grid) -> Sink:
            mine = Sink(sink.out, sink.check)
            if not sink.check:
                # As training takes them: a block of rows, and which of them are children's.
                mine.take((), NIGHT, grid.values)
                mine.rows = int(grid.child.sum())
                return mine
            for place, day in enumerate(DAYS):
                seen = grid.child[:, place]
                mine.take(
                    grid.people.filter(pa.array(seen)).to_pylist(), day, grid.values[seen, place]
                )
            return mine

        engine = Kernel(threads) if sink.out is None else Kernel(threads, room=sink.out.room)
        for part in grid_parts(view, keep, as_ofs=GRID, signals=wanted, engine=engine):
            sink.rows += part.rows
            sink.fingerprint = (sink.fingerprint + part.fingerprint) % 2**64

    return run


SIDES: dict[str, Any] = {
    "reading": reading,
    "riskflag": riskflag_files,
    "riskflag in memory": riskflag_memory,
    "DuckDB, two stages": duckdb_side(questions.two_stages, [NIGHT], files=True),
    "DuckDB, one scan": duckdb_side(questions.one_scan, [NIGHT], files=True),
    "DuckDB in memory, two stages": duckdb_side(questions.two_stages, [NIGHT], files=False),
    "DuckDB in memory, one scan": duckdb_side(questions.one_scan, [NIGHT], files=False),
    "Polars": polars_side([NIGHT], files=True),
    "Polars in memory": polars_side([NIGHT], files=False),
    "pandas": pandas_files,
    "riskflag, 24 dates": riskflag_grid,
    "DuckDB, 24 dates": duckdb_side(questions.two_stages, DAYS, files=True),
    "DuckDB in memory, 24 dates": duckdb_side(questions.two_stages, DAYS, files=False),
    "Polars, 24 dates": polars_side(DAYS, files=True),
    "Polars in memory, 24 dates": polars_side(DAYS, files=False),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("side", choices=sorted(SIDES))
    parser.add_argument("view", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="only the answer's fingerprint")
    parser.add_argument("--write", action="store_true", help="write the numbers to a scratch file")
    chosen = parser.parse_args()
    side = SIDES[chosen.side](StoredView(chosen.view), chosen.threads)
    if chosen.check:
        sink = Sink(check=True)
        side(sink)
        print(json.dumps({"rows": sink.rows, "fingerprint": sink.fingerprint}))
        return
    with tempfile.TemporaryDirectory(prefix="riskflag-bench-", dir=_in_memory()) as folder:
        out = Out(Path(folder) / "numbers.f64") if chosen.write else None
        times = [_timed(side, out) for _ in range(1 + chosen.repeats)][1:]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    wall, processor = ([one[place] for one in times] for place in (0, 1))
    print(json.dumps({"seconds": wall, "processor": processor, "peak": peak}))


def _timed(side: Side, out: Out | None) -> tuple[float, float]:
    """Seconds on the clock, and of all processors together."""
    if out:
        out.rewind()
    begin, used = time.perf_counter(), time.process_time()
    side(Sink(out))
    return time.perf_counter() - begin, time.process_time() - used


def _in_memory() -> str | None:
    """A folder of files in memory, where there is one with room."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > ROOM else None


if __name__ == "__main__":
    main()
