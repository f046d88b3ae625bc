"""Signals for one night: the kernel against the same signals as hand-written SQL.

Both sides have the history in memory and use the same number of threads. DuckDB answers with one
grouped scan over an in-memory table (person as a whole number, type as an ENUM), one FILTER
aggregate per signal; "different types" is worked out from the counts, which is its fastest way.
The results are compared, value for value, before any time is printed.

    python -m benchmarks.signals --children 100000 --contacts 3000000
"""

from __future__ import annotations

import argparse
import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numba
import numpy as np
import psutil
import pyarrow as pa

from benchmarks.made_up import AS_OF, MEASURED, TYPES, Size, history
from riskflag import clock
from riskflag.history.view import History
from riskflag.signals import (
    Signal,
    compute,
    contacts,
    count,
    days_since_last,
    distinct,
    highest,
    mean,
    total,
)
from riskflag.signals.expression import Expression
from riskflag.signals.fast import Kernel

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
WINDOWS = (7, 30, 90, 180, 365, None)
SUM_WINDOWS = (30, 90, 180, 365, None)
DISTINCT_WINDOWS = (90, 365)


@dataclass(frozen=True)
class Measured:
    """One side: seconds of each run, extra memory in bytes at the peak, the values."""

    seconds: list[float]
    memory: int
    values: np.ndarray

    @property
    def best(self) -> float:
        return min(self.seconds)


def signals() -> list[Signal]:
    """146 signals: counts, days since, sums, means, highest values, different types."""
    of: dict[str, Expression] = {}
    for kind in TYPES:
        for days in WINDOWS:
            of[_name("count", kind, days)] = count(contacts(kind), days)
        of[_name("since", kind, None)] = days_since_last(contacts(kind))
    for kind in MEASURED:
        for days in SUM_WINDOWS:
            of[_name("total", kind, days)] = total(contacts(kind), "quantity", days)
            of[_name("mean", kind, days)] = mean(contacts(kind), "quantity", days)
            of[_name("highest", kind, days)] = highest(contacts(kind), "quantity", days)
    for days in DISTINCT_WINDOWS:
        of[_name("types", "all", days)] = distinct(contacts(*TYPES), "type", days)
    said = {"question": "?", "rationale": "-", "source": "-", "direction": "none"}
    return [
        Signal(name, one, **said, theme="context", agency="several") for name, one in of.items()
    ]


def _name(what: str, kind: str, days: int | None) -> str:
    return f"{what}_{kind.replace('.', '_')}_{'ever' if days is None else f'{days}d'}"


def sql(as_of: int) -> str:
    """The same signals as one grouped scan."""
    inner: list[str] = []
    outer: list[str] = []
    for kind in TYPES:
        for days in WINDOWS:
            name = _name("count", kind, days)
            inner.append(f"count(*) FILTER ({_where(kind, days, as_of)}) AS {name}")
            outer.append(name)
        name = _name("since", kind, None)
        inner.append(f"{as_of} - max(occurred) FILTER (type = '{kind}') AS {name}")
        outer.append(f"coalesce({name}, 'infinity'::DOUBLE) AS {name}")
    for kind in MEASURED:
        for days in SUM_WINDOWS:
            chosen = f"FILTER ({_where(kind, days, as_of)})"
            names = [_name(what, kind, days) for what in ("total", "mean", "highest")]
            inner += [
                f"sum(quantity) {chosen} AS {names[0]}",
                f"avg(quantity) {chosen} AS {names[1]}",
                f"max(quantity) {chosen} AS {names[2]}",
            ]
            none = f"{_name('count', kind, days)} = 0"
            outer.append(f"CASE WHEN {none} THEN 0 ELSE {names[0]} END AS {names[0]}")
            outer += names[1:]
    for days in DISTINCT_WINDOWS:
        any_of = " + ".join(f"({_name('count', kind, days)} > 0)::INT" for kind in TYPES)
        outer.append(f"{any_of} AS {_name('types', 'all', days)}")
    return f"""
        SELECT person, {", ".join(outer)} FROM (
            SELECT person, {", ".join(inner)} FROM contacts
            WHERE known < {as_of} AND superseded >= {as_of} AND occurred < {as_of}
            GROUP BY person)"""


def _where(kind: str, days: int | None, as_of: int) -> str:
    window = "" if days is None else f" AND occurred >= {as_of - days}"
    return f"type = '{kind}'{window}"


def measure(run: Callable[[], Any], repeats: int) -> tuple[list[float], int, Any]:
    """Seconds of each run, the most memory above the start in bytes, and the last result."""
    process, peak, stop = psutil.Process(), 0, threading.Event()
    before = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.005):
            peak = max(peak, process.memory_info().rss - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - begin)
    stop.set()
    watcher.join()
    return seconds, peak, result


def kernel(known: History, people: list[str], threads: int, repeats: int) -> Measured:
    wanted = signals()
    engine = Kernel(threads=threads)

    def run() -> np.ndarray:
        return compute(known, people, as_of=AS_OF, signals=wanted, engine=engine).values

    seconds, memory, values = measure(run, repeats)
    return Measured(seconds, memory, values)


def duck(known: History, people: int, threads: int, repeats: int) -> Measured:
    session = _loaded(known, threads)
    query = sql(clock.day_number(AS_OF))

    def run() -> pa.Table:
        return session.sql(query).to_arrow_table()

    seconds, memory, found = measure(run, repeats)
    names = [signal.name for signal in signals()]
    values = np.empty((people, len(names)))
    values[:] = [_without_contacts(name) for name in names]
    where = found.column("person").to_numpy()
    for column, name in enumerate(names):
        cells = found.column(name).cast(pa.float64())
        values[where, column] = cells.to_numpy(zero_copy_only=False)
    return Measured(seconds, memory, values)


def _without_contacts(name: str) -> float:
    kind = name.split("_", maxsplit=1)[0]
    return np.inf if kind == "since" else np.nan if kind in ("mean", "highest") else 0.0


def _loaded(known: History, threads: int) -> duckdb.DuckDBPyConnection:
    session = duckdb.connect(":memory:", config={"threads": threads})
    table = known.contacts
    source = pa.table(
        {
            "person": table.column("person_id").combine_chunks().indices,
            "type": table.column("type").cast(pa.string()),
            "occurred": table.column("occurred_day"),
            "known": table.column("known_day"),
            "superseded": table.column("superseded_day"),
            "quantity": table.column("quantity"),
        }
    )
    session.register("source", source)
    kinds = ", ".join(f"'{kind}'" for kind in TYPES)
    session.execute(f"CREATE TYPE kind AS ENUM ({kinds})")
    session.execute("CREATE TABLE contacts AS SELECT * REPLACE (type::kind AS type) FROM source")
    session.unregister("source")
    return session


def report(size: Size, threads: int, fast: Measured, slow: Measured) -> str:
    """The page, in Markdown."""
    rows = "\n".join(
        f"| {name} | {one.best:.3f} | {sorted(one.seconds)[len(one.seconds) // 2]:.3f} "
        f"| {one.memory / 2**20:,.0f} MiB |"
        for name, one in (("riskflag kernel", fast), ("DuckDB SQL", slow))
    )
    versions = f"riskflag kernel on numba {numba.__version__}, DuckDB {duckdb.__version__}"
    return f"""# Benchmarks

Written by `make bench` on {clock.today().isoformat()}; do not edit by hand.

## Signals of one night

{len(signals())} signals of {size.children:,} children at one as-of date, from {size.contacts:,}
contacts of {len(TYPES)} types over five years (few children have many contacts, 40% are known late,
5% are replaced by a later version; seed {size.seed}). Both sides hold the history in memory and use
{threads} threads. The results were equal, value for value, before any time was taken down.

| | best (s) | median (s) | memory above the start |
|---|---|---|---|
{rows}

**The kernel is {slow.best / fast.best:.1f} times as fast** (best against best, {len(fast.seconds)}
runs each). Times run from the tables in memory to the finished values: reading the columns,
finding each child's contacts and the output are in them. Compiling is not: the kernel was warmed up
once (compiled code is kept on disk, so a machine compiles once). DuckDB: one grouped scan with one
FILTER aggregate per signal over a table with whole-number persons and ENUM types; loading that
table is not in its time. {versions}, Python {platform.python_version()},
{platform.machine()}, {os.cpu_count()} cores.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--children", type=int, default=100_000)
    parser.add_argument("--contacts", type=int, default=3_000_000)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-page", action="store_true", help="print only, write no page")
    chosen = parser.parse_args()
    size = Size(chosen.children, chosen.contacts)
    people = [f"child-{number:08d}" for number in range(size.children)]
    known = history(Size(1_000, 20_000))
    kernel(known, people[:1_000], chosen.threads, 1)
    known = history(size)
    fast = kernel(known, people, chosen.threads, chosen.repeats)
    slow = duck(known, size.children, chosen.threads, max(2, chosen.repeats // 2))
    np.testing.assert_array_equal(fast.values, slow.values)
    page = report(size, chosen.threads, fast, slow)
    print(page)
    if not chosen.no_page:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
