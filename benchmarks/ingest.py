"""A feed of millions of CSV rows into the history, beside DuckDB's own read of the same file.

Everything is measured in one run on one machine, each step in a process of its own so that the
highest memory is its own: DuckDB reads the file into a table (columns and types declared, nothing
guessed), riskflag loads it (first delivery), then the same feed with one row in a hundred changed;
all of that in turns, of which the best of each counts; the same two deliveries of other sizes, for
their memory; then a year of nightly deliveries of a small feed. It writes its section of
docs/benchmarks.md whole.

    python -m benchmarks.ingest --rows 5000000 --rounds 3 --nights 365 --memory 1000000 10000000
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.apart import apart
from benchmarks.page import write_section

DAY = dt.date(2026, 1, 5)
#: A feed so small that its load shows what riskflag takes anyway; it also has everything compiled.
WARM = 200_000
COLUMNS = ("AttendanceId", "ChildId", "Arrived", "Departed", "Complaint", "Outcome", "Site")
SOURCE = """name = "ed"
title = "Attendances"
agency = "ed"

[files]
pattern = "ed*.csv"
date_format = "%d/%m/%Y"

[delivery]
scope = "{scope}"

[[contact]]
type = "ed.attendance"
record_id = ["AttendanceId"]
subject = {{ column = "ChildId" }}
occurred = {{ column = "Arrived" }}
ended = {{ column = "Departed" }}

[contact.attributes]
category = {{ column = "Complaint", map = "complaint" }}
outcome = {{ column = "Outcome", map = "outcome" }}
organisation = {{ column = "Site" }}

[maps.complaint]
"1" = "injury"
"2" = "illness"
"*" = "other"

[maps.outcome]
"1" = "admitted"
"2" = "treated"
"*" = ""
"""


def write_feed(path: Path, rows: int, *, first: int = 0, changed: int = 0) -> None:
    """`rows` made-up attendances of 200,000 children; one in `changed` has another outcome."""
    turned = f"CASE WHEN i % {changed} = 0 THEN 6 ELSE 0 END" if changed else "0"
    with duckdb.connect() as session:
        session.execute(
            f"""COPY (SELECT 'A' || lpad(i::VARCHAR, 9, '0') AS AttendanceId,
            'C' || lpad((hash(i) % 200000)::VARCHAR, 7, '0') AS ChildId,
            strftime(DATE '2021-01-01' + (hash(i, 1) % 1800)::INT, '%d/%m/%Y') AS Arrived,
            CASE WHEN hash(i, 2) % 20 = 0 THEN '' ELSE strftime(DATE '2021-01-01'
            + (hash(i, 1) % 1800)::INT + (hash(i, 3) % 3)::INT, '%d/%m/%Y') END AS Departed,
            (1 + hash(i, 4) % 12)::VARCHAR AS Complaint,
            (1 + hash(i, 5) % 5 + {turned})::VARCHAR AS Outcome,
            'SITE' || (hash(i, 6) % 40)::VARCHAR AS Site
            FROM range({first}, {first + rows}) t(i)) TO '{path}' (HEADER, DELIMITER ',')"""
        )


def read_with_duckdb(path: Path, where: str = ":memory:") -> dict[str, float]:
    """Seconds of reading the file into a table, with its two dates as dates."""
    kinds = ("VARCHAR", "VARCHAR", "DATE", "DATE", "VARCHAR", "VARCHAR", "VARCHAR")
    columns = ", ".join(f"'{n}': '{k}'" for n, k in zip(COLUMNS, kinds, strict=True))
    with duckdb.connect(where, config={"threads": len(os.sched_getaffinity(0))}) as session:
        begin = time.perf_counter()
        session.execute(
            f"CREATE TABLE feed AS SELECT * FROM read_csv('{path}', auto_detect = false, "
            f"header = true, delim = ',', quote = '\"', dateformat = '%d/%m/%Y', "
            f"columns = {{{columns}}})"
        )
        session.execute("CHECKPOINT")
        return _measured(begin)


def load(root: Path, feed: Path, day: dt.date) -> dict[str, float]:
    """Seconds of `riskflag ingest` of a feed that landed on `day`."""
    from riskflag.history.loading.ingest import ingest
    from riskflag.workspace import Workspace

    landing = root / "landing" / day.isoformat()
    landing.mkdir(parents=True)
    os.link(feed, landing / f"ed-{day}.csv")
    begin = time.perf_counter()
    report = ingest(Workspace.open(root), landed=day)
    return _measured(begin) | {
        "rows": sum(file.rows for file in report.files if file.status == "loaded"),
        "new": report.new_versions,
        "withdrawn": report.withdrawn,
    }


def nights(root: Path, folder: Path, count: int) -> dict[str, float]:
    """A year of small nightly deliveries, and what reading all of the history then takes."""
    from riskflag.history.loading.ingest import ingest
    from riskflag.history.store.ledger import live_files
    from riskflag.history.store.parquet_store import HistoryStore
    from riskflag.workspace import Workspace

    slowest = 0.0
    start = time.perf_counter()
    for night in range(count):
        day = DAY + dt.timedelta(days=night)
        landing = root / "landing" / day.isoformat()
        landing.mkdir(parents=True)
        write_feed(landing / f"ed-{day}.csv", 300, first=night * 300)
        begin = time.perf_counter()
        ingest(Workspace.open(root), landed=day)
        slowest = max(slowest, time.perf_counter() - begin)
        (landing / f"ed-{day}.csv").unlink()
        landing.rmdir()
    whole = time.perf_counter() - start
    store = HistoryStore(root / "history")
    files = len(live_files(store.batches()))
    begin = time.perf_counter()
    contacts = store.load().contacts.num_rows
    return _measured(begin) | {
        "files": files,
        "contacts": contacts,
        "slowest": slowest,
        "night": whole / count,
    }


def _measured(begin: float) -> dict[str, float]:
    seconds, used = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    return {"seconds": seconds, "cpu": cpu, "peak": used.ru_maxrss * 1024}


def _step(name: str, *words: str) -> dict[str, float]:
    """One step, begun when nothing waits to be written to the disk."""
    os.sync()
    return apart("benchmarks.ingest", "--step", name, *words)


def workspace(root: Path, scope: str) -> Path:
    from riskflag.workspace import Workspace

    made = Workspace.create(root, "Benchmark")
    (made.sources_dir / "ed.toml").write_text(SOURCE.format(scope=scope))
    return root


def measure(folder: Path, chosen: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    """What each step took, once for each of its turns."""
    rows, feed = chosen.rows, folder / "feed.csv"
    base, _ = twice(folder, WARM)
    write_feed(feed, rows)
    found: dict[str, list[dict[str, float]]] = {
        "size": [{"rows": rows, "bytes": feed.stat().st_size}],
        "memory": [{"rows": WARM, "first": base["peak"], "second": base["peak"]}],
        "first": [],
        "second": [],
        "duckdb memory": [],
        "duckdb disk": [],
    }
    for _ in range(chosen.rounds):
        found["duckdb memory"].append(_step("duckdb", str(feed), ":memory:"))
        table = folder / "feed.duckdb"
        found["duckdb disk"].append(_step("duckdb", str(feed), str(table)))
        table.unlink()
        for name, one in zip(("first", "second"), twice(folder, rows), strict=True):
            found[name].append(one)
    feed.unlink()
    for number in sorted({*chosen.memory, rows}):
        again = number != rows
        one, two = twice(folder, number) if again else (found["first"][0], found["second"][0])
        found["memory"].append({"rows": number, "first": one["peak"], "second": two["peak"]})
    year, count = workspace(folder / "year", "delta"), str(chosen.nights)
    found["year"] = [_step("nights", str(year), str(folder), count) | {"nights": chosen.nights}]
    return found


def twice(folder: Path, rows: int) -> tuple[dict[str, float], dict[str, float]]:
    """The two deliveries of a feed of so many rows into a workspace of its own, then removed."""
    root = workspace(folder / f"w{rows}", "full")
    found = []
    for number, changed in enumerate((0, 100)):
        feed = folder / f"{rows}-{number}.csv"
        write_feed(feed, rows, changed=changed)
        day = DAY + dt.timedelta(days=number)
        found.append(_step("load", str(root), str(feed), day.isoformat()))
        feed.unlink()
    shutil.rmtree(root)
    return found[0], found[1]


def _best(turns: Sequence[dict[str, float]]) -> dict[str, float]:
    return min(turns, key=lambda turn: turn["seconds"])


def _line(name: str, turns: Sequence[dict[str, float]]) -> str:
    best, worst = _best(turns), max(turn["seconds"] for turn in turns)
    peak = max(turn["peak"] for turn in turns) / 2**20
    return f"| {name} | {best['seconds']:.1f} | {worst:.1f} | {best['cpu']:.1f} | {peak:,.0f} MiB |"


def report(found: dict[str, list[dict[str, float]]]) -> str:
    feed, year = found["size"][0], found["year"][0]
    best = {name: _best(found[name]) for name in NAMES}
    lines = "\n".join(_line(said, found[name]) for name, said in NAMES.items())
    held = "\n".join(
        f"| {rows:,.0f} | {one / 2**20:,.0f} MiB | {two / 2**20:,.0f} MiB |"
        for rows, one, two in sorted(tuple(size.values()) for size in found["memory"])
    )
    begun = best["first"]["seconds"]
    disk, memory = (begun / best[f"duckdb {where}"]["seconds"] for where in ("disk", "memory"))
    faster = best["second"]["seconds"] / begun
    return f"""
A CSV feed of {feed["rows"]:,} rows and seven columns ({feed["bytes"] / 2**20:,.0f} MiB) into
versioned history: every row accounted for, mapped, keyed, compared with what was known, sorted,
written with checksums and synced. DuckDB reads the same file into one table, types declared. Each
step ran in a process of its own, in {len(found["first"])} turns, one after another; the load
average at the end was {os.getloadavg()[0]:.1f}, so other work shared the machine's
{os.cpu_count()} cores when it is above 1. Of the seconds the best of the turns is compared, of the
memory the highest is told.

| | seconds, best | worst | CPU seconds | highest memory |
|---|---|---|---|---|
{lines}

**The first delivery took {disk:.1f} times DuckDB's read into a table on disk** and {memory:.1f}
times its read into memory. The second took {faster:.2f} times the first and found the
{best["second"]["new"]:,.0f} changed rows. Compiling, once on a machine, is not in it.

What does not fit into the memory that `ingest_memory_gib` in `riskflag.toml` allows (1 unless set
otherwise, as here) is put aside on disk while the load lasts, so that memory does not follow the
length of a file. The second delivery is compared with as many rows as it has.

| rows | highest memory, first delivery | second |
|---|---|---|
{held}

After {year["nights"]:,.0f} nightly deliveries of 300 rows: {year["night"]:.2f} s a night on
average, the slowest {year["slowest"]:.2f} s; {year["files"]:,.0f} files in the history at the end,
read whole ({year["contacts"]:,.0f} contacts) in {year["seconds"]:.2f} s.

`python -m benchmarks.ingest`, Python {platform.python_version()}, DuckDB {duckdb.__version__},
{platform.machine()}.
"""


NAMES = {
    "duckdb memory": "DuckDB into memory",
    "duckdb disk": "DuckDB onto disk",
    "first": "riskflag, first delivery",
    "second": "riskflag, second, 1% changed",
}
STEPS: dict[str, Callable[..., Any]] = {
    "duckdb": lambda path, where: read_with_duckdb(Path(path), where),
    "load": lambda root, feed, day: load(Path(root), Path(feed), dt.date.fromisoformat(day)),
    "nights": lambda root, folder, count: nights(Path(root), Path(folder), int(count)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="turns of which the best counts")
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--memory", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--no-page", action="store_true", help="print only, write no page")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.step:
        print(json.dumps(STEPS[chosen.step[0]](*chosen.step[1:])))
        return
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        text = report(measure(Path(folder), chosen))
    print(text)
    if not chosen.no_page:
        write_section("Feeds into the history", text)


if __name__ == "__main__":
    main()
