"""Rows of training data: which child, as of which day; and contacts as plain columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskflag.clock import NEVER
from riskflag.history.view import History

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """n rows: `person` are positions in `ids` (int64 [n]), `as_of` are day numbers (int64 [n]).

    Always in the order of as-of and then person id, so that nothing depends on the data's order.
    """

    ids: tuple[str, ...]
    person: Ints
    as_of: Ints

    def __len__(self) -> int:
        return len(self.person)

    def take(self, chosen: Bools | Ints) -> Rows:
        """The chosen rows (a mask or rising positions)."""
        return Rows(self.ids, self.person[chosen], self.as_of[chosen])

    def frame(self) -> pd.DataFrame:
        """person_id and as_of (datetime64), as `riskflag.signals.build` takes them."""
        return pd.DataFrame(
            {
                "person_id": np.asarray(self.ids, dtype=object)[self.person],
                "as_of": self.as_of.astype("datetime64[D]").astype("datetime64[s]"),
            }
        )


@dataclass(frozen=True)
class Contacts:
    """Contacts of some types as columns of int64 [m]; `ended` is NEVER where it is open."""

    person: Ints
    occurred: Ints
    known: Ints
    superseded: Ints
    ended: Ints

    @classmethod
    def of(
        cls, history: History, ids: Sequence[str], types: Sequence[str] | None = None
    ) -> Contacts:
        """The children's own contacts (of `types`, or all), with positions in sorted `ids`."""
        table = history.contacts
        keep = pc.equal(_plain(table["link"]), "self")
        if types is not None:
            keep = pc.and_(keep, pc.is_in(_plain(table["type"]), pa.array(list(types))))
        table = table.select(_COLUMNS).filter(keep)
        position = pc.index_in(_plain(table["person_id"]), pa.array(ids, pa.string()))
        table = table.append_column("position", position).filter(pc.is_valid(position))
        return cls(
            integers(table["position"]),
            integers(table["occurred_day"]),
            integers(table["known_day"]),
            integers(table["superseded_day"]),
            integers(table["ended_day"], missing=NEVER),
        )

    def take(self, chosen: Bools) -> Contacts:
        """The chosen contacts."""
        return Contacts(
            self.person[chosen],
            self.occurred[chosen],
            self.known[chosen],
            self.superseded[chosen],
            self.ended[chosen],
        )

    def visible(self, as_of: int) -> Contacts:
        """What was known at `as_of` (see riskflag.clock.visible, here for a whole column)."""
        return self.take((self.known < as_of) & (as_of <= self.superseded))


_COLUMNS = ["person_id", "occurred_day", "known_day", "superseded_day", "ended_day"]


def integers(column: pa.ChunkedArray, missing: int = 0) -> Ints:
    """A column as int64, with `missing` in place of null."""
    return np.asarray(pc.fill_null(column.cast(pa.int64()), missing).to_numpy(), dtype=np.int64)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text that may be dictionary-encoded, as plain text."""
    return column.cast(pa.string())
