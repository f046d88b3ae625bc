"""The worklist of the web app: the same lines as the file of one night, with what came after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.casework.worklist import PAGE_SIZE, Listed, WorklistPage
from riskflag.clock import LONDON
from riskflag.reports import words
from riskflag.reports.links import Links
from riskflag.reports.worklist import Line, capacity_line, line

#: At most so many late deliveries are named on the list; how this works has all of them.
MOST_LATE = 4


@dataclass(frozen=True)
class WaitingLine:
    """One flag: the line of the night, its page here, when to look, when somebody last did."""

    line: Line
    href: str
    due: str
    due_iso: str
    reviewed: str
    siblings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Waiting:
    """One page of the list and what its reader should know of it.

    `facts` are sentences about what the night could not see or do; never none without a reason.
    """

    lines: tuple[WaitingLine, ...]
    capacity: str
    shown: str
    as_of: str
    total: int
    waiting: int
    page: int
    pages: int
    facts: tuple[str, ...]


def waiting(page: WorklistPage, manifest: Mapping[str, Any], *, capacity: int) -> Waiting:
    """The view of one page; `manifest` is the current publication's, empty before the first."""
    return Waiting(
        lines=tuple(_line(one, page.numbers) for one in page.lines),
        capacity=capacity_line(page.waiting, capacity),
        shown=_shown(page),
        as_of=words.day(page.as_of) if page.as_of else "",
        total=page.total,
        waiting=page.waiting,
        page=page.page,
        pages=page.pages,
        facts=facts(manifest),
    )


def facts(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """What the night could not see or do, as sentences."""
    if not manifest:
        return ("No night has been published yet, so no child has been looked at.",)
    told = list(_late(manifest.get("feeds") or ()))
    counts = manifest.get("counts") or {}
    missed = int(counts.get("not_assessed") or 0)
    if missed:
        verb = "was" if missed == 1 else "were"
        told.append(
            f"{words.sentence(words.counted(missed, 'child', 'children'))} {verb} not fully "
            "assessed on this night. They are not known to be safe."
        )
    left_out = int(counts.get("left_out_for_capacity") or 0)
    if left_out:
        told.append(
            f"The model pointed to {words.counted(left_out, 'further child', 'further children')}. "
            "They are not listed: they are beyond the number that your team set."
        )
    return tuple(told)


def _late(feeds: Sequence[Mapping[str, Any]]) -> list[str]:
    late = [feed for feed in feeds if feed.get("source") and feed.get("state") != "FRESH"]
    if not late:
        return []
    names = [
        f"{words.agency(str(feed['agency']))} ({words.plain(str(feed['source']))}{_reach(feed)})"
        for feed in late[:MOST_LATE]
    ]
    more = len(late) - len(names)
    rest = f", and {words.counted(more, 'other delivery', 'other deliveries')}" if more else ""
    return [f"Late or missing on this night: {'; '.join(names)}{rest}."]


def _reach(feed: Mapping[str, Any]) -> str:
    reach = feed.get("complete_to")
    return f", up to {words.day(reach)}" if reach else ", nothing"


def _shown(page: WorklistPage) -> str:
    first = (page.page - 1) * PAGE_SIZE + 1
    last = first + len(page.lines) - 1
    if first == 1 and last == page.total:
        return "The one flag" if last == 1 else f"All {words.small(last)} flags"
    return f"{first:,} to {last:,} of {page.total:,} flags"


def _line(one: Listed, numbers: Mapping[str, str]) -> WaitingLine:
    told = line(one.flag, numbers)
    return WaitingLine(
        line=told,
        href=Links(one.flag_id).flag,
        due=words.day(one.due_on) if one.due_on else "",
        due_iso=one.due_on.isoformat() if one.due_on else "",
        reviewed=_reviewed(one.reviewed_on),
        siblings=tuple((s.flag_id, Links(s.flag_id).flag) for s in told.siblings),
    )


def _reviewed(at: dt.datetime | None) -> str:
    return f"Read on {words.day(at.astimezone(LONDON).date())}" if at else "Not read yet"
