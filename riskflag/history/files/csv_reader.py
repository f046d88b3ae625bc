"""Reading CSV text: one declared encoding and delimiter, exact field counts, strict quotes."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from riskflag.history.arrays import Ints
from riskflag.history.declared.source_files import Files
from riskflag.history.files.csv_scan import Layout, scan
from riskflag.history.files.delivered import FileContent, RejectedError
from riskflag.history.files.raw_file import (
    LONGEST_FIELD,
    PART_ROWS,
    BadRow,
    RawFile,
    UnclearError,
    columns_of,
)

#: Files are read in parts of about so many bytes, side by side.
CHUNK_BYTES = 1 << 22
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


def csv_parts(
    content: FileContent, name: str, files: Files, needed: frozenset[str], *, strict: bool
) -> Iterator[Callable[[], RawFile]]:
    """What reads one part of a CSV text after another; see `readers.parts_of`.

    A text whose line breaks cannot be told from its bytes, or that only the strict reader may
    judge, is held whole.
    """
    if strict or files.encoding == "utf-16":
        data = _as_utf8(content.whole(), name, files.encoding)
        if strict:
            yield from _strict_parts(data, name, files, needed)
            return
        content, files = FileContent.of(data), files.model_copy(update={"encoding": "utf-8"})
    head: _Head | None = None
    for number, (data, begin, lines) in enumerate(_segments(content)):
        last = begin + len(data) == content.size
        if head is None:
            _check_kind(data, name)
            head = _head(data, name, files, needed)
        yield partial(_read_segment, _Segment(data, head, begin, lines, number == 0, last))


def _check_kind(data: bytes, name: str) -> None:
    for start, kind in _PACKED.items():
        if data.startswith(start):
            raise RejectedError(
                "not_text", f"{name} is {kind}, not text; deliver it as its source declares."
            )


def _segments(content: FileContent) -> Iterator[tuple[bytes, int, int]]:
    """A text in pieces that end with a record: each with its first byte, and the lines before it.

    Where a record ends is told by the quotes before it; a text in which they stand otherwise than
    in pairs is found out when a piece is read.
    """
    begin = lines = 0
    held: list[bytes] = []
    size = quotes = 0
    for block in content.pieces(_sizes(content.size)):
        whole = begin + size + len(block) >= content.size
        end = len(block) if whole else _last_end(block, quotes)
        if end == 0 and not whole:
            # No record ends here: each piece of a long one is looked through once.
            held.append(block)
            size, quotes = size + len(block), quotes + block.count(b'"')
            continue
        data, rest = b"".join([*held, block[:end]]), block[end:]
        yield data, begin, lines
        begin, lines = begin + len(data), lines + data.count(b"\n")
        held, size, quotes = [rest], len(rest), rest.count(b'"')


def _sizes(size: int) -> Iterator[int]:
    """Pieces of CHUNK_BYTES, the last of up to twice that."""
    while size > 2 * CHUNK_BYTES:
        yield CHUNK_BYTES
        size -= CHUNK_BYTES
    yield size


def _last_end(data: bytes, quotes: int) -> int:
    """The byte behind the last line break outside quotes, after so many quotes; 0 for none."""
    inside, place = (quotes + data.count(b'"')) & 1, len(data)
    while True:
        before = data.rfind(b"\n", 0, place)
        if before < 0:
            return 0
        inside ^= data.count(b'"', before, place) & 1
        if not inside:
            return before + 1
        place = before


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


def _as_utf8(data: bytes, name: str, encoding: str, begin: int = 0) -> bytes:
    """The text as UTF-8 without a byte order mark; `begin` is where in the file it stands."""
    if begin == 0 and encoding != "utf-16" and (data.startswith(_WIDE_MARKS) or b"\0" in data[:2]):
        raise RejectedError(
            "encoding", f"{name} is UTF-16, not {encoding}; declare the encoding it has."
        )
    if encoding == "utf-8":
        data = data.removeprefix(_MARK) if begin == 0 else data
        if data.isascii():
            return data
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise RejectedError(
            "encoding",
            f"{name} is not {encoding}: byte {begin + error.start} cannot be read; "
            "declare the encoding it has or ask for another copy.",
        ) from None
    return data if encoding == "utf-8" else text.encode("utf-8")


@dataclass(frozen=True)
class _Head:
    """What a CSV text's header says: how many fields there are and where the needed ones stand."""

    name: str
    files: Files
    width: int
    places: dict[str, int]


def _head(data: bytes, name: str, files: Files, needed: frozenset[str]) -> _Head:
    """The header of a text's first piece."""
    data = _as_utf8(data, name, files.encoding)
    header = _header(data, name, files.delimiter)
    return _Head(name, files, len(header), columns_of(header, name, files, needed))


@dataclass(frozen=True)
class _Segment:
    """A piece of a text: where in the file it begins, how many lines are before it, and whether it
    is the first or the last.
    """

    data: bytes
    head: _Head
    begin: int
    lines: int
    first: bool
    last: bool


def _read_segment(segment: _Segment) -> RawFile:
    """The rows of a piece; UnclearError when a forgiving and a strict reader might differ."""
    head = segment.head
    files, name = head.files, head.name
    data, said = _as_utf8(segment.data, name, files.encoding, segment.begin), None
    if segment.last and files.trailer is not None:
        data, said = without_trailer(data, name, files.trailer)
    _check_zeros(data, name)
    text = _Text(data, head, headers=int(segment.first))
    layout = scan(data, files.delimiter)
    raw = None if layout is None else _read_fast(text, layout)
    if raw is None:
        raise UnclearError
    bad = [replace(row, line=row.line + segment.lines) for row in raw.bad]
    return replace(raw, lines=raw.lines + segment.lines, bad=bad, promised=said)


def _check_zeros(data: bytes, name: str) -> None:
    if _NUL_BLOCK in data:
        raise RejectedError(
            "nul_block", f"{name} holds a block of zero bytes; it was cut in transfer."
        )


@dataclass(frozen=True)
class _Text:
    """A piece of CSV text in UTF-8, and how many of its records are its header."""

    data: bytes
    head: _Head
    headers: int

    def record(self, layout: Layout, row: int) -> str:
        return self.data[layout.start[row] : layout.end[row]].decode("utf-8", errors="replace")


def _header(data: bytes, name: str, delimiter: str) -> list[str]:
    if not data[: 1 << 20].strip() and not data.strip():
        raise RejectedError("no_header", f"{name} is empty; check the extract.")
    start = data[: 1 << 20].decode("utf-8", errors="replace")
    try:
        return next(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        raise RejectedError("no_header", f"The first line of {name} is not a header.") from None


def _read_fast(text: _Text, layout: Layout) -> RawFile | None:
    """Arrow's reader on a plainly written text; None when its row count is not the scan's."""
    places, records = text.head.places, len(layout.start) - text.headers
    if records <= 0:
        empty = {column: pa.array([], pa.string()) for column in places}
        return RawFile(text.head.name, pa.table(empty), np.zeros(0, np.int64))
    try:
        table, skipped = _read_records(text, int(layout.start[text.headers]), layout.quoted)
    except pa.ArrowInvalid:
        return None
    if None in skipped or table.num_rows + len(skipped) != records:
        return None
    wrong = [text.headers + number - 1 for number in skipped if number is not None]
    table = table.rename_columns(list(places))
    return _assembled(text, table, layout, np.array(wrong, np.int64))


def _read_records(text: _Text, begin: int, quoted: bool) -> tuple[pa.Table, list[int | None]]:
    """The needed columns of the records from a byte on, and the numbers of records left out."""
    wrong: list[int | None] = []

    def note(row: Any) -> str:
        wrong.append(row.number)
        return "skip"

    part = pa.py_buffer(text.data).slice(begin)
    if text.data.startswith(_MARK, begin):
        # Arrow takes it for the mark of a file's beginning; here it is a part of the first field.
        part = pa.py_buffer(_MARK + part.to_pybytes())
    names = [str(place) for place in range(text.head.width)]
    chosen = [names[place] for place in text.head.places.values()]
    table = pacsv.read_csv(
        pa.BufferReader(part),
        read_options=pacsv.ReadOptions(
            use_threads=False, block_size=max(len(part), 1 << 10), column_names=names
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=text.head.files.delimiter,
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


def _assembled(text: _Text, table: pa.Table, layout: Layout, wrong: Ints) -> RawFile:
    """Rows and bad rows with their lines; empty lines are not rows."""
    blank = layout.blank()
    taken = np.ones(len(layout.start), np.bool_)
    taken[: text.headers] = False
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
    return RawFile(text.head.name, table, layout.line[taken & ~blank & ~long], bad)


def _strict_parts(
    data: bytes, name: str, files: Files, needed: frozenset[str]
) -> Iterator[Callable[[], RawFile]]:
    """Python's strict csv reader: slower, and it says exactly which line is at fault."""
    said = None
    if files.trailer is not None:
        data, said = without_trailer(data, name, files.trailer)
    _check_zeros(data, name)
    head = _head(data, name, files.model_copy(update={"encoding": "utf-8"}), needed)
    rows = _strict_rows(data, name, files.delimiter)
    while some := list(itertools.islice(rows, PART_ROWS)):
        yield partial(_strict_part, some, head, said)
    yield partial(_strict_part, [], head, said)


def _strict_part(
    rows: list[tuple[int, list[str], str | None]], head: _Head, said: int | None
) -> RawFile:
    values: dict[str, list[str]] = {column: [] for column in head.places}
    lines: list[int] = []
    bad: list[BadRow] = []
    for line, row, reason in rows:
        if reason is None and sum(map(len, row)) > LONGEST_RECORD:
            bad.append(BadRow(line, "field_too_long", ""))
        elif reason is None and len(row) == head.width:
            lines.append(line)
            for column, place in head.places.items():
                values[column].append(row[place])
        else:
            bad.append(BadRow(line, reason or "field_count", head.files.delimiter.join(row)))
    table = pa.table({column: pa.array(texts, pa.string()) for column, texts in values.items()})
    return RawFile(head.name, table, np.array(lines, np.int64), bad, promised=said)


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
