"""The view of a history as files: whole people in parts, each read on its own.

A night over a million children cannot hold them all at once. Here the view (history/view.py) lies
ready as signals want it: sorted by person, dictionary-encoded, with the days each version held,
in parts of whole people. A part is a History of its own, as far as its people go.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskflag.clock import day_number
from riskflag.errors import IntegrityError
from riskflag.history.arrays import decoded, isin
from riskflag.history.schema import ATTRIBUTES, NUMBERS
from riskflag.history.store.content import CONTENT, LATER, Content, row_numbers, with_content
from riskflag.history.store.coverage import FeedState, feed_states
from riskflag.history.store.view import History
from riskflag.history.threads import in_threads

CONTACTS, PERSONS, RELATIONSHIPS, COVERAGE = "contacts", "persons", "relationships", "coverage"
#: Tables that have a row group for each part, and what the rows of each say (history/content.py).
BY_PART = (CONTACTS, PERSONS, RELATIONSHIPS)
#: Relationships of people of other parts to people of a part: they tell who is an adult.
ELSEWHERE = "elsewhere"
#: The people of a newer part.
PEOPLE = "people"
DAYS = ("known_day", LATER)
#: The columns of stored contacts (schema.CONTACT) that a view is made of, as texts of their own or
#: numbers, and as dictionaries.
PLAIN = (
    *("contact_key", "version", "op", "person_id", "occurred_on", "occurred_at", "ended_on"),
    *("open_ended", "known_on", "source_line", "record_id", *NUMBERS),
)
CODED = ("agency", "type", "known_basis", "source", "source_file", "issues", *ATTRIBUTES)


class View(Protocol):
    """A history in parts of whole people; a History in memory is one of a single part."""

    def __len__(self) -> int: ...
    @property
    def coverage(self) -> pa.Table: ...
    def part(self, number: int, columns: Sequence[str] | None = None) -> History: ...
    def table(self, name: str, number: int) -> pa.Table: ...
    def feeds(self, as_of: dt.date) -> tuple[FeedState, ...]: ...
    def visible(self, as_of: int) -> Mapping[str, Content]: ...


class Part(NamedTuple):
    """Some people, and the relationships that people of other parts have to them."""

    history: History
    elsewhere: pa.Table


@dataclass(frozen=True)
class InMemory:
    """A history in memory as a view of one part."""

    history: History

    def __len__(self) -> int:
        return 1

    @property
    def coverage(self) -> pa.Table:
        """What the feeds said of themselves."""
        return self.history.coverage

    def part(self, number: int, columns: Sequence[str] | None = None) -> History:
        """All of it, whatever `columns` are asked for."""
        return self.history

    def table(self, name: str, number: int) -> pa.Table:
        """Its persons or relationships."""
        table: pa.Table = getattr(self.history, name)
        return table

    def feeds(self, as_of: dt.date) -> tuple[FeedState, ...]:
        """The state of every source's feed at `as_of`, by source name."""
        return self.history.feeds(as_of)

    def visible(self, as_of: int) -> dict[str, Content]:
        """What was visible at day number `as_of`, by table."""
        return {name: _visible(getattr(self.history, name), as_of) for name in BY_PART}


@dataclass(frozen=True)
class StoredView:
    """The folder of a stored view; `write` makes one."""

    folder: Path

    @classmethod
    def write(cls, folder: Path, parts: Iterable[History | Part]) -> StoredView:
        """Write one part after another; at no time is more than one of them held.

        All parts carry the same coverage; a person is in one part only.
        """
        folder.mkdir(parents=True)
        with ExitStack() as stack:
            writers: dict[str, pq.ParquetWriter] = {}
            for given in parts:
                part, others = (given, None) if isinstance(given, History) else given
                elsewhere = part.relationships.slice(0, 0) if others is None else others
                tables = {name: with_content(getattr(part, name)) for name in BY_PART}
                for name, table in [*tables.items(), (ELSEWHERE, elsewhere)]:
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
        persons, related, elsewhere = (
            self._read(name, number) for name in (PERSONS, RELATIONSHIPS, ELSEWHERE)
        )
        if elsewhere.num_rows:
            related = pa.concat_tables([related, elsewhere]).unify_dictionaries().combine_chunks()
        return History(self.contacts(number, columns), persons, related, self.coverage)

    def contacts(self, number: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The contacts of one part."""
        return self._read(CONTACTS, number, columns)

    def table(self, name: str, number: int) -> pa.Table:
        """The persons or relationships of one part, without those told of from elsewhere."""
        return self._read(name, number)

    def feeds(self, as_of: dt.date) -> tuple[FeedState, ...]:
        """The state of every source's feed at `as_of`, by source name."""
        return feed_states(self.coverage, day_number(as_of))

    def visible(self, as_of: int, leave_out: pa.Array | None = None) -> dict[str, Content]:
        """What was visible at day number `as_of`, by table; parts change nothing.

        What is known of the people in `leave_out` does not count.
        """
        nobody = pa.array([], pa.string()) if leave_out is None else leave_out
        columns = [*DAYS, *CONTENT, *(["person_id"] if len(nobody) else [])]

        def of_part(name: str, number: int) -> tuple[str, Content]:
            return name, _visible(without(self._read(name, number, columns), nobody), as_of)

        found = dict.fromkeys(BY_PART, Content())
        work = [(name, number) for name in BY_PART for number in range(len(self))]
        for name, content in in_threads(of_part, work):
            found[name] += content
        return found

    @cached_property
    def coverage(self) -> pa.Table:
        """What the feeds said of themselves, for all parts."""
        return self._file(COVERAGE).read()

    def _read(self, name: str, number: int, columns: Sequence[str] | None = None) -> pa.Table:
        footer, schema = self._footers[name]
        wanted = [n for n in schema.names if n not in CONTENT]
        chosen = wanted if columns is None else list(columns)
        if footer.row_group(number).num_rows == 0:
            return pa.schema([schema.field(one) for one in chosen]).empty_table()
        try:
            # A file object of its own: readers in other threads move theirs.
            file = self._file(name, footer)
            return file.read_row_group(number, columns=chosen, use_threads=False)
        except (OSError, pa.ArrowInvalid):
            raise IntegrityError(
                f"{self.folder / name}.parquet has been changed or damaged; remove the folder and "
                "run again to make it anew."
            ) from None

    @cached_property
    def _footers(self) -> dict[str, tuple[pq.FileMetaData, pa.Schema]]:
        """What each file says of its columns and parts: with many parts, worth reading once."""
        files = {name: self._file(name) for name in (*BY_PART, ELSEWHERE)}
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


@dataclass(frozen=True)
class Shelves:
    """A view of many parts in folders of their own: 0000, 0001 and so on.

    What is known of people about whom something came after the parts were made is in one further
    part, `newer`; in the other parts these people are passed over.
    """

    folder: Path
    newer: str | None = None

    @cached_property
    def _parts(self) -> tuple[StoredView, ...]:
        paths = sorted(self.folder.glob("[0-9]*"))
        last = [] if self.newer is None else [self.folder / self.newer]
        return tuple(StoredView(path) for path in [*paths, *last])

    @cached_property
    def renewed(self) -> pa.Array:
        """Whom the newer part holds."""
        if self.newer is None:
            return pa.array([], pa.string())
        return pq.read_table(self.folder / self.newer / f"{PEOPLE}.parquet")["person_id"].unique()

    def __len__(self) -> int:
        return len(self._parts)

    @property
    def coverage(self) -> pa.Table:
        """What the feeds said of themselves."""
        return self._parts[-1].coverage

    @property
    def persons(self) -> pa.Table:
        """The person rows of all parts, read when asked for; each person's stand together."""
        return self._whole(PERSONS)

    @property
    def relationships(self) -> pa.Table:
        """The relationships of all parts, read when asked for."""
        return self._whole(RELATIONSHIPS)

    def _whole(self, name: str) -> pa.Table:
        tables = [self.table(name, number) for number in range(len(self))]
        return pa.concat_tables(tables).unify_dictionaries().combine_chunks()

    def table(self, name: str, number: int) -> pa.Table:
        """The persons or relationships of one part, without those told of from elsewhere."""
        table = self._parts[number].table(name, 0)
        return table if number == len(self) - 1 else without(table, self.renewed)

    def part(self, number: int, columns: Sequence[str] | None = None) -> History:
        """One part; of its contacts only `columns`, when given. Safe to call from many threads."""
        part = self._parts[number].part(0, columns)
        part = replace(part, coverage=self.coverage)
        if self.newer is None or number == len(self) - 1:
            return part
        # Their relationships stay: they tell which of the others is an adult.
        return replace(
            part,
            contacts=without(part.contacts, self.renewed),
            persons=without(part.persons, self.renewed),
        )

    def holders(self, contact_keys: pa.Array) -> set[str]:
        """Whose contacts these are in the parts as they were made first."""

        def of_part(view: StoredView) -> set[str]:
            rows = view.contacts(0, ["contact_key", "contact_person_id"])
            rows = rows.filter(pa.array(isin(rows["contact_key"], contact_keys)))
            return set(decoded(rows["contact_person_id"]).unique().to_pylist())

        views = [(view,) for view in self._parts]
        return {name for found in in_threads(of_part, views) for name in found}

    def feeds(self, as_of: dt.date) -> tuple[FeedState, ...]:
        """The state of every source's feed at `as_of`, by source name."""
        return self._parts[-1].feeds(as_of)

    def visible(self, as_of: int) -> dict[str, Content]:
        """What was visible at day number `as_of`, by table."""
        found = dict.fromkeys(BY_PART, Content())
        nobody = pa.array([], pa.string())
        last = len(self) - 1
        work = [
            (view, as_of, nobody if number == last else self.renewed)
            for number, view in enumerate(self._parts)
        ]
        for part in in_threads(StoredView.visible, work):
            for name, content in part.items():
                found[name] += content
        return found


def without(table: pa.Table, people: pa.Array) -> pa.Table:
    """The rows that are not of these people."""
    if not len(people):
        return table
    return table.filter(pa.array(~isin(table.column("person_id"), people))).combine_chunks()


def split(history: History, people: int) -> Iterator[Part]:
    """Parts of at most `people` people each, in the order of their ids.

    That somebody is a parent of a child elsewhere tells that they are an adult.
    """
    related = history.relationships
    everyone = sorted({*history.person_ids(), *decoded(related.column("person_id")).to_pylist()})
    for first in range(0, max(len(everyone), 1), people):
        chosen = everyone[first : first + people]
        part = history.select(chosen)
        theirs = isin(related.column("related_id"), chosen)
        theirs &= ~isin(related.column("person_id"), chosen)
        yield Part(part, related.filter(pa.array(theirs)))


def view_of(history: History | StoredView | Shelves) -> View:
    """Either as a view."""
    return InMemory(history) if isinstance(history, History) else history


def _visible(table: pa.Table, as_of: int) -> Content:
    """The rows visible at day number `as_of`; what they say is worked out where it is not held."""
    seen = pc.and_(pc.less(table["known_day"], as_of), pc.greater_equal(table[LATER], as_of))
    table = table.filter(seen)
    if CONTENT[0] in table.column_names:
        return Content.of(*(table[name].to_numpy() for name in CONTENT))
    return Content.of(*row_numbers(table))


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
