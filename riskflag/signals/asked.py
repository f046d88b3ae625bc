"""What an engine is asked: which children, at which as-of dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from riskflag import clock
from riskflag.errors import InputError
from riskflag.history.store.view import History
from riskflag.progress import Progress
from riskflag.signals.define import Signal
from riskflag.signals.layout import Floats, Ints

#: As-of dates outside these years are slips of the pen (and would overflow a window).
YEARS = (1900, 2200)


class Asked(NamedTuple):
    """Rows [n]: a child and an as-of day number each."""

    person_ids: pa.Array
    who: Ints  # [n] places in person_ids
    as_of: Ints

    def names(self) -> pa.Array:
        """Who each row asks about, as texts."""
        everyone = np.array_equal(self.who, np.arange(len(self.person_ids)))
        return self.person_ids if everyone else self.person_ids.take(pa.array(self.who))


class Engine(Protocol):
    """Computes signals; every engine gives the same bytes."""

    def values(
        self, history: History, signals: Sequence[Signal], asked: Asked, progress: Progress
    ) -> Floats:
        """Values [rows, signals] as float64, rows and signals in the order asked."""
        ...


def one_day(person_ids: Sequence[str] | pa.Array, as_of: dt.date) -> Asked:
    """Each child once, all at the same as-of date."""
    return every_day(person_ids, np.array([clock.day_number(as_of)], dtype=np.int64))


def every_day(person_ids: Sequence[str] | pa.Array, days: Ints) -> Asked:
    """Each child at each of these as-of days: one child's dates after another's."""
    days = _within_reason(days)
    given = isinstance(person_ids, pa.Array)
    ids = person_ids if given else pa.array(person_ids, type=pa.string())
    if isinstance(ids, pa.DictionaryArray):
        each, ids = np.asarray(ids.indices, np.int64), ids.dictionary
    else:
        each = np.arange(len(ids), dtype=np.int64)
    return Asked(ids, np.repeat(each, len(days)), np.tile(days, len(each)))


def from_frame(rows: pd.DataFrame) -> Asked:
    """Rows of a data frame with the columns `person_id` and `as_of` (dates without a time).

    Raises InputError when a column or a value is missing or is not a date.
    """
    for name in ("person_id", "as_of"):
        if name not in rows.columns:
            raise InputError(f"The rows need a column '{name}'; they have none.")
        empty = np.flatnonzero(rows[name].isna().to_numpy())
        if len(empty):
            raise InputError(f"The rows have no {name} in row {empty[0] + 1}; fill or drop it.")
    ids = pa.array(rows["person_id"].astype(str), type=pa.string()).dictionary_encode()
    who = np.asarray(ids.indices.to_numpy(), np.int64)
    return Asked(ids.dictionary, who, _within_reason(_day_numbers(rows["as_of"])))


def _day_numbers(days: pd.Series) -> Ints:
    try:
        stamps = pd.to_datetime(days, format=None if days.dtype.kind == "M" else "ISO8601")
    except (ValueError, TypeError):
        raise InputError("The column 'as_of' must hold dates, for example 2026-03-31.") from None
    if stamps.dt.tz is not None or (stamps != stamps.dt.normalize()).any():
        raise InputError("The column 'as_of' must hold dates without a time or a time zone.")
    return stamps.to_numpy().astype("datetime64[D]").astype(np.int64)


def _within_reason(days: Ints) -> Ints:
    first, last = (clock.day_number(dt.date(year, 1, 1)) for year in YEARS)
    if len(days) and not (first <= days.min() and days.max() < last):
        raise InputError(f"As-of dates must lie between {YEARS[0]} and {YEARS[1]}.")
    return days
