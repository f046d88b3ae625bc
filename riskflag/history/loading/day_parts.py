"""A landing day's deliveries part by part: what each part offers, and what it adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import Ints, Mask, decoded, take, tallies
from riskflag.history.hashing import buckets
from riskflag.history.loading.delivery import Delivered
from riskflag.history.schema import SCHEMAS, conform
from riskflag.history.store.shelf import Chunk, Codes
from riskflag.history.store.versions import asserted


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

    def contacts(self, table: pa.Table, disputed: Mask, rows: Ints) -> pa.Table:
        """All columns of some of the sound contacts.

        `table` are these as `sound` gives them, and whose each is; `disputed` marks those that two
        people claim.
        """
        found = take(table, rows)
        if self.item.parts > 1:
            rest = take(self.item.further(self.first, self.last), np.flatnonzero(self.kept)[rows])
            for name in rest.column_names:
                found = found.append_column(name, rest.column(name))
        if not disputed[rows].any():
            return found
        marked = pc.utf8_trim_whitespace(
            pc.binary_join_element_wise(
                decoded(found.column("issues")), "ambiguous_identifier", " "
            )
        )
        issues = pc.if_else(pa.array(disputed[rows]), marked, decoded(found.column("issues")))
        return found.set_column(found.schema.get_field_index("issues"), "issues", issues)


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
    def of(
        cls,
        fresh: pa.Table,
        withdrawn: pa.Table,
        occurred: Ints,
        aside: Callable[[pa.Table], Chunk],
    ) -> Found:
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
            chunks=[aside(table) for table in rows if table.num_rows],
            loose=any(table.column("person_id").null_count > 0 for table in rows),
        )


def by_bucket(contacts: pa.Table) -> Codes:
    """The bucket in which each contact will lie."""
    return buckets(contacts.column("person_id"))
