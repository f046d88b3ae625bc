"""The records of flagged children as their pages show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from riskflag.clock import date_of, day_number
from riskflag.history.arrays import one
from riskflag.nightly.digest import visible_rows
from riskflag.signals.people import People

if TYPE_CHECKING:
    from riskflag.history.store.view import History

Row = dict[str, Any]

ATTRIBUTES = (
    "accepted",
    "category",
    "grade",
    "offered",
    "organisation",
    "outcome",
    "role",
    "seen",
    "seen_alone",
    "voice",
    "worker",
)
#: How far back a page's chronology reaches, in days; contacts of a pattern may be older.
CHRONOLOGY_DAYS = 730
VOICE_TYPE = "care.child_voice"
OWN = "self"
SIBLING = "sibling"


@dataclass(frozen=True)
class Records:
    """What was visible about some people at one as-of date: contacts and person rows by person.

    `siblings` has, by person, the person ids of brothers and sisters among these people, sorted.
    """

    as_of: dt.date
    contacts: Mapping[str, Sequence[Row]]
    persons: Mapping[str, Row]
    linked: frozenset[str]
    siblings: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, history: History, as_of: dt.date) -> Records:
        """Read them from a history that is already cut to the people concerned."""
        day = day_number(as_of)
        persons = {row["person_id"]: row for row in visible_rows(history.persons, day).to_pylist()}
        return cls(
            as_of,
            RowsOf(visible_rows(history.contacts, day)),
            persons,
            _linked(history.relationships, day),
            _siblings(history.relationships, day),
        )

    def newest_known(self, person_id: str, keys: Collection[str]) -> dt.date | None:
        """The day on which the last of these contacts of a person became known."""
        rows = self.contacts.get(person_id, ())
        days = [row["known_day"] for row in rows if row["contact_key"] in keys]
        return date_of(max(days)) if days else None


class RowsOf(Mapping[str, Sequence[Row]]):
    """The rows of a table sorted by person, as dictionaries: made for one person when asked for.

    Each has its `place` among the person's rows beside what the table holds.
    As dictionaries the records of all flagged children would take more room than all else.
    """

    def __init__(self, table: pa.Table) -> None:
        table = table.combine_chunks()
        people = People.of(table["person_id"])
        ends = zip(people.starts[:-1].tolist(), people.starts[1:].tolist(), strict=True)
        first = table["person_id"].take(pa.array(people.starts[:-1])).to_pylist()
        self._places = dict(zip(first, ends, strict=True))
        self._columns = {name: _reader(table[name]) for name in table.column_names}
        self._names = ("place", *self._columns)
        self._last: tuple[str | None, Sequence[Row]] = (None, ())

    def __getitem__(self, person_id: str) -> Sequence[Row]:
        if self._last[0] != person_id:
            start, stop = self._places[person_id]
            columns = [read(start, stop) for read in self._columns.values()]
            rows = [
                dict(zip(self._names, row, strict=True))
                for row in zip(range(stop - start), *columns, strict=True)
            ]
            self._last = (person_id, rows)
        return self._last[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def rows_of(table: pa.Table) -> list[Row]:
    """The rows of a table as dictionaries."""
    names = table.column_names  # a list made anew whenever it is asked for
    columns = [_reader(table[name])(0, table.num_rows) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _reader(column: pa.ChunkedArray) -> Callable[[int, int], list[Any]]:
    """What gives the values of rows `start` up to `stop` of a column as plain Python.

    Arrow makes an object of its own of every value first, which takes most of the time.
    """
    whole = one(column)
    if len(whole) == whole.null_count:
        return lambda start, stop: [None] * (stop - start)
    if pa.types.is_dictionary(whole.type):
        names = np.array([*whole.dictionary.to_pylist(), None], dtype=object)
        codes = whole.indices.fill_null(len(names) - 1).to_numpy()
        return lambda start, stop: list(names[codes[start:stop]])
    if pa.types.is_string(whole.type):
        return lambda start, stop: list(whole.slice(start, stop - start).to_numpy(False))
    number = pa.types.is_primitive(whole.type) and not pa.types.is_temporal(whole.type)
    if number and not whole.null_count:
        plain = whole.to_numpy(zero_copy_only=False)
        return lambda start, stop: list(plain[start:stop].tolist())
    return lambda start, stop: list(whole.slice(start, stop - start).to_pylist())


def _linked(relationships: pa.Table, day: int) -> frozenset[str]:
    """People for whom at least one other person was known by then."""
    return frozenset(visible_rows(relationships, day)["person_id"].to_pylist())


def _siblings(relationships: pa.Table, day: int) -> dict[str, list[str]]:
    """Brothers and sisters known by then, told of both even if an agency told it of one only."""
    found: dict[str, set[str]] = {}
    for row in visible_rows(relationships, day).to_pylist():
        if row["kind"] == SIBLING and _holds(row, day):
            one, other = row["person_id"], row["related_id"]
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {person: sorted(others - {person}) for person, others in found.items()}


def _holds(link: Row, day: int) -> bool:
    """Whether a link was valid on a day."""
    begins, ends = link["valid_from_day"], link["valid_to_day"]
    return (begins is None or begins < day) and (ends is None or ends >= day)


def chronology(
    rows: Iterable[Row], as_of: dt.date, *, pattern: frozenset[str], new_since: dt.date | None
) -> list[Row]:
    """The contacts of one child for the page, oldest first.

    The child's own contacts of the last 24 months, and those of a pattern whoever's they are and
    however old; the newest voice contact too. `pattern` holds contact keys; contacts known on or
    after `new_since` are marked new (none when it is None).
    """
    earliest = day_number(as_of) - CHRONOLOGY_DAYS
    since = None if new_since is None else day_number(new_since)
    chosen: dict[str, Row] = {}
    last_voice: Row | None = None
    for row in rows:
        own, key = row["link"] == OWN, row["contact_key"]
        if own and has_voice(row):
            last_voice = row
        wanted = (own and row["occurred_day"] >= earliest) or key in pattern
        if wanted and (own or key not in chosen):
            chosen[key] = row
    if last_voice is not None:
        chosen.setdefault(last_voice["contact_key"], last_voice)
    day = day_number(as_of)
    shown = [contact_json(row, day, pattern=pattern, since=since) for row in chosen.values()]
    return sorted(shown, key=lambda contact: (contact["occurred_on"], contact["contact_key"]))


def has_voice(row: Row) -> bool:
    """Whether a contact holds the child's own words, wishes or feelings."""
    return row["type"] == VOICE_TYPE or row.get("voice") == "yes"


def contact_json(row: Row, day: int, *, pattern: frozenset[str], since: int | None) -> Row:
    """One contact as plain JSON, as it stood on day number `day`.

    A history loaded in one piece knows ends that nobody could know on an earlier day: an end on
    or after the day is left out, and the contact was then still going on.
    """
    at = row.get("occurred_at")
    ended = row["ended_day"]
    return {
        "contact_key": row["contact_key"],
        "version": row["version"],
        "occurred_on": iso(row["occurred_day"]),
        "occurred_at": None if at is None else at.isoformat(),
        "ended_on": iso(ended) if ended is not None and ended < day else None,
        "known_on": iso(row["known_day"]),
        "known_basis": row["known_basis"],
        "agency": row["agency"],
        "type": row["type"],
        "link": row["link"],
        "attributes": dict(zip(ATTRIBUTES, map(row.get, ATTRIBUTES), strict=True)),
        "quantity": row.get("quantity"),
        "source": row["source"],
        "file": row["source_file"],
        "line": row["source_line"],
        "record_id": row["record_id"],
        "issues": (row.get("issues") or "").split(),
        "new": since is not None and row["known_day"] >= since,
        "in_pattern": row["contact_key"] in pattern,
        "withdrawn": False,
    }


def voice(contacts: Iterable[Row]) -> Row:
    """Which of the shown contacts hold the child's voice, and the latest day of them."""
    heard = [
        contact
        for contact in contacts
        if contact["link"] == OWN
        and (contact["type"] == VOICE_TYPE or contact["attributes"]["voice"] == "yes")
    ]
    return {
        "contact_keys": [contact["contact_key"] for contact in heard],
        "latest": max((contact["occurred_on"] for contact in heard), default=None),
    }


def child(person_id: str, person: Row | None, as_of: dt.date) -> Row:
    """Who the page is about: age, initials or local number, and kind."""
    born = None if person is None else person.get("birth_day")
    birth = None if born is None else date_of(born)
    months = None if birth is None else _months(birth, as_of)
    unborn = months is not None and birth is not None and birth > as_of
    kind = "child" if person is None else (person.get("kind") or "child")
    return {
        "age_years": None if months is None or unborn else months // 12,
        "age_months": None if unborn else months,
        "display": initials(person) or person_id,
        "kind": "unborn" if unborn else kind,
    }


def initials(person: Row | None) -> str | None:
    """Initials of a person whose names are held."""
    if person is None:
        return None
    names = [person.get("given_name"), person.get("family_name")]
    letters = [name.strip()[0].upper() for name in names if name and name.strip()]
    return "".join(f"{letter}." for letter in letters) or None


def _months(birth: dt.date, day: dt.date) -> int:
    months = (day.year - birth.year) * 12 + day.month - birth.month
    return months - (day.day < birth.day)


@lru_cache(maxsize=16384)
def iso(number: int | None) -> str | None:
    """A day number as an ISO date; None stays None."""
    return None if number is None else date_of(number).isoformat()
