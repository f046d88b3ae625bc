"""One child's records for a look-back: when each became known, what changed, what came late."""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import NEVER, date_of, day_number
from riskflag.history.store.feed_course import FeedCourse
from riskflag.nightly.records import ATTRIBUTES, OWN, has_voice

if TYPE_CHECKING:
    from riskflag.signals.catalogue import Catalogue

Row = dict[str, Any]

#: A record that arrived more than this many days after the event came late.
LATE_DAYS = 7
#: Days without the child's recorded words from which a silence is told.
SILENCE_DAYS = 183


@dataclass(frozen=True)
class Behind:
    """Which contacts made a signal's value on one of many days.

    `contacts` are all versions of one child's contacts by type, each with its `place` in the
    history's order.
    """

    contacts: Mapping[str, Sequence[Row]]
    catalogue: Catalogue
    of_types: dict[frozenset[str], list[Row]] = field(default_factory=dict)
    known: dict[tuple[str, int], tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, signal: str, day: int) -> tuple[str, ...]:
        from riskflag.signals.evidence import keys_behind

        found = self.known.get((signal, day))
        if found is None:
            asked = self.catalogue.by_name[signal]
            found = keys_behind(asked, self._of(asked.types), day)
            self.known[signal, day] = found
        return found

    def _of(self, types: frozenset[str]) -> list[Row]:
        """The contacts of some types: put in order once, not again for each day."""
        if types not in self.of_types:
            rows = itertools.chain.from_iterable(self.contacts.get(name, ()) for name in types)
            self.of_types[types] = sorted(rows, key=itemgetter("place"))
        return self.of_types[types]


@dataclass(frozen=True)
class Span:
    """Consecutive as-of days, both ends included (day numbers)."""

    first: int
    last: int

    def to_dict(self, begins: int, ends: int) -> Row:
        """ISO days; whether it held on the first or the last day looked at."""
        return {
            "from": iso(self.first),
            "to": iso(self.last),
            "from_start": self.first == begins,
            "to_end": self.last == ends,
        }


def spans(days: NDArray[np.int64], holds: NDArray[np.bool_]) -> list[Span]:
    """The unbroken runs of days (ascending) on which something held."""
    if not holds.any():
        return []
    held = days[holds]
    breaks = (np.flatnonzero(held[1:] - held[:-1] != 1) + 1).tolist()
    first, last = [0, *breaks], [*breaks, len(held)]
    return [Span(int(held[a]), int(held[b - 1])) for a, b in zip(first, last, strict=True)]


def records(rows: Sequence[Row], last: int) -> list[Row]:
    """Every record known by day number `last`, oldest first, as it stood when it was first known.

    `rows` are all versions of a person's contacts. `changes` are the days on which a night first
    saw another version of it, or none; a version that came within a day of the first is left out
    of nothing: each is told.
    """
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        if row["known_day"] < last:
            by_key.setdefault(row["contact_key"], []).append(row)
    told = [_record(versions, last) for versions in by_key.values()]
    return sorted(told, key=lambda r: (r["occurred_on"], r["known_on"], r["contact_key"]))


def _record(versions: list[Row], last: int) -> Row:
    ordered = sorted(versions, key=_in_order) if len(versions) > 1 else versions
    first = ordered[0]
    at, known = first["occurred_at"], first["known_day"]
    return {
        "contact_key": first["contact_key"],
        "occurred_on": iso(first["occurred_day"]),
        "occurred_at": None if at is None else at.isoformat(),
        "known_on": iso(known),
        "known_basis": first["known_basis"],
        "agency": first["agency"],
        "type": first["type"],
        "link": first["link"],
        "attributes": dict(zip(ATTRIBUTES, _attributes(first), strict=True)),
        "quantity": first["quantity"],
        "source": first["source"],
        "file": first["source_file"],
        "line": first["source_line"],
        "counts_from": iso(known + 1),
        "days_to_know": _days_to_know(first),
        "voice": first["link"] == OWN and has_voice(first),
        "changes": list(_changes(ordered, last)),
    }


_attributes = itemgetter(*ATTRIBUTES)


def _in_order(version: Row) -> tuple[int, int, bool]:
    return version["known_day"], version["version"], version["link"] != OWN


def _days_to_know(row: Row) -> int | None:
    """Days from the event, or its end, to the day it was known; None when that is assumed."""
    if row["known_basis"] == "assumed_lag":
        return None
    over = max(row["occurred_day"], row["ended_day"] or row["occurred_day"])
    return max(0, int(row["known_day"]) - int(over))


def _changes(ordered: Sequence[Row], last: int) -> Iterable[Row]:
    """How a record changed after it was first known, up to the last day looked at."""
    seen = ordered[0]
    for row in ordered[1:]:
        if row["known_day"] == seen["known_day"] or row["link"] != seen["link"]:
            continue
        kind = "ended" if _only_ended(seen, row) else "corrected"
        yield {"from": iso(row["known_day"] + 1), "kind": kind}
        seen = row
    end = max(row["superseded_day"] for row in ordered)
    if end != NEVER and end < last:
        yield {"from": iso(end + 1), "kind": "withdrawn"}


def _only_ended(before: Row, after: Row) -> bool:
    """Whether the later version only adds when it ended."""
    ends = {"ended_day", "duration_days", "open_ended"}
    other = {"known_day", "superseded_day", "version", "source_file", "source_line", "issues"}
    same = all(before[key] == after[key] for key in before if key not in ends | other)
    return same and before["ended_day"] is None and after["ended_day"] is not None


def agencies(told: Iterable[Row]) -> list[Row]:
    """How soon each agency's records came, most records first."""
    by_agency: dict[str, list[Row]] = {}
    for record in told:
        by_agency.setdefault(record["agency"], []).append(record)
    lines = []
    for agency, mine in by_agency.items():
        waits = [r["days_to_know"] for r in mine if r["days_to_know"] is not None]
        lines.append(
            {
                "agency": agency,
                "records": len(mine),
                "assumed": len(mine) - len(waits),
                "late": sum(wait > LATE_DAYS for wait in waits),
                "middle": int(statistics.median_low(waits)) if waits else None,
                "longest": max(waits, default=None),
            }
        )
    return sorted(lines, key=lambda line: (-line["records"], line["agency"]))


def feeds(course: FeedCourse, first: int, last: int) -> list[Row]:
    """When each feed was not up to date: unbroken times in one state, by source."""
    turns = [*course.turns(first, last), last + 1]
    found: list[Row] = []
    open_: dict[str, Row] = {}
    for day, after in itertools.pairwise(turns):
        for feed in course.at(day):
            going = open_.get(feed.source)
            if going is not None and going["state"] == feed.state:
                going["to"], going["to_end"] = iso(after - 1), after - 1 == last
                continue
            open_.pop(feed.source, None)
            if feed.state == "FRESH":
                continue
            complete = None if feed.complete_to is None else feed.complete_to.isoformat()
            open_[feed.source] = {
                "source": feed.source,
                "agency": feed.agency,
                "state": str(feed.state),
                "complete_to": complete,
                **Span(day, after - 1).to_dict(first, last),
            }
            found.append(open_[feed.source])
    return sorted(found, key=lambda one: (one["from"], one["source"]))


def voice(told: Sequence[Row], first: int, last: int) -> Row:
    """When the child's words were recorded, and the times in which they were not.

    A silence begins after the last recorded words known by then (or with the first day looked at)
    and is told from SILENCE_DAYS on; it ends when a night could first see further words.
    """
    heard = sorted((r["counts_from"], r["occurred_on"]) for r in told if r["voice"])
    silences: list[Row] = []
    since = first
    for counts_from, occurred_on in heard:
        day = number(counts_from)
        if day > first and day - since >= SILENCE_DAYS:
            silences.append(_silence(since, day - 1, first, last))
        since = max(since, day, number(occurred_on))
    if last - since >= SILENCE_DAYS:
        silences.append(_silence(since, last, first, last))
    return {"recorded": len(heard), "silences": silences}


def _silence(since: int, until: int, first: int, last: int) -> Row:
    return {
        **Span(since, until).to_dict(first, last),
        "days": until - since + 1,
        "told_from": iso(since + SILENCE_DAYS),
    }


@lru_cache(maxsize=16384)
def iso(day: int) -> str:
    """A day number as an ISO date."""
    return date_of(day).isoformat()


def number(day: str) -> int:
    """An ISO date as a day number."""
    return day_number(dt.date.fromisoformat(day))


def links(relationships: Iterable[Mapping[str, Any]], first: int, last: int) -> list[Row]:
    """When links to other people became known: the day a night first saw one, and which kind."""
    return sorted(
        (
            {"from": iso(row["known_day"] + 1), "kind": row["kind"]}
            for row in relationships
            if first <= row["known_day"] + 1 <= last
        ),
        key=lambda one: (one["from"], one["kind"]),
    )
