"""One record: what it says, what its kind means, where it comes from, and what it said before."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words
from riskflag.reports.flag_page import Fact, FlagPage
from riskflag.reports.records import Record, record
from riskflag.reports.silences import OWN

WITHHELD = (
    "This record is about somebody else. Who that is, and the line in the file, are held back."
)


@dataclass(frozen=True)
class Wording:
    """What the record said from one day to another, and what changed against the day before."""

    known: str
    until: str
    said: str
    status: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class RecordPage:
    """One record of a child, ready to show."""

    key: str
    record: Record
    meaning: str
    standing: str
    standing_means: str
    patterns: tuple[tuple[str, str], ...]
    facts: tuple[Fact, ...]
    missing: tuple[str, ...]
    provenance: tuple[Fact, ...]
    wordings: tuple[Wording, ...]
    course: str
    withheld: str


def record_page(
    contact: Mapping[str, Any], flag: Mapping[str, Any], page: FlagPage, *, meaning: str
) -> RecordPage:
    """The page of one contact (with `versions`); `meaning` is its type's definition."""
    own = contact["link"] == OWN
    label, means = words.standing_told(contact)
    one, facts = record(contact, 1), tuple(_facts(contact))
    return RecordPage(
        key=contact["contact_key"],
        record=one,
        meaning=meaning or "This authority added this kind of record. Ask its data steward.",
        standing=label,
        standing_means=means,
        patterns=tuple(_patterns(contact, flag, page)),
        facts=facts,
        missing=tuple(text for text in one.status if text not in {f.value for f in facts}),
        provenance=tuple(_provenance(contact, own=own)),
        wordings=tuple(_wordings(contact.get("versions") or (contact,))),
        course=_course(contact),
        withheld="" if own else WITHHELD,
    )


def _patterns(
    contact: Mapping[str, Any], flag: Mapping[str, Any], page: FlagPage
) -> Iterator[tuple[str, str]]:
    """Heading and anchor of the patterns that rest on this record."""
    reasons = (*flag["reasons"], *flag.get("earlier_reasons", ()))
    for reason, card in zip(reasons, page.patterns, strict=True):
        if contact["contact_key"] in reason["contact_keys"]:
            yield card.heading, card.anchor


def _facts(contact: Mapping[str, Any]) -> Iterator[Fact]:
    """Everything the record holds, in words."""
    yield Fact("Agency", words.agency(contact["agency"]))
    yield Fact("Kind of record", words.type_label(contact["type"]))
    for name, value in contact["attributes"].items():
        if value and (name != "organisation" or words.place(contact)):
            yield Fact(words.attribute(name), words.sentence(words.value_word(name, value)))
    quantity = words.quantity(contact)
    if quantity:
        yield Fact("How much", quantity)
    for issue in contact.get("issues") or ():
        known = words.words()["issues"].get(issue)
        yield Fact("Quality", known or words.sentence(words.plain(issue)))


def _provenance(contact: Mapping[str, Any], *, own: bool) -> Iterator[Fact]:
    """Source, file and line, and how the day of becoming known was found."""
    yield Fact("Sent by", words.agency(contact["agency"]))
    yield Fact("Source", str(contact["source"]))
    yield Fact("File", str(contact.get("file") or "not recorded"))
    if own:
        line = contact.get("line")
        yield Fact("Line", "not recorded" if line is None else str(line))
        yield Fact("Number in that source", str(contact.get("record_id") or "not recorded"))
    yield Fact("Known from", words.day(contact["known_on"]))
    yield Fact("How that day is known", words.basis(contact["known_basis"]))


def _wordings(versions: Sequence[Mapping[str, Any]]) -> Iterator[Wording]:
    for before, now in itertools.pairwise([None, *versions]):
        assert now is not None
        until = now.get("until")
        one = record(now, 1)
        yield Wording(
            known=words.day(now["known_on"]),
            until=words.day(until) if until else "",
            said=f"{one.said}, {one.date}{' ' + one.ended if one.ended else ''}",
            status=one.status,
            changed=() if before is None else tuple(_changes(before, now)),
        )


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two wordings, each in one short line."""
    for name, term in (("occurred_on", "Day"), ("ended_on", "End")):
        if before.get(name) != now.get(name):
            yield _change(term, _day(before.get(name)), _day(now.get(name)))
    if before["type"] != now["type"]:
        old, new = words.type_label(before["type"]), words.type_label(now["type"])
        yield _change("Kind of record", old, new)
    for name in sorted({*before["attributes"], *now["attributes"]}):
        old, new = before["attributes"].get(name), now["attributes"].get(name)
        if old != new:
            yield _change(words.attribute(name), _value(name, old), _value(name, new))
    if before.get("quantity") != now.get("quantity"):
        old, new = words.quantity(before), words.quantity(now)
        yield _change("How much", old or "not recorded", new or "not recorded")


def _change(term: str, old: str, new: str) -> str:
    return f"{term}: was {old}, then {new}."


def _value(name: str, value: str | None) -> str:
    return words.value_word(name, value) if value else "not recorded"


def _day(value: str | None) -> str:
    return words.day(value) if value else "not recorded"


def _course(contact: Mapping[str, Any]) -> str:
    if contact.get("withdrawn_on"):
        day = words.day(contact["withdrawn_on"])
        return f"The agency withdrew this record on {day}. This is what it said last."
    return ""
