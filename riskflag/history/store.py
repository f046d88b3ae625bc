"""The Parquet store of the history: append-only, checked on every read, one batch at a time."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.errors import IntegrityError, StorageError
from riskflag.history.arrays import Ints, isin, numbers, one, ordered, ranks
from riskflag.history.hashing import BUCKETS, bucket, buckets
from riskflag.history.ledger import (
    Batch,
    DeliveredFile,
    StoredFile,
    append_ledger,
    read_ledger,
    sync_folders,
)
from riskflag.history.matches import everyone_ever
from riskflag.history.schema import ATTRIBUTES, SCHEMAS, conform
from riskflag.history.view import History
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
    bucket 64: not linked to a person yet), sorted by person, day, key and version; the other
    tables in one file per batch. Only files named in the ledger exist for a reader.
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
        tables: Mapping[str, pa.Table],
        delivered: Sequence[DeliveredFile] = (),
        progress: Progress = silent,
    ) -> Batch:
        """Add version rows, all or nothing.

        `tables` maps names of SCHEMAS to rows. Files are written aside, synced and renamed; the
        ledger line comes last. Raises IntegrityError when the batch is already there.
        """
        if any(batch.batch_id == batch_id for batch in self.batches()):
            raise IntegrityError(f"Batch {batch_id} is already in the history; nothing was added.")
        staging = self.folder / _STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            parts = _parts(tables, batch_id)
            files = []
            for number, (path, table) in enumerate(parts):
                progress("Writing the history", number, len(parts))
                files.append(_write(staging / path, path, table))
            progress("Writing the history", len(parts), len(parts))
            self._move_in(staging, files)
            batch = Batch(batch_id, landed, tuple(files), tuple(delivered))
            append_ledger(self.folder, batch)
        except OSError:
            raise StorageError(
                f"{self.folder} cannot be written; check space and permissions."
            ) from None
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return batch

    def _move_in(self, staging: Path, files: Sequence[StoredFile]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
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
        schema = SCHEMAS[name]
        wanted = list(columns) if columns is not None else schema.names
        chosen = [file for batch in self.batches() for file in batch.files if _is_of(file, name)]
        if only_buckets is not None:
            keep = {f"bucket={number:02d}" for number in only_buckets}
            chosen = [file for file in chosen if file.path.split("/")[1] in keep]
        tables = []
        for number, file in enumerate(chosen):
            progress("Reading the history", number, len(chosen))
            tables.append(self._read_file(file, wanted))
        progress("Reading the history", len(chosen), len(chosen))
        if not tables:
            return pa.schema([schema.field(column) for column in wanted]).empty_table()
        # A column that an older version did not write yet is unknown in its rows.
        return pa.concat_tables(tables, promote_options="default")

    def _read_file(self, file: StoredFile, columns: list[str]) -> pa.Table:
        """A stored file's columns; any change since it was written raises IntegrityError."""
        path = self.folder / file.path
        try:
            data = path.read_bytes()
        except OSError:
            raise IntegrityError(f"{path} is missing; restore the history from a backup.") from None
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise IntegrityError(f"{path} has been changed or damaged; restore it from a backup.")
        stored = pq.ParquetFile(
            pa.BufferReader(data),
            read_dictionary=[name for name in _CODED if name in columns],
            page_checksum_verification=True,
        )
        there = set(stored.schema_arrow.names)
        return stored.read([name for name in columns if name in there], use_threads=False)

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
        near = {bucket(name) for name in everyone}
        contacts = self.read("contact", columns=own, only_buckets=sorted(near), progress=progress)
        mine = contacts.filter(pa.array(isin(contacts.column("person_id"), everyone)))
        far = [number for number in range(BUCKETS + 1) if number not in near]
        away = self.read("contact", columns=_NEEDED, only_buckets=far)
        moved = [_moved(rows, mine, everyone) for rows in (contacts, away)]
        some = [table for table in moved if table.num_rows]
        contacts = pa.concat_tables([mine, *some], promote_options="permissive")
        persons = persons.filter(pa.array(isin(persons.column("person_id"), everyone)))
        return History.of(contacts, persons, relationships, coverage, matches)

    def verify(self, progress: Progress = silent) -> int:
        """Read every file; the number of files. IntegrityError at the first that differs."""
        files = [file for batch in self.batches() for file in batch.files]
        for number, file in enumerate(files):
            progress("Checking the history", number, len(files))
            rows = self._read_file(file, []).num_rows
            if rows not in (0, file.rows):
                raise IntegrityError(f"{file.path} has another number of rows than recorded.")
        return len(files)


#: What History.of cannot do without.
_NEEDED = ("contact_key", "version", "op", "person_id", "type", "agency", "occurred_on", "known_on")


def _moved(rows: pa.Table, mine: pa.Table, people: Sequence[str]) -> pa.Table:
    """Later versions of these people's contacts that came to lie with somebody else.

    Their agency, or a new link, moved them; without them the earlier version would stand.
    """
    later = numbers(rows.column("version"), 1) > 1
    later[later] &= isin(rows.column("contact_key").filter(pa.array(later)), _keys(mine))
    later[later] &= ~isin(rows.column("person_id").filter(pa.array(later)), people)
    return rows.filter(pa.array(later))


def _keys(table: pa.Table) -> pa.Array:
    return one(table.column("contact_key"))


def _is_of(file: StoredFile, name: str) -> bool:
    return file.path.split("/")[0] == name


def _parts(tables: Mapping[str, pa.Table], batch_id: str) -> list[tuple[str, pa.Table]]:
    """The files of a batch: path below the history and rows, empty ones left out."""
    parts = []
    for name in sorted(tables):
        table = conform(tables[name], SCHEMAS[name])
        if table.num_rows == 0:
            continue
        if name != "contact":
            parts.append((f"{name}/{batch_id}.parquet", table))
            continue
        parts += [
            (f"contact/bucket={number:02d}/{batch_id}.parquet", part)
            for number, part in _by_bucket(table)
        ]
    return parts


def _by_bucket(table: pa.Table) -> list[tuple[int, pa.Table]]:
    """Contacts by bucket, each sorted by person, day, key and version."""
    number = buckets(table.column("person_id")).astype(np.int64)
    main = (number << 48) + ((ranks(table.column("person_id")) + 1) << 20)
    main += numbers(table.column("occurred_on"), 0) + (1 << 19)

    def finer(rows: Ints) -> list[Ints]:
        part = table.select(["contact_key", "version"]).take(pa.array(rows))
        return [numbers(part.column("version"), 0), ranks(part.column("contact_key"))]

    order = ordered(main, finer)
    table = table.take(pa.array(order)).combine_chunks()
    bounds = np.searchsorted(number[order], np.arange(BUCKETS + 2))
    return [
        (place, table.slice(bounds[place], bounds[place + 1] - bounds[place]))
        for place in range(BUCKETS + 1)
        if bounds[place + 1] > bounds[place]
    ]


def _write(target: Path, path: str, table: pa.Table) -> StoredFile:
    """Write one Parquet file with page checksums and sync it."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        write_page_checksum=True,
        row_group_size=1 << 17,
        store_schema=False,
    )
    data = sink.getvalue().to_pybytes()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    return StoredFile(path, hashlib.sha256(data).hexdigest(), len(data), table.num_rows)
