"""How far each feed can be relied on: an empty feed must never look like a safe child."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from riskflag.clock import date_of, day_number

State = Literal["FRESH", "STALE", "HELD", "LOST"]


@dataclass(frozen=True)
class FeedState:
    """One source's feed at an as-of date.

    FRESH: complete to within its declared freshness. STALE: older, still within its tolerance.
    HELD: its newest delivery was refused, the one before is still within tolerance. LOST: nothing
    usable. `complete_to` is the last day the usable deliveries cover, None when there is none;
    `assumed` marks days before the first load, whose arrival nobody recorded. `says` holds
    the contact types with the attributes the source declares for them, None when not told. `why`
    says in a sentence what is odd about a feed that still delivers.
    """

    source: str
    agency: str
    types: tuple[str, ...]
    complete_to: dt.date | None
    state: State
    assumed: bool = False
    says: tuple[tuple[str, str], ...] | None = None
    why: str = ""

    @property
    def usable(self) -> bool:
        """Whether signals may rest on this feed."""
        return self.state != "LOST"


def feed_states(coverage: pa.Table, as_of: int) -> tuple[FeedState, ...]:
    """The state of each source in the coverage table at day number `as_of`, by source name."""
    by_source: dict[str, list[dict[str, Any]]] = {}
    for row in coverage.to_pylist():
        by_source.setdefault(row["source"], []).append(row)
    return tuple(_state(name, by_source[name], as_of) for name in sorted(by_source))


def unavailable(feeds: tuple[FeedState, ...]) -> frozenset[str]:
    """The types that only lost feeds deliver."""
    usable = {name for feed in feeds if feed.usable for name in feed.types}
    return frozenset(name for feed in feeds for name in feed.types) - usable


def says(feeds: tuple[FeedState, ...], name: str, attribute: str) -> bool:
    """Whether a feed that delivers contacts of a type says this attribute of them."""
    delivering = [feed for feed in feeds if name in feed.types]
    told = [feed.says for feed in delivering if feed.says is not None]
    return len(told) < len(delivering) or any((name, attribute) in said for said in told)


def types_of(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """The contact types that one source's coverage rows name."""
    return tuple(sorted({row["type"] for row in rows if row["type"] is not None}))


def said_in(rows: list[dict[str, Any]]) -> tuple[tuple[str, str], ...] | None:
    """The contact types with the attributes a source declares for them; None when not told."""
    typed = [row for row in rows if row["type"] is not None]
    if any(row["says"] is None for row in typed):
        return None
    return tuple(sorted({(row["type"], name) for row in typed for name in row["says"].split()}))


def _state(source: str, rows: list[dict[str, Any]], as_of: int) -> FeedState:
    seen = [row for row in rows if day_number(row["received_on"]) < as_of]
    good = [row for row in seen if row["status"] != "held"]
    agency, types, said = rows[0]["agency"], types_of(rows), said_in(rows)
    if not good:
        return before_first_load(source, rows, as_of, types=types, says=said)
    newest = max(good, key=lambda row: (row["complete_to"], row["received_on"]))
    last = max(row["received_on"] for row in seen)
    refused = all(row["status"] == "held" for row in seen if row["received_on"] == last)
    state, why = judged(newest, as_of, refused=refused)
    return FeedState(source, agency, types, newest["complete_to"], state, says=said, why=why)


#: Why a feed is stale whose deliveries arrive and say the same each time.
UNCHANGED = "The same extract keeps coming, so newer records may be missing from it."


def judged(newest: dict[str, Any], as_of: int, *, refused: bool) -> tuple[State, str]:
    """The state of a feed whose newest usable delivery is `newest`, and why if it needs saying."""
    age = as_of - day_number(newest["complete_to"])
    unchanged = newest["status"] == "unchanged"
    why = UNCHANGED if unchanged else ""
    if age > newest["tolerance_days"]:
        return "LOST", why
    if refused:
        return "HELD", why
    return "FRESH" if age <= newest["fresh_days"] and not unchanged else "STALE", why


def before_first_load(
    source: str,
    rows: Sequence[dict[str, Any]],
    as_of: int,
    *,
    types: tuple[str, ...],
    says: tuple[tuple[str, str], ...] | None,
) -> FeedState:
    """Days that only the first load reaches back to: taken as covered, and marked as assumed.

    A source of people without contacts has nothing to lose. `types` and `says` are what
    `types_of` and `said_in` find in the rows.
    """
    agency = rows[0]["agency"]
    reach = [
        day_number(row["covered_from"])
        for row in rows
        if row["first_load"] and row["covered_from"] is not None
    ]
    if reach and min(reach) < as_of and not _seen_any(rows, as_of):
        yesterday = date_of(as_of - 1)
        return FeedState(source, agency, types, yesterday, "FRESH", assumed=True, says=says)
    return FeedState(source, agency, types, None, "LOST" if types else "FRESH", says=says)


def _seen_any(rows: Sequence[dict[str, Any]], as_of: int) -> bool:
    return any(row["first_load"] and day_number(row["received_on"]) < as_of for row in rows)
