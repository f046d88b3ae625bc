"""The records of a flag as its page lists them: numbered, worded, marked and traced to a file.

Where a stretch of time is empty, the list says so: an agency whose data ends, or a long silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

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


class Mark(NamedTuple):
    """A word on a record: whether it is part of the pattern, new, late, or of doubtful quality."""

    kind: str
    text: str


class Record(NamedTuple):
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
    late: int


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


#: All records of a flag, the newest first, and the empty stretches.
Everything = tuple[Sequence[Record], Sequence[Gap]]


def chronology(
    flag: Mapping[str, Any],
    shown_first: int = SHOWN_FIRST,
    *,
    oldest_first: bool = False,
    most: int = LISTED,
    whole: Everything | None = None,
) -> Chronology:
    """Number, word and choose the records of one flag; at most `most` of them are listed.

    `whole` is `everything` of the flag, for a caller who chooses more than once.
    """
    records, empty = whole or everything(flag)
    listed = _chosen(records, max(most, shown_first))
    found: list[Record | Gap] = [*empty, *listed]
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


def everything(flag: Mapping[str, Any]) -> Everything:
    """All records of one flag, numbered and worded, and the gaps between them."""
    records = [record(contact, number) for number, contact in numbered(flag["contacts"])]
    return records, gaps(flag)


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
    return tuple(sorted(kept_first(records)[:most], key=lambda r: r.number))


def kept_first(records: Iterable[Record]) -> list[Record]:
    """The records in the order in which they are kept where there is no room for all."""
    return sorted(records, key=lambda r: (not r.in_pattern, not r.new, r.number))


def record(contact: Mapping[str, Any], number: int) -> Record:
    """One contact of a FLAG JSON as a numbered row."""
    on, ended = contact["occurred_on"], contact.get("ended_on")
    date, at = words.day(on), words.time_of_day(contact.get("occurred_at"))
    told, late = wording(contact), days_late(contact)
    withdrawn, new = bool(contact.get("withdrawn")), bool(contact.get("new"))
    in_pattern = bool(contact.get("in_pattern"))
    issues = tuple(contact.get("issues") or ())
    agency = contact["agency"]
    return Record(
        key=contact["contact_key"],
        number=number,
        date=f"{date}, {at}" if at else date,
        iso=on,
        ended=f"to {words.day(ended)}" if ended and ended != on else "",
        agency=words.agency(agency),
        agency_name=agency,
        said=told.said,
        place=told.place,
        about=told.about,
        status=told.status,
        marks=_marks((withdrawn, in_pattern, told.helps, new), late, issues),
        where=_where(contact),
        in_pattern=in_pattern,
        new=new,
        helps=told.helps,
        withdrawn=withdrawn,
        assumed=contact.get("known_basis") == ASSUMED,
        standing=told.standing,
        late=late,
    )


class Wording(NamedTuple):
    """What is said of a contact wherever it stands: the same for all contacts that say the same."""

    said: str
    place: str
    about: str
    status: tuple[str, ...]
    helps: bool
    standing: str


def wording(contact: Mapping[str, Any]) -> Wording:
    """How one contact of a FLAG JSON is worded; the same few come again and again."""
    attributes = contact.get("attributes") or {}
    return _wording(
        (contact["type"], contact.get("link"), contact.get("quantity")),
        bool(contact.get("ended_on")),
        tuple(attributes),
        tuple(attributes.values()),
    )


@lru_cache(maxsize=8192)
def _wording(
    about: tuple[str, str | None, float | None],
    over: bool,
    names: tuple[str, ...],
    values: tuple[str | None, ...],
) -> Wording:
    contact: dict[str, Any] = dict(zip(("type", "link", "quantity"), about, strict=True))
    contact["ended_on"] = over
    contact["attributes"] = dict(zip(names, values, strict=True))
    return Wording(
        words.said(contact),
        words.place(contact),
        _about(contact),
        words.status(contact),
        words.helps(contact),
        words.standing(contact),
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


@lru_cache(maxsize=4096)
def _marks(
    holds: tuple[bool, bool, bool, bool], late: int, issues: tuple[str, ...]
) -> tuple[Mark, ...]:
    """The marks of a record that is withdrawn, in a pattern, help, new (as `holds` tells)."""
    withdrawn, in_pattern, helps, new = holds
    plain = {
        Mark("withdrawn", "Since withdrawn or corrected"): withdrawn,
        Mark("pattern", "In a pattern"): in_pattern,
        Mark("help", "Help or contact"): helps,
        Mark("new", "New"): new,
        Mark("late", f"Arrived {late} days later"): bool(late),
    }
    known = words.words()["issues"]
    said = (known.get(issue) or words.sentence(words.plain(issue)) for issue in issues)
    held = (mark for mark, told in plain.items() if told)
    return (*held, *(Mark("quality", text) for text in said))


def days_late(contact: Mapping[str, Any]) -> int:
    """Days from the event to the day it was known, 0 within the usual time or if assumed."""
    known, since, ended = contact.get("known_on"), contact["occurred_on"], contact.get("ended_on")
    if not known or contact.get("known_basis") == ASSUMED:
        return 0
    if ended and ended > since:
        since = ended
    if known <= since:
        return 0
    waited = words.days_between(since, known)
    return waited if waited > words.LATE_DAYS else 0
