"""Faults that only all rows of a file together show: then the file, not a row, is wrong."""

from __future__ import annotations

import numpy as np

from riskflag.history.arrays import Ints
from riskflag.history.declared.dates import OK, other_order, parse_days
from riskflag.history.files.delivered import RejectedError
from riskflag.history.files.file_rows import FileRows
from riskflag.history.files.sheet import REASONS

#: From so many rows on a fault that all of them share is the file's.
_SEVERAL = 3
_SAID = {
    "bad_date": "No row of {name} has its date written as the source declares.",
    "no_date": "No row of {name} has a date.",
    "no_record_id": "No row of {name} says which record it is.",
    "unmapped_type": "No row of {name} has a type that the source's map holds.",
}


def check_whole(sheet: FileRows, name: str) -> None:
    """RejectedError when the rows of a file together say that it cannot be taken."""
    _check_shared(sheet, name)
    _check_types(sheet, name)
    marks = sheet.marks
    for column in sorted({int(place) for place in marks.column[_marked(sheet, "bad_date")]}):
        _check_order(sheet, name, marks.columns[column])


def _marked(sheet: FileRows, reason: str) -> Ints:
    return np.flatnonzero(sheet.marks.reason == REASONS.index(reason))


def _check_shared(sheet: FileRows, name: str) -> None:
    """Every row is at fault in the same way."""
    reasons = {REASONS[number] for number in np.unique(sheet.marks.reason)}
    reasons |= {row.reason for row in sheet.bad}
    if sheet.rows >= _SEVERAL and len(reasons) == 1 and "" not in reasons:
        (reason,) = reasons
        said = _SAID.get(reason, "Every row of {name} has the same fault.").format(name=name)
        raise RejectedError(reason, f"{said} Check the file or its source declaration.")


def _check_types(sheet: FileRows, name: str) -> None:
    """So many rows have a code no map holds that leaving them out would change the picture."""
    unmapped = len(_marked(sheet, "unmapped_type"))
    share = sheet.source.delivery.most_unmapped
    if unmapped >= _SEVERAL and unmapped >= share * sheet.rows:
        raise RejectedError(
            "unmapped_type",
            f"{unmapped:,} rows of {name} have a type code that no map holds; "
            "add the code to the source's map, to no type if it makes nothing.",
        )


def _check_order(sheet: FileRows, name: str, column: str) -> None:
    """Dates that only make sense with day and month changed round, and none that speaks against.

    Then the other dates, whose day is twelve or less, would all be read wrongly and unnoticed.
    """
    text_format = sheet.marks.formats.get(column)
    turned = None if text_format is None else other_order(text_format)
    if turned is None or text_format is None:
        return
    only_other = only_declared = False
    years = sheet.source.files.two_digit_years_to
    for _, part in sheet.sheets():
        texts = part.text(column)
        declared, other = (parse_days(texts, form, years) for form in (text_format, turned))
        only_other |= bool(((other.state == OK) & (declared.state != OK)).any())
        only_declared |= bool(((declared.state == OK) & (day_of_month(declared.day) > 12)).any())
    if only_other and not only_declared:
        raise RejectedError(
            "date_order",
            f"{name}: the dates of column {column} have day and month the other way round than "
            "declared; correct the source's date_format or ask for another copy.",
        )


def day_of_month(days: np.ndarray) -> Ints:
    """1 to 31 for each day number."""
    date = days.astype("M8[D]")
    return np.asarray((date - date.astype("M8[M]")).astype(np.int64) + 1)


def turned_round(days: np.ndarray) -> Ints:
    """The day number that each would be with day and month changed round; far off where none is."""
    date = days.astype("M8[D]")
    year = date.astype("M8[Y]")
    month = (date.astype("M8[M]") - year).astype(np.int64) + 1
    day = day_of_month(days)
    first = (year.astype("M8[M]") + np.minimum(day, 12) - 1).astype("M8[D]").astype(np.int64)
    return np.where(day <= 12, first + month - 1, -(1 << 40))
