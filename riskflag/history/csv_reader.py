"""Reading CSV text: one declared encoding and delimiter, exact field counts, strict quotes."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from riskflag.history.arrays import Ints
from riskflag.history.csv_scan import Layout, scan
from riskflag.history.readers import LONGEST_FIELD, BadRow, RawFile, RejectedError, columns_of
from riskflag.history.source import Files
from riskflag.history.threads import in_threads

#: Plainly written files are read in parts of about so many bytes, side by side.
CHUNK_BYTES = 1 << 23
#: A record longer than this holds a document, or several records run together.
LONGEST_RECORD = 1 << 20
_NUL_BLOCK = b"\0" * 16
#: How files begin that are no text, whatever their name says.
_PACKED = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"PK\x05\x06": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
}
_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_csv(data: bytes, name: str, files: Files, needed: frozenset[str]) -> RawFile:
    """The rows of a CSV text; see `read_rows`."""
    for start, kind in _PACKED.items():
        if data.startswith(start):
            raise RejectedError(
                "not_text", f"{name} is {kind}, not text; deliver it as its source declares."
            )
    data = _as_utf8(data, name, files.encoding)
    said = None
    if files.trailer is not None:
        data, said = without_trailer(data, name, files.trailer)
    raw = _read_csv(data, name, files, needed)
    if said not in (None, raw.rows):
        raise RejectedError(
            "trailer",
            f"{name} has {raw.rows:,} rows where its last line says {said:,}; ask for it again.",
        )
    return raw


def without_trailer(data: bytes, name: str, pattern: str) -> tuple[bytes, int]:
    """The text without its last line, and how many rows that line says there are."""
    body = data.rstrip(b"\r\n")
    begin = max(body.rfind(b"\n"), body.rfind(b"\r")) + 1
    last = body[begin : begin + LONGEST_FIELD].decode("utf-8", errors="replace")
    found = re.fullmatch(pattern, last)
    if found is None or not re.fullmatch("[0-9]{1,9}", found[1] or ""):
        raise RejectedError(
            "trailer", f"{name} does not end with the line its source declares; it may be cut."
        )
    return data[:begin], int(found[1])


def _as_utf8(data: bytes, name: str, encoding: str) -> bytes:
    """The text as UTF-8 without a byte order mark."""
    if encoding != "utf-16" and (data.startswith(_WIDE_MARKS) or b"\0" in data[:2]):
        raise RejectedError(
            "encoding", f"{name} is UTF-16, not {encoding}; declare the encoding it has."
        )
    if encoding == "utf-8":
        data = data.removeprefix(_MARK)
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


@dataclass(frozen=True)
class _Text:
    """A CSV text in UTF-8: how it is cut into fields, how many, and where the needed ones stand."""

    data: bytes
    name: str
    delimiter: str
    width: int
    places: dict[str, int]

    def record(self, layout: Layout, row: int) -> str:
        return self.data[layout.start[row] : layout.end[row]].decode("utf-8", errors="replace")


def _read_csv(data: bytes, name: str, files: Files, needed: frozenset[str]) -> RawFile:
    if _NUL_BLOCK in data:
        raise RejectedError(
            "nul_block", f"{name} holds a block of zero bytes; it was cut in transfer."
        )
    header = _header(data, name, files.delimiter)
    places = columns_of(header, name, files, needed)
    text = _Text(data, name, files.delimiter, len(header), places)
    layout = scan(data, files.delimiter)
    fast = None if layout is None else _read_fast(text, layout)
    return _read_strict(text) if fast is None else fast


def _header(data: bytes, name: str, delimiter: str) -> list[str]:
    if not data[: 1 << 20].strip() and not data.strip():
        raise RejectedError("no_header", f"{name} is empty; check the extract.")
    start = data[: 1 << 20].decode("utf-8", errors="replace")
    try:
        return next(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        raise RejectedError("no_header", f"The first line of {name} is not a header.") from None


def _read_fast(text: _Text, layout: Layout) -> RawFile | None:
    """Arrow's reader on a plainly written file; None when its row count is not the scan's."""
    if len(layout.start) == 1:
        empty = {column: pa.array([], pa.string()) for column in text.places}
        return RawFile(text.name, pa.table(empty), np.zeros(0, np.int64))

    def read(first: int, last: int) -> tuple[pa.Table, list[int | None]]:
        begin = int(layout.start[first])
        end = int(layout.start[last]) if last < len(layout.start) else len(text.data)
        return _read_part(text, begin, end, quoted=layout.quoted)

    bounds = _bounds(layout)
    try:
        parts = in_threads(read, bounds)
    except pa.ArrowInvalid:
        return None
    table, wrong = pa.concat_tables([part for part, _ in parts]), []
    for (first, last), (part, skipped) in zip(bounds, parts, strict=True):
        if None in skipped or part.num_rows + len(skipped) != last - first:
            return None
        wrong += [first - 1 + number for number in skipped if number is not None]
    table = table.rename_columns(list(text.places))
    return _assembled(text, table, layout, np.array(wrong, np.int64))


def _read_part(
    text: _Text, begin: int, end: int, *, quoted: bool
) -> tuple[pa.Table, list[int | None]]:
    """The needed columns of the records between two bytes, and the numbers of records left out."""
    wrong: list[int | None] = []

    def note(row: Any) -> str:
        wrong.append(row.number)
        return "skip"

    part = pa.py_buffer(text.data).slice(begin, end - begin)
    if text.data.startswith(_MARK, begin):
        # Arrow takes it for the mark of a file's beginning; here it is a part of the first field.
        part = pa.py_buffer(_MARK + part.to_pybytes())
    names = [str(place) for place in range(text.width)]
    chosen = [names[place] for place in text.places.values()]
    table = pacsv.read_csv(
        pa.BufferReader(part),
        read_options=pacsv.ReadOptions(
            use_threads=False, block_size=max(len(part), 1 << 10), column_names=names
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=text.delimiter,
            newlines_in_values=quoted,
            ignore_empty_lines=False,
            invalid_row_handler=note,
        ),
        convert_options=pacsv.ConvertOptions(
            include_columns=chosen,
            column_types=dict.fromkeys(chosen, pa.string()),
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    return table, wrong


def _bounds(layout: Layout) -> list[tuple[int, int]]:
    """The records after the header in parts of about CHUNK_BYTES: from, to (exclusive)."""
    size = int(layout.end[-1])
    wanted = np.arange(int(layout.start[1]) + CHUNK_BYTES, size, CHUNK_BYTES)
    cuts = np.unique(np.searchsorted(layout.start, wanted))
    cuts = cuts[(cuts > 1) & (cuts < len(layout.start))]
    edges = [1, *cuts.tolist(), len(layout.start)]
    return list(itertools.pairwise(edges))


def _assembled(text: _Text, table: pa.Table, layout: Layout, wrong: Ints) -> RawFile:
    """Rows and bad rows with their lines; empty lines are not rows."""
    blank = layout.blank()
    taken = np.ones(len(layout.start), np.bool_)
    taken[0] = False
    taken[wrong] = False
    long = (layout.end - layout.start > LONGEST_RECORD) & taken & ~blank
    kept = ~(blank | long)[taken]
    table = table if kept.all() else table.filter(pa.array(kept))
    bad = [BadRow(int(layout.line[row]), "field_too_long", "") for row in np.flatnonzero(long)]
    bad += [
        BadRow(int(layout.line[row]), "field_count", text.record(layout, row))
        for row in wrong
        if not blank[row]
    ]
    return RawFile(text.name, table, layout.line[taken & ~blank & ~long], bad)


def _read_strict(text: _Text) -> RawFile:
    """Python's strict csv reader: slower, and it says exactly which line is at fault."""
    values: dict[str, list[str]] = {column: [] for column in text.places}
    lines: list[int] = []
    bad: list[BadRow] = []
    for line, row, reason in _strict_rows(text.data, text.name, text.delimiter):
        if reason is None and sum(map(len, row)) > LONGEST_RECORD:
            bad.append(BadRow(line, "field_too_long", ""))
        elif reason is None and len(row) == text.width:
            lines.append(line)
            for column, place in text.places.items():
                values[column].append(row[place])
        else:
            bad.append(BadRow(line, reason or "field_count", text.delimiter.join(row)))
    table = pa.table({column: pa.array(texts, pa.string()) for column, texts in values.items()})
    return RawFile(text.name, table, np.array(lines, np.int64), bad)


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
