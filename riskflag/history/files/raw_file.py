"""A file's rows as the readers of every format give them, and how its columns are found."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import Ints
from riskflag.history.declared.source_files import Files
from riskflag.history.files.delivered import RejectedError

#: A field longer than this is not a code, a date, a name or an identifier.
LONGEST_FIELD = 32_768
#: Rows are looked at in parts of so many, side by side.
PART_ROWS = 1 << 17
#: The same where each text is an object of its own before it is part of a table.
OBJECT_ROWS = 1 << 15


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
    `absent` the optional columns it does not have (blank in the table), `promised` how many rows
    its last line says there are.
    """

    name: str
    table: pa.Table
    lines: Ints
    bad: list[BadRow] = field(default_factory=list)
    absent: frozenset[str] = frozenset()
    promised: int | None = None

    @property
    def rows(self) -> int:
        """Every row of the file, readable or not."""
        return int(self.table.num_rows) + len(self.bad)


@dataclass(frozen=True)
class What:
    """What is to be read: the name and declared form of a file, the columns needed, and which of
    them must be text by type.
    """

    name: str
    files: Files
    needed: frozenset[str]
    identifiers: frozenset[str] = frozenset()


class UnclearError(Exception):
    """A CSV text that is not written so plainly that every reader must agree on it."""


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
