"""The view of a history as files: whole people in parts, each read on its own.

A night over a million children cannot hold them all at once. Here the view (history/view.py) lies
ready as signals want it: sorted by person, dictionary-encoded, with the days each version held,
in parts of whole people. A part is a History of its own, as far as its people go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.errors import IntegrityError
from riskflag.history.arrays import isin
from riskflag.history.view import History

CONTACTS, PERSONS, RELATIONSHIPS, COVERAGE = "contacts", "persons", "relationships", "coverage"
#: Tables that have a row group for each part.
BY_PART = (CONTACTS, PERSONS, RELATIONSHIPS)


@dataclass(frozen=True)
class StoredView:
    """The folder of a stored view; `write` makes one."""

    folder: Path

    @classmethod
    def write(cls, folder: Path, parts: Iterable[History]) -> StoredView:
        """Write one part after another; at no time is more than one of them held.

        All parts carry the same coverage; a person is in one part only.
        """
        folder.mkdir(parents=True)
        with ExitStack() as stack:
            writers: dict[str, pq.ParquetWriter] = {}
            for part in parts:
                for name in BY_PART:
                    table = getattr(part, name)
                    if name not in writers:
                        writers[name] = stack.enter_context(_writer(folder, name, table.schema))
                    writers[name].write_table(table, row_group_size=max(table.num_rows, 1))
                coverage = part.coverage
        _write_whole(folder, coverage)
        return cls(folder)

    def __len__(self) -> int:
        """How many parts there are."""
        return int(self._footers[CONTACTS][0].num_row_groups)

    def part(self, number: int, columns: Sequence[str] | None = None) -> History:
        """One part; of its contacts only `columns`, when given. Safe to call from many threads.

        Raises IntegrityError when a file is missing or a page does not match its checksum.
        """
        persons, relationships = (self._read(name, number) for name in (PERSONS, RELATIONSHIPS))
        return History(self.contacts(number, columns), persons, relationships, self.coverage)

    def contacts(self, number: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The contacts of one part."""
        return self._read(CONTACTS, number, columns)

    @cached_property
    def coverage(self) -> pa.Table:
        """What the feeds said of themselves, for all parts."""
        return self._file(COVERAGE).read()

    def _read(self, name: str, number: int, columns: Sequence[str] | None = None) -> pa.Table:
        footer, schema = self._footers[name]
        if footer.row_group(number).num_rows == 0:
            names = schema.names if columns is None else columns
            return pa.schema([schema.field(one) for one in names]).empty_table()
        try:
            # A file object of its own: readers in other threads move theirs.
            return self._file(name, footer).read_row_group(
                number, columns=None if columns is None else list(columns), use_threads=False
            )
        except (OSError, pa.ArrowInvalid):
            raise IntegrityError(
                f"{self.folder / name}.parquet has been changed or damaged; remove the folder and "
                "run again to make it anew."
            ) from None

    @cached_property
    def _footers(self) -> dict[str, tuple[pq.FileMetaData, pa.Schema]]:
        """What each file says of its columns and parts: with many parts, worth reading once."""
        files = {name: self._file(name) for name in BY_PART}
        return {name: (file.metadata, file.schema_arrow) for name, file in files.items()}

    def _file(self, name: str, footer: pq.FileMetaData | None = None) -> pq.ParquetFile:
        path = self.folder / f"{name}.parquet"
        try:
            return pq.ParquetFile(
                path, metadata=footer, memory_map=True, page_checksum_verification=True
            )
        except (OSError, pa.ArrowInvalid):
            raise IntegrityError(
                f"{path} is missing or damaged; remove the folder and run again to make it anew."
            ) from None


def split(history: History, people: int) -> Iterator[History]:
    """Parts of at most `people` people each, in the order of their ids.

    A part keeps every relationship that one of its people has a place in: that somebody is a
    parent of a child elsewhere tells that they are an adult.
    """
    everyone = history.person_ids()
    for first in range(0, max(len(everyone), 1), people):
        chosen = everyone[first : first + people]
        part, table = history.select(chosen), history.relationships
        theirs = isin(table.column("person_id"), chosen) | isin(table.column("related_id"), chosen)
        yield replace(part, relationships=table.filter(pa.array(theirs)))


def _writer(folder: Path, name: str, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        folder / f"{name}.parquet",
        schema,
        compression="lz4",
        write_page_checksum=True,
        # Days and numbers are read faster as they are than through a dictionary.
        use_dictionary=[field.name for field in schema if pa.types.is_dictionary(field.type)],
        write_statistics=False,
    )


def _write_whole(folder: Path, coverage: pa.Table) -> None:
    pq.write_table(coverage, folder / f"{COVERAGE}.parquet", write_page_checksum=True)
