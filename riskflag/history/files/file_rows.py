"""All the rows of one file, which were looked at in parts: what was found, and the rows again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from riskflag.history.arrays import Ints, numbers
from riskflag.history.declared.source import Source
from riskflag.history.files.raw_file import BadRow, RawFile
from riskflag.history.files.sheet import Marks, Sheet
from riskflag.history.store.shelf import Chunk, Shelf

#: A row's number holds the number of its part above these bits, its place in the part below.
_BITS = 32
_LINE = "\0line"


def row_number(part: int) -> int:
    """The number of the first row of a part; those after it follow."""
    return part << _BITS


@dataclass(frozen=True)
class Part:
    """A part of a file that was looked at: its rows without their texts, and these put aside."""

    raw: RawFile
    marks: Marks
    kept: Chunk

    @classmethod
    def of(cls, sheet: Sheet, kept: Shelf) -> Part:
        raw = sheet.raw
        lines = pa.array(raw.lines.astype(np.int32))
        told = kept.chunk(raw.table.append_column(_LINE, lines))
        bare = replace(raw, table=raw.table.select([]), lines=raw.lines[:0])
        return cls(bare, sheet.marks, told)


class FileRows:
    """One file's rows. `marks` are those of all of them, one after another."""

    def __init__(self, source: Source, parts: Sequence[Part], kept: Shelf) -> None:
        self.source, self._kept = source, kept
        self.marks = Marks.of_parts([part.marks for part in parts])
        self.bad: list[BadRow] = [row for part in parts for row in part.raw.bad]
        self.rows = len(self.marks.reason) + len(self.bad)
        self.absent = parts[0].raw.absent
        self._raw = [part.raw for part in parts]
        self._chunks = [part.kept for part in parts]
        self._first = np.cumsum([0, *(part.raw.table.num_rows for part in parts)])

    def places(self, rows: Ints) -> Ints:
        """Where rows, by their numbers, stand among all of the file's."""
        return np.asarray(self._first[rows >> _BITS] + (rows & ((1 << _BITS) - 1)), np.int64)

    def sheets(self) -> Iterator[tuple[int, Sheet]]:
        """The rows as they were read, part by part, each with the place of its first row."""
        for first, raw, chunk in zip(self._first.tolist(), self._raw, self._chunks, strict=False):
            table = self._kept.whole(chunk)
            lines = numbers(table.column(_LINE), 0)
            table = table.drop_columns([_LINE])
            yield first, Sheet(replace(raw, table=table, lines=lines), self.source)

    def faulty(self) -> Iterator[tuple[Sheet, Ints, Ints]]:
        """Sheets that hold quarantined rows: which rows of the sheet, and of the file, they are."""
        wrong = np.flatnonzero(self.marks.reason)
        bounds = np.searchsorted(wrong, self._first)
        hit = {int(self._first[n]) for n in np.flatnonzero(np.diff(bounds))}
        if not hit:
            return
        for first, sheet in self.sheets():
            if first in hit:
                end = first + sheet.raw.table.num_rows
                mine = wrong[(wrong >= first) & (wrong < end)]
                yield sheet, mine - first, mine
