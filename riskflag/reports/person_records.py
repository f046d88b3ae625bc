"""All records of one child as a chronology that can be filtered, turned round and copied.

The records are those known before the flag's night, earlier ones than the flag's page holds too.
Other people's records show how they are related to the child, never who they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words
from riskflag.reports.flag_page import FlagPage
from riskflag.reports.records import Record, record
from riskflag.reports.silences import OWN, Gap, gaps

#: So many records stand on one page.
PER_PAGE = 100
#: Older than any record: nothing is left out of a chronology that holds everything.
ALWAYS = 100_000
#: Whose records to list.
WHOSE = {
    "": "The child, and linked people where a pattern holds it",
    "child": "The child only",
    "all": "The child and linked people",
    "linked": "Linked people only",
}


@dataclass(frozen=True)
class Choice:
    """What is chosen of the chronology; an empty text chooses everything.

    `since` and `until` are ISO dates, both days included; `pattern` is a reason's id; `page`
    counts from 1.
    """

    agency: str = ""
    type: str = ""
    whose: str = ""
    since: str = ""
    until: str = ""
    pattern: str = ""
    oldest_first: bool = False
    page: int = 1

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return any((self.agency, self.type, self.whose, self.since, self.until, self.pattern))


@dataclass(frozen=True)
class Line:
    """One record in the list: the record in words, its number on the flag's page, its course."""

    record: Record
    on_page: int | None
    course: str

    number = 1


@dataclass(frozen=True)
class AllRecords:
    """One page of the chronology, and all that is chosen as text to copy."""

    lines: tuple[Line | Gap, ...]
    total: int
    chosen: int
    page: int
    pages: int
    told: str
    text: str
    agencies: tuple[tuple[str, str], ...]
    types: tuple[tuple[str, str], ...]
    patterns: tuple[tuple[str, str], ...]


def all_records(
    flag: Mapping[str, Any],
    contacts: Sequence[Mapping[str, Any]],
    page: FlagPage,
    choice: Choice,
) -> AllRecords:
    """The chronology of `contacts` (contacts of a FLAG JSON, with versions) as it is chosen."""
    behind = _behind(flag, choice.pattern)
    chosen = [contact for contact in contacts if _is_chosen(contact, choice, behind)]
    chosen.sort(key=_order, reverse=not choice.oldest_first)
    pages = max(1, -(-len(chosen) // PER_PAGE))
    number = min(max(choice.page, 1), pages)
    lines = [_line(contact, page) for contact in chosen]
    part = lines[(number - 1) * PER_PAGE : number * PER_PAGE]
    told = _told(choice, page)
    return AllRecords(
        lines=_with_gaps(part, flag, contacts, choice),
        total=len(contacts),
        chosen=len(chosen),
        page=number,
        pages=pages,
        told=told,
        text=as_text(flag, lines, told),
        agencies=_options(contacts, "agency", words.agency),
        types=_options(contacts, "type", words.type_label),
        patterns=tuple((card.reason_id, card.heading) for card in page.patterns),
    )


def as_text(flag: Mapping[str, Any], lines: Sequence[Line], told: str) -> str:
    """The chosen records as plain text for a case system, one line each, oldest or newest first."""
    head = [
        f"Chronology for {flag['child']['display']}, flag {flag['flag_id']}",
        f"Records known before {words.day(flag['as_of'])}: {told}",
        "",
    ]
    return "\n".join([*head, *(_text(line.record) for line in lines)]) + "\n"


def _text(one: Record) -> str:
    status = ". ".join(filter(None, (one.standing, *one.status)))
    parts = (
        f"{one.date} {one.ended}".strip(),
        one.agency,
        f"{one.about}. {one.said}".strip(" ."),
        status,
        "Since withdrawn or corrected" if one.withdrawn else "",
        one.where,
    )
    return " | ".join(" ".join(part.split()) for part in parts if part)


def _order(contact: Mapping[str, Any]) -> tuple[str, str, str]:
    return contact["occurred_on"], contact.get("occurred_at") or "", contact["contact_key"]


def _behind(flag: Mapping[str, Any], pattern: str) -> frozenset[str]:
    """The contacts that one reason rests on."""
    reasons = (*flag["reasons"], *flag.get("earlier_reasons", ()))
    found = (reason["contact_keys"] for reason in reasons if reason["reason_id"] == pattern)
    return frozenset(key for keys in found for key in keys)


def _is_chosen(contact: Mapping[str, Any], choice: Choice, behind: frozenset[str]) -> bool:
    own = contact["link"] == OWN
    return (
        (not choice.agency or contact["agency"] == choice.agency)
        and (not choice.type or contact["type"] == choice.type)
        and _is_about(choice.whose, own=own, in_pattern=contact["in_pattern"])
        and (not choice.since or contact["occurred_on"] >= choice.since)
        and (not choice.until or contact["occurred_on"] <= choice.until)
        and (not choice.pattern or contact["contact_key"] in behind)
    )


def _is_about(whose: str, *, own: bool, in_pattern: bool) -> bool:
    """Whether a record is about whom the reader asked for.

    Unless they ask, other people's records are shown only as far as a pattern rests on them.
    """
    return {"": own or in_pattern, "child": own, "all": True, "linked": not own}[whose]


def _line(contact: Mapping[str, Any], page: FlagPage) -> Line:
    listed = page.records.by_key.get(contact["contact_key"])
    return Line(record(contact, 1), listed.number if listed else None, _course(contact))


def _course(contact: Mapping[str, Any]) -> str:
    """Whether the record was corrected or withdrawn by then, with the day."""
    if contact.get("withdrawn_on"):
        return f"Withdrawn on {words.day(contact['withdrawn_on'])}"
    versions: Sequence[Mapping[str, Any]] = contact.get("versions") or ()
    if len({version["version"] for version in versions}) > 1:
        return f"Changed on {words.day(versions[-1]['known_on'])}"
    return ""


def _with_gaps(
    lines: list[Line],
    flag: Mapping[str, Any],
    contacts: Sequence[Mapping[str, Any]],
    choice: Choice,
) -> tuple[Line | Gap, ...]:
    """The lines with the empty stretches among them; a narrowed list does not show silences."""
    if choice.narrowed or not lines:
        return tuple(lines)
    days = [line.record.iso for line in lines]
    whole = {**flag, "contacts": contacts}
    here = [gap for gap in gaps(whole, reach=ALWAYS) if min(days) <= gap.iso <= max(days)]
    mixed: list[Line | Gap] = [*here, *lines]
    return tuple(sorted(mixed, key=_place, reverse=not choice.oldest_first))


def _place(line: Line | Gap) -> tuple[str, int]:
    """A stretch begins after the record of its first day."""
    return (line.iso, 1) if isinstance(line, Gap) else (line.record.iso, 0)


def _options(
    contacts: Iterable[Mapping[str, Any]], field: str, label: Any
) -> tuple[tuple[str, str], ...]:
    """The values of a field that occur, with what they are called, in the order of their names."""
    found = {contact[field]: str(label(contact[field])) for contact in contacts}
    return tuple(sorted(found.items(), key=lambda item: (item[1], item[0])))


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _told(choice: Choice, page: FlagPage) -> str:
    """What is chosen, in words."""
    parts = [
        words.agency(choice.agency) if choice.agency else "all agencies",
        _lowered(words.type_label(choice.type)) if choice.type else "",
        "" if choice.pattern and not choice.whose else _lowered(WHOSE[choice.whose]),
        f"from {words.day(choice.since)}" if choice.since else "",
        f"to {words.day(choice.until)}" if choice.until else "",
    ]
    heading = next((c.heading for c in page.patterns if c.reason_id == choice.pattern), "")
    parts.append(f"behind the pattern “{heading}”" if heading else "")
    return ", ".join(part for part in parts if part)
