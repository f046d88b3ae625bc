"""Whose rows are where: reading sorted, dictionary-encoded Arrow columns in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.errors import InputError
from riskflag.history.store.persons import Spans, spans_of
from riskflag.signals.layout import Int32s, Ints


class People:
    """The different people of a sorted column, and where the rows of each begin and end."""

    def __init__(self, spans: Spans) -> None:
        #: Where each person's rows begin, and the end: [people + 1].
        self._names, self.starts, together = spans
        if not together:
            raise InputError("The history is not sorted by person; load it with riskflag.history.")

    @classmethod
    def of(cls, person_ids: pa.ChunkedArray) -> People:
        """Of a column of person ids."""
        return cls(spans_of(person_ids))

    def places(self, wanted: pa.Array) -> Ints:
        """Where each wanted person is among the people, -1 for nowhere."""
        if wanted.equals(self._names):
            return np.arange(len(wanted), dtype=np.int64)
        place = pc.index_in(wanted, value_set=self._names).fill_null(-1)
        return np.asarray(place.to_numpy(zero_copy_only=False), np.int64)


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
