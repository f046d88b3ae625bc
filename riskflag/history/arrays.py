"""Small Arrow and numpy helpers that the tables of the history are built with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def one(column: Any) -> pa.Array:
    """A column as one array; lent, not copied, where it has a single chunk."""
    if isinstance(column, pa.ChunkedArray):
        if column.num_chunks == 1:
            return column.chunk(0)
        joined = column.combine_chunks()
        return joined if isinstance(joined, pa.Array) else joined.chunk(0)
    return column


def mask_of(found: pa.Array | pa.ChunkedArray) -> Mask:
    """An Arrow column of truth values as a mask; null is no."""
    return np.asarray(pc.fill_null(one(found), False), np.bool_)


def encode(column: Any) -> pa.DictionaryArray:
    """A text column dictionary-encoded in the one canonical way.

    The dictionary holds exactly the values that occur, sorted, so the codes sort as the texts do
    and two equal columns are equal bytes.
    """
    array = one(column)
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    used = np.zeros(len(array.dictionary) + 1, np.bool_)
    used[codes] = True
    kept = np.flatnonzero(used[:-1])
    if len(kept) == len(array.dictionary) and _canonical(array):
        return array
    dictionary = array.dictionary.take(pa.array(kept, pa.int32()))
    order = pc.array_sort_indices(dictionary).to_numpy()
    place = np.full(len(used), -1, np.int32)
    place[kept[order]] = np.arange(len(kept), dtype=np.int32)
    fresh = place[codes]
    indices = pa.array(fresh, pa.int32(), mask=fresh < 0)
    return pa.DictionaryArray.from_arrays(indices, dictionary.take(pa.array(order)))


def _canonical(array: pa.DictionaryArray) -> bool:
    """Whether a dictionary is sorted and named by int32 codes, as `encode` leaves it."""
    words = array.dictionary
    plain = array.type == pa.dictionary(pa.int32(), pa.string()) and not words.null_count
    return bool(plain and (len(words) < 2 or pc.all(pc.less(words[:-1], words[1:])).as_py()))


def constant(text: str | None, size: int) -> pa.DictionaryArray:
    """A column that says one text in every row, or nothing."""
    places = pa.array(np.zeros(size, np.int32), mask=np.full(size, text is None))
    return pa.DictionaryArray.from_arrays(places, pa.array([text or ""], pa.string()))


def stacked(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables one below the other. A column that one of them lacks is null there.

    Texts stay dictionary-encoded only where they are so in every table.
    """
    kinds: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for field in table.schema:
            kinds.setdefault(field.name, set()).add(field.type)
    plain = {name for name, found in kinds.items() if len(found) > 1}
    return pa.concat_tables([_plain_texts(t, plain) for t in tables], promote_options="default")


def _plain_texts(table: pa.Table, names: set[str]) -> pa.Table:
    for place, field in enumerate(table.schema):
        if field.name in names and pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.string()))
    return table


def codes(array: pa.DictionaryArray) -> npt.NDArray[np.int32]:
    """The codes of an encoded column, -1 for null."""
    indices = array.indices.fill_null(-1) if array.indices.null_count else array.indices
    return np.asarray(indices.to_numpy(zero_copy_only=False), np.int32)


def decoded(column: Any) -> pa.Array:
    """A text column without its dictionary."""
    array = one(column)
    return array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array


def ranks(column: Any) -> Ints:
    """Whole numbers that sort as the texts of a column do (null first, as -1)."""
    return codes(encode(column)).astype(np.int64)


def day_numbers(column: Any) -> pa.Array:
    """A date column as int32 day numbers, nulls kept."""
    return one(column).cast(pa.int32())


def numbers(column: Any, missing: int) -> Ints:
    """An integer or date column as int64, `missing` where null."""
    array = one(column)
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32())
    if array.null_count:
        array = array.cast(pa.int64()).fill_null(missing)
    return np.asarray(array.to_numpy(zero_copy_only=False), np.int64)


def group_starts(*keys: npt.NDArray[Any]) -> Mask:
    """Where, in rows sorted by `keys`, a new group begins."""
    size = len(keys[0])
    starts = np.zeros(size, np.bool_)
    if size:
        starts[0] = True
        for key in keys:
            starts[1:] |= key[1:] != key[:-1]
    return starts


def spans(begin: Ints, end: Ints) -> tuple[Ints, Ints]:
    """The row numbers of many ranges one after another, and the range each came from."""
    lengths = end - begin
    total = int(lengths.sum())
    owner = np.repeat(np.arange(len(begin)), lengths)
    offset = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return begin[owner] + offset, owner


def take(table: pa.Table, rows: npt.NDArray[Any]) -> pa.Table:
    """The rows of a table by number; the table itself when that is all of them in order."""
    size = table.num_rows
    if len(rows) == size and (size == 0 or (rows[0] == 0 and bool((np.diff(rows) == 1).all()))):
        return table
    return table.take(pa.array(rows, pa.int64()))


def those(table: pa.Table, chosen: Any) -> pa.Table:
    """The rows for which a mask says yes; the table itself when that is all of them."""
    mask = chosen if isinstance(chosen, np.ndarray) else mask_of(chosen)
    return table if mask.all() else table.filter(pa.array(mask))


def ordered(main: Ints, finer: Callable[[Ints], Sequence[Ints]]) -> Ints:
    """The order by `main` and then by what `finer` gives for the rows that tie.

    `finer` takes row numbers and returns their further keys, the least important first (as
    numpy.lexsort does). Sorting only the ties by costly keys keeps large tables fast.
    """
    order = np.argsort(main, kind="stable")
    ties = main[order][1:] == main[order][:-1]
    if not ties.any():
        return order
    tied = np.zeros(len(order), np.bool_)
    tied[1:] |= ties
    tied[:-1] |= ties
    places = np.flatnonzero(tied)
    rows = order[places]
    result = order.copy()
    result[places] = rows[np.lexsort((*finer(rows), main[rows]))]
    return result


def tallies(column: Any, rows: Mask | None = None) -> dict[str, int]:
    """How often each text of a column occurs, in all rows or the chosen ones; null left out."""
    array = one(column)
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    place = codes(array)
    place = place if rows is None else place[rows]
    found = np.bincount(place[place >= 0], minlength=len(array.dictionary))
    counts: dict[str, int] = {}
    for name, times in zip(array.dictionary.to_pylist(), found.tolist(), strict=True):
        if times:
            counts[name] = counts.get(name, 0) + times
    return counts


def groups(column: Any) -> Ints:
    """A number for each text, the same for the same text; the numbers mean nothing else."""
    array = one(column)
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    return np.asarray(array.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)


def isin(column: Any, values: Sequence[str] | pa.Array) -> Mask:
    """Which cells hold one of `values`; null never does."""
    wanted = values if isinstance(values, pa.Array) else pa.array(list(values), pa.string())
    array, wanted = one(column), wanted.cast(pa.string())
    if not pa.types.is_dictionary(array.type):
        return np.asarray(pc.is_in(array, value_set=wanted))
    found = np.append(np.asarray(pc.is_in(array.dictionary, value_set=wanted)), False)
    if found[:-1].all() and not array.indices.null_count:
        return np.ones(len(array), np.bool_)
    return np.asarray(found[codes(array)])


def distinct(column: Any, rows: Mask) -> pa.Array:
    """The different texts of an encoded column in the chosen rows, in dictionary order."""
    array = one(column)
    used = np.zeros(len(array.dictionary) + 1, np.bool_)
    used[codes(array)[rows]] = True
    return array.dictionary.filter(pa.array(used[:-1]))


def in_order_of(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """The table sorted by these columns (null texts first, null numbers last)."""
    keys = [_sort_key(one(table.column(name))) for name in reversed(names)]
    return take(table, np.lexsort(keys)).combine_chunks() if table.num_rows else table


def _sort_key(array: pa.Array) -> Ints:
    if pa.types.is_dictionary(array.type) or pa.types.is_string(array.type):
        return ranks(array)
    return numbers(array, 2**62)
