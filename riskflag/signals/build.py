"""Computing signals: a table for the night, a data frame for analysts and training."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from riskflag import clock
from riskflag.errors import ConfigError
from riskflag.history.schema import ATTRIBUTES, ENDED
from riskflag.history.store.coverage import FeedState, says, unavailable
from riskflag.history.store.view import History
from riskflag.progress import Progress, silent
from riskflag.signals.asked import Asked, Engine, from_frame, one_day
from riskflag.signals.catalogue import load_catalogue
from riskflag.signals.define import Signal
from riskflag.signals.expression import FOLLOWED, OF_INTERVALS, Aggregate, Selection, aggregates
from riskflag.signals.layout import Floats
from riskflag.signals.reference import Reference
from riskflag.signals.table import SignalTable


def compute(
    history: History,
    person_ids: Sequence[str] | pa.Array,
    *,
    as_of: dt.date,
    signals: Sequence[Signal] | None = None,
    engine: str | Engine = "kernel",
    progress: Progress = silent,
) -> SignalTable:
    """Signals of children at one as-of date (signals: all of the catalogue unless given).

    Values are raw, with a mark for each signal whose feeds were not all available. A person who
    is not in the history has no contacts. Raises InputError for an impossible as-of date.
    """
    wanted = _wanted(signals)
    asked = one_day(person_ids, as_of)
    return SignalTable(
        people=asked.names(),
        as_of=as_of,
        names=tuple(signal.name for signal in wanted),
        values=_engine(engine).values(history, wanted, asked, progress),
        complete=_complete(history, wanted, as_of),
    )


def build(
    history: History,
    rows: pd.DataFrame,
    signals: Sequence[Signal] | None = None,
    *,
    engine: str | Engine = "kernel",
    progress: Progress = silent,
) -> pd.DataFrame:
    """Signals of (child, as-of date) rows, as a data frame of float64 columns.

    `rows` has the columns `person_id` (text) and `as_of` (dates), in any order, also repeated; the
    result has the same index, row for row, and a column per signal (all of the catalogue unless
    given). A value is NaN where it is undefined or where a feed it needs was not available at that
    date; `inf` says "never" in days since. Nothing first known on or after a row's date changes it.
    Raises InputError when the rows lack a column or hold something that is not a date.
    """
    wanted = _wanted(signals)
    asked = from_frame(rows)
    values = _engine(engine).values(history, wanted, asked, progress)
    _mask(history, wanted, asked, values)
    names = [signal.name for signal in wanted]
    return pd.DataFrame(values, index=rows.index, columns=names, copy=False)


def _wanted(signals: Sequence[Signal] | None) -> tuple[Signal, ...]:
    chosen = load_catalogue().signals if signals is None else tuple(signals)
    names = [signal.name for signal in chosen]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"The signal '{twice}' is asked for twice; give each name once.")
    return chosen


def _engine(engine: str | Engine) -> Engine:
    if engine == "kernel":
        # Numba takes a moment to import: only those who compute signals wait for it.
        from riskflag.signals.fast import Kernel

        return Kernel()
    if engine == "reference":
        return Reference()
    if isinstance(engine, str):
        raise ConfigError(f"There is no engine '{engine}'; choose kernel or reference.")
    return engine


def _complete(history: History, signals: Sequence[Signal], as_of: dt.date) -> npt.NDArray[np.bool_]:
    """Whether the feeds said all that a signal asks: none lost, at least one there, in full words.

    A count of injuries is not zero because no feed tells injuries from other attendances. A
    history without any coverage rows claims nothing about its feeds and is taken as whole.
    """
    return completeness(history.feeds(as_of), signals)


def completeness(feeds: tuple[FeedState, ...], signals: Sequence[Signal]) -> npt.NDArray[np.bool_]:
    """Whether these feeds said all that each signal asks: bool [k]."""
    delivered = {name for feed in feeds for name in feed.types}
    lost = unavailable(feeds)

    def told(signal: Signal) -> bool:
        if not delivered or not signal.types:
            return True
        if not lost.isdisjoint(signal.types) or delivered.isdisjoint(signal.types):
            return False
        if any(delivered.isdisjoint(types) for types in _each(signal)):
            return False
        return all(
            says(feeds, name, attribute)
            for part in aggregates(signal.of)
            for selection in part.selections
            for name in delivered.intersection(selection.types)
            for attribute in _asked(part, selection)
        )

    return np.array([told(signal) for signal in signals], dtype=bool)


def _each(signal: Signal) -> Iterator[tuple[str, ...]]:
    """Types of which some feed must be there: without visits at all none is unanswered."""
    for part in aggregates(signal.of):
        if part.op in FOLLOWED:
            yield from (selection.types for selection in part.selections)


def _asked(of: Aggregate, selection: Selection) -> Iterator[str]:
    """What a feed must tell of its contacts for an aggregate over a selection of them."""
    yield from (name for name, _ in selection.where if name in ATTRIBUTES)
    if of.attribute in ATTRIBUTES:
        yield str(of.attribute)
    if of.op in OF_INTERVALS:
        yield ENDED


def _mask(history: History, signals: Sequence[Signal], asked: Asked, values: Floats) -> None:
    for day in np.unique(asked.as_of):
        complete = _complete(history, signals, clock.date_of(int(day)))
        if not complete.all():
            values[np.ix_(asked.as_of == day, ~complete)] = np.nan
