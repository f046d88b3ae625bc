"""From stored versions to the days on which each was the one that held."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskflag.clock import NEVER
from riskflag.history.arrays import Ints, group_starts, isin, numbers, one, ranks


def superseded_days(table: pa.Table, key: str) -> Ints:
    """For each version row the day number its successor became known (NEVER for the last).

    `key` names the column that versions of one thing share. Rows may come in any order.
    """
    result = np.full(table.num_rows, NEVER, np.int64)
    rows = _rows_with_siblings(table, key)
    if len(rows) == 0:
        return result
    part = table.select([key, "version", "known_on"]).take(pa.array(rows))
    names, version = ranks(part.column(key)), numbers(part.column("version"), 0)
    known = numbers(part.column("known_on"), NEVER)
    order = np.lexsort((version, names))
    follows = ~group_starts(names[order])[1:]
    here, there = order[:-1][follows], order[1:][follows]
    result[rows[here]] = known[there]
    return result


def _rows_with_siblings(table: pa.Table, key: str) -> npt.NDArray[np.int64]:
    """The rows of things that have more than one version: usually few of many."""
    later = numbers(table.column("version"), 1) > 1
    if not later.any():
        return np.zeros(0, np.int64)
    keys = one(table.column(key))
    return np.flatnonzero(isin(keys, keys.filter(pa.array(later)).unique()))


def live_rows(table: pa.Table, key: str) -> Ints:
    """The row numbers of the latest version of each thing, in the table's order."""
    latest = superseded_days(table, key) == NEVER
    return np.flatnonzero(latest)


def asserted(table: pa.Table) -> npt.NDArray[np.bool_]:
    """Which version rows assert (the others retract)."""
    return isin(table.column("op"), ["assert"])
