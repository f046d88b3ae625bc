"""Signals against the same signals by hand: one night from files and from memory, and 24 dates.

    python -m benchmarks.signals --size S

Every side reads the same person-sorted Parquet history with both clocks, in a process of its own,
on the same number of threads. Answers are compared before any time is taken.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.apart import apart
from benchmarks.made_up import SIZES, TYPES, Size, parts
from benchmarks.page import write_section
from benchmarks.questions import names
from riskflag.history.store.stored_view import StoredView

READING = "reading"
#: What is compared, riskflag's side first; a side that needs too long or too much for a size is
#: left out there, and the page says so.
SHAPES: dict[str, tuple[str, ...]] = {
    "One night, from files": (
        "riskflag",
        "Polars",
        "DuckDB, two stages",
        "DuckDB, one scan",
        "pandas",
    ),
    "One night, from memory": (
        "riskflag in memory",
        "Polars in memory",
        "DuckDB in memory, two stages",
        "DuckDB in memory, one scan",
    ),
    "24 monthly dates, written to files": (
        "riskflag, 24 dates",
        "Polars, 24 dates",
        "Polars in memory, 24 dates",
        "DuckDB, 24 dates",
        "DuckDB in memory, 24 dates",
    ),
}
LEFT_OUT = {
    "M": ("DuckDB, one scan", "DuckDB in memory, one scan"),
    "L": (
        "DuckDB, one scan",
        "DuckDB in memory, one scan",
        "pandas",
        *SHAPES["24 monthly dates, written to files"],
    ),
}


@dataclass(frozen=True)
class Result:
    """One side: seconds on the clock and of all processors (best run), peak memory in bytes."""

    side: str
    seconds: float
    processor: float
    peak: int


class DisagreementError(Exception):
    """Two sides gave different answers, so no time is worth anything."""


def compare(
    view: StoredView, sides: tuple[str, ...], *, threads: int, repeats: int, write: bool
) -> list[Result]:
    """Results of the sides that agree; raises DisagreementError when they do not.

    Runs take turns, so that a busy minute of the machine does not fall on one side alone.
    """
    answers = {side: _run(view, side, threads, ["--check"]) for side in sides}
    if len({json.dumps(answer, sort_keys=True) for answer in answers.values()}) > 1:
        raise DisagreementError(f"The answers differ: {answers}.")
    best: dict[str, Result] = {}
    for _ in range(repeats):
        for side in sides:
            options = ["--repeats", "1", *(["--write"] if write else [])]
            one = _result(side, _run(view, side, threads, options))
            if side not in best or one.seconds < best[side].seconds:
                best[side] = one
    return list(best.values())


def _run(view: StoredView, side: str, threads: int, options: list[str]) -> dict[str, Any]:
    words = (side, view.folder, "--threads", threads, *options)
    return apart("benchmarks.sides", *words, environment={"POLARS_MAX_THREADS": str(threads)})


def _result(side: str, found: dict[str, Any]) -> Result:
    place = found["seconds"].index(min(found["seconds"]))
    return Result(side, found["seconds"][place], found["processor"][place], found["peak"])


def measured(
    view: StoredView, left_out: tuple[str, ...], *, threads: int, repeats: int
) -> Iterator[tuple[str, list[Result], Result | None]]:
    """Each shape of work with its results, and for a night from files the reading alone."""
    for shape, all_sides in SHAPES.items():
        sides = tuple(one for one in all_sides if one not in left_out)
        if len(sides) < 2:
            continue
        write = "written" in shape
        found = compare(view, sides, threads=threads, repeats=repeats, write=write)
        alone = None
        if "from files" in shape:
            alone = _result(READING, _run(view, READING, threads, ["--repeats", str(repeats)]))
        yield shape, found, alone


def table(shape: str, found: list[Result], alone: Result | None) -> str:
    """One shape of work as Markdown: the sides, and what follows."""
    ours, *others = found
    rows = [
        f"| {one.side} | {one.seconds:.2f} | {one.seconds / ours.seconds:.1f} "
        f"| {one.processor:.2f} | {one.peak / 2**20:,.0f} MiB |"
        for one in [*found, *([alone] if alone else [])]
    ]
    best = min(others, key=lambda one: one.seconds)
    told = [
        f"**{best.seconds / ours.seconds:.1f} times as fast as {best.side}**, the best of them."
    ]
    if alone:
        told.append(f"{ours.seconds / alone.seconds:.1f} times the time of reading the columns.")
    return "\n".join(
        [
            f"### {shape}",
            "",
            "| | best (s) | times riskflag's | processor time (s) | peak memory |",
            "|---|---|---|---|---|",
            *rows,
            "",
            " ".join(told),
            "",
        ]
    )


def report(letter: str, size: Size, tables: list[str], *, left_out: str, how: str) -> str:
    """The section of one size; `how` tells of the threads and the machine's load."""
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("numba", "duckdb", "polars", "pandas", "pyarrow")
    )
    head = f"""{len(names())} signals of {size.children:,} children from {size.contacts:,} contacts
of {len(TYPES)} types over five years (few children have many contacts, 40% are known late, 5% are
replaced by a later version; seed {size.seed}). All sides read the same person-sorted Parquet files
with both clocks, {how}, each in a process of its own, in turns. Every answer was
equal, value for value, before a time was taken. A night's answer is left in memory as each side
gives it (riskflag: a row per child; the others: a column per question); for 24 dates it is written
in that order to a file that is there already, in memory where the machine has such a place, so that
no disk is measured: riskflag works its values out in the mapped file, which therefore counts as its
memory, the others write theirs from where they lie. In memory riskflag holds the history in parts
of whole children and, once it was asked, where the contacts of each lie; the others hold one table
of theirs.
Left out as too slow or too large for this size: {left_out or "none"}.

Written by `python -m benchmarks.signals --size {letter}`; {versions}, Python
{platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores.
"""
    return "\n".join([head, *tables])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=sorted(SIZES), nargs="+", default=["S"])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--view", type=Path, help="a folder to keep the histories in for another run"
    )
    parser.add_argument(
        "--leave-out",
        choices=[one for sides in SHAPES.values() for one in sides[1:]],
        nargs="+",
        default=[],
        metavar="SIDE",
        help="sides to leave out of this run; the page names them",
    )
    parser.add_argument("--no-page", action="store_true", help="print only, write no page")
    chosen = parser.parse_args()
    for letter in chosen.size:
        measure(letter, chosen)


def measure(letter: str, chosen: argparse.Namespace) -> None:
    """Measure one size, print it and write its section."""
    load, size = os.getloadavg()[0], SIZES[letter]
    left_out = (*LEFT_OUT.get(letter, ()), *chosen.leave_out)
    with tempfile.TemporaryDirectory(prefix="riskflag-bench-") as scratch:
        folder = (chosen.view or Path(scratch)) / letter
        view = StoredView(folder) if folder.exists() else StoredView.write(folder, parts(size))
        tables = []
        for shape, found, alone in measured(
            view, left_out, threads=chosen.threads, repeats=chosen.repeats
        ):
            tables.append(table(shape, found, alone))
            print(tables[-1], flush=True)
    how = f"on {chosen.threads} threads (load of the machine before: {load:.1f})"
    section = report(letter, size, tables, left_out=", ".join(dict.fromkeys(left_out)), how=how)
    if not chosen.no_page:
        write_section(f"Signals, size {letter}", section)


if __name__ == "__main__":
    main()
