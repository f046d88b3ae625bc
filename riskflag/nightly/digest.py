"""A digest of what was visible at an as-of date: later knowledge does not change it."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import day_number

if TYPE_CHECKING:
    from riskflag.history.view import History

#: Says when a later version came, which nobody could know at the as-of date.
LATER = "superseded_day"


def visible_rows(table: pa.Table, as_of: int) -> pa.Table:
    """The rows of a table of versions that were visible at day number `as_of`."""
    known = pc.less(table["known_day"], as_of)
    standing = pc.greater_equal(table[LATER], as_of)
    return table.filter(pc.and_(known, standing))


def visible_digest(history: History, today: dt.date) -> str:
    """SHA-256 over every contact, person and relationship visible at `today` and the feeds' state.

    Whatever becomes known on that day or later changes nothing.
    """
    digest, as_of = hashlib.sha256(), day_number(today)
    tables = (
        ("contacts", visible_rows(history.contacts, as_of)),
        ("persons", visible_rows(history.persons, as_of)),
        ("relationships", visible_rows(history.relationships, as_of)),
    )
    for name, table in tables:
        digest.update(f"{name} {table.num_rows}\n".encode())
        for column in sorted(table.column_names):
            if column != LATER:
                digest.update(f"{column}\n".encode())
                _feed(digest, table[column])
    for line in (
        *map(repr, history.feeds(today)),
        repr(sorted(beginnings(history, today).items())),
    ):
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def beginnings(history: History, as_of: dt.date) -> dict[str, dt.date]:
    """The first day each source covers, by the deliveries that count at `as_of`."""
    first: dict[str, dt.date] = {}
    for row in history.coverage.to_pylist():
        counts = row["received_on"] < as_of or row.get("first_load")
        if counts and row["covered_from"] is not None:
            first[row["source"]] = min(first.get(row["source"], as_of), row["covered_from"])
    return first


def _feed(digest: Any, column: pa.ChunkedArray) -> None:
    """Add a column in a form that does not depend on chunks, dictionaries or unused bytes."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    digest.update(np.packbits(np.asarray(array.is_null())).tobytes())
    if pa.types.is_dictionary(array.type):
        _feed_codes(digest, array)
        return
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        _feed_texts(digest, array)
    else:
        _feed_numbers(digest, array)


def _feed_codes(digest: Any, array: pa.DictionaryArray) -> None:
    """A dictionary column as the places of its used values in alphabetical order.

    Values that no visible row has are left out: they may have come with a later contact.
    """
    codes = np.asarray(array.indices.fill_null(-1), dtype=np.int64)
    used = np.unique(codes[codes >= 0])
    texts = [str(text) for text in array.dictionary.take(pa.array(used)).to_pylist()]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    # The last place is that of a null, whose code is -1.
    place = np.full(len(array.dictionary) + 1, -1, dtype=np.int64)
    place[used[order]] = np.arange(len(order))
    digest.update(("\0".join(sorted(texts)) + "\n").encode())
    digest.update(place[codes].tobytes())


def _feed_texts(digest: Any, array: pa.Array) -> None:
    filled = array.fill_null("").cast(pa.large_string())
    lengths = np.asarray(pc.binary_length(filled), dtype=np.int64)
    digest.update(lengths.tobytes())
    offset, size = filled.offset, len(filled)
    if not size:
        return
    offsets = np.frombuffer(filled.buffers()[1], dtype=np.int64)[offset : offset + size + 1]
    data = filled.buffers()[2]
    if data is not None:
        digest.update(memoryview(data)[int(offsets[0]) : int(offsets[-1])])


def _feed_numbers(digest: Any, array: pa.Array) -> None:
    if pa.types.is_temporal(array.type):
        wide = pa.int32() if array.type.bit_width == 32 else pa.int64()
        array = array.cast(wide)
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    zero = pa.scalar(0, pa.int8()).cast(array.type)
    digest.update(np.ascontiguousarray(array.fill_null(zero).to_numpy(zero_copy_only=False)))
