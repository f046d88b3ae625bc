"""Rows put aside in parts: in memory while they are few, else in a file without a name.

The file lies in the workspace and has no name from the moment it is made, so nothing of it is left
however the process ends. What is read back does not depend on where the rows lay.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

from riskflag.errors import StorageError
from riskflag.history.arrays import one, stacked
from riskflag.history.hashing import remainders
from riskflag.history.threads import cores

#: Rows are told apart by a code below this; a part is a range of codes.
CODES = 256
Codes = npt.NDArray[np.int16]
#: What a row on its way needs, as a multiple of what it takes in its file (measured).
_GROWTH = 32


def parts_for(size: int, memory: int) -> int:
    """In how many parts a delivery of so many bytes is worked on; one while it is small.

    Each core works on a part of its own, so that all of them together stay within `memory` bytes.
    """
    if size * _GROWTH <= memory * 2:
        return 1
    parts = 2
    while parts < CODES and size * _GROWTH * cores() > memory * parts:
        parts *= 2
    return parts


def ranges(parts: int) -> list[tuple[int, int]]:
    """The codes of each part: first, and the one behind the last."""
    step = CODES // parts
    return [(first, first + step) for first in range(0, CODES, step)]


def by_subject(table: pa.Table) -> Codes:
    """The code of the identifier a row is about: all versions of a record have the same."""
    return remainders(table.column("subject_value"), CODES)


@dataclass(frozen=True)
class Chunk:
    """Rows put aside together: a table, or where in the file each part of them lies.

    Of those in the file `schema` says how they are written, `texts` what the codes of a column
    stand for; `alike` are the columns that say the same in every row: one row of them.
    """

    rows: int
    table: pa.Table | None = None
    places: tuple[tuple[int, int] | None, ...] = ()
    schema: pa.Schema | None = None
    texts: Mapping[str, pa.Array] = field(default_factory=dict)
    alike: pa.Table | None = None


@dataclass
class Shelf:
    """Chunks of rows in the order in which they were added.

    `folder` is where the file is made, None to keep everything in memory. `parts` (a power of two)
    is into how many parts rows are sorted by `code` on their way to the file.
    """

    code: Callable[[pa.Table], Codes]
    folder: Path | None = None
    parts: int = 1
    chunks: list[Chunk] = field(default_factory=list)
    _file: list[int] = field(default_factory=list)
    _end: int = 0
    _lock: Lock = field(default_factory=Lock)
    _nothing: pa.Table | None = None

    def __del__(self) -> None:
        for handle in self._file:
            os.close(handle)

    def __len__(self) -> int:
        return sum(chunk.rows for chunk in self.chunks)

    def add(self, table: pa.Table) -> None:
        """Put rows behind those that are there."""
        self.chunks.append(self.chunk(table))

    def chunk(self, table: pa.Table) -> Chunk:
        """Rows put aside but not added yet: threads may do this in any order."""
        self._nothing = table.schema.empty_table()
        if self.folder is None or table.num_rows == 0:
            return Chunk(table.num_rows, table)
        names = table.column_names
        alike = table.select([name for name in names if _alike(table.column(name))]).take([0])
        batch, texts = _coded(table.drop_columns(alike.column_names))
        bounds = [0, table.num_rows]
        if self.parts > 1:
            part = self.code(table) // (CODES // self.parts)
            batch = batch.take(pa.array(np.argsort(part, kind="stable")))
            bounds = np.searchsorted(np.sort(part), np.arange(self.parts + 1)).tolist()
        places = [
            self._written(batch.slice(begin, end - begin)) if end > begin else None
            for begin, end in itertools.pairwise(bounds)
        ]
        return Chunk(table.num_rows, None, tuple(places), batch.schema, texts, alike)

    def read(self, first: int = 0, last: int = CODES) -> pa.Table | None:
        """The rows with a code from `first` to below `last`, in order; None when none was added."""
        tables = [self._some(chunk, first, last) for chunk in self.chunks]
        found = [table for table in tables if table is not None]
        if len(found) > 1:
            return stacked(found) if self.folder is None else stacked(found).combine_chunks()
        return found[0] if found else self._nothing if self.chunks else None

    def has(self, code: int) -> bool:
        """Whether rows with this code may be there."""
        part = code // (CODES // self.parts)
        return any(not chunk.places or chunk.places[part] is not None for chunk in self.chunks)

    def tables(self) -> Iterator[pa.Table]:
        """The rows chunk by chunk."""
        for chunk in self.chunks:
            if chunk.rows:
                yield self.whole(chunk)

    def whole(self, chunk: Chunk) -> pa.Table:
        """All rows of one chunk, part after part."""
        if chunk.table is not None:
            return chunk.table
        return self._read(chunk, [place for place in chunk.places if place is not None])

    def _some(self, chunk: Chunk, first: int, last: int) -> pa.Table | None:
        if chunk.table is not None:
            if last - first == CODES or chunk.rows == 0:
                return chunk.table
            code = self.code(chunk.table)
            return chunk.table.filter(pa.array((code >= first) & (code < last)))
        step = CODES // self.parts
        places = [
            place
            for number, place in enumerate(chunk.places)
            if place is not None and first < (number + 1) * step and number * step < last
        ]
        return self._read(chunk, places) if places else None

    def _written(self, batch: pa.RecordBatch) -> tuple[int, int]:
        """Where in the file rows were written: their first byte and their length."""
        data = batch.serialize()
        try:
            with self._lock:
                if not self._file:
                    self._file.append(_nameless(self.folder))
                begin, self._end = self._end, self._end + data.size
            done = 0
            while done < data.size:
                done += os.pwrite(self._file[0], data.slice(done), begin + done)
        except OSError:
            raise StorageError(
                f"{self.folder} cannot be written; check space and permissions."
            ) from None
        return begin, data.size

    def _read(self, chunk: Chunk, places: Sequence[tuple[int, int]]) -> pa.Table:
        batches = []
        for begin, size in places:
            data = pa.allocate_buffer(size)
            os.preadv(self._file[0], [data], begin)
            batches.append(pa.ipc.read_record_batch(data, chunk.schema))
        assert chunk.alike is not None
        table = pa.Table.from_batches(batches, chunk.schema)
        again = pa.array(np.zeros(table.num_rows, np.int8))
        columns = {name: chunk.alike.column(name).take(again) for name in chunk.alike.column_names}
        for name in table.column_names:
            column = table.column(name)
            if name in chunk.texts:
                codes = one(column).cast(pa.int32())
                column = pa.DictionaryArray.from_arrays(codes, chunk.texts[name])
            columns[name] = column
        return pa.table(columns)


def _coded(table: pa.Table) -> tuple[pa.RecordBatch, dict[str, pa.Array]]:
    """The rows with numbers in the place of coded texts, and what these stand for."""
    columns, texts = {}, {}
    for name in table.column_names:
        column = one(table.column(name))
        if pa.types.is_dictionary(column.type):
            texts[name] = column.dictionary
            column = column.indices.cast(pa.int8() if len(column.dictionary) < 128 else pa.int32())
        columns[name] = column
    return pa.RecordBatch.from_pydict(columns), texts


def _alike(column: pa.ChunkedArray) -> bool:
    """Whether a column surely says the same in every row; texts are not looked at."""
    if column.null_count == len(column):
        return True
    if column.null_count:
        return False
    if pa.types.is_dictionary(column.type):
        return all(len(chunk.dictionary) == 1 for chunk in column.chunks) and column.num_chunks == 1
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        ends = pc.min_max(column)
        return bool(ends["min"] == ends["max"])
    return False


def _nameless(folder: Path | None) -> int:
    """A file that nobody can open by name and that is gone when it is closed."""
    with tempfile.TemporaryFile(dir=folder) as stream:
        return os.dup(stream.fileno())
