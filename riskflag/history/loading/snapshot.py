"""Comparing a delivery with the history: what is new, changed, said before, or gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import NEVER
from riskflag.history.arrays import (
    Ints,
    Mask,
    constant,
    decoded,
    group_starts,
    groups,
    isin,
    mask_of,
    numbers,
    one,
    ranks,
    stacked,
    take,
)
from riskflag.history.declared.source_files import Delivery
from riskflag.history.hashing import joined, key_pairs, many
from riskflag.history.schema import conform
from riskflag.history.store.versions import live_rows

#: What names the record a contact came from, within its source.
_RECORD = ("subject_scheme", "subject_value", "record_id")
#: What became of a row; where its products differ the highest counts.
NOTHING, DUPLICATE, SUPERSEDED, ACCEPTED = 0, 1, 2, 3


@dataclass(frozen=True)
class Choice:
    """Rows of a delivery that name the same thing: which one counts, and what the others are."""

    winner: Ints
    duplicate: Ints
    superseded: Ints
    conflict: Ints


def choose(candidates: pa.Table, key: str) -> Choice:
    """For each key the row that counts: latest `updated`, then the later file.

    Rows that say the same are duplicates, earlier ones superseded. Two rows of one file that say
    different things, with nothing to tell which is right, are a conflict: neither counts.
    """
    often = _often(candidates.column(key))
    alone, rows = np.flatnonzero(~often), np.flatnonzero(often)
    if len(rows) == 0:
        return Choice(alone, rows, rows, rows)
    part = take(candidates.select([key, "row_hash", "withdrawn", "updated", "file", "row"]), rows)
    among = _choose_among(part, key)
    return Choice(
        winner=np.concatenate([alone, rows[among.winner]]),
        duplicate=rows[among.duplicate],
        superseded=rows[among.superseded],
        conflict=rows[among.conflict],
    )


def _often(names: pa.ChunkedArray) -> Mask:
    """Which keys come more than once."""
    pairs = key_pairs(names) if many(len(names)) else None
    if pairs is not None:
        from riskflag.fast_hash import repeated

        return repeated(pairs)
    same = groups(names)
    return np.asarray(np.bincount(same, minlength=1)[same] > 1)


def _choose_among(candidates: pa.Table, key: str) -> Choice:
    """As `choose`, for rows of which each shares its key with another."""
    name = ranks(candidates.column(key))
    said = ranks(candidates.column("row_hash")) * 2
    said += one(candidates.column("withdrawn")).cast(pa.int64()).to_numpy()
    updated, file = numbers(candidates.column("updated"), 0), numbers(candidates.column("file"), 0)
    order = np.lexsort((numbers(candidates.column("row"), 0), said, file, updated, name))
    new_key = group_starts(name[order])
    group = np.cumsum(new_key) - 1
    last = np.append(np.flatnonzero(new_key)[1:] - 1, len(order) - 1)[: group.max(initial=-1) + 1]
    final = last[group] if len(order) else group
    top = (updated[order] == updated[order][final]) & (file[order] == file[order][final])
    agrees = said[order] == said[order][final]
    split = np.zeros(len(last), np.bool_)
    split[group[top & ~agrees]] = True
    conflict = top & split[group]
    rest = ~top
    first_of_top = top & ~conflict & group_starts(group, (top & ~conflict).astype(np.int8))
    return Choice(
        winner=order[first_of_top],
        duplicate=order[(top & ~conflict & ~first_of_top) | (rest & agrees)],
        superseded=order[rest & ~agrees],
        conflict=order[conflict],
    )


@dataclass(frozen=True)
class Rows:
    """Rows of which `table` holds what a comparison needs; `whole` gives all columns of some."""

    table: pa.Table
    whole: Callable[[Ints], pa.Table]

    @classmethod
    def of(cls, table: pa.Table) -> Rows:
        """Rows of which everything is at hand."""
        return cls(table, partial(take, table))


@dataclass(frozen=True)
class Difference:
    """What a delivery adds: version rows to append, and what became of each winner."""

    rows: pa.Table
    status: np.ndarray


def compare(
    delivered: Rows,
    known: Rows,
    key: str,
    *,
    schema: pa.Schema,
    stamp: Stamp,
    place: Ints | None = None,
) -> Difference:
    """Version rows for what is new, changed or withdrawn against `known` (latest versions).

    `place` is where each delivered key stands among the known, when that is known already.
    """
    winners, current = delivered.table, known.table
    if place is None:
        place = places(winners.column(key), current.column(key))
    here = place >= 0
    at = np.where(here, place, 0)
    version = np.where(here, _taken(numbers(current.column("version"), 0), at), 0)
    live = here & _taken(isin(current.column("op"), ["assert"]), at)
    same = here & _same(winners.column("row_hash"), current.column("row_hash"), at, here)
    moved, had = _moved(winners, current, at, live)
    withdrawn = np.asarray(one(winners.column("withdrawn")))
    status = np.full(len(place), ACCEPTED, np.int8)
    status[(live & same & ~moved & ~withdrawn) | (~live & withdrawn)] = DUPLICATE
    if stamp.older:
        status[here] = SUPERSEDED
    writes = (status == ACCEPTED) & ~withdrawn
    leaves = (status == ACCEPTED) & live & (withdrawn | (moved & had))
    number = version + 1 + (writes & leaves)
    fresh = _versioned(delivered, np.flatnonzero(writes), number, schema)
    again = here[writes] | stamp.late
    if again.any():
        fresh = _known_again(fresh, again, stamp)
    gone = retractions(known, at[leaves], schema, stamp)
    return Difference(stacked([gone, fresh]) if gone.num_rows else fresh, status)


@dataclass(frozen=True)
class Stamp:
    """The day a delivery counts as known, and its batch.

    `older`: a newer delivery of its source was taken before. `late`: `day` is not its landing day
    but a later one that was loaded before it.
    """

    day: int
    batch_id: str
    older: bool = False
    late: bool = False


def places(wanted: pa.ChunkedArray, names: pa.ChunkedArray) -> Ints:
    """Where each key stands among others that differ from one another; -1 for nowhere."""
    if len(names) == 0:
        return np.full(len(wanted), -1, np.int64)
    if many(len(wanted) + len(names)):
        ours, theirs = key_pairs(wanted), key_pairs(names)
        if ours is not None and theirs is not None:
            from riskflag.fast_hash import matched

            return matched(ours, theirs)
    found = pc.index_in(one(wanted), value_set=one(names))
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)


def _taken(values: np.ndarray, at: Ints) -> np.ndarray:
    return values[at] if len(values) else np.zeros(len(at), values.dtype)


def _same(ours: pa.ChunkedArray, theirs: pa.ChunkedArray, at: Ints, known: Mask) -> Mask:
    """Where both columns hold the same text, for rows that have a counterpart."""
    if len(theirs) == 0:
        return known
    if many(len(ours)):
        mine, stored = key_pairs(ours), key_pairs(theirs)
        if mine is not None and stored is not None:
            same = (mine[0] == stored[0][at]) & (mine[1] == stored[1][at])
            return np.asarray(same & known)
    other = one(theirs).take(pa.array(at))
    return np.asarray(pc.fill_null(pc.equal(one(ours), other), False))


def _moved(winners: pa.Table, current: pa.Table, at: Ints, live: Mask) -> tuple[Mask, Mask]:
    """Where a row now belongs to someone else, and where it belonged to someone before.

    A person that can no longer be found is no move: the row stays with whom it was linked to.
    """
    if "person_id" not in winners.column_names or current.num_rows == 0:
        return np.zeros(len(at), np.bool_), live
    ours = decoded(winners.column("person_id"))
    stored = decoded(one(current.column("person_id")).take(pa.array(at)))
    had = np.asarray(stored.is_valid()) & live
    return live & np.asarray(ours.is_valid()) & ~mask_of(pc.equal(ours, stored)), had


def _versioned(delivered: Rows, rows: Ints, version: Ints, schema: pa.Schema) -> pa.Table:
    if len(rows) == 0:
        return conform(schema.empty_table(), schema, lean=True)
    part = delivered.whole(rows)
    for name in ("version", "op"):
        if name in part.column_names:
            part = part.drop_columns([name])
    part = part.append_column("version", pa.array(version[rows], pa.int32()))
    part = part.append_column("op", constant("assert", len(rows)))
    return conform(part, schema, lean=True)


def _known_again(table: pa.Table, again: Mask, stamp: Stamp) -> pa.Table:
    """A later version is known from its landing, whatever a first load may assume."""
    day = np.where(again, stamp.day, numbers(table.column("known_on"), NEVER)).astype(np.int32)
    basis = pc.if_else(pa.array(again), "landed", decoded(table.column("known_basis")))
    columns = {"known_on": pa.array(day).cast(pa.date32()), "known_basis": basis}
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def retractions(known: Rows, rows: Ints, schema: pa.Schema, stamp: Stamp) -> pa.Table:
    """Rows that take the current versions back from the landing day on."""
    if len(rows) == 0:
        return schema.empty_table()
    part = known.whole(rows)
    version = numbers(part.column("version"), 0) + 1
    size = part.num_rows
    columns = {
        "version": pa.array(version, pa.int32()),
        "op": constant("retract", size),
        "known_on": pa.array(np.full(size, stamp.day, np.int32)).cast(pa.date32()),
        "known_basis": constant("landed", size),
        "batch_id": constant(stamp.batch_id, size),
    }
    for name, column in columns.items():
        place = part.schema.get_field_index(name)
        part = (
            part.append_column(name, column) if place < 0 else part.set_column(place, name, column)
        )
    return conform(part, schema, lean=True)


def gone(current: pa.Table, named: Ints, scope: Delivery, day: int) -> Ints:
    """The rows of `current` that a delivery in this scope should have held and did not.

    `named` are the rows that it did name, -1 standing for none.
    """
    if scope.scope == "delta" or current.num_rows == 0:
        return np.zeros(0, np.int64)
    missing = isin(current.column("op"), ["assert"])
    missing[named[named >= 0]] = False
    if scope.scope == "window":
        assert scope.window_days is not None
        if "occurred_on" not in current.column_names:
            return np.zeros(0, np.int64)
        missing &= _reference_days(current, scope) > day - scope.window_days
    if scope.scope == "in_year_or_open":
        if "open_ended" not in current.column_names:
            return np.zeros(0, np.int64)
        missing &= _in_open_records(current)
    return np.flatnonzero(missing)


def _in_open_records(current: pa.Table) -> Mask:
    """Which contacts come from a record that was open when it was last delivered.

    One row may have made several contacts, of which only some have an end: they are of one record.
    """
    record = groups(joined([current.column(name) for name in _RECORD]))
    still_open = np.asarray(one(current.column("open_ended")).fill_null(False))
    still_open &= isin(current.column("op"), ["assert"])
    return np.bincount(record, weights=still_open, minlength=1)[record] > 0


def _reference_days(current: pa.Table, scope: Delivery) -> Ints:
    """The day by which a contact is in a window or not.

    By its end: what is still open is always in scope; a contact that has no end (a review, say) is
    judged by the day it occurred.
    """
    occurred = numbers(current.column("occurred_on"), NEVER)
    if scope.window_by == "occurred":
        return occurred
    ended = numbers(current.column("ended_on"), NEVER)
    still_open = np.asarray(one(current.column("open_ended")).fill_null(False))
    return np.where((ended == NEVER) & ~still_open, occurred, ended)


def latest(table: pa.Table, key: str, source: str | None = None) -> pa.Table:
    """The latest version of each thing, of one source or of all."""
    if source is not None:
        mine = isin(table.column("source"), [source])
        table = table if mine.all() else table.filter(pa.array(mine))
    return take(table, live_rows(table, key))
