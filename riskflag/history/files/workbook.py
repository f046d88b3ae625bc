"""Reading one sheet of an Excel workbook (.xlsx): its cells as text, its columns found by header.

Formulas are never computed: a cell is what the workbook last showed. A cell that Excel shows as a
date becomes a text in the source's date format, so that dates typed as text read the same.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from riskflag.history.declared.source_files import Files
from riskflag.history.files.delivered import FileContent, RejectedError
from riskflag.history.files.raw_file import OBJECT_ROWS, RawFile, What, matching
from riskflag.history.files.xml_reader import element_parts

#: What an honest workbook keeps below: parts, bytes unpacked, and bytes unpacked per byte packed.
_MOST_PARTS, _LARGEST, _MOST_RATIO, _SMALL = 2_000, 1 << 29, 200, 1 << 20
#: The header is looked for in so many rows: titles may stand above it.
_HEADER_WITHIN = 20
_PIECE = 1 << 20
_DATE_STYLES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
#: Day 0 of a workbook; its days have no time zone, so which one stands here does not matter.
_FROM_1900 = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)
_FROM_1904 = dt.datetime(1904, 1, 1, tzinfo=dt.UTC)
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    OSError,
    LookupError,
    ValueError,
)
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_CELLS = frozenset({"@r", "@t", "@s", "v", "is/t|is/r/t", "../@r"})

Row = dict[int, str]


def xlsx_parts(content: FileContent, about: What) -> Iterator[Callable[[], RawFile]]:
    """What reads one part of the sheet a source names after another; see `readers.parts_of`.

    Raises RejectedError when the workbook cannot be taken.
    """
    name, files = about.name, about.files
    with content.file() as opened:
        grid = _grid(opened, name, files)
        top = list(itertools.islice(grid, _HEADER_WITHIN))
        start, places = _header(top, name, files, about.needed)
        rows = (row for row in itertools.chain(top[start + 1 :], grid) if any(row[1].values()))
        some = list(itertools.islice(rows, OBJECT_ROWS))
        yield partial(_part, name, places, some)
        while some := list(itertools.islice(rows, OBJECT_ROWS)):
            yield partial(_part, name, places, some)


def _part(name: str, places: dict[str, int], rows: list[tuple[int, Row]]) -> RawFile:
    columns = {
        column: pa.array([cells.get(place, "") for _, cells in rows], pa.string())
        for column, place in places.items()
    }
    return RawFile(name, pa.table(columns), np.array([line for line, _ in rows], np.int64))


def _grid(opened: BinaryIO, name: str, files: Files) -> Iterator[tuple[int, Row]]:
    """The lines of the sheet a source names, with their numbers, as they are read."""
    try:
        yield from _Workbook(opened, name, files.date_format).grid(files.sheet or "")
    except _DAMAGED:
        raise RejectedError(
            "damaged", f"{name} cannot be read as an Excel workbook; ask for another copy."
        ) from None


def header_match(
    data: bytes, name: str, files: Files, columns: frozenset[str]
) -> tuple[set[str], list[str]]:
    """Which of the columns the best header of the source's sheet names, and what else it names."""
    grid = _grid(io.BytesIO(data), name, files)
    best: dict[str, list[int]] = {}
    cells: Row = {}
    for _, row in itertools.islice(grid, _HEADER_WITHIN):
        found = _places(row, files, columns)
        if len(found) > len(best):
            best, cells = found, row
    taken = {place for places in best.values() for place in places}
    return set(best), [text for place, text in cells.items() if place not in taken and text]


@dataclass(frozen=True)
class _Looks:
    """What is needed to turn a cell into text."""

    shared: list[str]
    dates: list[bool]
    first_day: dt.datetime
    date_format: str

    def text(self, kind: str, style: str, value: str) -> str:
        if kind == "s":
            return self.shared[int(value)] if value else ""
        if kind == "b":
            return {"1": "true", "0": "false"}.get(value, value)
        if kind not in ("", "n") or not value:
            return value
        if style and self.dates[int(style)]:
            return self._date(float(value))
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else value

    def _date(self, serial: float) -> str:
        """Excel counts a 29 February 1900 that never was: before it, days are one less."""
        early = 1 if serial < 60 and self.first_day.year < 1900 else 0
        try:
            day = self.first_day + dt.timedelta(days=int(serial) + early)
            return (day + dt.timedelta(seconds=round(serial % 1 * 86_400))).strftime(
                self.date_format
            )
        except OverflowError:
            return str(serial)


class _Workbook:
    """An archive that was found plausible, and the parts of it that are read."""

    def __init__(self, opened: BinaryIO, name: str, date_format: str) -> None:
        self.name, self.date_format = name, date_format
        self.archive = zipfile.ZipFile(opened)
        items = self.archive.infolist()
        self.parts = {item.filename: item for item in items}
        total = sum(item.file_size for item in items)
        odd = (
            len(items) > _MOST_PARTS
            or len(self.parts) < len(items)
            or total > _LARGEST
            or any(_odd(item) for item in items)
        )
        if odd:
            raise RejectedError(
                "odd_archive",
                f"{name} is not packed as a workbook is (its parts' names or sizes are odd); "
                "ask for another copy.",
            )

    def rows(self, part: str, path: str, columns: frozenset[str]) -> Iterator[dict[str, str]]:
        """The elements at a path of one part; none when the workbook has no such part."""
        if part not in self.parts:
            return
        with self.archive.open(part) as unpacked:
            pieces = iter(partial(unpacked.read, _PIECE), b"")
            for read in element_parts(pieces, self.name, path, columns, exact=True):
                yield from read().table.to_pylist()

    def grid(self, sheet: str) -> Iterator[tuple[int, Row]]:
        """The number and the cells of every row of the one sheet whose name matches.

        Rows stand in their order, as Excel demands; ValueError when they do not.
        """
        looks = self._looks()
        row: Row = {}
        part, number, place = self._part_of(sheet), 0, 0
        for cell in self.rows(part, "worksheet/sheetData/row/c", _CELLS):
            where = _CELL.fullmatch(cell["@r"])
            line = int(where[2] if where else cell["../@r"])
            place = _column(where[1]) if where else (place + 1 if line == number else 1)
            if line < number:
                raise ValueError(line)
            if row and line > number:
                yield number, row
                row = {}
            number = line
            value = cell["is/t|is/r/t"] if cell["@t"] == "inlineStr" else cell["v"]
            text = looks.text(cell["@t"], cell["@s"], value)
            row[place] = text.replace("\xa0", " ").strip()
        if row:
            yield number, row

    def _part_of(self, sheet: str) -> str:
        path, said = "workbook/sheets/sheet", frozenset({"@name", "@id"})
        listed = list(self.rows("xl/workbook.xml", path, said))
        found = matching([" ".join(item["@name"].split()) for item in listed], sheet)
        if len(found) != 1:
            reason, how = ("two_sheets", "two sheets") if found else ("no_sheet", "no sheet")
            raise RejectedError(
                reason, f"{self.name} has {how} named as its source declares; check both."
            )
        targets = self.rows(
            "xl/_rels/workbook.xml.rels",
            "Relationships/Relationship",
            frozenset({"@Id", "@Target"}),
        )
        by_id = {item["@Id"]: item["@Target"] for item in targets}
        target = by_id[listed[found[0]]["@id"]]
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if part not in self.parts:
            raise LookupError(part)
        return part

    def _looks(self) -> _Looks:
        shared = self.rows("xl/sharedStrings.xml", "sst/si", frozenset({"t|r/t"}))
        formats = self.rows(
            "xl/styles.xml",
            "styleSheet/numFmts/numFmt",
            frozenset({"@numFmtId", "@formatCode"}),
        )
        own = {item["@numFmtId"]: _shows_date(item["@formatCode"]) for item in formats}
        styles = self.rows("xl/styles.xml", "styleSheet/cellXfs/xf", frozenset({"@numFmtId"}))
        numbers = [item["@numFmtId"] or "0" for item in styles]
        about = self.rows("xl/workbook.xml", "workbook/workbookPr", frozenset({"@date1904"}))
        later = any(item["@date1904"] in ("1", "true") for item in about)
        return _Looks(
            [item["t|r/t"] for item in shared],
            [own.get(number, int(number) in _DATE_STYLES) for number in numbers],
            _FROM_1904 if later else _FROM_1900,
            self.date_format,
        )


def _odd(item: zipfile.ZipInfo) -> bool:
    """Whether a part's name leads out of the archive, or its size is that of a trap."""
    steps = item.filename.replace("\\", "/").split("/")
    leads_out = ".." in steps or steps[0] == "" or ":" in item.filename
    swollen = item.file_size > _SMALL and item.file_size > _MOST_RATIO * item.compress_size
    return leads_out or swollen or bool(item.flag_bits & 1)


def _shows_date(code: str) -> bool:
    return any(letter in _QUOTED.sub("", code).lower() for letter in "dy")


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _header(
    grid: list[tuple[int, Row]], name: str, files: Files, needed: frozenset[str]
) -> tuple[int, dict[str, int]]:
    """Where the header row is in the grid, and the place of each needed column."""
    required = needed - set(files.optional)
    best: dict[str, list[int]] = {}
    for start, (_, cells) in enumerate(grid[:_HEADER_WITHIN]):
        found = _places(cells, files, needed)
        if found.keys() >= required:
            if any(len(places) > 1 for places in found.values()):
                raise RejectedError(
                    "duplicate_column", f"{name} has two columns of one name; rename one."
                )
            return start, {column: places[0] for column, places in found.items()}
        best = max(best, found, key=lambda columns: len(required & columns.keys()))
    if not grid:
        raise RejectedError("no_header", f"{name}: the sheet is empty; check the extract.")
    raise RejectedError(
        "missing_column",
        f"{name} has no column {min(required - best.keys())}; "
        "check the file or its source declaration.",
    )


def _places(cells: Row, files: Files, needed: frozenset[str]) -> dict[str, list[int]]:
    """The needed columns that a row, read as a header, names."""
    places = list(cells)
    texts = [" ".join(text.split()) for text in cells.values()]
    found = {}
    for column in sorted(needed):
        pattern = files.headers.get(column)
        at = (
            [n for n, text in enumerate(texts) if text.casefold() == column.casefold()]
            if pattern is None
            else matching(texts, pattern)
        )
        if at:
            found[column] = [places[number] for number in at]
    return found
