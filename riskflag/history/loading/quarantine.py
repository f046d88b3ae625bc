"""The rows of a file that were not taken: why, where each stands, and the rows as they came."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from riskflag.history.files.sheet import REASONS
from riskflag.history.loading.delivery import DeliveredSheet

#: What is wrong with a row, by reason, and so what is to be put right.
SAID = {
    "field_count": "it has another number of fields than the header",
    "bad_quote": "a quote stands where none may be",
    "nul": "it has a zero byte in it",
    "field_too_long": "a field is too long to be a code, a date, a name or an identifier",
    "no_date": "it does not say on which day it happened",
    "bad_date": "a day is not written as the source declares",
    "date_out_of_range": "a day is too early or too late to be right",
    "bad_number": "a number is not written as one",
    "unmapped_type": "its kind is in no map of the source",
    "no_record_id": "the number of the record is blank",
    "conflicting_rows": "two rows of the file say different things of one record",
    "mangled_identifier": "a spreadsheet made a rounded number of an identifier",
    "after_recorded": "it happened after it was recorded",
    "before_birth": "it happened long before the birth that the row gives",
}


def reason_counts(item: DeliveredSheet) -> dict[str, int]:
    """Quarantined rows by reason code."""
    assert item.sheet is not None
    counts: dict[str, int] = {}
    for row in item.sheet.bad:
        counts[row.reason] = counts.get(row.reason, 0) + 1
    found = np.bincount(item.sheet.marks.reason, minlength=len(REASONS)).tolist()
    for name, rows in zip(REASONS[1:], found[1:], strict=True):
        if rows:
            counts[name] = counts.get(name, 0) + rows
    return counts


def first_places(item: DeliveredSheet) -> dict[str, str]:
    """Where the first quarantined row of each reason stands: its line and, if one, its column."""
    file = item.sheet
    assert file is not None
    found: dict[str, str] = {}
    for row in sorted(file.bad, key=lambda one: one.line):
        found.setdefault(row.reason, f"line {row.line:,}")
    left = set(np.unique(file.marks.reason).tolist()) - {0}
    for sheet, here, all_of in file.faulty() if left else ():
        reasons = file.marks.reason[all_of]
        for number in sorted(left & set(reasons.tolist())):
            first = int(np.flatnonzero(reasons == number)[0])
            column = file.marks.columns[file.marks.column[all_of[first]]]
            line = f"line {int(sheet.raw.lines[here[first]]):,}"
            found[REASONS[number]] = f"{line}, column {column}" if column else line
            left.discard(number)
        if not left:
            break
    return found


def quarantine_table(item: DeliveredSheet) -> pa.Table | None:
    """The quarantined rows of a file: reason, file, line, column at fault, the row as read."""
    file = item.sheet
    if file is None or not (file.marks.reason.any() or file.bad):
        return None
    blank = {f"value: {name}": None for name in file.marks.columns[1:]}
    rows: list[dict[str, Any]] = [
        {"reason": row.reason, "line": row.line, "column": "", "row": _inert(row.text), **blank}
        for row in file.bad
    ]
    for sheet, here, all_of in file.faulty():
        cells = {
            f"value: {name}": map(_inert, sheet.text(name, here).to_pylist())
            for name in sheet.raw.table.column_names
        }
        columns: dict[str, Any] = {
            "reason": (REASONS[number] for number in file.marks.reason[all_of]),
            "line": sheet.raw.lines[here].tolist(),
            "column": (file.marks.columns[number] for number in file.marks.column[all_of]),
            "row": ("" for _ in here),
            **cells,
        }
        some = zip(*columns.values(), strict=True)
        rows += [dict(zip(columns, row, strict=True)) for row in some]
    names = ["reason", "file", "line", "column", "row", *blank]
    table = {name: [row.get(name, item.name) for row in rows] for name in names}
    return pa.table(table)


def _inert(text: str | None) -> str | None:
    """A cell that a spreadsheet shows as text: a formula in it must not run."""
    return f"'{text}" if text and text[0] in "=+-@\t\r\0" else text
