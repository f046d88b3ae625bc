"""A table whose rows belong to parts of the people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskflag.history.arrays import Ints


@dataclass(frozen=True)
class ByPart:
    """A table and the parts its rows belong to: one number of rows for each of `homes`."""

    table: pa.Table
    homes: Sequence[npt.NDArray[np.int64]]
    parts: int

    @cached_property
    def _sorted(self) -> list[tuple[Ints, Ints]]:
        found = []
        for home in self.homes:
            order = np.argsort(home, kind="stable")
            found.append((order, np.searchsorted(home[order], np.arange(self.parts + 1))))
        return found

    def part(self, number: int) -> pa.Table:
        """The rows of one part, in the table's order."""
        rows = [order[edges[number] : edges[number + 1]] for order, edges in self._sorted]
        return self.table.take(pa.array(np.unique(np.concatenate(rows))))
