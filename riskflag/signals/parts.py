"""Signals of more children than memory holds: part after part of a stored view."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskflag.clock import day_number
from riskflag.history.store.persons import children_on
from riskflag.history.store.stored_view import StoredView
from riskflag.history.store.view import History
from riskflag.history.threads import in_turn
from riskflag.progress import Progress, silent
from riskflag.signals.asked import every_day, one_day
from riskflag.signals.build import completeness
from riskflag.signals.define import Signal
from riskflag.signals.fast import Kernel, Reused, cores
from riskflag.signals.layout import Floats, Ints
from riskflag.signals.plan import plan
from riskflag.signals.table import SignalTable

T = TypeVar("T")
R = TypeVar("R")
#: Values of a grid that are worked out together: few enough to stay in a processor's cache until
#: they are taken.
BLOCK = 1_000_000

#: Parts that may be begun or wait to be taken, for each thread: none idles behind a slow one.
AHEAD = 2
#: What it takes to tell who is a child, besides what the signals read.
ALWAYS = ("person_id", "link", "occurred_day", "known_day", "superseded_day")
ENDS = ("ended_day", "open_ended")


@dataclass(frozen=True, eq=False)
class Grid:
    """Signals of p people at d as-of dates; k signals.

    `child[i, j]` tells whether person i counts as a child at date j; `values` are raw, [p, d, k].
    `complete[j, s]` is False when a feed that signal s needs was not available at date j.
    """

    people: pa.Array  # [p] of texts
    as_ofs: tuple[dt.date, ...]
    child: npt.NDArray[np.bool_]
    values: Floats
    complete: npt.NDArray[np.bool_]


def compute_parts(
    view: StoredView,
    *,
    as_of: dt.date,
    signals: Sequence[Signal],
    threads: int | None = None,
    progress: Progress = silent,
) -> Iterator[SignalTable]:
    """The signals of the children of each part, in the order of the parts.

    Each thread works on a part of its own, and no more than AHEAD parts are begun for each thread,
    so memory is bounded by the parts' size. Stopping early leaves nothing behind.
    """
    engine, names = Kernel(threads=1, room=Reused()), tuple(signal.name for signal in signals)
    complete = completeness(view.feeds(as_of), signals)

    def night(part: History) -> SignalTable:
        asked = one_day(part.child_ids(as_of), as_of)
        values = engine.values(part, signals, asked, silent)
        return SignalTable(asked.names(), as_of, names, values, complete)

    return _each(view, night, signals, threads=threads or cores(), progress=progress)


def grid_parts(
    view: StoredView,
    keep: Callable[[Grid], R],
    *,
    as_ofs: Sequence[dt.date],
    signals: Sequence[Signal],
    engine: Kernel | None = None,
    progress: Progress = silent,
) -> Iterator[R]:
    """What `keep` makes of the signals of everyone who is a child at any of the dates.

    Part after part like `compute_parts`, and within a part in blocks of BLOCK values, which
    `keep` is given in the thread that worked them out: a grid is far larger than what training
    or a file writer takes from it; `engine` tells where its values are to lie, and the threads. The
    work grows with contacts and output, not with contacts times dates.
    """
    days = np.array([day_number(day) for day in as_ofs], dtype=np.int64)
    engine = engine or Kernel()
    threads, alone = engine.threads or cores(), replace(engine, threads=1)

    complete = np.array([completeness(view.feeds(day), signals) for day in as_ofs])

    def kept(part: History) -> list[R]:
        return [
            keep(Grid(people, tuple(as_ofs), child, values, complete))
            for people, child, values in _blocks(alone, part, days, signals)
        ]

    for part in _each(view, kept, signals, threads=threads, progress=progress):
        yield from part


def _blocks(
    engine: Kernel, part: History, days: Ints, signals: Sequence[Signal]
) -> Iterator[tuple[pa.Array, npt.NDArray[np.bool_], Floats]]:
    ids, child = children_on(part.contacts, part.persons, part.relationships, days, own=part.own)
    ever = child.any(axis=1)
    chosen, child = np.flatnonzero(ever).astype(np.int32), child[ever]
    people = pa.DictionaryArray.from_arrays(pa.array(chosen), ids)
    size = max(1, BLOCK // max(len(days) * len(signals), 1))
    asked, people = every_day(people, days), people.cast(pa.string())
    values = engine.blocks(part, signals, asked, size * max(len(days), 1))
    for first, block in zip(range(0, len(people), size), values, strict=False):
        shape = (-1, len(days), len(signals))
        some = slice(first, first + size)
        yield people[some], child[some], block.reshape(shape)


def _each(
    view: StoredView,
    work: Callable[[History], T],
    signals: Sequence[Signal],
    *,
    threads: int,
    progress: Progress,
) -> Iterator[T]:
    columns, total = needed(signals), len(view)

    def one(number: int) -> T:
        return work(view.part(number, columns))

    for done, result in enumerate(in_turn(one, total, threads=threads, ahead=AHEAD), start=1):
        yield result
        progress("signals", done, total)


def needed(signals: Sequence[Signal]) -> tuple[str, ...]:
    """The columns of contacts that these signals, and telling who is a child, read."""
    work = plan(signals)
    ends = ENDS if work.needs_ends() else ()
    return tuple(dict.fromkeys([*ALWAYS, *work.columns(), *work.numbers(), *ends]))
