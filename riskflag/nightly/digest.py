"""A digest of what was visible at an as-of date: later knowledge does not change it."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import day_number
from riskflag.history.store.content import LATER
from riskflag.history.store.stored_view import Shelves, StoredView, view_of

if TYPE_CHECKING:
    from riskflag.history.store.view import History


def visible_rows(table: pa.Table, as_of: int) -> pa.Table:
    """The rows of a table of versions that were visible at day number `as_of`."""
    known = pc.less(table["known_day"], as_of)
    standing = pc.greater_equal(table[LATER], as_of)
    return table.filter(pc.and_(known, standing))


def visible_digest(history: History | StoredView | Shelves, today: dt.date) -> str:
    """SHA-256 over every contact, person and relationship visible at `today` and the feeds' state.

    Whatever becomes known on that day or later changes nothing, nor do parts or the order of rows.
    """
    view = view_of(history)
    found = view.visible(day_number(today))
    told = [f"{name} {one.rows} {one.a:016x} {one.b:016x}" for name, one in sorted(found.items())]
    feeds = map(repr, view.feeds(today))
    begins = repr(sorted(beginnings(view.coverage, today).items()))
    return hashlib.sha256("\n".join([*told, *feeds, begins]).encode()).hexdigest()


def beginnings(coverage: pa.Table, as_of: dt.date) -> dict[str, dt.date]:
    """The first day each source covers, by the deliveries that count at `as_of`."""
    first: dict[str, dt.date] = {}
    for row in coverage.to_pylist():
        counts = row["received_on"] < as_of or row.get("first_load")
        if counts and row["covered_from"] is not None:
            first[row["source"]] = min(first.get(row["source"], as_of), row["covered_from"])
    return first
