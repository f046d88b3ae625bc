"""Whose record is it: exact resolution of identifiers to persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import Mask, decoded, group_starts, isin, one, ranks
from riskflag.history.hashing import joined
from riskflag.history.snapshot import latest
from riskflag.history.text_forms import match_form
from riskflag.history.versions import asserted


@dataclass(frozen=True)
class Identities:
    """Who each identifier belongs to. Identifiers that two persons claim resolve to nobody."""

    names: pa.Array
    persons: pa.Array
    disputed: pa.Array

    @classmethod
    def of(cls, identifiers: pa.Table) -> Identities:
        """From stored identifier rows (schema IDENTIFIER, any order)."""
        table = latest(identifiers, "identifier_key")
        table = table.filter(pa.array(asserted(table))).combine_chunks()
        names = joined([table.column("scheme"), match_form(table.column("value"))])
        persons = decoded(table.column("person_id"))
        name, person = ranks(names), ranks(persons)
        order = np.lexsort((person, name))
        order = order[person[order] >= 0]
        first = np.flatnonzero(group_starts(name[order]))
        pairs = np.flatnonzero(group_starts(name[order], person[order]))
        several = np.diff(np.append(np.searchsorted(pairs, first), len(pairs))) > 1
        return cls(
            names.take(pa.array(order[first[~several]])),
            persons.take(pa.array(order[first[~several]])),
            names.take(pa.array(order[first[several]])),
        )

    def resolve(self, scheme: pa.Array, value: pa.Array) -> tuple[pa.Array, Mask]:
        """The person of each identifier (null: nobody knows), and which are disputed."""
        scheme, value = one(scheme), one(value)
        itself = isin(scheme, ["person"])
        if itself.all() and not self._own_disputed():
            return value, np.zeros(len(value), np.bool_)
        names = joined([scheme, match_form(value)])
        place = pc.index_in(names, value_set=self.names)
        found = self.persons.take(place) if len(self.persons) else pa.nulls(len(names), pa.string())
        disputed = pc.and_(pc.is_in(names, value_set=self.disputed), value.is_valid())
        return pc.if_else(pa.array(itself), value, found), np.asarray(disputed)

    def _own_disputed(self) -> bool:
        """Whether a person's own id is claimed as an identifier by two."""
        head = joined([pa.scalar("person"), pa.scalar("")], 1)[0].as_py()
        return bool(pc.any(pc.starts_with(self.disputed, head)).as_py())
