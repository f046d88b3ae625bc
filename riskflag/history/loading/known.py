"""The contacts that are known, as far as a load compares with them, in parts when they are many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa

from riskflag.history.arrays import decoded, one
from riskflag.history.loading.snapshot import latest
from riskflag.history.schema import SCHEMAS, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.shelf import (
    CODES,
    Chunk,
    Shelf,
    Wanted,
    by_subject,
    everything,
    parts_for,
    ranges,
)
from riskflag.history.store.versions import asserted
from riskflag.history.threads import streamed
from riskflag.progress import Progress, silent

#: The columns of a stored contact that a comparison or a withdrawal needs.
CONTACT_STATE = (
    "contact_key",
    "version",
    "op",
    "person_id",
    "agency",
    "type",
    "occurred_on",
    "ended_on",
    "open_ended",
    "known_on",
    "source",
    "record_id",
    "source_file",
    "source_line",
    "row_hash",
    "subject_scheme",
    "subject_value",
)
#: Those that every comparison needs; the others only what is withdrawn, or a scope that looks at
#: them.
COMPARED = frozenset(
    {
        "contact_key",
        "version",
        "op",
        "person_id",
        "occurred_on",
        "known_on",
        "source",
        "row_hash",
    }
)
_SCHEMA = pa.schema([SCHEMAS["contact"].field(name) for name in CONTACT_STATE])
#: What a known contact takes, as bytes of a file it would come in.
_BYTES = 40


class Known:
    """All contact versions with the columns CONTACT_STATE, in `parts`.

    `state` is another object after each change; `loose` is whether somebody's contact was ever kept
    without a person.
    """

    def __init__(self, store: HistoryStore, folder: Path, memory: int, progress: Progress) -> None:
        self._folder, self._memory = folder, memory
        self._shelf = self._new(store.count("contact"))
        self._lock = Lock()
        self.loose = False
        self.state = object()
        self._later: list[tuple[Shelf, Chunk]] = []
        self._held: tuple[object, str, pa.Table] | None = None
        if self._shelf.parts == 1:
            self._put([partial(store.read, "contact", columns=CONTACT_STATE, progress=progress)])
        else:
            self._put(store.readers("contact", columns=CONTACT_STATE), progress)

    @property
    def parts(self) -> int:
        """In how many parts the contacts lie."""
        self._absorb()
        return self._shelf.parts

    def add(self, shelf: Shelf, chunks: Sequence[Chunk], *, loose: bool) -> None:
        """Add version rows of a day; they are looked at when they are asked for."""
        self._later += [(shelf, chunk) for chunk in chunks if chunk.rows]
        self.loose |= loose
        self.state = object()

    def current(
        self, source: str, first: int = 0, last: int = CODES, wanted: Wanted = everything
    ) -> pa.Table:
        """The latest version of each contact of a source, of a range of codes.

        Columns that are not wanted may be left out; the key, the source, the version and the day it
        was known are always needed.
        """
        if last - first < CODES:
            return latest(self._rows(first, last, wanted), "contact_key", source)
        if self._held is None or self._held[:2] != (self.state, source):
            found = latest(self._rows(first, last), "contact_key", source)
            self._held = (self.state, source, found)
        return self._held[2]

    def waiting(self) -> Iterator[pa.Table]:
        """The latest versions that nobody is known for, part by part."""
        for first, last in ranges(self.parts) if self.loose else ():
            current = latest(self._rows(first, last), "contact_key")
            alone = asserted(current) & np.asarray(one(current.column("person_id")).is_null())
            yield current.filter(pa.array(alone)).combine_chunks()

    def _rows(self, first: int, last: int, wanted: Wanted = everything) -> pa.Table:
        self._absorb()
        found = self._shelf.read(first, last, wanted)
        return _SCHEMA.empty_table() if found is None else found

    def _new(self, rows: int) -> Shelf:
        parts = parts_for(rows * _BYTES, self._memory)
        return Shelf(by_subject, self._folder if parts > 1 else None, parts, COMPARED)

    def _absorb(self) -> None:
        """Sort in what was added; anew, in more parts, when it has become much."""
        with self._lock:
            if not self._later:
                return
            later = self._later
            new = self._new(len(self._shelf) + sum(chunk.rows for _, chunk in later))
            if new.parts > self._shelf.parts:
                later = [*((self._shelf, chunk) for chunk in self._shelf.chunks), *later]
                self._shelf = new
            self._put([partial(shelf.whole, chunk) for shelf, chunk in later])
            self._later = []

    def _put(self, reads: Sequence[Callable[[], pa.Table]], progress: Progress = silent) -> None:
        def work(read: Callable[[], pa.Table]) -> tuple[Chunk, bool]:
            table = conform(read(), _SCHEMA, coded=True)
            if self._shelf.parts > 1:
                # Each file names other people; written alike, the rows of all are read at once.
                people = table.schema.get_field_index("person_id")
                table = table.set_column(people, "person_id", decoded(table.column("person_id")))
            return self._shelf.chunk(table), table.column("person_id").null_count > 0

        for number, (chunk, loose) in enumerate(streamed(work, ((read,) for read in reads))):
            progress("Reading the history", number, len(reads))
            self._shelf.chunks.append(chunk)
            self.loose |= loose
