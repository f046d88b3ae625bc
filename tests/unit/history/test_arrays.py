"""Rows picked from tables: the same rows, however a column is kept."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from riskflag.history.arrays import same_throughout, take

SIZE = 7
ALIKE = {
    "nothing": pa.nulls(SIZE, pa.string()),
    "one text": pa.DictionaryArray.from_arrays(np.zeros(SIZE, np.int32), pa.array(["x"])),
}
UNLIKE = {
    "numbers": pa.array(range(SIZE)),
    "texts": pa.array([None, *"abcdef"]),
    "one text or none": pa.array(["x"] * 6 + [None]).dictionary_encode(),
    "two texts": pa.array([*"xyxyxyx"]).dictionary_encode(),
}
ROWS = ([], [3], [6, 0, 3], [0, 1, 2], [5, 5, 1, 0, 2, 3, 4, 6, 6])


@pytest.mark.parametrize("rows", ROWS)
def test_rows_are_picked_from_columns_that_vary_and_that_do_not(rows):
    """Fewer rows than there are, all, and more."""
    table = pa.table(ALIKE | UNLIKE)
    found = take(table, np.array(rows, np.int64))
    assert found.schema == table.schema
    assert found.to_pylist() == [table.to_pylist()[row] for row in rows]


def test_only_a_column_that_says_one_thing_counts_as_such():
    table = pa.table(ALIKE | UNLIKE)
    assert [n for n in table.column_names if same_throughout(table.column(n))] == list(ALIKE)
    pieces = pa.chunked_array([ALIKE["one text"], pa.array(["y"]).dictionary_encode()])
    assert not same_throughout(pieces)
