"""Every record of every flagged child as the night knew it, beside the flags: `records.parquet`.

A flag's JSON holds the last 24 months and what its reasons rest on; this file holds the rest, with
earlier versions of what was corrected since. One child's records are read without the others',
however many there are, and little of the file stays in memory.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskflag.clock import NEVER, day_number
from riskflag.errors import IntegrityError
from riskflag.history.arrays import encode, those
from riskflag.nightly import folder
from riskflag.nightly.records import ATTRIBUTES, OWN, contact_json
from riskflag.nightly.records import iso as iso_day

if TYPE_CHECKING:
    from riskflag.casework.store import Store
    from riskflag.history.store.view import History
    from riskflag.workspace import Workspace

Row = dict[str, Any]

RECORDS = "records.parquet"
#: People are read together up to this size, in bytes before they are packed.
GROUP = 500_000
#: The column that holds a person's rows, and the key of their schema.
ROWS = "rows"
PACKED = pa.schema([("person_id", pa.string()), (ROWS, pa.binary())])
COLUMNS = (
    *("person_id", "contact_key", "version", "type", "agency", "link"),
    *("occurred_day", "known_day", "superseded_day", "ended_day", "occurred_at"),
    *ATTRIBUTES,
    *("quantity", "known_basis", "source", "source_file", "source_line", "record_id", "issues"),
    *("whose", "open_ended", "duration_days"),
)


def table(near: History, as_of: dt.date) -> pa.Table:
    """The versions known before `as_of` of all contacts that concern some people (COLUMNS).

    `near` is the history cut to these people. Whose contact it is, is a number that says nothing
    but that two are the same person's.
    """
    known = known_before(near.contacts, as_of)
    whose = encode(known["contact_person_id"]).indices.cast(pa.string())
    return plain(known.append_column("whose", whose).select(COLUMNS))


def plain(rows: pa.Table) -> pa.Table:
    """The rows with texts as they are, whatever other rows there are."""
    fields = [
        pa.field(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type)
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields)).combine_chunks()


def known_before(rows: pa.Table, as_of: dt.date) -> pa.Table:
    """The versions that were known before a day, each with the day until which it then held.

    What came later leaves no trace: not even that a version was superseded.
    """
    day = day_number(as_of)
    known = those(rows, pc.less(rows["known_day"], day))
    ended = known["superseded_day"]
    until = pc.if_else(pc.less(ended, day), ended, pa.scalar(NEVER, pa.int32()))
    return known.set_column(known.schema.get_field_index("superseded_day"), "superseded_day", until)


def table_bytes(records: pa.Table) -> bytes:
    """Rows sorted by person as a Parquet file; the same bytes for the same rows.

    Each person is one row of it: their id, and their rows as an Arrow stream. A column of its own
    for each of thirty would make the file's index larger than what is read from it.
    """
    plain = records.schema.remove_metadata()
    sink = io.BytesIO()
    with pq.ParquetWriter(
        sink,
        PACKED,
        compression="zstd",
        use_dictionary=False,
        write_page_checksum=True,
        write_statistics=["person_id"],
        store_schema=False,
    ) as writer:
        # One group after another: of ten thousand people all at once would take a GiB.
        for group in _groups(records, plain):
            writer.write_table(group, row_group_size=group.num_rows)
        writer.add_key_value_metadata({ROWS: plain.serialize().to_pybytes().hex()})
    return sink.getvalue()


def _people(records: pa.Table) -> Iterator[tuple[int, int]]:
    """The bounds of each person's rows."""
    if records.num_rows:
        person = records["person_id"].combine_chunks().dictionary_encode()
        codes = np.asarray(person.indices if isinstance(person, pa.DictionaryArray) else person)
        edges = (np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist()
        yield from itertools.pairwise([0, *edges, len(codes)])


def _groups(records: pa.Table, plain: pa.Schema) -> Iterator[pa.Table]:
    """People that are read together: as many as fill a group, at least one."""
    people: list[str] = []
    streams: list[bytes] = []
    for start, stop in _people(records):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, plain) as stream:
            stream.write_table(records.slice(start, stop - start))
        people.append(records["person_id"][start].as_py())
        streams.append(sink.getvalue().to_pybytes())
        if sum(map(len, streams)) >= GROUP:
            yield pa.table([people, streams], schema=PACKED)
            people, streams = [], []
    if people:
        yield pa.table([people, streams], schema=PACKED)


@dataclass(frozen=True)
class Chronologies:
    """One publication's file, opened: its footer, a person's schema, the last of each group."""

    path: Path
    footer: pq.FileMetaData
    schema: pa.Schema
    last: Sequence[str]

    def rows(self, person_id: str, *, only: str | None = None) -> list[Row]:
        """The version rows of one person, oldest event first; with `only` those of one contact."""
        found = self.of(person_id)
        if only is not None:
            found = found.filter(pc.equal(found["contact_key"], only))
        own: list[Row] = found.to_pylist()
        return own

    def of(self, person_id: str) -> pa.Table:
        """The rows of one person as a table; empty for somebody who is not in the file."""
        group = bisect_right(self.last, person_id)
        if group and self.last[group - 1] == person_id:
            group -= 1
        if group == len(self.last):
            return self.schema.empty_table()
        file = pq.ParquetFile(self.path, metadata=self.footer, page_checksum_verification=True)
        try:
            found = file.read_row_group(group, use_threads=False)
        except OSError:
            raise IntegrityError(f"{self.path} is damaged; {folder.RESTORE}") from None
        finally:
            file.close()
        place = pc.index(found["person_id"], person_id).as_py()
        return self.schema.empty_table() if place < 0 else _rows(found[ROWS][place])


def opened(where: Path, manifest_hash: str, name: str = RECORDS) -> Chronologies | None:
    """A file of a publication, checked once; None when that night wrote none such.

    Raises IntegrityError when the manifest or the file is not the one that was published.
    """
    path = checked(where, manifest_hash, name)
    return None if path is None else _opened(path, manifest_hash)


def checked(where: Path, manifest_hash: str, name: str) -> Path | None:
    """Where a file of a publication is; raises and returns None as `opened`."""
    expected = _expected(where, manifest_hash, name)
    if expected is None:
        return None
    path = where / name
    try:
        state = path.stat()
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing; {folder.RESTORE}") from None
    _intact(path, expected, state.st_size, state.st_mtime_ns)
    return path


@lru_cache(maxsize=64)
def _expected(where: Path, manifest_hash: str, name: str) -> str | None:
    """The hash of the file as the manifest has it; a manifest of a hash never changes."""
    told = folder.read_manifest(where, manifest_hash)["files"].get(name)
    return None if told is None else str(told["sha256"])


@lru_cache(maxsize=16)
def _intact(path: Path, expected: str, _size: int, _changed: int) -> None:
    """Look through a file; again whenever its size or time of change differs."""
    if folder.file_sha256(path) != expected:
        raise IntegrityError(f"{path} is not the one that was published; {folder.RESTORE}")


@lru_cache(maxsize=12)
def _opened(path: Path, _manifest_hash: str) -> Chronologies | None:
    footer = pq.read_metadata(path)
    if ROWS.encode() not in (footer.metadata or {}):
        return None  # as an older program wrote it
    groups = (footer.row_group(number) for number in range(footer.num_row_groups))
    last = tuple(group.column(0).statistics.max for group in groups)
    return Chronologies(path, footer, _schema(footer.metadata), last)


def _schema(metadata: Mapping[bytes, bytes]) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(metadata[ROWS.encode()].decode())))


def _rows(stream: pa.BinaryScalar) -> pa.Table:
    return pa.ipc.open_stream(stream.as_buffer()).read_all()


def everybody(path: Path) -> pa.Table:
    """The rows of everybody in a file, as `table_bytes` took them."""
    none = _schema(pq.read_metadata(path).metadata).empty_table()
    return pa.concat_tables([none, *(_rows(one) for one in pq.read_table(path)[ROWS])])


def flag_and_records(
    workspace: Workspace, store: Store, flag_id: str, *, only: str | None = None
) -> tuple[dict[str, Any], list[Row]]:
    """A published flag, and all records of its child as the same night knew them (`records_of`).

    With `only` no record but the one with that key. A publication of an older program has no such
    file: then what the flag itself holds is told. Raises InputError when there is no such flag, and
    IntegrityError when a file is not the one that was published.
    """
    from riskflag.nightly.published import held_flag, version_of

    held = held_flag(store, flag_id)
    flag = version_of(workspace, flag_id, held)
    found = opened(workspace.publications / held.record.folder, held.record.manifest_hash)
    if found is None:
        kept = [{**one, "withdrawn_on": None, "versions": []} for one in flag["contacts"]]
        return flag, [one for one in kept if only in (None, one["contact_key"])]
    rows = found.rows(flag["person_id"], only=only)
    return flag, records_of(rows, held.record.as_of, flag)


def records_of(rows: Sequence[Row], as_of: dt.date, flag: Mapping[str, Any]) -> list[Row]:
    """One child's records as the flag's JSON tells contacts, oldest first, each with `versions`.

    A contact that reaches the child twice is told once, as the child's own if it is. `versions`
    are its wordings in the order in which they became known, each with `until` (the day from which
    it no longer stood, or null). A record that was withdrawn by then is told as it stood last.
    """
    day = day_number(as_of)
    told = {contact["contact_key"]: contact for contact in flag["contacts"]}
    pattern = frozenset(key for key, contact in told.items() if contact["in_pattern"])
    by_key: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["link"] != OWN, row["link"])):
        held = by_key.setdefault(row["contact_key"], [])
        if not held or held[0]["link"] == row["link"]:
            held.append(row)
    found = [
        _record(held, day, pattern=pattern, told=told.get(key)) for key, held in by_key.items()
    ]
    return sorted(found, key=lambda one: (one["occurred_on"], one["contact_key"]))


def _record(held: list[Row], day: int, *, pattern: frozenset[str], told: Row | None) -> Row:
    """One contact of a child with its versions."""
    held = sorted(held, key=lambda row: (row["known_day"], row["version"]))
    versions = []
    for row in held:
        gone = row["superseded_day"]
        shown = contact_json(row, day, pattern=pattern, since=None)
        versions.append({**shown, "until": iso_day(gone) if gone < day else None})
    last = dict(versions[-1])
    withdrawn = last.pop("until")
    return {
        **last,
        "new": bool(told and told["new"]),
        "withdrawn": withdrawn is not None,
        "withdrawn_on": withdrawn,
        "versions": versions,
    }
