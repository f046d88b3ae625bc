"""Reading agency files as text: exact field counts, no inference, nothing dropped unseen."""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from riskflag.errors import InputError
from riskflag.history.arrays import Ints
from riskflag.history.csv_scan import Layout, scan
from riskflag.history.source import Files

#: A field longer than this is not a code, a date, a name or an identifier.
LONGEST_FIELD = 32_768
#: A file that ends exactly here was probably cut by a spreadsheet.
ROW_CAPS = (65_536, 1_048_576)
_LARGEST_FILE = 1 << 33
_NUL_BLOCK = b"\0" * 16


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


def read_bytes(path: Path) -> bytes:
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
        if about.st_size > _LARGEST_FILE:
            raise RejectedError("too_large", f"{path.name} is over 8 GB; ask for it in parts.")
        return stream.read()


def read_rows(data: bytes, name: str, files: Files, needed: frozenset[str]) -> RawFile:
    """The rows of a file's bytes as its source declares them; RejectedError when that fails.

    A table may come as CSV one day and as Parquet the next: a name that ends in .parquet tells.
    """
    optional = frozenset(files.optional)
    if form_of(name, files) == "parquet":
        from riskflag.history.parquet_reader import read_parquet

        raw = read_parquet(data, name, needed, optional)
    elif files.format == "xml":
        from riskflag.history.xml_reader import read_xml

        raw = read_xml(data, name, files, needed)
    elif files.format == "xlsx":
        from riskflag.history.workbook import read_xlsx

        raw = read_xlsx(data, name, files, needed)
    else:
        text = _as_utf8(data, name, files.encoding)
        raw = _read_csv(text, name, files.delimiter, needed, optional)
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


def _as_utf8(data: bytes, name: str, encoding: str) -> bytes:
    """The text as UTF-8 without a byte order mark."""
    if encoding == "utf-8":
        data = data.removeprefix(b"\xef\xbb\xbf")
        if data.isascii():
            return data
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise RejectedError(
            "encoding",
            f"{name} is not {encoding}: byte {error.start} cannot be read; "
            "declare the encoding it has or ask for another copy.",
        ) from None
    return data if encoding == "utf-8" else text.encode("utf-8")


def _read_csv(
    data: bytes, name: str, delimiter: str, needed: frozenset[str], optional: frozenset[str]
) -> RawFile:
    if _NUL_BLOCK in data:
        raise RejectedError(
            "nul_block", f"{name} holds a block of zero bytes; it was cut in transfer."
        )
    header = _header(data, name, delimiter)
    needed = present_columns(header, name, needed, optional)
    layout = scan(data, delimiter)
    if layout is not None:
        fast = _read_fast(data, name, delimiter, layout, needed)
        if fast is not None:
            return fast
    return _read_strict(data, name, delimiter, header, needed)


def _header(data: bytes, name: str, delimiter: str) -> list[str]:
    if not data.strip():
        raise RejectedError("no_header", f"{name} is empty; check the extract.")
    start = data[: 1 << 20].decode("utf-8", errors="replace")
    try:
        return next(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        raise RejectedError("no_header", f"The first line of {name} is not a header.") from None


def present_columns(
    header: list[str], name: str, needed: frozenset[str], optional: frozenset[str]
) -> frozenset[str]:
    """The needed columns that are there, all but optional ones exactly once (RejectedError)."""
    for column in header:
        if column and header.count(column) > 1:
            raise RejectedError(
                "duplicate_column", f"{name} has two columns of one name; rename one."
            )
    missing = sorted(needed - optional - set(header))
    if missing:
        raise RejectedError(
            "missing_column",
            f"{name} has no column {missing[0]}; check the file or its source declaration.",
        )
    return needed & set(header)


def _read_fast(
    data: bytes, name: str, delimiter: str, layout: Layout, needed: frozenset[str]
) -> RawFile | None:
    """Arrow's reader on a plainly written file; None when its row count is not the scan's."""
    if len(layout.start) == 1:
        return RawFile(name, _empty(needed), np.zeros(0, np.int64))
    wrong: list[int] = []

    def note(row: Any) -> str:
        wrong.append(row.number)
        return "skip"

    try:
        table = pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(use_threads=False, block_size=1 << 25),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=b'"' in data,
                ignore_empty_lines=False,
                invalid_row_handler=note,
            ),
            convert_options=pacsv.ConvertOptions(
                include_columns=sorted(needed),
                column_types=dict.fromkeys(sorted(needed), pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows + len(wrong) != len(layout.start) - 1 or None in wrong:
        return None
    return _assembled(data, name, table, layout, np.array(wrong, np.int64) - 1)


def _assembled(data: bytes, name: str, table: pa.Table, layout: Layout, wrong: Ints) -> RawFile:
    """Rows and bad rows with their lines; empty lines are not rows."""
    blank = layout.blank()
    taken = np.ones(len(layout.start), np.bool_)
    taken[0] = False
    taken[wrong] = False
    kept = ~blank[taken]
    table = table if kept.all() else table.filter(pa.array(kept))
    bad = [
        BadRow(int(layout.line[row]), "field_count", _text(data, layout, row))
        for row in wrong
        if not blank[row]
    ]
    return RawFile(name, table.combine_chunks(), layout.line[taken & ~blank], bad)


def _text(data: bytes, layout: Layout, row: int) -> str:
    return data[layout.start[row] : layout.end[row]].decode("utf-8", errors="replace")


def _empty(needed: frozenset[str]) -> pa.Table:
    return pa.table({column: pa.array([], pa.string()) for column in sorted(needed)})


def _read_strict(
    data: bytes, name: str, delimiter: str, header: list[str], needed: frozenset[str]
) -> RawFile:
    """Python's strict csv reader: slower, and it says exactly which line is at fault."""
    places = [(column, header.index(column)) for column in sorted(needed)]
    values: dict[str, list[str]] = {column: [] for column, _ in places}
    lines: list[int] = []
    bad: list[BadRow] = []
    for line, row, reason in _strict_rows(data, name, delimiter):
        if reason is None and len(row) == len(header):
            lines.append(line)
            for column, place in places:
                values[column].append(row[place])
        else:
            bad.append(BadRow(line, reason or "field_count", delimiter.join(row)))
    table = pa.table({column: pa.array(texts, pa.string()) for column, texts in values.items()})
    return RawFile(name, table, np.array(lines, np.int64), bad)


def _strict_rows(
    data: bytes, name: str, delimiter: str
) -> Iterator[tuple[int, list[str], str | None]]:
    """Line, fields and fault of each record after the header; refuses a quote that never closes.

    A quoting fault within one line costs that row. One that spans lines may have swallowed other
    rows, so nothing in the file can be trusted.
    """
    csv.field_size_limit(1 << 30)
    stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    next(reader)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if reader.line_num > line or _unclosed(data, line):
                raise RejectedError(
                    "unclosed_quote",
                    f"{name} line {line}: a quote is not closed; ask for another copy.",
                ) from None
            yield line, [_line_of(data, line)], "bad_quote"
            continue
        if row:
            yield line, row, None


def _line_of(data: bytes, line: int) -> str:
    return data.splitlines()[line - 1].decode("utf-8", errors="replace")


def _unclosed(data: bytes, line: int) -> bool:
    """Whether the file's last line was reached inside a quote."""
    lines = data.splitlines()
    return line >= len(lines) and lines[line - 1].count(b'"') % 2 == 1


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
    return RawFile(raw.name, table, raw.lines[kept], [*raw.bad, *bad])
