"""Sources that are read from a database: one snapshot a day, kept in landing like any other file.

The history is only ever made from what lies in `landing/`, so a database feed can be repeated and
reproduced although the database has moved on. A snapshot that is there is not read again that day.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.clock import today
from riskflag.errors import ConfigError, StorageError
from riskflag.history.declared.source import Source
from riskflag.history.files.delivered import RejectedError
from riskflag.history.files.landing import Landed
from riskflag.history.store.ledger import sync_folders, write_atomic
from riskflag.progress import Progress, silent
from riskflag.workspace import Workspace

if TYPE_CHECKING:
    from riskflag.history.files.database import Reader


def from_databases(workspace: Workspace, sources: tuple[Source, ...]) -> dict[str, list[Source]]:
    """The sources to read from each connection; ConfigError for a name that chooses none."""
    chosen: dict[str, list[Source]] = {}
    for source in sources:
        if source.database is not None and source.database.connection is not None:
            chosen.setdefault(source.database.connection, []).append(source)
    taken: dict[str, str] = {}
    for connection, said in workspace.config.databases.items():
        for name in said.sources:
            found = [s for s in sources if s.name == name or s.name.startswith(f"{name}_")]
            tables = [s for s in found if s.database is not None and s.files.format != "database"]
            if not tables:
                raise ConfigError(
                    f"databases.{connection} in riskflag.toml names the source {name}, but the "
                    "workspace has none of that name with a database table; correct it."
                )
            for source in tables:
                if taken.setdefault(source.name, connection) != connection:
                    raise ConfigError(
                        f"riskflag.toml reads the source {source.name} from two databases; "
                        "name it once."
                    )
                if source not in chosen.setdefault(connection, []):
                    chosen[connection].append(source)
    return chosen


def extract(
    workspace: Workspace,
    sources: tuple[Source, ...],
    *,
    dry_run: bool = False,
    progress: Progress = silent,
) -> list[Landed]:
    """Read today's snapshot of every database source into landing.

    What could not be read comes back as a refused file, so that the other feeds load all the same;
    with `dry_run` the snapshots come back as bytes and nothing is written.
    """
    day = today()
    found: list[Landed] = []
    for connection, chosen in sorted(from_databases(workspace, sources).items()):
        due = [source for source in chosen if not _target(workspace, source, day).exists()]
        if due:
            found += _Extract(workspace, connection, day, dry_run).run(due, progress)
    return found


def _target(workspace: Workspace, source: Source, day: dt.date) -> Path:
    return workspace.landing / day.isoformat() / f"{source.name}.parquet"


class _Extract:
    """The reading of one connection's sources."""

    def __init__(self, workspace: Workspace, connection: str, day: dt.date, dry_run: bool) -> None:
        self.workspace, self.connection = workspace, connection
        self.day, self.dry_run = day, dry_run

    def run(self, due: list[Source], progress: Progress) -> list[Landed]:
        """Snapshots not written, and refusals."""
        from riskflag.history.files.database import opened

        found: list[Landed] = []
        try:
            with opened(self.connection, self.workspace.config.databases) as reader:
                for number, source in enumerate(due):
                    progress(f"Reading the database {self.connection}", number, len(due))
                    found += self._one(reader, source)
        except RejectedError as refusal:
            found += [self._refused(source, refusal) for source in due]
        progress(f"Reading the database {self.connection}", len(due), len(due))
        return found

    def _one(self, reader: Reader, source: Source) -> list[Landed]:
        try:
            if self.dry_run:
                sink = io.BytesIO()
                _write(sink, *reader.read(source))
                return [self._landed(source, data=sink.getvalue())]
            self._keep(reader, source)
        except RejectedError as refusal:
            return [self._refused(source, refusal)]
        return []

    def _keep(self, reader: Reader, source: Source) -> None:
        """Write the snapshot beside its place, its record, and move it there."""
        target = _target(self.workspace, source, self.day)
        beside = target.with_name(f".{target.name}.new")
        schema, batches = reader.read(source)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                beside.touch(mode=0o600)
                with beside.open("wb") as stream:
                    rows = _write(stream, schema, batches)
                    stream.flush()
                    os.fsync(stream.fileno())
                record = self._record(source, beside, rows, schema)
                manifest = target.with_name(f"{target.name}.manifest.json")
                write_atomic(
                    manifest, json.dumps(record, indent=2, sort_keys=True).encode() + b"\n"
                )
                beside.replace(target)
                sync_folders([target.parent])
            finally:
                beside.unlink(missing_ok=True)
        except OSError:
            raise StorageError(
                f"{target} cannot be written; check space and permissions."
            ) from None

    def _record(self, source: Source, file: Path, rows: int, schema: pa.Schema) -> dict[str, Any]:
        """What was read, for the file's checksum and for those who ask later."""
        assert source.database is not None
        said = self.workspace.config.databases.get(self.connection)
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        return {
            "sha256": sha256,
            "bytes": file.stat().st_size,
            "rows": rows,
            "read_from": {
                "connection": self.connection,
                "schema": source.database.schema_ or (said.schema_ if said else None),
                "table": source.database.table,
                "columns": schema.names,
                "order": source.database.order,
            },
        }

    def _landed(self, source: Source, data: bytes | None = None) -> Landed:
        path = _target(self.workspace, source, self.day)
        shown = str(path.relative_to(self.workspace.landing))
        return Landed(path, shown, self.day, source, data=data)

    def _refused(self, source: Source, refusal: RejectedError) -> Landed:
        made = self._landed(source)
        return Landed(made.path, made.shown, made.day, source, refusal=refusal)


def _write(sink: IO[bytes], schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
    """Rows written as Parquet: the same rows give the same bytes."""
    rows = 0
    with pq.ParquetWriter(sink, schema, compression="zstd", write_page_checksum=True) as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows
