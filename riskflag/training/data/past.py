"""The history as training reads it: whole in memory, or part after part of its people.

However the people are divided, the same rows get the same values: a part holds all that is known of
its people, and whatever is found goes back to the places of the rows it was found for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import NEVER
from riskflag.history.store.content import CONTENT, Content, row_numbers
from riskflag.history.store.stored_view import PERSONS, RELATIONSHIPS, View, view_of
from riskflag.history.store.view import History
from riskflag.history.threads import cores, in_turn
from riskflag.progress import Progress, silent
from riskflag.signals import Signal
from riskflag.training.data.narrow import Narrow
from riskflag.training.data.rows import Floats, Ints, Past, Rows, integers

T = TypeVar("T")
R = TypeVar("R")

#: Rows whose signals are held as plain numbers at a time, in each part that is worked on.
MOST_AT_ONCE = 50_000
#: Where a row stood in its file, and with what it came, is lineage, not content.
LINEAGE = ("source_file", "source_line", "batch_id")


def of_parts(
    past: Past,
    rows: Rows,
    work: Callable[[History, Ints], Iterable[T]],
    columns: Sequence[str] | None = None,
) -> Iterator[T]:
    """What `work` makes of each part and of the rising positions of its rows, part after part.

    Of the contacts only `columns` are read, when given. As many parts are worked on at once as
    there are cores; stopping early leaves nothing running.
    """
    view = view_of(past)
    if len(view) == 1:
        yield from work(view.part(0, columns), np.arange(len(rows)))
        return
    home = _homes(view, rows.ids)[rows.person]
    order = np.argsort(home, kind="stable")
    edges = np.searchsorted(home[order], np.arange(len(view) + 1))

    def one(number: int) -> list[T]:
        mine = order[edges[number] : edges[number + 1]]
        return list(work(view.part(number, columns), mine)) if len(mine) else []

    for found in in_turn(one, len(view), threads=cores()):
        yield from found


def signal_blocks(
    past: Past,
    rows: Rows,
    signals: Sequence[Signal],
    keep: Callable[[Floats], R],
    *,
    seen: Callable[[History], History] = lambda part: part,
    progress: Progress = silent,
) -> Iterator[tuple[Ints, R]]:
    """Positions of some rows and what `keep` makes of their signals (float64 [m, k]), all in turn.

    Unknown is NaN. `seen` is the history as somebody else would see it.
    """
    from riskflag.signals.build import build
    from riskflag.signals.fast import Kernel
    from riskflag.signals.parts import needed

    engine = Kernel() if len(view_of(past)) == 1 else Kernel(threads=1)

    def blocks(part: History, mine: Ints) -> Iterator[tuple[Ints, R]]:
        known = seen(part)
        # All dates of a child together: its contacts are gone through once.
        mine = mine[np.argsort(rows.person[mine], kind="stable")]
        for first in range(0, len(mine), MOST_AT_ONCE):
            some = mine[first : first + MOST_AT_ONCE]
            frame = build(known, rows.take(some).frame(), signals=list(signals), engine=engine)
            yield some, keep(frame.to_numpy(dtype=np.float64))

    done = 0
    for places, found in of_parts(past, rows, blocks, needed(signals)):
        yield places, found
        done += len(places)
        progress("signals", done, len(rows))


def signal_values(
    past: Past,
    rows: Rows,
    signals: Sequence[Signal],
    progress: Progress = silent,
    *,
    seen: Callable[[History], History] = lambda part: part,
) -> Floats:
    """The values of signals for rows (float64 [n, k]), unknown as NaN."""
    values = np.empty((len(rows), len(signals)))
    blocks = signal_blocks(past, rows, signals, lambda found: found, seen=seen, progress=progress)
    for places, found in blocks:
        values[places] = found
    return values


def narrow_values(
    past: Past, rows: Rows, signals: Sequence[Signal], progress: Progress = silent
) -> Narrow:
    """The same as `signal_values`, in little memory."""
    blocks = signal_blocks(past, rows, signals, lambda found: found, progress=progress)
    return Narrow.of(len(rows), len(signals), blocks)


def scored(
    past: Past,
    rows: Rows,
    *,
    signals: Sequence[Signal],
    score: Callable[[Floats], Floats],
    progress: Progress = silent,
) -> Floats:
    """The score of each row by its signals (float64 [n], or [n, s] for s scores)."""
    found = list(signal_blocks(past, rows, signals, score, progress=progress))
    scores = np.empty((len(rows), *(found[0][1].shape[1:] if found else ())))
    for places, some in found:
        scores[places] = some
    return scores


def last_known(past: Past) -> int:
    """The day on which the latest of all contacts was known."""
    view = view_of(past)

    def last(number: int) -> int:
        days = view.part(number, ("person_id", "known_day")).contacts["known_day"]
        return pc.max(days).as_py() or -NEVER

    return max(in_turn(last, len(view), threads=cores()))


def types_known(past: Past) -> set[str]:
    """The types of all contacts that ever came."""
    view = view_of(past)

    def types(number: int) -> list[str]:
        known = view.part(number, ("person_id", "type")).contacts["type"]
        return list(pc.unique(known).cast(pa.string()).to_pylist())

    return set().union(*in_turn(types, len(view), threads=cores()))


def digest(past: Past) -> str:
    """SHA-256 of all that the history says: the same for any parts and any order of rows."""
    view = view_of(past)

    def contacts(number: int) -> Content:
        return _content(view.part(number).contacts)

    told = [("contacts", sum(in_turn(contacts, len(view), threads=cores()), Content()))]
    for name in (PERSONS, RELATIONSHIPS):
        tables = (view.table(name, number) for number in range(len(view)))
        told.append((name, sum(map(_content, tables), Content())))
    told.append(("coverage", _content(view.coverage)))
    lines = [f"{name} {one.rows} {one.a:016x} {one.b:016x}" for name, one in told]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _content(table: pa.Table) -> Content:
    return Content.of(*row_numbers(table, (*LINEAGE, *CONTENT)))


def _homes(view: View, ids: Sequence[str]) -> Ints:
    """The part of each person (int64 [people]); of whom nobody knows anything, the first."""
    names = [
        view.table(PERSONS, number)["person_id"].cast(pa.string()) for number in range(len(view))
    ]
    part = np.repeat(np.arange(len(view)), [len(some) for some in names])
    chunks = [chunk for some in names for chunk in some.chunks]
    place = pc.index_in(pa.chunked_array(chunks, pa.string()), pa.array(ids, pa.string()))
    found, homes = integers(place, missing=-1), np.zeros(len(ids), dtype=np.int64)
    homes[found[found >= 0]] = part[found >= 0]
    return homes
