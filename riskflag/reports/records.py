"""The records of a flag as its page lists them: numbered, worded, marked and traced to a file.

Where a stretch of time is empty, the list says so: an agency whose data ends, or a long silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words
from riskflag.reports.silences import OWN, Gap, gaps

#: So many records are shown first; the rest follow under "all records".
SHOWN_FIRST = 20
#: So many when many patterns share the paper.
SHOWN_WITH_MANY = 12
SHOWN_WHEN_FULL = 8
#: So many records are listed at all, to keep the file within its size; the page says how many not.
LISTED = 140
#: The basis of a day of becoming known that nobody recorded.
ASSUMED = "assumed_lag"
#: So many references to records are written out; the rest are told as a count.
REFERENCES = 12


@dataclass(frozen=True)
class Mark:
    """A word on a record: whether it is part of the pattern, new, late, or of doubtful quality."""

    kind: str
    text: str


@dataclass(frozen=True)
class Record:
    """One record as a row: `number` counts from the newest; texts are ready to show."""

    key: str
    number: int
    date: str
    iso: str
    ended: str
    agency: str
    agency_name: str
    said: str
    place: str
    about: str
    status: tuple[str, ...]
    marks: tuple[Mark, ...]
    where: str
    in_pattern: bool
    new: bool
    helps: bool
    withdrawn: bool
    assumed: bool
    standing: str


@dataclass(frozen=True)
class References:
    """Records that something rests on: those linked by number, and how many more there are."""

    linked: tuple[int, ...]
    more: int
    unlisted: int

    @property
    def total(self) -> int:
        """How many records there are in all."""
        return len(self.linked) + self.more + self.unlisted


@dataclass(frozen=True)
class Chronology:
    """All records: `first` to show at once, `listed` in full, and the rest told.

    Numbers count from the newest, whichever way the rows run. `rows` are the listed records and
    the gaps between them; `assumed` counts records whose day of becoming known is assumed.
    """

    first: tuple[Record, ...]
    listed: tuple[Record, ...]
    rows: tuple[Record | Gap, ...]
    total: int
    assumed: int
    by_key: Mapping[str, Record]
    oldest_first: bool

    @property
    def omitted(self) -> int:
        """Records that the file leaves out for its size."""
        return self.total - len(self.listed)

    @property
    def whole(self) -> bool:
        """Whether the first table already holds every record."""
        return self.total == len(self.first)

    def references(self, keys: Iterable[str]) -> References:
        """The listed records behind some contact keys, newest first."""
        wanted = set(keys)
        numbers = sorted(self.by_key[key].number for key in wanted if key in self.by_key)
        return References(
            tuple(numbers[:REFERENCES]),
            len(numbers[REFERENCES:]),
            sum(key not in self.by_key for key in wanted),
        )


def chronology(
    flag: Mapping[str, Any],
    *,
    shown_first: int = SHOWN_FIRST,
    oldest_first: bool = False,
    most: int = LISTED,
) -> Chronology:
    """Number, word and choose the records of one flag; at most `most` of them are listed."""
    records = [record(contact, number) for number, contact in numbered(flag["contacts"])]
    listed = _chosen(records, max(most, shown_first))
    found: list[Record | Gap] = [*gaps(flag), *listed]
    rows = sorted(found, key=_place, reverse=not oldest_first)
    return Chronology(
        first=_chosen(records, shown_first),
        listed=listed,
        rows=tuple(rows),
        total=len(records),
        assumed=sum(item.assumed for item in records),
        by_key={item.key: item for item in listed},
        oldest_first=oldest_first,
    )


def numbered(
    contacts: Sequence[Mapping[str, Any]],
) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """The contacts of a flag with their numbers, the newest first."""
    return enumerate(sorted(contacts, key=_order, reverse=True), 1)


def _place(row: Record | Gap) -> tuple[str, int]:
    """Where a row stands in time; a gap stands after the record on the day it begins."""
    return row.iso, -row.number


def _order(contact: Mapping[str, Any]) -> tuple[str, str, str]:
    return contact["occurred_on"], contact.get("occurred_at") or "", contact["contact_key"]


def _chosen(records: Sequence[Record], most: int) -> tuple[Record, ...]:
    """At most so many records: those in a pattern, then the newest; in the order given."""
    if len(records) <= most:
        return tuple(records)
    ranked = sorted(records, key=lambda r: (not r.in_pattern, not r.new, r.number))
    return tuple(sorted(ranked[:most], key=lambda r: r.number))


def record(contact: Mapping[str, Any], number: int) -> Record:
    """One contact of a FLAG JSON as a numbered row."""
    at = words.time_of_day(contact.get("occurred_at"))
    ended = contact.get("ended_on")
    return Record(
        key=contact["contact_key"],
        number=number,
        date=words.day(contact["occurred_on"]) + (f", {at}" if at else ""),
        iso=contact["occurred_on"],
        ended=f"to {words.day(ended)}" if ended and ended != contact["occurred_on"] else "",
        agency=words.agency(contact["agency"]),
        agency_name=contact["agency"],
        said=words.said(contact),
        place=words.place(contact),
        about=_about(contact),
        status=words.status(contact),
        marks=tuple(_marks(contact)),
        where=_where(contact),
        in_pattern=bool(contact.get("in_pattern")),
        new=bool(contact.get("new")),
        helps=words.helps(contact),
        withdrawn=bool(contact.get("withdrawn")),
        assumed=contact.get("known_basis") == ASSUMED,
        standing=words.standing(contact),
    )


def _about(contact: Mapping[str, Any]) -> str:
    link = contact.get("link") or OWN
    if link == OWN:
        return ""
    return str(words.words()["links"].get(link, f"About someone else ({words.plain(link)})"))


def _where(contact: Mapping[str, Any]) -> str:
    """The file and line a record comes from; of another person's record, the file alone."""
    name = contact.get("file") or contact.get("source") or "source not recorded"
    known = contact.get("line") is not None and (contact.get("link") or OWN) == OWN
    return f"{name}, line {contact['line']}" if known else str(name)


def _marks(contact: Mapping[str, Any]) -> Iterable[Mark]:
    if contact.get("withdrawn"):
        yield Mark("withdrawn", "Since withdrawn or corrected")
    if contact.get("in_pattern"):
        yield Mark("pattern", "In a pattern")
    if words.helps(contact):
        yield Mark("help", "Help or contact")
    if contact.get("new"):
        yield Mark("new", "New")
    late = days_late(contact)
    if late:
        yield Mark("late", f"Arrived {late} days later")
    for issue in contact.get("issues") or ():
        known = words.words()["issues"].get(issue)
        yield Mark("quality", known or words.sentence(words.plain(issue)))


def days_late(contact: Mapping[str, Any]) -> int:
    """Days from the event to the day it was known, 0 within the usual time or if assumed."""
    if contact.get("known_basis") == ASSUMED or not contact.get("known_on"):
        return 0
    since = max(contact["occurred_on"], contact.get("ended_on") or "")
    waited = words.days_between(since, contact["known_on"])
    return waited if waited > words.LATE_DAYS else 0
