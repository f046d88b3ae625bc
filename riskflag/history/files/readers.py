"""Reading agency files as text: exact field counts, no inference, nothing dropped unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.declared.source_files import Files
from riskflag.history.files.delivered import FileContent, RejectedError
from riskflag.history.files.raw_file import LONGEST_FIELD, BadRow, RawFile, UnclearError, What
from riskflag.history.hashing import text_bytes

#: A file that ends exactly here was probably cut by a spreadsheet.
ROW_CAPS = (65_536, 1_048_576)


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
    about, content = What(name, files, needed, identifiers), FileContent.of(data)
    try:
        parts = [read() for read in parts_of(content, about)]
    except UnclearError:
        parts = [read() for read in parts_of(content, about, strict=True)]
    check_totals(about, parts)
    return RawFile(
        name,
        pa.concat_tables([part.table for part in parts]),
        np.concatenate([part.lines for part in parts]),
        [bad for part in parts for bad in part.bad],
        parts[0].absent,
    )


def parts_of(
    content: FileContent, about: What, *, strict: bool = False
) -> Iterator[Callable[[], RawFile]]:
    """What reads one part of a file after another; threads may do so side by side.

    Raises RejectedError, and so does each part; UnclearError when only `strict` can tell.
    """
    name, files, needed = about.name, about.files, about.needed
    if form_of(name, files) == "csv":
        from riskflag.history.files.csv_reader import csv_parts

        parts = csv_parts(content, name, files, needed, strict=strict)
    elif form_of(name, files) == "parquet":
        from riskflag.history.files.parquet_reader import parquet_parts

        parts = parquet_parts(content, about)
    elif files.format == "xml":
        from riskflag.history.files.xml_reader import xml_parts

        parts = xml_parts(content, about)
    else:
        from riskflag.history.files.workbook import xlsx_parts

        parts = xlsx_parts(content, about)
    for part in parts:
        yield partial(_finished, part, needed)


def text_size(content: FileContent, about: What) -> int:
    """How many bytes a file would about take as plain text: what its rows will need goes by it."""
    if form_of(about.name, about.files) != "parquet":
        return content.size
    from riskflag.history.files.parquet_reader import size_as_text

    return max(content.size, size_as_text(content, len(about.needed)))


def _finished(read: Callable[[], RawFile], needed: frozenset[str]) -> RawFile:
    return _without_unreadable(_with_absent(read(), needed))


def check_totals(about: What, parts: Sequence[RawFile]) -> None:
    """RejectedError for a file that is empty, cut, or has another number of rows than it says.

    `parts` may have lost their tables.
    """
    name, files = about.name, about.files
    rows = sum(part.rows for part in parts)
    bad = [row for part in parts for row in part.bad]
    said = parts[-1].promised
    if said not in (None, rows):
        raise RejectedError(
            "trailer",
            f"{name} has {rows:,} rows where its last line says {said:,}; ask for it again.",
        )
    if rows == 0 and not files.may_be_empty:
        raise RejectedError("empty", f"{name} has no rows; check the extract.")
    if rows and len(bad) == rows and all(row.reason == "field_count" for row in bad):
        raise RejectedError("field_count", f"No row of {name} has as many fields as its header.")
    if form_of(name, files) in ("csv", "xlsx") and (rows in ROW_CAPS or rows + 1 in ROW_CAPS):
        raise RejectedError(
            "row_cap", f"{name} ends exactly at a spreadsheet's last row; ask for all rows."
        )


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


def _without_unreadable(raw: RawFile) -> RawFile:
    """Rows with a zero byte or an over-long field move to the bad rows."""
    reason = np.zeros(raw.table.num_rows, np.int8)
    for column in raw.table.columns:
        if not pa.types.is_string(column.type):
            continue
        if (pc.max(pc.binary_length(column)).as_py() or 0) > LONGEST_FIELD:
            long = pc.fill_null(pc.greater(pc.binary_length(column), LONGEST_FIELD), False)
            reason[np.asarray(long)] = 2
        if _has_zero(column):
            reason[np.asarray(pc.fill_null(pc.match_substring(column, "\0"), False))] = 1
    if not reason.any():
        return raw
    names = {1: "nul", 2: "field_too_long"}
    bad = [BadRow(int(raw.lines[row]), names[int(reason[row])], "") for row in reason.nonzero()[0]]
    kept = reason == 0
    table = raw.table.filter(pa.array(kept)).combine_chunks()
    return replace(raw, table=table, lines=raw.lines[kept], bad=[*raw.bad, *bad])


def _has_zero(column: pa.ChunkedArray) -> bool:
    """Whether a zero byte may be among the texts of a column."""
    for chunk in column.chunks:
        ends, data = text_bytes(chunk)
        if not data[ends[0] : ends[-1]].all():
            return True
    return False
