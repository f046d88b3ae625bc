"""The kernel engine: cuts the work into chunks of people and runs them on all cores."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np

from riskflag.history.view import History
from riskflag.progress import Progress
from riskflag.signals import kernel, spread
from riskflag.signals.asked import Asked
from riskflag.signals.columns import Births, Columns
from riskflag.signals.define import Signal
from riskflag.signals.grid import run_grid
from riskflag.signals.kernel import run
from riskflag.signals.layout import UNKNOWN_DAY, Floats, Ints, Program, Rows
from riskflag.signals.plan import Plan, plan
from riskflag.signals.program import bind


@dataclass(frozen=True)
class Kernel:
    """The fast engine; neither setting changes a byte of the results.

    `threads` of None uses every core this process may use. A chunk is cut when it reaches
    `chunk` contacts or rows, so a thread's memory is a few megabytes.
    """

    threads: int | None = None
    chunk: int = 200_000

    def values(
        self, history: History, signals: Sequence[Signal], asked: Asked, progress: Progress
    ) -> Floats:
        """Values [rows, signals]; see `Engine`."""
        work = plan(signals)
        columns = Columns(history.contacts, work.columns(), work.numbers(), ends=work.needs_ends())
        program = bind(work, columns)
        rows = _rows(work, history, columns, asked)
        out = np.empty((len(asked.as_of), len(signals)), np.float64)
        self._run(columns, program, rows, out, progress)
        return out

    def _run(
        self, columns: Columns, program: Program, rows: Rows, out: Floats, progress: Progress
    ) -> None:
        total, done = len(rows.as_of), 0

        def one(part: slice) -> int:
            return _one_chunk(columns, program, rows, part, out)

        with ThreadPoolExecutor(self.threads or cores()) as pool:
            waiting: list[Future[int]] = [pool.submit(one, part) for part in _cut(rows, self.chunk)]
            try:
                for finished in as_completed(waiting):
                    done += finished.result()
                    progress("signals", done, total)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _rows(work: Plan, history: History, columns: Columns, asked: Asked) -> Rows:
    """The rows sorted by child, each with the span of the child's contacts."""
    place = columns.people.places(asked.person_ids)[asked.who]
    order = _sorted(place, asked.as_of)
    place = place[order]
    birth = np.full(len(place), UNKNOWN_DAY, np.int64)
    if work.needs_birth():
        birth = Births(history.persons).at(asked)[order]
    # A person without contacts (place -1) has an empty span at the beginning.
    known = place >= 0
    start = np.where(known, columns.people.starts[np.maximum(place, 0)], 0)
    stop = np.zeros_like(start)
    stop[known] = columns.people.starts[place[known] + 1]
    return Rows(start, stop, asked.as_of[order], birth, order)


def _sorted(place: Ints, as_of: Ints) -> Ints:
    """Rows by child and, where a child is asked about more than once, by date."""
    order = np.argsort(place, kind="stable").astype(np.int64)
    in_order = place[order]
    if (in_order[1:] != in_order[:-1]).all():
        return order
    return np.lexsort((as_of, place)).astype(np.int64)


def _cut(rows: Rows, size: int) -> Iterator[slice]:
    """Runs of rows that reach over at most `size` contacts (a child is never divided)."""
    first, total = 0, len(rows.as_of)
    while first < total:
        reach = int(np.searchsorted(rows.stop, rows.start[first] + size, side="right"))
        last = min(max(reach, first + 1), first + size, total)
        yield slice(first, last)
        first = last


def _one_chunk(columns: Columns, program: Program, rows: Rows, part: slice, out: Floats) -> int:
    mine = Rows(*(np.ascontiguousarray(array[part]) for array in rows))
    start, stop = _span(mine.start, mine.stop)
    shifted = mine._replace(
        start=np.maximum(mine.start - start, 0), stop=np.maximum(mine.stop - start, 0)
    )
    several = ((mine.stop[1:] > mine.start[1:]) & (mine.start[1:] == mine.start[:-1])).any()
    contacts = columns.chunk(start, stop)
    if several:
        run_grid(contacts, shifted, program, spread.room(shifted, program), out)
    else:
        run(contacts, shifted, program, kernel.room(shifted, program), out)
    return len(mine.as_of)


def _span(starts: Ints, stops: Ints) -> tuple[int, int]:
    """From the first to the last contact of a chunk's children, those without contacts apart."""
    some = np.flatnonzero(stops > starts)
    if len(some) == 0:
        return 0, 0
    return int(starts[some[0]]), int(stops[some[-1]])
