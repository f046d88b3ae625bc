"""Reading a Parquet extract: text stays text, dates stay dates, checksums are verified."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskflag.history.readers import RawFile, RejectedError, columns_of
from riskflag.history.source import Files

#: What an extension type of a column is called in the file; one of these would unpickle itself.
_EXTENSION = b"ARROW:extension:name"
#: Units of a second, and the most of them that microseconds since 1970 can hold.
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_MOST_SECONDS = (1 << 63) // 10**6 - 1


def read_parquet(
    data: bytes, name: str, files: Files, needed: frozenset[str], identifiers: frozenset[str]
) -> RawFile:
    """The needed columns of a Parquet file; RejectedError when it is damaged or of other types.

    `identifiers` are columns whose values name something: a number type has lost their zeros.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        header = list(file.schema_arrow.names)
        places = columns_of(header, name, files, needed)
        for column, place in places.items():
            _check_type(file.schema_arrow.field(place), name, column, column in identifiers)
        read = file.read(columns=sorted({header[place] for place in places.values()}))
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError):
        raise RejectedError(
            "damaged", f"{name} cannot be read as Parquet; ask for another copy."
        ) from None
    columns = {
        column: _plain(read.column(header[place]), name, column) for column, place in places.items()
    }
    lines = np.arange(1, read.num_rows + 1, dtype=np.int64)
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
