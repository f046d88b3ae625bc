"""Rows put aside in parts: in memory while they are few, else in a file without a name.

The file lies in the workspace and has no name from the moment it is made, so nothing of it is left
however the process ends. What is read back does not depend on where the rows lay.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
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
from riskflag.history.hashing import BUCKETS, remainders
from riskflag.history.threads import cores

#: Rows are told apart by a code below this; a part is a range of codes.
CODES = 256
Codes = npt.NDArray[np.int16]
#: What a row on its way needs, as a multiple of what it takes in its file (measured).
_GROWTH = 32
#: So many forms of chunks are looked through for one that is the same.
_FORMS = 16


#: Tells which columns are to be read, by name.
Wanted = Callable[[str], bool]


def everything(name: str) -> bool:
    """Every column is wanted."""
    return bool(name)


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
    """The code of the identifier a row is about: all versions of a record have the same.

    Codes that stand together are of one bucket where the identifier is the person's id, so that a
    part of such rows goes into few files, and the rows of a file into few parts.
    """
    found = remainders(table.column("subject_value"), CODES)
    return np.asarray(found % BUCKETS * (CODES // BUCKETS) + found // BUCKETS, np.int16)


@dataclass(frozen=True)
class Form:
    """How rows lie in the file: the columns that stand in front, and those behind them.

    `texts` is what the codes of a column stand for; `alike` are the columns that say the same in
    every row: one row of them.
    """

    schemas: tuple[pa.Schema, pa.Schema]
    texts: Mapping[str, pa.Array]
    alike: pa.Table


@dataclass(frozen=True)
class Place:
    """Where rows lie in the file: their first byte, the bytes in front, all bytes; how many."""

    begin: int
    front: int
    size: int
    rows: int


@dataclass(frozen=True)
class Chunk:
    """Rows put aside together: a table, or where in the file each part of them lies and how."""

    rows: int
    table: pa.Table | None = None
    places: tuple[Place | None, ...] = ()
    form: Form | None = None


@dataclass
class Shelf:
    """Chunks of rows in the order in which they were added.

    `folder` is where the file is made, None to keep everything in memory. `parts` (a power of two)
    is into how many parts rows are sorted by `code` on their way to the file. There the columns in
    `front` lie together, so that they are read without the others, or these without them.
    """

    code: Callable[[pa.Table], Codes]
    folder: Path | None = None
    parts: int = 1
    front: frozenset[str] = frozenset()
    chunks: list[Chunk] = field(default_factory=list)
    _file: list[int] = field(default_factory=list)
    _end: int = 0
    _lock: Lock = field(default_factory=Lock)
    _forms: list[Form] = field(default_factory=list)
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
            bounds = [0, *np.cumsum(np.bincount(part, minlength=self.parts)).tolist()]
            if (part != part[0]).any():
                batch = batch.take(pa.array(np.argsort(part, kind="stable")))
        front = [name for name in batch.schema.names if name in self.front]
        sides = batch.select(front), batch.select([n for n in batch.schema.names if n not in front])
        places = [
            self._written([side.slice(begin, end - begin) for side in sides])
            if end > begin
            else None
            for begin, end in itertools.pairwise(bounds)
        ]
        form = self._form(Form((sides[0].schema, sides[1].schema), texts, alike))
        return Chunk(table.num_rows, None, tuple(places), form)

    def read(
        self, first: int = 0, last: int = CODES, wanted: Wanted = everything
    ) -> pa.Table | None:
        """The wanted columns of the rows with a code from `first` to below `last`, in order.

        None when no rows were added.
        """
        found = []
        for _, chunks in itertools.groupby(self.chunks, key=lambda chunk: id(chunk.form)):
            found += self._some(list(chunks), (first, last), wanted)
        if len(found) > 1:
            return stacked(found) if self.folder is None else stacked(found).combine_chunks()
        if found:
            return found[0]
        return _only(self._nothing, wanted) if self.chunks and self._nothing is not None else None

    def has(self, code: int) -> bool:
        """Whether rows with this code may be there."""
        part = code // (CODES // self.parts)
        return any(not chunk.places or chunk.places[part] is not None for chunk in self.chunks)

    def whole(self, chunk: Chunk) -> pa.Table:
        """All rows of one chunk, part after part."""
        if chunk.form is None:
            assert chunk.table is not None
            return chunk.table
        places = [place for place in chunk.places if place is not None]
        return self._read(chunk.form, places, everything)

    def _some(
        self, chunks: Sequence[Chunk], codes: tuple[int, int], wanted: Wanted
    ) -> list[pa.Table]:
        """What chunks of one form hold with codes in a range."""
        step, (first, last), form = CODES // self.parts, codes, chunks[0].form
        within = last - first >= step
        if form is None:
            tables = [chunk.table for chunk in chunks if chunk.table is not None]
        else:
            places = [
                place
                for chunk in chunks
                for number, place in enumerate(chunk.places)
                if place is not None and first < (number + 1) * step and number * step < last
            ]
            some = wanted if within else everything
            tables = [self._read(form, places, some)] if places else []
        if not within:
            tables = [_with_code(table, self.code, codes) for table in tables]
        return [_only(table, wanted) for table in tables]

    def _form(self, form: Form) -> Form:
        """The form of an earlier chunk that is the same: what lies in one form is read at once."""
        with self._lock:
            for known in self._forms[-_FORMS:]:
                if known == form:
                    return known
            self._forms.append(form)
            return form

    def _written(self, sides: Sequence[pa.RecordBatch]) -> Place:
        """Where in the file rows were written."""
        pieces = [side.serialize() if side.num_columns else b"" for side in sides]
        front, size = len(pieces[0]), sum(map(len, pieces))
        try:
            with self._lock:
                if not self._file:
                    self._file.append(_nameless(self.folder))
                begin, self._end = self._end, self._end + size
            done = os.pwritev(self._file[0], pieces, begin)
            while done < size:
                whole = b"".join(pieces)
                done += os.pwrite(self._file[0], whole[done:], begin + done)
        except OSError:
            raise StorageError(
                f"{self.folder} cannot be written; check space and permissions."
            ) from None
        return Place(begin, front, size, sides[0].num_rows)

    def _read(self, form: Form, places: Sequence[Place], wanted: Wanted) -> pa.Table:
        """The wanted columns of rows that lie in one form, one place after another."""
        size = sum(place.rows for place in places)
        columns = {
            name: _repeated(form.alike.column(name), size)
            for name in form.alike.column_names
            if wanted(name)
        }
        sides = [side for side, names in enumerate(form.schemas) if any(map(wanted, names.names))]
        found = [self._batches(form, place, sides) for place in places if sides]
        for number in range(len(sides)):
            table = pa.Table.from_batches([batches[number] for batches in found])
            for name in filter(wanted, table.column_names):
                columns[name] = _said(one(table.column(name)), form.texts.get(name))
        return pa.table(columns)

    def _batches(self, form: Form, place: Place, sides: Sequence[int]) -> list[pa.RecordBatch]:
        """What lies in one place, of the columns in front (0), of the others (1), or of both."""
        begin = 0 if 0 in sides else place.front
        end = place.size if 1 in sides else place.front
        data = pa.allocate_buffer(end - begin)
        os.preadv(self._file[0], [data], place.begin + begin)
        cuts = {0: (0, place.front), 1: (place.front, place.size)}
        return [
            pa.ipc.read_record_batch(
                data.slice(cuts[side][0] - begin, cuts[side][1] - cuts[side][0]), form.schemas[side]
            )
            for side in sides
        ]


def _only(table: pa.Table, wanted: Wanted) -> pa.Table:
    """The table with the wanted columns of it alone."""
    return table.select([name for name in table.column_names if wanted(name)])


def _with_code(
    table: pa.Table, code: Callable[[pa.Table], Codes], codes: tuple[int, int]
) -> pa.Table:
    """The rows with a code in a range."""
    if table.num_rows == 0:
        return table
    found = code(table)
    return table.filter(pa.array((found >= codes[0]) & (found < codes[1])))


def _repeated(column: pa.ChunkedArray, size: int) -> pa.Array:
    """A column of one row as one of so many that say the same."""
    row = one(column)
    if not pa.types.is_dictionary(row.type):
        return pa.repeat(row[0], size)
    code = pa.repeat(row.indices[0], size)
    return pa.DictionaryArray.from_arrays(code, row.dictionary, safe=False)


def _said(column: pa.Array, texts: pa.Array | None) -> pa.Array:
    """A column as it was before its texts were numbered."""
    if texts is None:
        return column
    return pa.DictionaryArray.from_arrays(column.cast(pa.int32()), texts, safe=False)


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
