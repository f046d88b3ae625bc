"""The rows of one file seen through their source: texts, days, mapped values, numbers, filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import Ints, Mask, isin, one
from riskflag.history.code_maps import translated
from riskflag.history.dates import BAD, OK, OUT_OF_RANGE, Days, parse_days
from riskflag.history.readers import RawFile
from riskflag.history.source import Day, Filter, Source, Value

#: Why a row is quarantined; 0 stands for: it is not.
REASONS = (
    "",
    "no_date",
    "bad_date",
    "date_out_of_range",
    "bad_number",
    "unmapped_type",
    "no_record_id",
    "conflicting_rows",
)
_NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$"
#: A text seen on fewer rows may be a name or an identifier and is not repeated.
_CODE_RECURS = 3
#: How many unmapped codes of a column are told apart in a report.
_CODES_TOLD = 50


class Sheet:
    """One file's rows and what was found wrong with them.

    `reason` and `column` say for each row why it is quarantined (0: not) and in which column;
    `unmapped` counts codes that a map does not hold by (column, code); `selected` marks the rows
    that at least one entry of the source used.
    """

    def __init__(self, raw: RawFile, source: Source) -> None:
        self.raw = raw
        self.source = source
        size = raw.table.num_rows
        self.reason = np.zeros(size, np.int8)
        self.column = np.zeros(size, np.int16)
        self.selected = np.zeros(size, np.bool_)
        self.unmapped: Counter[tuple[str, str]] = Counter()
        self.columns = ("", *raw.table.column_names)
        self._texts: dict[str, pa.Array] = {}

    def text(self, column: str, rows: Ints | None = None) -> pa.Array:
        """A column as text, null where blank or one of the declared null values."""
        if column not in self._texts:
            array = self._as_text(column)
            blank = isin(array, ["", *self.source.files.null_values])
            self._texts[column] = pc.if_else(pa.array(blank), None, array) if blank.any() else array
        return self._part(self._texts[column], rows)

    def _as_text(self, column: str) -> pa.Array:
        """A column as the text a CSV file would hold: days are written as the source writes them.

        So a record named by a day has the same name whether it comes as text or as a date.
        """
        array = one(self.raw.table.column(column))
        kind = array.type
        if not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
            return array.cast(pa.string())
        written = self.source.day_format(column)
        if "%f" in written or "%z" in written:
            return array.cast(pa.string())
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            array = pc.local_timestamp(array.cast(pa.timestamp("us", tz="Europe/London")))
        seconds = array.cast(pa.timestamp("us")).cast(pa.timestamp("s"), safe=False)
        return pc.strftime(seconds, format=written)

    def _part(self, array: pa.Array, rows: Ints | None) -> pa.Array:
        if rows is None or len(rows) == len(array):
            return array
        return array.take(pa.array(rows))

    def mark(self, rows: Ints, reason: str, column: str = "") -> None:
        """Quarantine rows; the first reason found for a row stays."""
        fresh = rows[self.reason[rows] == 0]
        self.reason[fresh] = REASONS.index(reason)
        self.column[fresh] = self.columns.index(column) if column in self.columns else 0

    def choose(self, filters: Sequence[Filter]) -> Ints:
        """The rows that pass every filter; they count as selected."""
        chosen = np.ones(self.raw.table.num_rows, np.bool_)
        for item in filters:
            chosen &= self.passes(item)
        self.selected |= chosen
        return np.flatnonzero(chosen)

    def passes(self, item: Filter, rows: Ints | None = None) -> Mask:
        """Which rows one filter lets through; a blank cell passes only `is_not` and absence."""
        text = self.text(item.column, rows)
        if item.is_ is not None:
            return isin(text, item.is_)
        if item.is_not is not None:
            return ~isin(text, item.is_not)
        if item.present is not None:
            return np.asarray(np.asarray(text.is_valid()) == item.present)
        found = pc.match_substring_regex(text, f"^(?:{item.matches})$")
        return np.asarray(pc.fill_null(found, False))

    def days(self, day: Day, rows: Ints, *, required: bool = False) -> Days:
        """A date column; a cell that is no date in the declared format quarantines its row.

        A date outside 1901 to 2199 is a system's "no date": as good as blank, unless required.
        """
        typed = one(self.raw.table.column(day.column))
        array = self.text(day.column, rows) if pa.types.is_string(typed.type) else None
        cells = self._part(typed, rows) if array is None else array
        found = parse_days(cells, day.format or self.source.files.date_format)
        self.mark(rows[found.state == BAD], "bad_date", day.column)
        if required:
            self.mark(rows[found.state == OUT_OF_RANGE], "date_out_of_range", day.column)
            self.mark(rows[(found.state != OK)], "no_date", day.column)
        return found

    def number(self, column: str, rows: Ints) -> pa.Array:
        """A column of plain decimal numbers; anything else quarantines the row."""
        text = self.text(column, rows)
        plain = pc.match_substring_regex(text, _NUMBER)
        bad = np.asarray(pc.fill_null(pc.invert(plain), False))
        self.mark(rows[bad], "bad_number", column)
        return pc.if_else(pa.array(bad), None, text).cast(pa.float64())

    def value(
        self, origin: Value | str, rows: Ints, allowed: Sequence[str] | None = None
    ) -> tuple[pa.Array, Mask]:
        """A text for each row and where its code was not mapped.

        `allowed` lists the values a column without a map may hold (None or empty: any).
        """
        fixed = origin if isinstance(origin, str) else origin.fixed
        nowhere = np.zeros(len(rows), np.bool_)
        if isinstance(origin, str) or origin.column is None:
            return pa.repeat(pa.scalar(fixed, pa.string()), len(rows)), nowhere
        text = self.text(origin.column, rows)
        targets = self.source.map_named(origin.map) if origin.map else None
        if targets is None:
            if not allowed:
                return text, nowhere
            targets = {value: value for value in allowed}
        return self._mapped(text, targets, origin.column)

    def _mapped(
        self, text: pa.Array, targets: dict[str, str], column: str
    ) -> tuple[pa.Array, Mask]:
        """Codes through a map, by distinct value; counts those it does not hold."""
        encoded = text.dictionary_encode()
        found = translated(encoded.dictionary, targets)
        values = pa.array([value or None for value in found], pa.string())
        mapped = values.take(encoded.indices) if len(values) else text
        unknown = np.array([value is None for value in found], np.bool_)
        if not unknown.any():
            return mapped, np.zeros(len(text), np.bool_)
        code = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        missed = (code >= 0) & unknown[code]
        self._count(column, encoded.dictionary, np.bincount(code[missed], minlength=len(found)))
        return mapped, missed

    def _count(self, column: str, codes: pa.Array, counts: npt.NDArray[np.int64]) -> None:
        """Codes as they are when they recur and look like codes; anything else is not repeated.

        A column declared by mistake may hold names or identifiers: those hardly recur.
        """
        names, tally = codes.to_pylist(), Counter[str]()
        for place in np.flatnonzero(counts):
            name, rows = names[place], int(counts[place])
            code = rows >= _CODE_RECURS and name.isascii() and len(name) <= 18 and " " not in name
            tally[name if code else "(other text)"] += rows
        for rank, (code, count) in enumerate(sorted(tally.items(), key=lambda x: (-x[1], x[0]))):
            self.unmapped[column, code if rank < _CODES_TOLD else "(other codes)"] += count
