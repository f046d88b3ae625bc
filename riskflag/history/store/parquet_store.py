"""The Parquet store of the history: append-only, checked on every read, one batch at a time."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.errors import IntegrityError, StorageError
from riskflag.history.arrays import decoded, isin, numbers, one, ranks, stacked
from riskflag.history.hashing import BUCKETS, bucket, buckets
from riskflag.history.schema import ATTRIBUTES, CONTACT, RELATIONSHIP, SCHEMAS
from riskflag.history.store.ledger import (
    LEDGER,
    Batch,
    DeliveredFile,
    StoredFile,
    append_ledger,
    live_files,
    read_ledger,
    replaced,
    sync_folders,
)
from riskflag.history.store.matches import everyone_ever
from riskflag.history.store.shelf import Shelf
from riskflag.history.store.view import History
from riskflag.history.store.writing import LOOSE, crowded, merge, write_tables
from riskflag.history.threads import in_threads
from riskflag.progress import Progress, silent

_STAGING = ".staging"
#: Texts with few different values are read as dictionaries.
_CODED = (
    "op",
    "person_id",
    "agency",
    "type",
    "known_basis",
    "source",
    "source_file",
    "batch_id",
    "issues",
    *ATTRIBUTES,
)


class HistoryStore:
    """The history folder of a workspace.

    Contacts lie in 64 buckets by a stable hash of person_id (`contact/bucket=NN/BATCH.parquet`,
    bucket 64: not linked to a person yet), sorted by person, day, key and version; those of a
    small batch, and the other tables, in one file per batch. Only files named in the ledger exist
    for a reader.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def batches(self) -> list[Batch]:
        """Every complete batch, oldest first."""
        return read_ledger(self.folder)

    def append_batch(
        self,
        batch_id: str,
        landed: str,
        tables: Mapping[str, pa.Table | Shelf],
        delivered: Sequence[DeliveredFile] = (),
        progress: Progress = silent,
    ) -> Batch:
        """Add version rows, all or nothing.

        `tables` maps names of SCHEMAS to rows; those of contacts may lie on a shelf. Files are
        written aside, synced and renamed; the ledger line comes last. Raises IntegrityError when
        the batch is already there.
        """
        if any(batch.batch_id == batch_id for batch in self.batches()):
            raise IntegrityError(f"Batch {batch_id} is already in the history; nothing was added.")

        def write(staging: Path) -> Batch:
            files = write_tables(staging, tables, batch_id, progress)
            return Batch(batch_id, landed, tuple(files), tuple(delivered))

        return self._append(write)

    def compact(self, progress: Progress = silent) -> Batch | None:
        """Bring the rows of many small files into few; None when there is nothing to do.

        The rows stay the same. The new files are listed together with those they replace in one
        line of the ledger; the replaced ones are removed when this is next called, so that
        somebody who is reading now can go on.
        """
        batches = self.batches()
        self._remove(replaced(batches))
        groups = crowded(live_files(batches))
        if not groups:
            return None

        def write(staging: Path) -> Batch:
            old = [file for group in groups for file in group]
            content = " ".join(sorted(file.sha256 for file in old))
            name = f"merged-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
            files = []
            for number, group in enumerate(groups):
                progress("Merging small files", number, len(groups))
                kind = group[0].path.split("/")[0]
                parts = [(file, SCHEMAS[kind].names) for file in group]
                table = stacked(in_threads(self._read_file, parts))
                files += merge(staging, group[0].path, table, name)
            progress("Merging small files", len(groups), len(groups))
            if sum(file.rows for file in files) != sum(file.rows for file in old):
                raise IntegrityError(
                    f"{self.folder}: merging files lost rows; nothing was changed."
                )
            gone = tuple(file.path for file in old)
            return Batch(name, batches[-1].landed, tuple(files), (), gone)

        return self._append(write)

    def _remove(self, paths: set[str]) -> None:
        for path in sorted(paths):
            (self.folder / path).unlink(missing_ok=True)

    def _append(self, write: Callable[[Path], Batch]) -> Batch:
        """Write files aside, sync and rename them, and list them: all or nothing."""
        staging = self.folder / _STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            batch = write(staging)
            self._move_in(staging, batch.files)
            append_ledger(self.folder, batch)
        except OSError:
            raise StorageError(
                f"{self.folder} cannot be written; check space and permissions."
            ) from None
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return batch

    def _move_in(self, staging: Path, files: Sequence[StoredFile]) -> None:
        folders = {self.folder}
        for file in files:
            target = self.folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            (staging / file.path).replace(target)
            folders |= {target.parent, target.parent.parent}
        sync_folders(sorted(folders))

    def read(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        only_buckets: Sequence[int] | None = None,
        progress: Progress = silent,
    ) -> pa.Table:
        """The raw rows of one table (SCHEMAS), checked against the ledger (IntegrityError)."""
        reads = self.readers(name, columns=columns, only_buckets=only_buckets)
        label, size = "Reading the history", len(reads)
        progress(label, 0, size)
        tables = in_threads(
            lambda read: read(),
            [(read,) for read in reads],
            lambda number: progress(label, number, size),
        )
        if not tables:
            wanted = columns if columns is not None else SCHEMAS[name].names
            return pa.schema([SCHEMAS[name].field(column) for column in wanted]).empty_table()
        # A column that an older version did not write yet is unknown in its rows.
        return stacked(tables)

    def count(self, name: str) -> int:
        """How many rows one table has."""
        return sum(file.rows for file in live_files(self.batches()) if _is_of(file, name))

    def readers(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        only_buckets: Sequence[int] | None = None,
    ) -> list[Callable[[], pa.Table]]:
        """What reads the files of one table, each on its own; see `read`."""
        wanted = list(columns) if columns is not None else SCHEMAS[name].names
        chosen = [file for file in live_files(self.batches()) if _is_of(file, name)]
        if only_buckets is not None:
            keep = {f"bucket={number:02d}" for number in only_buckets} | {LOOSE}
            chosen = [file for file in chosen if file.path.split("/")[1] in keep]
        return [partial(self._read_file, file, wanted) for file in chosen]

    def _read_file(self, file: StoredFile, columns: list[str]) -> pa.Table:
        """A stored file's columns; any change since it was written raises IntegrityError."""
        stored = self._opened(file, columns)
        there = set(stored.schema_arrow.names)
        return stored.read([name for name in columns if name in there], use_threads=False)

    def _opened(self, file: StoredFile, columns: Sequence[str]) -> pq.ParquetFile:
        path = self.folder / file.path
        try:
            data = path.read_bytes()
        except OSError:
            raise IntegrityError(f"{path} is missing; restore the history from a backup.") from None
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise IntegrityError(f"{path} has been changed or damaged; restore it from a backup.")
        return pq.ParquetFile(
            pa.BufferReader(data),
            read_dictionary=[name for name in _CODED if name in columns],
            page_checksum_verification=True,
        )

    def pieces(self, file: StoredFile, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows of one stored file, checked like all that is read, some at a time."""
        stored = self._opened(file, columns)
        there = set(stored.schema_arrow.names)
        wanted = [name for name in columns if name in there]
        for number in range(stored.num_row_groups):
            yield stored.read_row_group(number, wanted, use_threads=False)

    def load(
        self,
        person_ids: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        progress: Progress = silent,
    ) -> History:
        """The history of everyone, or of these people with the contacts that reach them.

        `columns` limits what is read of the contacts; columns left out are null.
        """
        own = None if columns is None else sorted({*columns, *_NEEDED})
        if person_ids is not None:
            return self._around(person_ids, own, progress).select(person_ids)
        relationships, matches = self.read("relationship"), self.read("match")
        persons, coverage = self.read("person"), self.read("coverage")
        contacts = self.read("contact", columns=own, progress=progress)
        return History.of(contacts, persons, relationships, coverage, matches)

    def around(self, person_id: str) -> History:
        """What is known of one person and of everyone related to them, either way.

        Asked about that person, it gives what the history of everyone gives.
        """
        return self._around([person_id], None, silent)

    def near(self, person_ids: Sequence[str], progress: Progress = silent) -> History:
        """The history of these people, of those related to them, and of nobody else."""
        return self._around(person_ids, None, progress)

    def naming(self, person_ids: Sequence[str]) -> pa.Table:
        """Everybody's relationships to one of these people, like those of a History."""
        matches = self.read("match")
        people = everyone_ever(matches, person_ids)
        rows = [
            piece.filter(pa.array(isin(piece.column("related_id"), people)))
            for file in live_files(self.batches())
            if _is_of(file, "relationship")
            for piece in self.pieces(file, RELATIONSHIP.names)
        ]
        raw = stacked(rows) if rows else None
        return History.of(CONTACT.empty_table(), relationships=raw, matches=matches).relationships

    def _around(
        self, person_ids: Sequence[str], own: Sequence[str] | None, progress: Progress
    ) -> History:
        """Rows of these people, of whoever was joined to them, and of those related to any."""
        relationships, matches = self.read("relationship"), self.read("match")
        person_ids = everyone_ever(matches, person_ids)
        persons, coverage = self.read("person"), self.read("coverage")
        of_them = isin(relationships.column("person_id"), person_ids)
        related = relationships.filter(pa.array(of_them)).column("related_id")
        # Whose parent a person is tells whether they count as a child.
        of_them |= isin(relationships.column("related_id"), person_ids)
        relationships = relationships.filter(pa.array(of_them))
        others = related.drop_null().unique().to_pylist()
        everyone = everyone_ever(matches, {*person_ids, *others})
        mine = self._contacts_of(everyone, own, progress)
        contacts = pa.concat_tables([mine, self.moved_from(mine)], promote_options="permissive")
        persons = persons.filter(pa.array(isin(persons.column("person_id"), everyone)))
        return History.of(contacts, persons, relationships, coverage, matches)

    def _contacts_of(
        self, people: Sequence[str], own: Sequence[str] | None, progress: Progress
    ) -> pa.Table:
        """The stored contacts of some people; no file is held whole."""
        columns = list(own) if own is not None else CONTACT.names
        places = {f"bucket={bucket(name):02d}" for name in people} | {LOOSE}
        files = [f for f in live_files(self.batches()) if _is_of(f, "contact")]
        files = [file for file in files if file.path.split("/")[1] in places]
        label, size, wanted = "Reading the history", len(files), pa.array(people, pa.string())

        def chosen(file: StoredFile) -> pa.Table:
            found = [
                piece.filter(pa.array(isin(piece.column("person_id"), wanted)))
                for piece in self.pieces(file, columns)
            ]
            return stacked(found) if found else CONTACT.empty_table().select(columns)

        parts = [(file,) for file in files]
        tables = in_threads(chosen, parts, lambda number: progress(label, number, size))
        return stacked(tables) if tables else CONTACT.empty_table().select(columns)

    def moved_from(self, mine: pa.Table) -> pa.Table:
        """The moved versions of these people's contacts that now lie with somebody else.

        `mine` are all the rows of some people.
        """
        moved = self._moved()
        found = isin(moved.column("contact_key"), _keys(mine))
        people = decoded(mine.column("person_id")).unique()
        others = ~isin(moved.column("person_id"), people)
        return moved.filter(pa.array(found & others))

    def _moved(self) -> pa.Table:
        """Versions of contacts that lie with another person than the version before.

        Their agency, or a new link, moved them; without them the earlier version would stand. They
        are few, and looked for once in a process after each change of the history.
        """
        ledger = self.folder / LEDGER
        key = hashlib.sha256(ledger.read_bytes() if ledger.exists() else b"").hexdigest()
        if _MOVED.get(self.folder, ("", None))[0] != key:
            # As many buckets at a time as hold few rows: each pass opens the files of all buckets.
            steps = min(self.count("contact") // ROWS_AT_ONCE, BUCKETS) + 1
            some = [range(first, BUCKETS + 1, steps) for first in range(steps)]
            parts = [_came_from_elsewhere(self._in_buckets(numbers)) for numbers in some]
            found = [part for part in parts if part.num_rows] or parts[:1]
            _MOVED[self.folder] = (key, pa.concat_tables(found, promote_options="permissive"))
        return _MOVED[self.folder][1]

    def _in_buckets(self, chosen: Sequence[int]) -> pa.Table:
        """The contacts of some buckets' people, also those that lie in files of all buckets."""
        rows = self.read("contact", columns=_NEEDED, only_buckets=chosen)
        return rows.filter(pa.array(np.isin(buckets(rows.column("person_id")), chosen)))

    def verify(self, progress: Progress = silent) -> int:
        """Read every file; the number of files. IntegrityError at the first that differs."""
        files = live_files(self.batches())
        for number, file in enumerate(files):
            progress("Checking the history", number, len(files))
            rows = self._read_file(file, []).num_rows
            if rows not in (0, file.rows):
                raise IntegrityError(f"{file.path} has another number of rows than recorded.")
        return len(files)


#: Moved versions are looked for in about so many rows at a time.
ROWS_AT_ONCE = 1_000_000
#: What History.of cannot do without.
_NEEDED = ("contact_key", "version", "op", "person_id", "type", "agency", "occurred_on", "known_on")


#: Moved versions by folder, with the ledger they were found under.
_MOVED: dict[Path, tuple[str, pa.Table]] = {}


def _came_from_elsewhere(rows: pa.Table) -> pa.Table:
    """The versions of some buckets whose version before does not lie with the same person."""
    later = numbers(rows.column("version"), 1) > 1
    keys = rows.column("contact_key").filter(pa.array(later))
    near = rows.filter(pa.array(isin(rows.column("contact_key"), keys)))
    version = numbers(near.column("version"), 1)
    key, person = ranks(near.column("contact_key")), ranks(near.column("person_id"))
    order = np.lexsort((version, key))
    follows = np.zeros(len(order), np.bool_)
    follows[1:] = (np.diff(key[order]) == 0) & (np.diff(version[order]) == 1)
    follows[1:] &= np.diff(person[order]) == 0
    moved = np.zeros(len(order), np.bool_)
    moved[order] = ~follows
    return near.filter(pa.array(moved & (version > 1)))


def _keys(table: pa.Table) -> pa.Array:
    return one(table.column("contact_key"))


def _is_of(file: StoredFile, name: str) -> bool:
    return file.path.split("/")[0] == name
