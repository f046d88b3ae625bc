"""Writing version rows as Parquet files: bucketed, sorted, with checksums, several at a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.history.arrays import Ints, numbers, ordered, ranks, take
from riskflag.history.hashing import BUCKETS, buckets
from riskflag.history.ledger import StoredFile
from riskflag.history.schema import SCHEMAS, conform
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
#: Rows are sorted into buckets in parts of so many, side by side.
_PART_ROWS = 1 << 18
#: Columns that hardly repeat: a dictionary of them would only be thrown away.
_UNLIKE = frozenset({"contact_key", "row_hash", "record_id", "subject_value"})

Part = tuple[str, pa.Table, Ints]


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
    rows = np.arange(table.num_rows)
    return [_write(folder, f"{place}/{name}.parquet", table, rows)]


def write_tables(
    folder: Path,
    tables: Mapping[str, pa.Table],
    name: str,
    progress: Progress,
    *,
    small: int | None = None,
) -> list[StoredFile]:
    """Write rows below `folder`, in files called `name`, synced; empty tables make none.

    No more than `small` contacts (default SMALL_BATCH) go into one file instead of buckets.
    """
    few = SMALL_BATCH if small is None else small
    parts: list[Part] = []
    for kind in sorted(tables):
        table = conform(tables[kind], SCHEMAS[kind], lean=True)
        if table.num_rows == 0:
            continue
        if kind != "contact" or table.num_rows <= few:
            place = f"contact/{LOOSE}" if kind == "contact" else kind
            parts.append((f"{place}/{name}.parquet", table, np.arange(table.num_rows)))
            continue
        table = _whole(table)
        parts += [
            (f"contact/bucket={number:02d}/{name}.parquet", table, rows)
            for number, rows in _by_bucket(table)
        ]
    label, size = "Writing the history", len(parts)
    progress(label, 0, size)
    return in_threads(
        _write, [(folder, *part) for part in parts], lambda number: progress(label, number, size)
    )


def _whole(table: pa.Table) -> pa.Table:
    """Each column in one piece, as long as it fits into one."""
    columns = in_threads(pa.ChunkedArray.combine_chunks, [(column,) for column in table.columns])
    return pa.Table.from_arrays(columns, names=table.column_names)


def _by_bucket(table: pa.Table) -> list[tuple[int, Ints]]:
    """For each bucket that has any the numbers of its rows."""
    firsts = range(0, table.num_rows, _PART_ROWS)
    people = [(table.column("person_id").slice(first, _PART_ROWS),) for first in firsts]
    number = np.concatenate(in_threads(buckets, people))
    order = np.argsort(number, kind="stable")
    bounds = np.searchsorted(number[order], np.arange(BUCKETS + 2))
    return [
        (place, order[bounds[place] : bounds[place + 1]])
        for place in range(BUCKETS + 1)
        if bounds[place + 1] > bounds[place]
    ]


def _in_order(table: pa.Table, rows: Ints) -> Ints:
    """These rows sorted by person, day, key and version."""
    few = table.select(["person_id", "occurred_on"]).take(pa.array(rows))
    main = (ranks(few.column("person_id")) + 1) << 24
    main += numbers(few.column("occurred_on"), 0) + (1 << 23)

    def finer(places: Ints) -> list[Ints]:
        part = table.select(["contact_key", "version"]).take(pa.array(rows[places]))
        return [numbers(part.column("version"), 0), ranks(part.column("contact_key"))]

    return rows[ordered(main, finer)]


def _write(folder: Path, path: str, table: pa.Table, rows: Ints) -> StoredFile:
    """Write one Parquet file with page checksums and sync it."""
    kind = path.split("/", maxsplit=1)[0]
    rows = _in_order(table, rows) if kind == "contact" else rows
    chosen = conform(take(table, rows), SCHEMAS[kind], coded=True)
    data = parquet_bytes(chosen)
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    return StoredFile(path, hashlib.sha256(data).hexdigest(), len(data), len(rows))


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
