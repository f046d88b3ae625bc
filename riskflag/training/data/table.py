"""Outcomes from a labelled table: whose label, as of which day, and when it was known for good."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import date_of, day_number, parse_day
from riskflag.errors import InputError
from riskflag.training.data.experiment import ExperimentConfig, TableColumns
from riskflag.training.data.rows import Bools, Ints

YES = ("1", "true", "yes", "y")
NO = ("0", "false", "no", "n")


@dataclass(frozen=True)
class LabelTable:
    """n rows of a labelled table: person ids, day numbers, and 0/1 labels, in the file's order.

    `label_end` is the day from which the label could no longer change. `family` groups people for
    intervals, None where the table does not say. `asked` are the rows that the cohort asks about;
    the others are only learnt from.
    """

    person: tuple[str, ...]
    as_of: Ints
    label: Bools
    label_end: Ints
    family: tuple[str, ...] | None
    asked: Bools
    #: Which row of the file each of these is, counted from 1.
    number: Ints
    name: str

    def __len__(self) -> int:
        return len(self.person)


def read_labels(path: Path, config: ExperimentConfig) -> LabelTable:
    """Read the rows that the cohort's `where` or `also_learn_where` lets through.

    Raises InputError, naming file, row and column but never the value, for a missing file or
    column, an empty or unreadable value, a label that is neither yes nor no, an end before its
    as-of date, or two rows of one person, date and row key.
    """
    reader = _Reader(path.name, _table_of(path))
    columns = config.outcome.columns
    asked = reader.having(config.cohort.where)
    if not asked.any():
        raise InputError(f"{reader.name}: no row is left by [cohort] where; check its values.")
    also = config.cohort.also_learn_where
    kept = asked | reader.having(also) if also else asked
    reader = reader.only(kept)
    labels = LabelTable(
        reader.texts(columns.person),
        reader.days(columns.as_of),
        reader.flags(columns.label),
        reader.days(columns.label_end),
        None if columns.family is None else reader.texts(columns.family),
        asked[kept],
        reader.number,
        path.name,
    )
    early = np.flatnonzero(labels.label_end < labels.as_of)
    if len(early):
        raise reader.wrong(columns.label_end, int(early[0]), "the end is before the as-of date")
    _no_row_twice(reader, labels, columns)
    return labels


def _no_row_twice(reader: _Reader, labels: LabelTable, columns: TableColumns) -> None:
    keys = [reader.texts(name) for name in columns.row_key]
    seen: set[tuple[Any, ...]] = set()
    for place, key in enumerate(zip(labels.person, labels.as_of.tolist(), *keys, strict=True)):
        if key in seen:
            told = "this person, date and row key stood in an earlier row"
            raise reader.wrong(columns.person, place, told)
        seen.add(key)


def _table_of(path: Path) -> pa.Table:
    import pyarrow.csv
    import pyarrow.parquet

    try:
        if path.suffix.lower() == ".csv":
            return pyarrow.csv.read_csv(path)
        return pyarrow.parquet.read_table(path)
    except FileNotFoundError:
        raise InputError(f"{path} is not there; check `table` in the experiment.") from None
    except (pa.ArrowException, OSError):
        raise InputError(f"{path} cannot be read as Parquet or CSV; write it again.") from None


@dataclass(frozen=True)
class _Reader:
    """A table with the name and row numbers that messages need."""

    name: str
    table: pa.Table
    rows: Ints | None = None

    @property
    def number(self) -> Ints:
        """Which row of the file each row is, counted from 1."""
        return np.arange(1, self.table.num_rows + 1) if self.rows is None else self.rows

    def having(self, where: dict[str, bool | int | str]) -> Bools:
        """Whether each named column has the wanted value (bool [n])."""
        keep = np.ones(self.table.num_rows, dtype=bool)
        for column, wanted in where.items():
            found = np.array([text.lower() for text in self.texts(column)], dtype=object)
            keep &= found == str(wanted).lower()
        return keep

    def only(self, keep: Bools) -> _Reader:
        """The rows to keep."""
        return _Reader(self.name, self.table.filter(pa.array(keep)), self.number[keep])

    def texts(self, column: str) -> tuple[str, ...]:
        """A column as text without empty values."""
        texts = self._column(column).cast(pa.string()).to_pylist()
        for place, text in enumerate(texts):
            if not text:
                raise self.wrong(column, place, "this is empty")
        return tuple(texts)

    def flags(self, column: str) -> Bools:
        """A column of yes and no: true and false, 1 and 0, yes and no."""
        texts = [text.lower() for text in self.texts(column)]
        for place, text in enumerate(texts):
            if text not in YES and text not in NO:
                raise self.wrong(column, place, "this is neither yes (1) nor no (0)")
        return np.array([text in YES for text in texts], dtype=bool)

    def days(self, column: str) -> Ints:
        """A column of dates as day numbers; the time of a moment is left out."""
        values = self._column(column)
        kind = values.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            days: Sequence[dt.date | None] = pc.cast(
                values.cast(pa.timestamp("s"), safe=False), pa.date32(), safe=False
            ).to_pylist()
            for place, day in enumerate(days):
                if day is None:
                    raise self.wrong(column, place, "this is empty")
            return np.array([day_number(day) for day in days if day is not None], dtype=np.int64)
        return np.array(
            [self._day(column, place, text) for place, text in enumerate(self.texts(column))],
            dtype=np.int64,
        )

    def _day(self, column: str, place: int, text: str) -> int:
        try:
            return day_number(parse_day(text[:10]))
        except Exception:
            raise self.wrong(column, place, "this is not a date like 2026-03-31") from None

    def _column(self, column: str) -> pa.ChunkedArray:
        if column not in self.table.column_names:
            listed = ", ".join(self.table.column_names)
            raise InputError(f"{self.name} has no column {column}; it has {listed}.")
        values = self.table.column(column)
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        return values

    def wrong(self, column: str, place: int, told: str) -> InputError:
        """The error for one value of the file."""
        where = f"{self.name} row {self.number[place]}, column {column}"
        return InputError(f"{where}: {told}; correct the table.")


def period_days(labels: LabelTable) -> int:
    """The longest time from an as-of date that is asked about to the end of its label, in days."""
    return int((labels.label_end - labels.as_of)[labels.asked].max())


def last_day(labels: LabelTable) -> dt.date:
    """The day by which every label was known."""
    return date_of(int(labels.label_end.max()))
