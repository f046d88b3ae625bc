"""What a file nobody takes looks like: its form, its columns, how its days are written.

Only names of columns leave this module, and only where the first line is a header: a line of data
taken for a header would put names of people on a screen.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.history.declared.dates import OK, parse_days
from riskflag.history.files.delivered import RejectedError

#: So much of a file is looked at.
_SAMPLE_BYTES, _SAMPLE_ROWS = 1 << 20, 300
_DELIMITERS = (",", ";", "\t", "|")
#: Ways in which agencies write days; of two that fit the first is told.
FORMATS = (
    "%d/%m/%Y",
    "%Y-%m-%d",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%Y%m%d",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%b-%d %H:%M:%S",
    "%m/%d/%Y",
)
_NUMBER = re.compile(r"[-+]?[0-9][0-9 ,.]*")
_NAMELIKE = re.compile(r"[A-Za-z_@][A-Za-z0-9 _./()'’\-#&?:@]{0,79}")


@dataclass(frozen=True)
class Looks:
    """A file as it looks: csv, parquet, xml, xlsx or blank when nobody can tell.

    `days` gives the format of each column that holds only days ("" for typed ones); `unique` the
    columns without a repeated or blank text. `header` is false when the first line may be data.
    """

    name: str
    form: str
    data: bytes = field(repr=False)
    encoding: str = "utf-8"
    delimiter: str = ","
    columns: tuple[str, ...] = ()
    days: dict[str, str] = field(default_factory=dict)
    unique: frozenset[str] = frozenset()
    header: bool = True

    @property
    def date_format(self) -> str:
        """The format most columns of days are written in; blank when there is none."""
        written = [text for text in self.days.values() if text]
        return max(
            written, key=lambda text: (written.count(text), -written.index(text)), default=""
        )


def look_at(data: bytes, name: str) -> Looks:
    """What a file's bytes look like."""
    if data[:4] == b"PAR1":
        return _parquet(data, name)
    if data[:4] == b"PK\x03\x04":
        return Looks(name, "xlsx", data)
    if data[:512].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return Looks(name, "xml", data)
    return _csv(data, name)


def shown(columns: list[str] | tuple[str, ...]) -> list[str]:
    """The names that look like names of columns; the others are only counted."""
    good = [c for c in columns if _NAMELIKE.fullmatch(c) and not re.search(r"[0-9]{4}", c)]
    more = len(columns) - len(good)
    return [*good, f"{more} more whose names are not shown"] if more else good


def _parquet(data: bytes, name: str) -> Looks:
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        table = next(file.iter_batches(_SAMPLE_ROWS), None)
    except (pa.ArrowException, OSError):
        return Looks(name, "", data)
    columns = tuple(file.schema_arrow.names)
    days: dict[str, str] = {}
    unique: set[str] = set()
    for place, column in enumerate(columns):
        kind = file.schema_arrow.field(place).type
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            days[column] = ""
        elif table is not None and (pa.types.is_string(kind) or pa.types.is_integer(kind)):
            texts = ["" if cell is None else str(cell) for cell in table.column(place).to_pylist()]
            _judge(column, texts, days, unique)
    return Looks(name, "parquet", data, columns=columns, days=days, unique=frozenset(unique))


def _csv(data: bytes, name: str) -> Looks:
    encoding, text = _decoded(data)
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return Looks(name, "", data)
    rows = [row for row in rows[: _SAMPLE_ROWS + 1] if row]
    if not rows or "\0" in first or len(rows[0]) < 2:
        return Looks(name, "", data)
    columns = tuple(cell.strip() for cell in rows[0])
    body = [row for row in rows[1:] if len(row) == len(columns)]
    days: dict[str, str] = {}
    unique: set[str] = set()
    typed: list[str] = []
    for place, column in enumerate(columns):
        texts = [row[place].strip() for row in body]
        _judge(column, texts, days, unique)
        filled = [cell for cell in texts if cell]
        numbers = bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)
        if column in days or numbers:
            typed.append(column)
    return Looks(
        name,
        "csv",
        data,
        encoding,
        delimiter,
        columns,
        days,
        frozenset(unique),
        _is_header(columns, body, typed),
    )


def _decoded(data: bytes) -> tuple[str, str]:
    """The encoding that fits the beginning of a file, and that beginning as text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", data[:_SAMPLE_BYTES].decode("utf-16", errors="replace")
    part = data[:_SAMPLE_BYTES]
    try:
        data.decode("utf-8")
        return "utf-8", part.decode("utf-8", errors="ignore").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return "cp1252", part.decode("cp1252", errors="replace")


def _judge(column: str, texts: list[str], days: dict[str, str], unique: set[str]) -> None:
    """Whether a column's texts are days, and whether each is there once."""
    filled = [text for text in texts if text]
    written = _format_of(filled)
    if written:
        days[column] = written
    elif filled and len(set(texts)) == len(texts) == len(filled):
        unique.add(column)


def _format_of(texts: list[str]) -> str:
    if not texts:
        return ""
    if not any(letter.isdigit() for letter in texts[0]):
        return ""
    between = re.sub(r"[A-Za-z0-9]", "", texts[0])
    column = pa.array(texts, pa.string())
    for text in FORMATS:
        alike = between.startswith(re.sub(r"%.|[A-Z]", "", text))
        if alike and np.all(parse_days(column, text).state == OK):
            return text
    return ""


def _is_header(columns: tuple[str, ...], body: list[list[str]], typed: list[str]) -> bool:
    """Whether the first line names columns: it holds no value, and names columns of values."""
    if any(_NUMBER.fullmatch(cell) or _format_of([cell] if cell else []) for cell in columns):
        return False
    if len(set(columns)) < len(columns):
        return False
    again = any(
        cell and cell == row[place].strip() for place, cell in enumerate(columns) for row in body
    )
    return bool(typed) and all(typed) and not again


def in_words(text_format: str) -> str:
    """A format of days as people write it: dd/mm/yyyy."""
    words = {"%Y": "yyyy", "%m": "mm", "%d": "dd", "%b": "Mon"}
    times = {"%H": "hh", "%M": "mm", "%S": "ss", "%f": "ffffff", "%z": "zone"}
    for directive, word in (words | times).items():
        text_format = text_format.replace(directive, word)
    return text_format


def element_paths(data: bytes, name: str) -> dict[str, int]:
    """How often each element stands in an XML file, by its path; RejectedError as in reading."""
    from xml.parsers import expat

    counts: dict[str, int] = {}
    path: list[str] = []

    def refuse(*_: object) -> None:
        raise RejectedError("doctype", f"{name} declares a document type, which is never read.")

    def start(tag: str, attributes: dict[str, str]) -> None:
        path.append(tag.rpartition(" ")[2])
        if len(path) > 64:
            raise RejectedError("too_large", f"{name} nests too much; ask for it in parts.")
        for step in ("", *(f"/@{label.rpartition(' ')[2]}" for label in attributes)):
            place = "/".join(path) + step
            counts[place] = counts.get(place, 0) + 1

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise RejectedError("damaged", f"{name} is not sound XML; ask for another copy.") from None
    return counts
