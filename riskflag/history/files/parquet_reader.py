"""Reading a Parquet extract: text stays text, dates stay dates, checksums are verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskflag.history.files.delivered import FileContent, RejectedError
from riskflag.history.files.raw_file import PART_ROWS, RawFile, What, columns_of

#: What an extension type of a column is called in the file; one of these would unpickle itself.
_EXTENSION = b"ARROW:extension:name"
#: Units of a second, and the most of them that microseconds since 1970 can hold.
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_MOST_SECONDS = (1 << 63) // 10**6 - 1
_DAMAGED = (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError)
#: So much of a column is read ahead of what is asked for.
_BUFFER = 1 << 20
#: What a field takes as text, with its delimiter: a code, a day or a short number.
_FIELD_BYTES = 12


def parquet_parts(content: FileContent, about: What) -> Iterator[Callable[[], RawFile]]:
    """What reads one part of a Parquet file after another; see `readers.parts_of`.

    A column whose values name something must not be a number: that has lost their zeros.
    """
    with _readable(about.name), content.file() as opened:
        file = _opened(opened)
        kinds = file.schema_arrow
        places = columns_of(list(kinds.names), about.name, about.files, about.needed)
        for column, place in places.items():
            named = column in about.identifiers
            _check_type(kinds.field(place), about.name, column, named)
        labels = {column: kinds.names[place] for column, place in places.items()}
        wanted = pa.schema([kinds.field(label) for label in sorted(set(labels.values()))])
        first = 1
        for table in _tables(file, wanted):
            yield partial(_part, table, about.name, labels, first)
            first += table.num_rows


def size_as_text(content: FileContent, columns: int) -> int:
    """How many bytes so many columns of a Parquet file would about take as text, in which each
    field is written out; 0 when it cannot be read.
    """
    with suppress(*_DAMAGED, RejectedError), content.file() as opened:
        return int(_opened(opened).metadata.num_rows) * columns * _FIELD_BYTES
    return 0


def _opened(opened: BinaryIO) -> pq.ParquetFile:
    return pq.ParquetFile(opened, page_checksum_verification=True, buffer_size=_BUFFER)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGED:
        raise RejectedError(
            "damaged", f"{name} cannot be read as Parquet; ask for another copy."
        ) from None


def _tables(file: pq.ParquetFile, wanted: pa.Schema) -> Iterator[pa.Table]:
    """All rows, PART_ROWS or some more at a time; one table without rows for a file without."""
    held: list[pa.RecordBatch] = []
    whole = rows = 0
    for batch in file.iter_batches(PART_ROWS, columns=wanted.names):
        held.append(batch)
        rows += batch.num_rows
        if rows >= PART_ROWS:
            yield pa.Table.from_batches(held)
            held, rows, whole = [], 0, whole + rows
    if held or not whole:
        yield pa.Table.from_batches(held, None if held else wanted)


def _part(table: pa.Table, name: str, labels: dict[str, str], first: int) -> RawFile:
    with _readable(name):
        columns = {
            column: _plain(table.column(label), name, column) for column, label in labels.items()
        }
        lines = np.arange(first, first + table.num_rows, dtype=np.int64)
        return RawFile(name, pa.table(columns).combine_chunks(), lines)


def _check_type(field: pa.Field, name: str, column: str, identifier: bool) -> None:
    kind = field.type
    if isinstance(kind, pa.BaseExtensionType) or _EXTENSION in (field.metadata or {}):
        raise RejectedError(
            "column_type", f"{name}: column {column} is of a type of its own; deliver plain text."
        )
    if identifier and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise RejectedError(
            "column_type",
            f"{name}: column {column} names something and is a number, which loses its zeros; "
            "deliver it as text.",
        )


def _plain(column: pa.ChunkedArray, name: str, label: str) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_date(kind):
        return column
    if pa.types.is_timestamp(kind):
        return _instants(column, name, label)
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    coded = pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type)
    if text or number or coded or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return _sound(column.cast(pa.string()), name, label)
    raise RejectedError(
        "column_type", f"{name}: the type of column {label} is not text, date or number."
    )


def _sound(column: pa.ChunkedArray, name: str, label: str) -> pa.ChunkedArray:
    """The texts of a column; RejectedError when they are not UTF-8."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raise RejectedError(
            "encoding", f"{name}: column {label} holds bytes that are no text; ask for a new copy."
        ) from None
    return column


def _instants(column: pa.ChunkedArray, name: str, label: str) -> pa.ChunkedArray:
    """Timestamps that microseconds can hold; others would come out as some day or other."""
    most = _MOST_SECONDS * _PER_SECOND[column.type.unit]
    span = pc.min_max(column.cast(pa.timestamp(column.type.unit)).cast(pa.int64())).as_py()
    if span["min"] is not None and (span["min"] < -most or span["max"] > most):
        raise RejectedError(
            "column_type",
            f"{name}: column {label} holds times beyond any calendar; ask for a new copy.",
        )
    return column
