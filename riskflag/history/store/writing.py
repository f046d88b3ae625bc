"""Writing version rows as Parquet files: bucketed, sorted, with checksums, several at a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.history.arrays import Ints, decoded, encode, numbers, one, ordered, ranks, take
from riskflag.history.hashing import BUCKETS, buckets
from riskflag.history.schema import SCHEMAS, conform
from riskflag.history.store.ledger import StoredFile
from riskflag.history.store.shelf import Shelf
from riskflag.history.threads import in_threads
from riskflag.progress import Progress, silent

#: Where the contacts of a small batch lie, whoever they are about.
LOOSE = "bucket=any"
#: A batch of no more contacts than this is one file: sixty small ones cost more than they save.
SMALL_BATCH = 20_000
#: From so many files in one folder on they are merged into one.
MANY_FILES = 32
#: Merged loose files may hold so many contacts before they are dealt out to the buckets.
MOST_LOOSE = 1 << 18
#: So many contacts may be on their way into files at once.
_MOST_AT_ONCE = 800_000
#: Rows are sorted into buckets in parts of so many, side by side.
_PART_ROWS = 1 << 18
#: Columns that hardly repeat: a dictionary of them would only be thrown away.
_UNLIKE = frozenset({"contact_key", "row_hash", "record_id", "subject_value", "source_line"})


def crowded(files: Sequence[StoredFile]) -> list[list[StoredFile]]:
    """The files that lie together in so many that they had better be one, folder by folder."""
    folders: dict[str, list[StoredFile]] = {}
    for file in files:
        folders.setdefault(file.path.rpartition("/")[0], []).append(file)
    return [folders[name] for name in sorted(folders) if len(folders[name]) >= MANY_FILES]


def merge(folder: Path, like: str, table: pa.Table, name: str) -> list[StoredFile]:
    """Write the rows of files that lay together where `like` did; many loose ones into buckets."""
    kind, place = like.split("/", maxsplit=1)[0], like.rpartition("/")[0]
    if place == f"contact/{LOOSE}":
        return write_tables(folder, {kind: table}, name, silent, small=MOST_LOOSE)
    return [_write(folder, f"{place}/{name}.parquet", partial(_itself, table))]


def write_tables(
    folder: Path,
    tables: Mapping[str, pa.Table | Shelf],
    name: str,
    progress: Progress,
    *,
    small: int | None = None,
) -> list[StoredFile]:
    """Write rows below `folder`, in files called `name`, synced; empty tables make none.

    No more than `small` contacts (default SMALL_BATCH) go into one file instead of buckets.
    """
    few = SMALL_BATCH if small is None else small
    parts: list[tuple[str, Callable[[], pa.Table]]] = []
    for kind in sorted(tables):
        rows = tables[kind]
        if kind == "contact" and len(rows) > few:
            found = _by_bucket(rows)
            parts += [(f"contact/bucket={n:02d}/{name}.parquet", read) for n, read in found]
        elif len(rows):
            place = f"contact/{LOOSE}" if kind == "contact" else kind
            table = rows.read() if isinstance(rows, Shelf) else rows
            parts.append((f"{place}/{name}.parquet", partial(_itself, table)))
    label, size = "Writing the history", len(parts)
    progress(label, 0, size)
    contacts = len(tables["contact"]) if "contact" in tables else 0
    return in_threads(
        _write,
        [(folder, *part) for part in parts],
        lambda number: progress(label, number, size),
        most=max(_MOST_AT_ONCE * BUCKETS // max(contacts, 1), 1),
    )


def _itself(table: pa.Table) -> pa.Table:
    return table


def _by_bucket(rows: pa.Table | Shelf) -> list[tuple[int, Callable[[], pa.Table]]]:
    """For each bucket that has any what reads its rows."""
    if isinstance(rows, Shelf):
        if rows.folder is not None:
            return [(n, partial(_bucket, rows, n)) for n in range(BUCKETS + 1) if rows.has(n)]
        rows = rows.read()
    table = _whole(conform(rows, SCHEMAS["contact"], lean=True))
    firsts = range(0, table.num_rows, _PART_ROWS)
    people = [(table.column("person_id").slice(first, _PART_ROWS),) for first in firsts]
    number = np.concatenate(in_threads(buckets, people))
    order = np.argsort(number, kind="stable")
    bounds = np.searchsorted(number[order], np.arange(BUCKETS + 2))
    return [
        (place, partial(take, table, order[bounds[place] : bounds[place + 1]]))
        for place in range(BUCKETS + 1)
        if bounds[place + 1] > bounds[place]
    ]


def _bucket(rows: Shelf, number: int) -> pa.Table:
    return rows.read(number, number + 1)


def _whole(table: pa.Table) -> pa.Table:
    """Each column in one piece, as long as it fits into one."""
    columns = in_threads(pa.ChunkedArray.combine_chunks, [(column,) for column in table.columns])
    return pa.Table.from_arrays(columns, names=table.column_names)


def _in_order(table: pa.Table) -> pa.Table:
    """The contacts sorted by person, day, key and version."""
    main = (ranks(table.column("person_id")) + 1) << 24
    main += numbers(table.column("occurred_on"), 0) + (1 << 23)

    def finer(places: Ints) -> list[Ints]:
        part = table.select(["contact_key", "version"]).take(pa.array(places))
        return [numbers(part.column("version"), 0), ranks(part.column("contact_key"))]

    return take(table, ordered(main, finer))


def _write(folder: Path, path: str, read: Callable[[], pa.Table]) -> StoredFile:
    """Write one Parquet file with page checksums and sync it."""
    kind = path.split("/", maxsplit=1)[0]
    table = _canonical(conform(read(), SCHEMAS[kind], coded=True))
    if kind == "contact":
        table = _in_order(table)
    rows = table.num_rows
    data = parquet_bytes(table)
    del table
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    return StoredFile(path, hashlib.sha256(data).hexdigest(), len(data), rows)


def _canonical(table: pa.Table) -> pa.Table:
    """Each column in one piece, repeated texts coded in one way: equal rows are equal bytes."""
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        coded = pa.types.is_dictionary(column.type)
        if column.null_count == len(column) or name in _UNLIKE:
            columns.append(decoded(column))
        else:
            columns.append(
                encode(column) if coded or pa.types.is_string(column.type) else one(column)
            )
    return pa.Table.from_arrays(columns, names=table.column_names)


def parquet_bytes(table: pa.Table) -> memoryview:
    """A table as a Parquet file with a checksum for each page."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=[name for name in table.column_names if name not in _UNLIKE],
        write_page_checksum=True,
        write_statistics=False,
        row_group_size=1 << 17,
        store_schema=False,
    )
    return memoryview(sink.getvalue())
