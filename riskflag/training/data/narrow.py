"""Signal values of many rows in little memory, and not one of them rounded.

Counts and days are whole numbers that two bytes hold as exactly as eight do. A table of a million
rows is an eighth to a quarter of what plain numbers would take, and is read some rows at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from riskflag.training.data.rows import Floats, Ints

#: Rows whose values are plain numbers at a time where all rows are scored.
AT_ONCE = 10_000
_WIDTHS = (np.float16, np.float32, np.float64)


class Values(Protocol):
    """Signal values of n rows and k signals; what is asked for comes as float64."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, asked: Any, /) -> Any: ...


def in_blocks(
    score: Callable[[Floats], Floats], values: Values, rows: Ints | None = None
) -> Floats:
    """The score of every row of `values`, or of those at `rows` (float64 [n]), some at a time."""
    blocks = [
        slice(first, first + AT_ONCE)
        for first in range(0, len(values if rows is None else rows), AT_ONCE)
    ]
    found = [score(values[block if rows is None else rows[block]]) for block in blocks]
    return np.concatenate(found or [np.empty(0)])


class Narrow:
    """Values [n, k]; each column as narrow as all its values allow without loss."""

    def __init__(self, rows: int, columns: int) -> None:
        self.shape = (rows, columns)
        self._columns: list[NDArray[Any]] = [np.empty(rows, np.float16) for _ in range(columns)]

    @classmethod
    def of(cls, rows: int, columns: int, blocks: Iterable[tuple[Ints, Floats]]) -> Narrow:
        """From positions and their values (float64 [m, k]), block after block."""
        made = cls(rows, columns)
        for places, values in blocks:
            for number, column in enumerate(values.T):
                made._put(number, places, column)
        return made

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, asked: Any) -> Floats:
        """Some rows (float64 [m, k]), or some rows of one column (float64 [m])."""
        if isinstance(asked, tuple):
            rows, number = asked
            return self._columns[number][rows].astype(np.float64)
        found = np.empty((len(np.empty(len(self), np.bool_)[asked]), self.shape[1]))
        for number, column in enumerate(self._columns):
            found[:, number] = column[asked]
        return found

    @property
    def bytes(self) -> int:
        """The memory that the values take."""
        return sum(column.nbytes for column in self._columns)

    def _put(self, number: int, places: Ints, values: Floats) -> None:
        column = self._columns[number]
        for width in _WIDTHS:
            if np.dtype(width).itemsize < column.itemsize:
                continue
            with np.errstate(over="ignore"):
                cast = values.astype(width)
            if np.array_equal(cast, values, equal_nan=True):
                break
        if cast.itemsize > column.itemsize:
            column = self._columns[number] = column.astype(width)
        column[places] = cast
