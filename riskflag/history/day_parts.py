"""A landing day's deliveries part by part: what each part offers, and what it adds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from riskflag.history.arrays import Ints, Mask, tallies
from riskflag.history.delivery import Delivered
from riskflag.history.hashing import buckets
from riskflag.history.schema import SCHEMAS, conform
from riskflag.history.shelf import Chunk, Codes, Shelf
from riskflag.history.versions import asserted


@dataclass(frozen=True)
class Part:
    """A part of a delivery's candidates for one table: those with a code in a range.

    `kept`: the rows they come from are not quarantined.
    """

    item: Delivered
    name: str
    table: pa.Table
    kept: Mask
    first: int
    last: int

    @classmethod
    def of(cls, item: Delivered, name: str, first: int, last: int) -> Part | None:
        """None when the delivery says nothing of that table."""
        table = item.candidates(name, first, last)
        return None if table is None else cls(item, name, table, item.kept(table), first, last)

    def sound(self) -> pa.Table:
        """Those whose rows are not quarantined."""
        return self.table if self.kept.all() else self.table.filter(pa.array(self.kept))


@dataclass(frozen=True)
class Found:
    """What a part of a delivery's contacts adds, and what of it is to be counted.

    `first` and `last` are the days of its contacts, `made` how many each file made, `issues` how
    many carry each mark, `loose` whether there are any that nobody is known for.
    """

    first: int | None
    last: int | None
    made: dict[str, int]
    issues: Counter[str]
    chunks: list[Chunk]
    loose: bool

    @classmethod
    def of(cls, fresh: pa.Table, withdrawn: pa.Table, occurred: Ints, shelf: Shelf) -> Found:
        """Count, and put aside, the version rows that a part makes."""
        said = asserted(fresh)
        issues: Counter[str] = Counter()
        for marks, count in tallies(fresh.column("issues"), said).items():
            issues.update(dict.fromkeys(marks.split(), count))
        rows = [conform(table, SCHEMAS["contact"], lean=True) for table in (fresh, withdrawn)]
        return cls(
            first=int(occurred.min()) if len(occurred) else None,
            last=int(occurred.max()) if len(occurred) else None,
            made=tallies(fresh.column("source_file"), said),
            issues=issues,
            chunks=[shelf.chunk(table) for table in rows],
            loose=any(table.column("person_id").null_count > 0 for table in rows),
        )


def by_bucket(contacts: pa.Table) -> Codes:
    """The bucket in which each contact will lie."""
    return buckets(contacts.column("person_id"))
