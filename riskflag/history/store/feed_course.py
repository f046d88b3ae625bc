"""The state of every feed on many days, worked out once instead of day by day.

`FeedCourse.at(day)` is `coverage.feed_states(coverage, day)`, and a test holds the two together;
this one reads the coverage rows a single time and then answers by looking a date up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import pyarrow as pa

from riskflag.clock import day_number
from riskflag.history.store.coverage import FeedState, before_first_load, judged, said_in, types_of

Row = dict[str, Any]

#: So many days of all feeds stay worked out.
KEPT_DAYS = 500


@dataclass(frozen=True)
class _Source:
    """One source's deliveries: received days, ascending, and what stood after each of them."""

    name: str
    rows: tuple[Row, ...]
    received: tuple[int, ...]
    newest: tuple[Row | None, ...]
    refused: tuple[bool, ...]
    says: tuple[tuple[str, str], ...] | None
    types: tuple[str, ...]

    @classmethod
    def of(cls, name: str, rows: list[Row]) -> _Source:
        by_day: dict[int, list[Row]] = {}
        for row in rows:
            by_day.setdefault(day_number(row["received_on"]), []).append(row)
        newest: list[Row | None] = []
        best: Row | None = None
        days = sorted(by_day)
        for day in days:
            for row in by_day[day]:
                if row["status"] != "held" and (best is None or _age(row) > _age(best)):
                    best = row
            newest.append(best)
        refused = tuple(all(row["status"] == "held" for row in by_day[day]) for day in days)
        told, types = said_in(rows), types_of(rows)
        return cls(name, _without_repeats(rows), tuple(days), tuple(newest), refused, told, types)

    def at(self, day: int) -> FeedState:
        place = bisect_left(self.received, day) - 1
        best = self.newest[place] if place >= 0 else None
        if best is None:
            return before_first_load(self.name, self.rows, day, types=self.types, says=self.says)
        agency, complete = self.rows[0]["agency"], best["complete_to"]
        state, why = judged(best, day, refused=self.refused[place])
        return FeedState(self.name, agency, self.types, complete, state, says=self.says, why=why)

    @cached_property
    def turns(self) -> tuple[int, ...]:
        """Days on which the state is another than on the day before, ascending."""
        found = sorted(set(self._may_turn()))
        return tuple(day for day in found if self._state(day) != self._state(day - 1))

    def _state(self, day: int) -> tuple[str, bool]:
        feed = self.at(day)
        return feed.state, feed.assumed

    def _may_turn(self) -> Iterator[int]:
        yield from (day + 1 for day in self.received)
        for row in {id(row): row for row in self.newest if row is not None}.values():
            complete = day_number(row["complete_to"])
            yield complete + row["fresh_days"] + 1
            yield complete + row["tolerance_days"] + 1
        for row in self.rows:
            if row["first_load"] and row["covered_from"] is not None:
                yield day_number(row["covered_from"]) + 1


@dataclass(frozen=True)
class FeedCourse:
    """The feeds of a coverage table over time; what was asked once is answered at once."""

    sources: tuple[_Source, ...]

    @classmethod
    def of(cls, coverage: pa.Table) -> FeedCourse:
        """Read a coverage table (schema COVERAGE)."""
        by_source: dict[str, list[Row]] = {}
        for row in coverage.to_pylist():
            by_source.setdefault(row["source"], []).append(row)
        return cls(tuple(_Source.of(name, by_source[name]) for name in sorted(by_source)))

    def at(self, day: int) -> tuple[FeedState, ...]:
        """The state of every feed at day number `day`, by source name."""
        return self._at(day)

    @cached_property
    def _at(self) -> Callable[[int], tuple[FeedState, ...]]:
        return lru_cache(KEPT_DAYS)(lambda day: tuple(one.at(day) for one in self.sources))

    @cached_property
    def _turns(self) -> tuple[int, ...]:
        return tuple(sorted({day for source in self.sources for day in source.turns}))

    def turns(self, first: int, last: int) -> list[int]:
        """The days from `first` to `last` between which no feed's state changes; `first` leads."""
        begin, end = (bisect_right(self._turns, day) for day in (first, last))
        return [first, *self._turns[begin:end]]


def _age(row: Row) -> tuple[Any, Any]:
    return row["complete_to"], row["received_on"]


def _without_repeats(rows: list[Row]) -> tuple[Row, ...]:
    """The rows that differ in what a day before the first load looks at, the first row first."""
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        received = row["received_on"] if row["first_load"] else None
        key = (row["type"], row["says"], row["first_load"], row["covered_from"], received)
        kept.setdefault(key, row)
    return tuple(kept.values())
