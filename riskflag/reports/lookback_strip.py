"""The strip of a look-back: a lane per agency, per pattern, and for the child's words.

A record's mark stands on the day of the event; a dashed line leads to the day it was known. Bars
are times in which a pattern would have been seen. Places are percentages of the width.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from riskflag.reports import words
from riskflag.reports.axis import Scale, Tick

Row = Mapping[str, Any]

LANE_HEIGHT = 42
TOP = 6
#: Marks nearer to each other than this (per cent of the width) are drawn as one.
STEP = 0.9
#: So many patterns have a lane; the table holds the rest.
PATTERNS = 10


class Mark(NamedTuple):
    """One record: the day of the event and, when it came late, the day it was known."""

    x: float
    known_x: float | None


@dataclass(frozen=True)
class Lane:
    """One line of the strip: marks, bars (from, width) and gaps (from, width)."""

    label: str
    y: int
    marks: tuple[Mark, ...] = ()
    bars: tuple[tuple[float, float], ...] = ()
    gaps: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Strip:
    """The whole strip; `title` states the finding and `desc` says what is drawn."""

    title: str
    desc: str
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    height: int
    has_gaps: bool
    has_late: bool
    more: int


def strip(course: Row) -> Strip:
    """The strip of a look-back's JSON."""
    scale = Scale(dt.date.fromisoformat(course["from"]), dt.date.fromisoformat(course["to"]))
    patterns = _patterns(course)
    drawn = [*_agencies(course, scale), _voice(course, scale)]
    drawn += [(label, {"bars": _bars(spells, scale)}) for label, spells in patterns[:PATTERNS]]
    lanes = tuple(
        Lane(label, TOP + index * LANE_HEIGHT, **parts)
        for index, (label, parts) in enumerate(drawn)
    )
    return Strip(
        title=_title(course, patterns),
        desc=_description(course, patterns),
        lanes=lanes,
        ticks=scale.ticks(),
        height=TOP + len(lanes) * LANE_HEIGHT + 24,
        has_gaps=any(lane.gaps for lane in lanes),
        has_late=any(mark.known_x is not None for lane in lanes for mark in lane.marks),
        more=len(patterns[PATTERNS:]),
    )


def _agencies(course: Row, scale: Scale) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for line in course["agencies"]:
        mine = [r for r in course["records"] if r["agency"] == line["agency"]]
        gaps = [f for f in course["feeds"] if f["agency"] == line["agency"]]
        label = f"{words.agency(line['agency'])}: {words.counted(len(mine), 'record')}"
        parts = {"marks": _marks(mine, scale, course["late_days"]), "gaps": _bars(gaps, scale)}
        found.append((label, parts))
    shown = {line["agency"] for line in course["agencies"]}
    silent: dict[str, list[Row]] = {}
    for feed in course["feeds"]:
        if feed["agency"] not in shown:
            silent.setdefault(feed["agency"], []).append(feed)
    for agency, gaps in sorted(silent.items()):
        found.append((f"{words.agency(agency)}: no record", {"gaps": _bars(gaps, scale)}))
    return found


def _marks(records: Iterable[Row], scale: Scale, late_days: int) -> tuple[Mark, ...]:
    """A mark per record; of those that would lie on each other the latest-known is kept."""
    kept: dict[int, Mark] = {}
    for record in records:
        waited = record["days_to_know"]
        known = scale.at(record["known_on"]) if waited is not None and waited > late_days else None
        mark = Mark(scale.at(record["occurred_on"]), known)
        place = int(mark.x / STEP)
        held = kept.get(place)
        if held is None or (known or 0.0) > (held.known_x or 0.0):
            kept[place] = mark
    return tuple(kept.values())


def _bars(spells: Iterable[Row], scale: Scale) -> tuple[tuple[float, float], ...]:
    return tuple(_bar(spell, scale) for spell in spells)


def _bar(spell: Row, scale: Scale) -> tuple[float, float]:
    start = scale.at(spell["from"])
    return start, round(max(scale.at(spell["to"]) - start, 0.25), 2)


def _voice(course: Row, scale: Scale) -> tuple[str, dict[str, Any]]:
    heard = [record for record in course["records"] if record["voice"]]
    count = words.counted(len(heard), "record")
    return f"The child's words: {count}", {
        "marks": _marks(heard, scale, course["late_days"]),
        "gaps": _bars(course["voice"]["silences"], scale),
    }


def _patterns(course: Row) -> list[tuple[str, Sequence[Row]]]:
    """Rules that would have been met, in the order of their first day; then the model."""
    rules = sorted(
        (rule for rule in course["rules"] if rule["spells"]),
        key=lambda rule: (rule["spells"][0]["from"], rule["id"]),
    )
    found: list[tuple[str, Sequence[Row]]] = [(r["title"], r["spells"]) for r in rules]
    model = course["model"]
    if model is not None and model["spells"]:
        found.insert(0, ("The model", model["spells"]))
    return found


def _title(course: Row, patterns: Sequence[tuple[str, Sequence[Row]]]) -> str:
    count = words.counted(len(course["records"]), "record")
    many = words.counted(len(patterns), "pattern")
    when = words.period(course["from"], course["to"])
    return f"{words.sentence(count)} and {many} that would have been seen, {when}"


def _description(course: Row, patterns: Sequence[tuple[str, Sequence[Row]]]) -> str:
    parts = []
    for line in course["agencies"]:
        text = f"{words.agency(line['agency'])}: {words.counted(line['records'], 'record')}"
        parts.append(f"{text}, {words.small(line['late'])} of them late.")
    for label, spells in patterns[:PATTERNS]:
        parts.append(f"{label}: first on {words.day(spells[0]['from'])}.")
    return " ".join(parts) + " The tables below hold the same."
