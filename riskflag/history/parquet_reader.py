"""Reading a Parquet extract: text stays text, dates stay dates, checksums are verified."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.history.readers import RawFile, RejectedError, present_columns


def read_parquet(
    data: bytes, name: str, needed: frozenset[str], optional: frozenset[str] = frozenset()
) -> RawFile:
    """The needed columns of a Parquet file; RejectedError when it is damaged or of other types."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        needed = present_columns(list(file.schema_arrow.names), name, needed, optional)
        table = file.read(columns=sorted(needed), use_threads=False)
    except (pa.ArrowException, OSError):
        raise RejectedError(
            "damaged", f"{name} cannot be read as Parquet; ask for another copy."
        ) from None
    columns = {column: _plain(table.column(column), name, column) for column in sorted(needed)}
    lines = np.arange(1, table.num_rows + 1, dtype=np.int64)
    return RawFile(name, pa.table(columns).combine_chunks(), lines)


def _plain(column: pa.ChunkedArray, name: str, label: str) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return column
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    coded = pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type)
    if text or number or coded or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    raise RejectedError(
        "column_type", f"{name}: the type of column {label} is not text, date or number."
    )
