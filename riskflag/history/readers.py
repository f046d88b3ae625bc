"""Reading agency files as text: exact field counts, no inference, nothing dropped unseen."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.errors import InputError
from riskflag.history.arrays import Ints
from riskflag.history.source import Files

#: A field longer than this is not a code, a date, a name or an identifier.
LONGEST_FIELD = 32_768
#: A file that ends exactly here was probably cut by a spreadsheet.
ROW_CAPS = (65_536, 1_048_576)
_LARGEST_FILE = 1 << 33


class RejectedError(InputError):
    """A whole file that cannot be taken; `reason` is its code, the message says what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class BadRow:
    """A row the reader could not take: the line it begins on, the reason code, its text."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class RawFile:
    """The rows of a file: `table` holds the columns asked for as text (dates of a Parquet file
    as they are), `lines` the line each row begins on, `bad` the rows that could not be read,
    `absent` the optional columns it does not have (blank in the table).
    """

    name: str
    table: pa.Table
    lines: Ints
    bad: list[BadRow] = field(default_factory=list)
    absent: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        """Every row of the file, readable or not."""
        return int(self.table.num_rows) + len(self.bad)

    def part(self, first: int, rows: int) -> RawFile:
        """So many of the readable rows, from `first` on."""
        if first == 0 and rows >= self.table.num_rows:
            return self
        table, lines = self.table.slice(first, rows), self.lines[first : first + rows]
        return RawFile(self.name, table, lines, absent=self.absent)


def read_bytes(path: Path, largest: int = _LARGEST_FILE) -> bytes:
    """The content of a plain file; links, pipes and devices are not opened (RejectedError)."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise RejectedError(
            "not_a_file", f"{path.name} is not a plain file that can be read; deliver it again."
        ) from None
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        os.close(handle)
        raise RejectedError("not_a_file", f"{path.name} is not a plain file; deliver it again.")
    with os.fdopen(handle, "rb") as stream:
        if about.st_size > largest:
            raise RejectedError(
                "too_large", f"{path.name} is over {largest >> 20:,} MiB; ask for it in parts."
            )
        return stream.read()


def read_rows(
    data: bytes,
    name: str,
    files: Files,
    needed: frozenset[str],
    identifiers: frozenset[str] = frozenset(),
) -> RawFile:
    """The rows of a file's bytes as its source declares them; RejectedError when that fails.

    `needed` are the columns to read; `identifiers` those of them that must be text by type. A table
    may come as CSV one day and as Parquet the next: a name that ends in .parquet tells.
    """
    if form_of(name, files) == "parquet":
        from riskflag.history.parquet_reader import read_parquet

        raw = read_parquet(data, name, files, needed, identifiers)
    elif files.format == "xml":
        from riskflag.history.xml_reader import read_xml

        raw = read_xml(data, name, files, needed)
    elif files.format == "xlsx":
        from riskflag.history.workbook import read_xlsx

        raw = read_xlsx(data, name, files, needed)
    else:
        from riskflag.history.csv_reader import read_csv

        raw = read_csv(data, name, files, needed)
    raw = _with_absent(raw, needed)
    if raw.rows == 0 and not files.may_be_empty:
        raise RejectedError("empty", f"{name} has no rows; check the extract.")
    if raw.rows and raw.table.num_rows == 0 and all(r.reason == "field_count" for r in raw.bad):
        raise RejectedError("field_count", f"No row of {name} has as many fields as its header.")
    if form_of(name, files) in ("csv", "xlsx") and (
        raw.rows in ROW_CAPS or raw.rows + 1 in ROW_CAPS
    ):
        raise RejectedError(
            "row_cap", f"{name} ends exactly at a spreadsheet's last row; ask for all rows."
        )
    return _without_unreadable(raw, data)


def form_of(name: str, files: Files) -> str:
    """How a file of a source is written: what it declares, or Parquet where its name says so."""
    return "parquet" if name.endswith(".parquet") else files.format


def _with_absent(raw: RawFile, needed: frozenset[str]) -> RawFile:
    """The same rows with a blank column for each that the file does not have."""
    absent = needed - set(raw.table.column_names)
    table = raw.table
    for column in sorted(absent):
        blank = pa.repeat(pa.scalar("", pa.string()), table.num_rows)
        table = table.append_column(column, blank)
    return replace(raw, table=table, absent=absent) if absent else raw


def columns_of(
    header: list[str], name: str, files: Files, needed: frozenset[str]
) -> dict[str, int]:
    """Where each needed column stands; RejectedError unless it is there exactly once.

    A column is found by its own name or, where `headers` declares one, by its pattern. Columns
    that the source calls optional may be missing.
    """
    twice = any(column and header.count(column) > 1 for column in header)
    places: dict[str, int] = {}
    for column in sorted(needed):
        pattern = files.headers.get(column)
        fits = matching(header, pattern) if pattern else range(len(header))
        found = [place for place in fits if pattern or header[place] == column]
        if twice or len(found) > 1:
            raise RejectedError(
                "duplicate_column", f"{name} has two columns of one name; rename one."
            )
        if found:
            places[column] = found[0]
        elif column not in files.optional:
            hint = _other_delimiter(header, files.delimiter)
            raise RejectedError(
                "missing_column",
                f"{name} has no column {column}; check the file or its source declaration{hint}.",
            )
    return places


def _other_delimiter(header: list[str], delimiter: str) -> str:
    """What to look at when a header is all one field."""
    inside = len(header) == 1 and any(mark in header[0] for mark in ",;\t|" if mark != delimiter)
    return " (its fields are separated by another mark than declared)" if inside else ""


def matching(texts: list[str], pattern: str) -> list[int]:
    """Which texts a regular expression fits as a whole, whatever their case."""
    found = pc.match_substring_regex(pa.array(texts, pa.string()), f"(?i)^(?:{pattern})$")
    return [place for place, fits in enumerate(found.to_pylist()) if fits]


def _without_unreadable(raw: RawFile, data: bytes) -> RawFile:
    """Rows with a zero byte or an over-long field move to the bad rows."""
    reason = np.zeros(raw.table.num_rows, np.int8)
    for column in raw.table.columns:
        if not pa.types.is_string(column.type):
            continue
        if (pc.max(pc.binary_length(column)).as_py() or 0) > LONGEST_FIELD:
            long = pc.fill_null(pc.greater(pc.binary_length(column), LONGEST_FIELD), False)
            reason[np.asarray(long)] = 2
        if b"\0" in data and raw.table.num_rows:
            reason[np.asarray(pc.fill_null(pc.match_substring(column, "\0"), False))] = 1
    if not reason.any():
        return raw
    names = {1: "nul", 2: "field_too_long"}
    bad = [BadRow(int(raw.lines[row]), names[int(reason[row])], "") for row in reason.nonzero()[0]]
    kept = reason == 0
    table = raw.table.filter(pa.array(kept)).combine_chunks()
    return replace(raw, table=table, lines=raw.lines[kept], bad=[*raw.bad, *bad])
