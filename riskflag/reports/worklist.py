"""The worklist of one night: who is waiting, since when and why; never ordered by a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.nightly.listing import in_order
from riskflag.reports import words
from riskflag.reports.flag_page import Fact, short
from riskflag.reports.flag_page import why as why_sentence

URGENT = "urgent"
NO_TEAM = "No team recorded"


@dataclass(frozen=True)
class Sibling:
    """The flag of a brother or sister who waits too: its number and its page's address."""

    flag_id: str
    address: str


@dataclass(frozen=True)
class Line:
    """One flag in the list."""

    flag_id: str
    display: str
    person_id: str
    age: str
    address: str
    waiting_since: str
    waiting_iso: str
    level: str
    level_label: str
    headline: str
    why: str
    agencies: str
    news: str
    new: bool
    standing: str
    siblings: tuple[Sibling, ...]
    team: str


@dataclass(frozen=True)
class Worklist:
    """All lines in order, with what the reader should know of the night."""

    as_of: str
    authority: str
    lines: tuple[Line, ...]
    capacity: str
    facts: tuple[Fact, ...]


def worklist(flags: Sequence[Mapping[str, Any]], publication: Mapping[str, Any]) -> Worklist:
    """The view of FLAG JSON dicts and a publication.

    `publication` may hold `as_of`, `authority`, `capacity_per_week`, `run_key` and `held_back`
    (children not raised because riskflag is paused), or none.
    """
    as_of = publication.get("as_of") or next((flag["as_of"] for flag in flags), None)
    run_key = publication.get("run_key") or next(
        (flag["versions"].get("run_key") for flag in flags), None
    )
    paused = _paused(publication.get("held_back"))
    ordered = in_order(flags)
    numbers = {flag["person_id"]: flag["flag_id"] for flag in ordered}
    return Worklist(
        as_of=words.day(as_of) if as_of else "this night",
        authority=str(publication.get("authority") or ""),
        lines=tuple(line(flag, numbers) for flag in ordered),
        capacity=" ".join(
            [
                capacity_line(len(flags), publication.get("capacity_per_week")),
                *(f"{fact.term}. {fact.value}" for fact in paused),
            ]
        ),
        facts=(
            Fact("Flags", f"{len(flags):,}"),
            Fact("New on this night", f"{sum(flag['status'] == 'new' for flag in flags):,}"),
            Fact("Urgent", f"{sum(flag['level'] == URGENT for flag in flags):,}"),
            Fact("Night (run key)", short(run_key)),
            *paused,
        ),
    )


def _paused(held_back: int | None) -> tuple[Fact, ...]:
    """What to know of a night on which riskflag was paused; `held_back` is None when it was not."""
    if held_back is None:
        return ()
    children = words.counted(held_back, "child", "children")
    told = f"No new flag was raised on this night. {words.sentence(children)} would have been."
    return (Fact("riskflag is paused", told),)


def address(flag_id: str) -> str:
    """A flag's page relative to the worklist; the name is made of safe characters only."""
    return f"flags/{safe_name(flag_id)}.html"


def safe_name(flag_id: str) -> str:
    """A file name from a flag number, whatever it holds."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "-") else "_" for c in flag_id)


def line(flag: Mapping[str, Any], numbers: Mapping[str, str]) -> Line:
    """One flag in words; `flag` may be cut down to what a list shows (riskflag.nightly.listing).

    `numbers` has the flag numbers of this list by person.
    """
    reasons = flag["reasons"] or flag.get("earlier_reasons") or ()
    first = reasons[0] if reasons else None
    level = words.words()["levels"].get(flag["level"], {})
    return Line(
        flag_id=flag["flag_id"],
        display=flag["child"]["display"],
        person_id=flag["person_id"],
        age=words.age(flag["child"]),
        address=address(flag["flag_id"]),
        waiting_since=words.day(flag["first_raised"]),
        waiting_iso=flag["first_raised"],
        level=flag["level"],
        level_label=level.get("label", words.plain(flag["level"])),
        headline=_headline(first, len(reasons)),
        why=why_sentence(flag),
        agencies=words.listed(words.agency(name) for name in flag["why"]["agencies"]),
        news=_news(flag),
        new=flag["status"] == "new",
        standing="" if flag.get("standing", "present") == "present" else "Not found again tonight",
        siblings=tuple(
            Sibling(numbers[person], address(numbers[person]))
            for person in flag.get("siblings") or ()
            if person in numbers
        ),
        team=_team(flag.get("care") or flag),
    )


def _team(told: Mapping[str, Any]) -> str:
    """The team of the newest allocation; that it was the last one when the allocation has ended."""
    team = told.get("team")
    return (f"Last with {team}" if told.get("team_until") else team) if team else NO_TEAM


def _headline(reason: Mapping[str, Any] | None, count: int) -> str:
    if reason is None:
        return "A pattern in the records"
    rule = reason.get("rule")
    heading = rule["title"] if rule else words.theme(reason.get("theme"))["heading"]
    more = f"; {words.counted(count - 1, 'other pattern')}" if count > 1 else ""
    return f"{heading}{more}"


def _news(flag: Mapping[str, Any]) -> str:
    count = sum(bool(contact.get("new")) for contact in flag["contacts"])
    if flag["status"] == "new":
        return "The flag is new"
    if count:
        return words.sentence(words.counted(count, "new record"))
    before = flag.get("previous_as_of")
    return f"Nothing new since {words.day(before)}" if before else "Nothing new"


def capacity_line(waiting: int, capacity: int | None) -> str:
    """How many wait, beside how many the team set itself to read in a week."""
    verb = "waits" if waiting == 1 else "wait"
    text = f"{words.sentence(words.counted(waiting, 'flag'))} {verb} for a person."
    return f"{text} Your team set {words.small(capacity)} a week." if capacity else text
