"""The rows of one file seen through their source: texts, days, mapped values, numbers, filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import Ints, Mask, constant, isin, one
from riskflag.history.declared.code_maps import translated
from riskflag.history.declared.dates import BAD, OK, OUT_OF_RANGE, Days, parse_days
from riskflag.history.declared.source import Day, Filter, Source, Subject, Value
from riskflag.history.declared.source_safety import CutDay
from riskflag.history.files.raw_file import RawFile

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
    "mangled_identifier",
    "after_recorded",
    "before_birth",
)
#: What a file is warned of, and how many of its rows it concerns; the rows are taken.
WARNINGS = ("mojibake", "hidden_characters", "no_date_code", "recorded_ahead")
_NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$"
#: A text seen on fewer rows may be a name or an identifier and is not repeated.
_CODE_RECURS = 3
#: How many unmapped codes of a column are told apart in a report.
_CODES_TOLD = 50


class Marks:
    """What was found wrong with rows.

    `reason` and `column` say for each row why it is quarantined (0: not) and in which of `columns`;
    `codes` counts codes that a map does not hold by (column, code); `selected` marks the rows
    that at least one entry of the source used; `warnings` counts rows by WARNINGS.
    """

    def __init__(self, source: Source, columns: Sequence[str], size: int) -> None:
        self.source = source
        self.columns = ("", *columns)
        self.reason = np.zeros(size, np.int8)
        self.column = np.zeros(size, np.int16)
        self.selected = np.zeros(size, np.bool_)
        self.codes: Counter[tuple[str, str]] = Counter()
        self.warned: dict[str, Mask] = {}
        self.formats: dict[str, str] = {}

    @classmethod
    def of_parts(cls, parts: Sequence[Marks]) -> Marks:
        """The marks of a whole file whose rows were looked at in parts, one after another."""
        whole = cls(parts[0].source, parts[0].columns[1:], 0)
        whole.reason = np.concatenate([part.reason for part in parts])
        whole.column = np.concatenate([part.column for part in parts])
        whole.selected = np.concatenate([part.selected for part in parts])
        for name in sorted({name for part in parts for name in part.warned}):
            nothing = [np.zeros(len(part.reason), np.bool_) for part in parts]
            masks = [part.warned.get(name, no) for part, no in zip(parts, nothing, strict=True)]
            whole.warned[name] = np.concatenate(masks)
        for part in parts:
            whole.codes.update(part.codes)
            whole.formats |= part.formats
        return whole

    def mark(self, rows: Ints, reason: str, column: str = "") -> None:
        """Quarantine rows; the first reason found for a row stays."""
        fresh = rows[self.reason[rows] == 0]
        self.reason[fresh] = REASONS.index(reason)
        self.column[fresh] = self.columns.index(column) if column in self.columns else 0

    def warn(self, rows: Ints, warning: str) -> None:
        """Note rows that are taken and that somebody should look at."""
        if len(rows):
            self.warned.setdefault(warning, np.zeros(len(self.reason), np.bool_))[rows] = True

    @property
    def warnings(self) -> dict[str, int]:
        """Rows that are taken although somebody should look at them, by WARNINGS."""
        counts = {name: int((self.warned[name] & (self.reason == 0)).sum()) for name in self.warned}
        return {name: counts[name] for name in WARNINGS if counts.get(name)}

    @property
    def unmapped(self) -> Counter[tuple[str, str]]:
        """Codes as they are when they recur and look like codes; anything else is not repeated.

        A column declared by mistake may hold names or identifiers: those hardly recur.
        """
        tally: dict[str, Counter[str]] = {}
        for (column, name), rows in self.codes.items():
            plain = name.isascii() and len(name) <= 18 and " " not in name
            shown = name if plain and rows >= _CODE_RECURS else "(other text)"
            tally.setdefault(column, Counter())[shown] += rows
        told: Counter[tuple[str, str]] = Counter()
        for column, named in tally.items():
            ordered = sorted(named.items(), key=lambda item: (-item[1], item[0]))
            for rank, (code, count) in enumerate(ordered):
                told[column, code if rank < _CODES_TOLD else "(other codes)"] += count
        return told


class Sheet:
    """The rows of a file, or of a part of it, as their source reads them."""

    def __init__(self, raw: RawFile, source: Source) -> None:
        self.raw = raw
        self.source = source
        self.marks = Marks(source, raw.table.column_names, raw.table.num_rows)
        self.mark, self.warn = self.marks.mark, self.marks.warn
        self._texts: dict[str, pa.Array] = {}

    def text(self, column: str, rows: Ints | None = None) -> pa.Array:
        """A column as text, null where blank or one of the declared null values."""
        if column not in self._texts:
            array = self._as_text(column)
            nulls = self.source.files.null_values
            if nulls or pc.min(pc.binary_length(array)).as_py() == 0:
                blank = isin(array, ["", *nulls])
                array = pc.if_else(pa.array(blank), None, array) if blank.any() else array
            self._texts[column] = array
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

    def choose(self, filters: Sequence[Filter]) -> Ints:
        """The rows that pass every filter; they count as selected."""
        chosen = np.ones(self.raw.table.num_rows, np.bool_)
        for item in filters:
            chosen &= self.passes(item)
        self.marks.selected |= chosen
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

    def days(self, day: Day | CutDay, rows: Ints, *, required: bool = False) -> Days:
        """A date column; a cell that is no date in the declared format quarantines its row.

        A date outside 1901 to 2199 is a system's "no date": as good as blank, unless required.
        """
        typed = one(self.raw.table.column(day.column))
        array = self.text(day.column, rows) if pa.types.is_string(typed.type) else None
        cells = self._part(typed, rows) if array is None else array
        files = self.source.files
        text_format = day.format or files.date_format
        found = parse_days(cells, text_format, files.two_digit_years_to)
        if array is not None:
            self.marks.formats[day.column] = text_format
        if (found.state == OK).all():
            return found
        self.mark(rows[found.state == BAD], "bad_date", day.column)
        if required:
            self.mark(rows[found.state == OUT_OF_RANGE], "date_out_of_range", day.column)
            self.mark(rows[(found.state != OK)], "no_date", day.column)
        self.warn(rows[found.state == OUT_OF_RANGE], "no_date_code")
        return found

    def births(self, subject: Subject, rows: Ints) -> Days | None:
        """The birth dates, to the day, that rows give of their subject; None when they do not."""
        for entry in self.source.person:
            whole = entry.birth is not None and entry.birth.column is not None
            if whole and entry.id.column == subject.column and not entry.when:
                assert entry.birth is not None
                assert entry.birth.column is not None
                return self.days(Day(column=entry.birth.column, format=entry.birth.format), rows)
        return None

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
            return constant(fixed, len(rows)), nowhere
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
        mapped = _recoded(encoded.indices, found) if found else text
        unknown = np.array([value is None for value in found], np.bool_)
        if not unknown.any():
            return mapped, np.zeros(len(text), np.bool_)
        code = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        missed = (code >= 0) & unknown[code]
        self._count(column, encoded.dictionary, np.bincount(code[missed], minlength=len(found)))
        return mapped, missed

    def _count(self, column: str, codes: pa.Array, counts: npt.NDArray[np.int64]) -> None:
        names = codes.to_pylist()
        for place in np.flatnonzero(counts):
            self.marks.codes[column, names[place]] += int(counts[place])


def _recoded(indices: pa.Array, values: Sequence[str | None]) -> pa.DictionaryArray:
    """Codes as what each becomes; nothing for one that becomes nothing."""
    names = sorted({value for value in values if value})
    place = {name: number for number, name in enumerate(names)}
    to = np.array([place[value] if value else -1 for value in values] + [-1], np.int32)
    fresh = to[indices.fill_null(len(values)).to_numpy(zero_copy_only=False)]
    codes = pa.array(fresh, pa.int32(), mask=fresh < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.string()))
