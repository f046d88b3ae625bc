"""Rows of training data: which child, as of which day; and contacts as plain columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskflag.clock import NEVER
from riskflag.history.arrays import one
from riskflag.history.store.stored_view import Shelves, view_of
from riskflag.history.store.view import History
from riskflag.history.threads import cores, in_turn

Ints = NDArray[np.int64]
#: People and days of many contacts: four bytes hold them as exactly as eight do.
Days = NDArray[np.signedinteger[Any]]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
#: The history as training has it: in memory, or in parts of people in files.
Past = History | Shelves


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

    @classmethod
    def together(cls, parts: Sequence[Rows]) -> Rows:
        """One after another; all have the same ids."""
        person, as_of = ([getattr(one, name) for one in parts] for name in ("person", "as_of"))
        return cls(parts[0].ids, np.concatenate(person), np.concatenate(as_of))

    def take(self, chosen: Bools | Ints) -> Rows:
        """The chosen rows (a mask or rising positions)."""
        return Rows(self.ids, self.person[chosen], self.as_of[chosen])

    def frame(self) -> pd.DataFrame:
        """person_id and as_of (datetime64), as `riskflag.signals.build` takes them."""
        return pd.DataFrame(
            {
                "person_id": [self.ids[place] for place in self.person.tolist()],
                "as_of": self.as_of.astype("datetime64[D]").astype("datetime64[s]"),
            }
        )


@dataclass(frozen=True)
class Contacts:
    """Contacts of some types as columns of int32 [m]; `ended` is NEVER where it is open."""

    person: Days
    occurred: Days
    known: Days
    superseded: Days
    ended: Days

    @classmethod
    def of(
        cls,
        past: Past,
        ids: Sequence[str],
        types: Sequence[str] | None = None,
        *,
        basis: str | None = None,
    ) -> Contacts:
        """The children's own contacts, with positions in sorted `ids`, in no order.

        Only those of `types`, and whose known day rests on `basis`, where these are given.
        """
        view, everyone = view_of(past), pa.array(ids, pa.string())

        def of_part(number: int) -> list[Days]:
            table = view.part(number, _READ).contacts
            keep = pc.equal(_plain(table["link"]), "self")
            if types is not None:
                keep = pc.and_(
                    keep, pc.is_in(_plain(table["type"]), pa.array(list(types), pa.string()))
                )
            if basis is not None:
                keep = pc.and_(keep, pc.equal(_plain(table["known_basis"]), basis))
            return _columns(table.select(_COLUMNS).filter(keep), everyone)

        parts = list(in_turn(of_part, len(view), threads=cores()))
        # Column by column: what was found is not held twice.
        return cls(*(np.concatenate([part.pop(0) for part in parts]) for _ in _COLUMNS))

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
_READ = [*_COLUMNS, "link", "type", "known_basis"]


def _columns(table: pa.Table, everyone: pa.Array) -> list[Days]:
    """Contacts of the people in `everyone` as plain columns, their place first."""
    person = one(table["person_id"])
    if not pa.types.is_dictionary(person.type):
        person = person.dictionary_encode()
    place = integers(pc.index_in(person.dictionary.cast(pa.string()), everyone), missing=-1)
    place = np.append(place, -1)[integers(person.indices, missing=-1)]
    found = place >= 0
    days = [integers(table[name], NEVER if name == "ended_day" else 0) for name in _COLUMNS[1:]]
    return [column[found].astype(np.int32) for column in (place, *days)]


def integers(column: pa.ChunkedArray, missing: int = 0) -> Ints:
    """A column as int64, with `missing` in place of null."""
    return np.asarray(pc.fill_null(column.cast(pa.int64()), missing).to_numpy(), dtype=np.int64)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text that may be dictionary-encoded, as plain text."""
    return column.cast(pa.string())
