"""The kernel engine: cuts the work into chunks of people and runs them on all cores."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from riskflag.history.store.view import History
from riskflag.history.threads import IN_TURN
from riskflag.progress import Progress
from riskflag.signals import blocks, spread
from riskflag.signals.asked import Asked
from riskflag.signals.blocks import run
from riskflag.signals.columns import Births, Columns, Room
from riskflag.signals.define import Signal
from riskflag.signals.grid import look_up, run_grid
from riskflag.signals.layout import UNKNOWN_DAY, Floats, Ints, Program, Rows
from riskflag.signals.people import People
from riskflag.signals.plan import plan
from riskflag.signals.program import bind


def fresh(rows: int, columns: int) -> Floats:
    """Room for values [rows, columns]."""
    return np.empty((rows, columns), np.float64)


class Reused:
    """Room for values [rows, columns] that is used again once nobody holds what lay there.

    The values of a part take some ten MiB: were they new to the system every time, it would empty
    each page of them first, which takes a sixth of the time.
    """

    def __init__(self) -> None:
        self._free: list[Floats] = []

    def __call__(self, rows: int, columns: int) -> Floats:
        """Room of which every view is counted as holding it."""
        size = rows * columns
        try:
            memory = self._free.pop()
        except IndexError:
            memory = np.empty(0, np.float64)
        if memory.size < size:
            # A little more, for parts are not all of one size.
            memory = np.empty(size + size // 8, np.float64)
        lent = np.frombuffer(memory.data, np.float64, size)
        weakref.finalize(lent, self._free.append, memory)
        return lent.reshape(rows, columns)


@dataclass(frozen=True)
class Kernel:
    """The fast engine; no setting changes a byte of the results.

    `threads` of None uses every core this process may use. A chunk is cut when it reaches
    `chunk` contacts or rows, so a thread's memory is a few megabytes. `room` is asked, in the
    thread that needs it, for so many rows and columns of values: where it gives a piece of a mapped
    file, they are worked out where they are to lie. Signals asked for again of another history are
    not planned again.
    """

    threads: int | None = None
    chunk: int = 400_000
    room: Callable[[int, int], Floats] = fresh

    def values(
        self, history: History, signals: Sequence[Signal], asked: Asked, progress: Progress
    ) -> Floats:
        """Values [rows, signals]; see `Engine`."""
        out = self.room(len(asked.as_of), len(signals))
        prepared = self._prepared(history, signals, asked)
        total, done = len(asked.as_of), 0
        parts = list(_cut(prepared.rows, self.chunk))
        for part in self._each(lambda part: _one_chunk(prepared, part, out), parts):
            done += part
            progress("signals", done, total)
        return out

    def blocks(
        self, history: History, signals: Sequence[Signal], asked: Asked, size: int
    ) -> Iterator[Floats]:
        """The values of `size` rows after another.

        Of few enough rows a block still lies in a processor's cache when its taker comes to it.
        """
        prepared = self._prepared(history, signals, asked)
        for part in _cut(prepared.rows, self.chunk, size):
            # Its taker may ask for other signals in between: it has room of its own.
            chunk = _Chunk(prepared, part, Room())
            for first in range(part.start, part.stop, size):
                rows = slice(first, min(first + size, part.stop))
                out = self.room(rows.stop - first, len(signals))
                chunk.run(rows, out, first)
                yield out

    def _prepared(self, history: History, signals: Sequence[Signal], asked: Asked) -> _Prepared:
        with IN_TURN:
            work = planned(tuple(signals))
            columns = work.columns(history)
            rows = _rows(work, history, columns, asked)
            return _Prepared(columns, work.program(columns), rows)

    def _each(self, work: Callable[[slice], int], parts: list[slice]) -> Iterator[int]:
        threads = min(self.threads or cores(), len(parts))
        if threads < 2:
            yield from map(work, parts)
            return
        with ThreadPoolExecutor(threads) as pool:
            try:
                for finished in as_completed([pool.submit(work, part) for part in parts]):
                    yield finished.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


class Planned:
    """Signals planned once for many histories, and bound anew only to other dictionaries."""

    def __init__(self, signals: Sequence[Signal]) -> None:
        self.plan = plan(signals)
        self._needed = self.plan.columns(), self.plan.numbers()
        self._ends, self.births = self.plan.needs_ends(), self.plan.needs_birth()
        self._last: tuple[Hashable, Program] | None = None

    def columns(self, history: History) -> Columns:
        """The columns that the signals need."""
        return Columns(history.contacts, People(history.own), *self._needed, ends=self._ends)

    def program(self, columns: Columns) -> Program:
        """The program for contacts coded like these."""
        coding, last = columns.coding(), self._last
        if last is None or last[0] != coding:
            like = None if last is None else last[1]
            last = self._last = coding, bind(self.plan, columns, like)
        return last[1]


ROOM = Room()
_LAST: list[Planned] = []


def planned(signals: tuple[Signal, ...]) -> Planned:
    """Signals planned, or as they were planned last: part after part asks for the same ones."""
    found = next((one for one in _LAST if one.plan.signals == signals), None)
    if found is None:
        found = Planned(signals)
        _LAST[:] = [found]
    return found


class _Prepared(NamedTuple):
    """Everything the kernel works on, for all chunks."""

    columns: Columns
    program: Program
    rows: Rows


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _rows(work: Planned, history: History, columns: Columns, asked: Asked) -> Rows:
    """The rows sorted by child, each with the span of the child's contacts."""
    place = columns.people.places(asked.person_ids)[asked.who]
    order = _sorted(place, asked.as_of)
    place = place[order]
    birth = np.full(len(place), UNKNOWN_DAY, np.int64)
    if work.births:
        birth = Births(history.persons).at(asked)[order]
    # A person without contacts (place -1) has an empty span at the beginning.
    known = place >= 0
    start = np.where(known, columns.people.starts[np.maximum(place, 0)], 0)
    stop = np.zeros_like(start)
    stop[known] = columns.people.starts[place[known] + 1]
    return Rows(start, stop, asked.as_of[order], birth, order)


def _sorted(place: Ints, as_of: Ints) -> Ints:
    """Rows by child and, where a child is asked about more than once, by date."""
    later, same = place[1:] > place[:-1], place[1:] == place[:-1]
    if (later | same & (as_of[1:] >= as_of[:-1])).all():
        return np.arange(len(place), dtype=np.int64)
    order = np.argsort(place, kind="stable").astype(np.int64)
    in_order = place[order]
    if (in_order[1:] != in_order[:-1]).all():
        return order
    return np.lexsort((as_of, place)).astype(np.int64)


def _cut(rows: Rows, size: int, step: int = 1) -> Iterator[slice]:
    """Runs of rows, by `step`, that reach over at most `size` contacts or `step` rows."""
    first, total = 0, len(rows.as_of)
    while first < total:
        reach = int(np.searchsorted(rows.stop, rows.start[first] + size, side="right"))
        steps = max((min(reach, first + size) - first) // step, 1)
        last = min(first + steps * step, total)
        yield slice(first, last)
        first = last


def _one_chunk(prepared: _Prepared, part: slice, out: Floats) -> int:
    """Compute a run of rows; how many they are."""
    with IN_TURN:
        chunk = _Chunk(prepared, part, ROOM)
    chunk.run(part, out)
    return len(prepared.rows.as_of[part])


class _Chunk:
    """A run of rows with the contacts of their children and what the kernel works in."""

    def __init__(self, prepared: _Prepared, part: slice, room: Room) -> None:
        columns, self._program, rows = prepared
        mine = Rows(*(np.ascontiguousarray(array[part]) for array in rows))
        start, stop = _span(mine.start, mine.stop)
        self._rows = mine._replace(
            start=np.maximum(mine.start - start, 0), stop=np.maximum(mine.stop - start, 0)
        )
        self._first = part.start
        self._contacts = columns.chunk(start, stop, room)
        several = ((mine.stop[1:] > mine.start[1:]) & (mine.start[1:] == mine.start[:-1])).any()
        self._run: Callable[..., None] = run_grid if several else run
        self._memory = (spread if several else blocks).room(self._rows, self._program)
        if several:
            look_up(self._contacts, self._program)

    def run(self, part: slice, out: Floats, first: int = 0) -> None:
        """Compute some of the rows; `out` begins with the asked row `first`."""
        some = slice(part.start - self._first, part.stop - self._first)
        rows = Rows(*(array[some] for array in self._rows))
        rows = rows._replace(target=rows.target - first)
        self._run(self._contacts, rows, self._program, self._memory, out)


def _span(starts: Ints, stops: Ints) -> tuple[int, int]:
    """From the first to the last contact of a chunk's children, those without contacts apart."""
    some = np.flatnonzero(stops > starts)
    if len(some) == 0:
        return 0, 0
    return int(starts[some[0]]), int(stops[some[-1]])
