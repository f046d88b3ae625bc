"""Recent improvement: what a child's own visible records tell of things getting better.

Three kinds, each plainly defined and with the contacts behind it; the model has no part in them.
Silence is not improvement: a kind of record is looked at only up to the day to which every feed
that tells of it is complete, and not at all when one of them is lost or the child may have left
school.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskflag.clock import date_of, day_number

if TYPE_CHECKING:
    from riskflag.history.store.coverage import FeedState

Row = dict[str, Any]

OWN = "self"
ABSENCE = "school.absence"
#: Absences are compared over so many days with the same number of days before.
COMPARED_DAYS = 90
#: So many sessions must have been missed before, and at most half as many since.
MISSED_BEFORE = 10
#: At these ages a child has to be in school.
SCHOOL_AGES = range(5, 16)
#: After one of these no absence may only mean that the child is not on a roll.
OFF_ROLL = (
    "school.home_educated",
    "school.missing_education",
    "school.move",
    "school.permanent_exclusion",
)
#: Kinds of records of which a run may come to an end.
RUNS = frozenset(
    {
        "ed.attendance",
        "missing.episode",
        "missing.report",
        "police.child_concern",
        "police.da_incident",
        "police.exploitation",
        "school.bullying",
        "school.concern",
        "school.suspension",
    }
)
#: A run is so many within a year; it is over when there was none for so many days.
RUN, RUN_DAYS, OVER_DAYS = 3, 365, 90
#: What was closed with an outcome: kinds of records that end, and the outcome that counts.
CLOSED = {
    "care.cp_plan": None,
    "care.cin_plan": None,
    "early_help.episode": "completed",
}
CLOSED_DAYS = 180
#: All kinds of records that are looked at.
READ = frozenset({ABSENCE, *OFF_ROLL, *RUNS, *CLOSED})


def seen_to(feeds: Iterable[FeedState], as_of: dt.date) -> dict[str, int]:
    """The last day (number) to which all feeds of each contact type are complete.

    A type of which a feed is lost is left out.
    """
    found: dict[str, int] = {}
    lost: set[str] = set()
    for feed in feeds:
        if not feed.usable or feed.complete_to is None:
            lost.update(feed.types)
            continue
        last = min(day_number(feed.complete_to), day_number(as_of) - 1)
        for name in feed.types:
            found[name] = min(found.get(name, last), last)
    return {name: day for name, day in found.items() if name not in lost}


def improvement(
    rows: Iterable[Row],
    day: int,
    *,
    seen: Mapping[str, int],
    pattern: Collection[str],
    age: int | None,
) -> list[Row]:
    """What has become better about one child, in plain JSON with the contacts behind each.

    `rows` are the contacts visible on day number `day`, `seen` is `seen_to`, `pattern` the keys
    behind the flag's reasons and `age` is in years.
    """
    by_type: dict[str, list[Row]] = {}
    read = [row for row in rows if row["type"] in READ and row["link"] == OWN]
    for row in sorted(read, key=lambda row: (row["occurred_day"], row["contact_key"])):
        if row["occurred_day"] < day:
            by_type.setdefault(row["type"], []).append(row)
    off_roll = _off_roll(by_type, day)
    known = {name: last for name, last in seen.items() if not (off_roll and _of_school(name))}
    found = [_fewer_absences(by_type.get(ABSENCE, ()), known.get(ABSENCE), age)]
    for name in sorted(RUNS & set(by_type) & set(known)):
        if any(row["contact_key"] in pattern for row in by_type[name]):
            found.append(_run_over(name, by_type[name], known[name]))
    for name, outcome in CLOSED.items():
        found.append(_closed(name, by_type.get(name, ()), day, outcome=outcome))
    return [one for one in found if one is not None]


def _of_school(name: str) -> bool:
    return name.startswith("school.")


def _off_roll(by_type: Mapping[str, Sequence[Row]], day: int) -> bool:
    since = day - 2 * COMPARED_DAYS
    return any(row["occurred_day"] >= since for name in OFF_ROLL for row in by_type.get(name, ()))


def _fewer_absences(rows: Sequence[Row], last: int | None, age: int | None) -> Row | None:
    """Half as many sessions missed as before, or fewer; unknown numbers tell nothing."""
    if last is None or age not in SCHOOL_AGES:
        return None
    middle, first = last - COMPARED_DAYS, last - 2 * COMPARED_DAYS
    held = [row for row in rows if first < row["occurred_day"] <= last]
    if any(row["quantity"] is None for row in held):
        return None
    before = sum(row["quantity"] for row in held if row["occurred_day"] <= middle)
    since = sum(row["quantity"] for row in held if row["occurred_day"] > middle)
    if before < MISSED_BEFORE or since > before / 2:
        return None
    told = {"before": before, "since": since, "days": COMPARED_DAYS}
    return _told("fewer_absences", ABSENCE, held, to=last, **told)


def _run_over(name: str, rows: Sequence[Row], last: int) -> Row | None:
    """A run of a kind of record, and none of that kind for long after."""
    end = rows[-1]["occurred_day"]
    run = [row for row in rows if end - RUN_DAYS < row["occurred_day"]]
    if len(run) < RUN or not OVER_DAYS <= last - end < RUN_DAYS:
        return None
    return _told("run_over", name, run, to=last, days=last - end)


def _closed(name: str, rows: Sequence[Row], day: int, *, outcome: str | None) -> Row | None:
    """The newest of a kind has ended lately, with the outcome that counts."""
    if not rows or any(row["ended_day"] is None or row["ended_day"] >= day for row in rows):
        return None
    newest = max(rows, key=lambda row: row["ended_day"])
    lately = newest["ended_day"] >= day - CLOSED_DAYS
    if not lately or (outcome is not None and newest["outcome"] != outcome):
        return None
    return _told("closed", name, [newest], to=newest["ended_day"])


def _told(kind: str, name: str, rows: Sequence[Row], *, to: int, **more: float) -> Row:
    keys = sorted(row["contact_key"] for row in rows)
    return {"kind": kind, "type": name, "to": date_of(to).isoformat(), **more, "contact_keys": keys}
