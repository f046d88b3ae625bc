"""Whose rows are where: reading sorted, dictionary-encoded Arrow columns in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.errors import InputError
from riskflag.signals.layout import Int32s, Ints


class People:
    """The different people of a sorted column, and where the rows of each begin and end."""

    def __init__(self, person_ids: pa.ChunkedArray) -> None:
        column = encoded(person_ids)
        codes = codes_of(column.indices)
        new = np.flatnonzero(codes[1:] != codes[:-1]) + 1
        first = [0] if len(codes) else []
        #: Where each person's rows begin, and the end: [people + 1].
        self.starts = np.concatenate([first, new, [len(codes)]]).astype(np.int64)
        met = codes[self.starts[:-1]]
        # The place of each entry of the dictionary among the people; the last is for no entry.
        self._places = np.full(len(column.dictionary) + 1, -1, np.int64)
        self._places[met] = np.arange(len(met))
        self._names = column.dictionary
        if np.count_nonzero(self._places >= 0) != len(met) or (met < 0).any():
            raise InputError("The history is not sorted by person; load it with riskflag.history.")

    def places(self, wanted: pa.Array) -> Ints:
        """Where each wanted person is among the people, -1 for nowhere."""
        names = self._names.cast(pa.string())
        if wanted.equals(names):
            return self._places[:-1]
        code = pc.index_in(wanted, value_set=names).fill_null(-1)
        return np.asarray(self._places[code.to_numpy(zero_copy_only=False)], np.int64)


def whole(column: pa.ChunkedArray) -> Any:
    """One array without chunks; lent, not copied, where the column has a single chunk."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.chunks else pa.array([], column.type)


def encoded(column: pa.ChunkedArray) -> Any:
    """One dictionary-encoded array."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return whole(column if column.num_chunks == 1 else column.unify_dictionaries())


def codes_of(indices: pa.Array) -> Int32s:
    """Dictionary codes as numbers, -1 where nothing was recorded."""
    full = indices.fill_null(-1) if indices.null_count else indices
    return np.asarray(full.to_numpy(zero_copy_only=False), np.int32)


def rows_of(person_ids: pa.ChunkedArray, person_id: str) -> slice:
    """The rows of one person in a sorted column: an empty slice when there are none."""
    column = encoded(person_ids)
    code = pc.index(column.dictionary, person_id).as_py()
    rows = np.flatnonzero(codes_of(column.indices) == code)
    if code < 0 or len(rows) == 0:
        return slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1)
