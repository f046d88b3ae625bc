"""Empty stretches of a chronology: an agency whose data ends, and long silences of all agencies.

An empty stretch is told as one, so that nobody reads it as a time in which all was well.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words

#: A silence of all agencies is told from so many days on.
LONG = 180
#: How far back the records of a flag are complete, in days (those of a pattern may be older).
COMPLETE = 730
#: The state of an agency that has never sent anything here.
NEVER = "NEVER"
OWN = "self"


@dataclass(frozen=True)
class Gap:
    """An empty stretch as a row of the chronology; it has no number of its own."""

    iso: str
    date: str
    agency: str
    said: str
    number: int = 0


def gaps(flag: Mapping[str, Any], *, reach: int = COMPLETE) -> list[Gap]:
    """The empty stretches of one flag's chronology; none where it holds no record at all.

    `reach` is the number of days before the night for which every record is there.
    """
    if not flag["contacts"]:
        return []
    return [*_ended_feeds(flag), *_silences(flag, reach)]


def _ended_feeds(flag: Mapping[str, Any]) -> Iterator[Gap]:
    """Agencies whose data ends before the night, each once with its earliest end."""
    ends: dict[str, str] = {}
    for feed in flag.get("not_seen", ()):
        last = feed.get("complete_to")
        if feed.get("state") != NEVER and last and last < flag["as_of"]:
            ends[feed["agency"]] = min(last, ends.get(feed["agency"], last))
    for agency, last in sorted(ends.items()):
        yield Gap(
            iso=last,
            date=f"After {words.day(last)}",
            agency=words.agency(agency),
            said="We hold no data of this agency after this day, or only some of it.",
        )


def _silences(flag: Mapping[str, Any], reach: int) -> Iterator[Gap]:
    """Long stretches in which no agency recorded anything about the child."""
    earliest = _back(flag["as_of"], reach)
    days = {
        day[:10]
        for contact in flag["contacts"]
        if contact["link"] == OWN and not contact.get("withdrawn")
        for day in (contact["occurred_on"], contact.get("ended_on"))
        if day and earliest <= day[:10] < flag["as_of"]
    }
    for first, last in itertools.pairwise([*sorted(days), flag["as_of"]]):
        length = words.days_between(first, last)
        if length > LONG:
            yield Gap(
                iso=first,
                date=words.sentence(words.period(first, last)),
                agency="All agencies",
                said=f"Nothing is recorded about this child for {words.small(length)} days.",
            )


def _back(day: str, days: int) -> str:
    return (dt.date.fromisoformat(day) - dt.timedelta(days=days)).isoformat()
