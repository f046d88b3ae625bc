"""The picture of the records over time: one lane per agency, marks by shape, gaps shown as gaps.

Places are percentages of the picture's width, so the drawing keeps its text size on a phone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from riskflag.reports import words
from riskflag.reports.axis import RIGHT, Scale, Tick
from riskflag.reports.records import Record, record
from riskflag.reports.silences import NEVER

LANE_HEIGHT = 42
TOP = 6
#: With more records than this, marks that would lie on each other are drawn as one.
MARKS = 80
#: How far apart (per cent of the width) marks then are at least, and how many are drawn at most.
STEP, DRAWN = 2.2, 140
#: Days that the picture reaches back.
LONGEST = 730


class TimeMark(NamedTuple):
    """One record: `shape` is pattern, other or help; `x` and `late_x` are percentages."""

    x: float
    shape: str
    end_x: float | None
    late_x: float | None
    withdrawn: bool


@dataclass(frozen=True)
class Lane:
    """One agency: its label, its marks, and where nothing could be seen (from, width)."""

    label: str
    y: int
    marks: tuple[TimeMark, ...]
    gap: tuple[float, float] | None


@dataclass(frozen=True)
class Timeline:
    """The whole picture; `title` states the finding and `desc` what is drawn, in words."""

    title: str
    desc: str
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    height: int
    without_feed: str
    has_late: bool
    has_span: bool
    has_gap: bool
    has_help: bool


def timeline(flag: Mapping[str, Any], records: Iterable[Record] | None = None) -> Timeline | None:
    """The picture of a FLAG JSON; None when there is no record to draw.

    `records` are the flag's as its page tells them, for a caller who has them.
    """
    contacts: Sequence[Mapping[str, Any]] = flag["contacts"]
    if not contacts:
        return None
    if records is None:
        records = [record(contact, 0) for contact in contacts]
    told = {one.key: one for one in records}
    scale = _scale(contacts, flag["as_of"])
    feeds = flag.get("not_seen", ())
    gaps = {f["agency"]: f.get("complete_to") for f in feeds if f.get("state") != NEVER}
    by_agency: dict[str, list[Mapping[str, Any]]] = {}
    for contact in sorted(contacts, key=lambda c: (c["occurred_on"], c["contact_key"])):
        by_agency.setdefault(contact["agency"], []).append(contact)
    order = sorted(by_agency, key=lambda name: (-len(by_agency[name]), name))
    order += sorted(set(gaps) - set(order))
    step = max(STEP, 100 * len(order) / DRAWN) if len(contacts) > MARKS else 0.0
    lanes = tuple(
        Lane(
            _label(name, by_agency.get(name, [])),
            TOP + index * LANE_HEIGHT,
            _marks(
                [_mark(c, told[c["contact_key"]], scale) for c in by_agency.get(name, [])], step
            ),
            _gap(gaps[name], scale) if name in gaps else None,
        )
        for index, name in enumerate(order)
    )
    marks = [mark for lane in lanes for mark in lane.marks]
    return Timeline(
        title=_title(flag, contacts),
        desc=_description(by_agency),
        lanes=lanes,
        ticks=scale.ticks(),
        height=TOP + len(lanes) * LANE_HEIGHT + 24,
        without_feed=_without_feed(feeds),
        has_late=any(mark.late_x is not None for mark in marks),
        has_span=any(mark.end_x is not None for mark in marks),
        has_gap=any(lane.gap for lane in lanes),
        has_help=any(mark.shape == "help" for mark in marks),
    )


def _scale(contacts: Sequence[Mapping[str, Any]], as_of: str) -> Scale:
    """A scale up to the night: from the first record, but from 30 days to two years wide."""
    last = dt.date.fromisoformat(as_of)
    first = dt.date.fromisoformat(min(contact["occurred_on"] for contact in contacts))
    shown = max(first, last - dt.timedelta(days=LONGEST))
    return Scale(min(shown, last - dt.timedelta(days=30)), last, earlier=first < shown)


def _label(name: str, contacts: Sequence[Mapping[str, Any]]) -> str:
    count = words.counted(len(contacts), "record") if contacts else "no record shown"
    return f"{words.agency(name)}: {count}"


def _gap(complete_to: str | None, scale: Scale) -> tuple[float, float] | None:
    """Where an agency's data ends and how much is missing, as percentages; None if nothing is."""
    start = scale.at(complete_to or scale.first.isoformat())
    return (start, round(RIGHT - start, 2)) if start < RIGHT else None


def _marks(marks: Iterable[TimeMark], step: float) -> tuple[TimeMark, ...]:
    """The marks of one lane, those in a pattern on top; at most one in each step if given."""
    marks = sorted(marks, key=lambda m: (m.shape == "pattern", m.x))
    if not step:
        return tuple(marks)
    kept = {int(mark.x / step): mark for mark in marks}
    return tuple(kept.values())


def _mark(contact: Mapping[str, Any], told: Record, scale: Scale) -> TimeMark:
    shape = "pattern" if contact["in_pattern"] else "help" if told.helps else "other"
    day, ended = contact["occurred_on"], contact.get("ended_on")
    x, end_x = scale.at(day), scale.at(ended) if ended and ended > day else None
    late_x = scale.at(contact["known_on"]) if told.late else None
    return TimeMark(x, shape, end_x, late_x, told.withdrawn)


def _without_feed(feeds: Sequence[Mapping[str, Any]]) -> str:
    """One line for all agencies without any feed, whose lanes would only be empty."""
    count = len({feed["agency"] for feed in feeds if feed.get("state") == NEVER})
    if not count:
        return ""
    more = words.counted(count, "more agency", "more agencies")
    sends = "sends" if count == 1 else "send"
    return f"{words.sentence(more)} {sends} us no data and cannot be drawn here."


def _title(flag: Mapping[str, Any], contacts: Sequence[Mapping[str, Any]]) -> str:
    agencies = len({contact["agency"] for contact in contacts})
    days = [contact["occurred_on"] for contact in contacts]
    return (
        f"{words.sentence(words.counted(len(contacts), 'record'))} from "
        f"{words.counted(agencies, 'agency', 'agencies')} "
        f"{words.period(min(days), max(days))}"
    )


def _description(by_agency: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    parts = []
    for name, contacts in sorted(by_agency.items(), key=lambda item: (-len(item[1]), item[0])):
        pattern = sum(bool(contact["in_pattern"]) for contact in contacts)
        parts.append(
            f"{words.agency(name)}: {words.counted(len(contacts), 'record')}, "
            f"{words.small(pattern)} in a pattern."
        )
    return " ".join(parts) + " The table below holds the same records."
