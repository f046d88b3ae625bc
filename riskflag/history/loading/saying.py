"""What sources say of their contacts by declaration, and how often records are silent on it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa

from riskflag.history.arrays import isin
from riskflag.history.declared.source_check import contact_types
from riskflag.history.loading.delivery import Delivered
from riskflag.history.loading.report import Unsaid
from riskflag.history.schema import ENDED
from riskflag.history.store.versions import asserted


class Saying:
    """Counts, over a load, the records of each source, type and attribute, and the silent ones."""

    def __init__(self) -> None:
        self._records: Counter[tuple[str, str, str]] = Counter()
        self._silent: Counter[tuple[str, str, str]] = Counter()

    def count(self, items: list[Delivered], contacts: pa.Table) -> None:
        """Add some of a day's contacts."""
        says, source, kind = asserted(contacts), contacts.column("source"), contacts.column("type")
        for item in items:
            types = {t for e in item.source.contact for t in contact_types(item.source, e)}
            mine = says & isin(source, [item.source.name])
            for told in sorted(types):
                rows = mine & isin(kind, [told])
                for name in set(declared(item, told)) - {ENDED}:
                    key = (item.source.name, told, name)
                    blank = np.asarray(contacts.column(name).is_null())
                    self._records[key] += int(rows.sum())
                    self._silent[key] += int((rows & blank).sum())

    def unsaid(self) -> tuple[Unsaid, ...]:
        """Where records were silent, by source, type and attribute."""
        return tuple(
            Unsaid(*key, rows, self._records[key])
            for key, rows in sorted(self._silent.items())
            if rows
        )


def declared(item: Delivered, contact_type: str) -> list[str]:
    """What the source says of a contact type: attributes, and whether contacts end.

    An optional column that a file does not have says nothing, so what rests on it is unknown.
    """
    absent = frozenset[str]().union(
        *(file.sheet.absent for file in item.files if file.sheet is not None)
    )
    entries = [e for e in item.source.contact if contact_type in contact_types(item.source, e)]
    said = {
        name
        for entry in entries
        for name, origin in entry.attributes.items()
        if origin.column not in absent
    }
    ends = any(e.ended is not None and e.ended.column not in absent for e in entries)
    return sorted(said | ({ENDED} if ends else set()))
