"""Where a child stands with social care at the as-of date, as far as visible contacts tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from riskflag.clock import date_of

Row = dict[str, Any]

#: Contacts whose interval says that a child is on a plan or looked after, the weightiest first.
STATUSES = ("care.looked_after", "care.cp_plan", "care.cin_plan")
ALLOCATED = "care.worker_change"
READ = frozenset({*STATUSES, ALLOCATED})
OWN = "self"


def care(rows: Iterable[Row], day: int, *, unseen: frozenset[str]) -> Row:
    """What is recorded of plans, of being looked after and of the last allocation.

    `rows` are a child's contacts visible on day number `day`, `unseen` the contact types that no
    feed tells of now. An interval is open when its end is not known or not before the day. A
    status names its newest open contact; "since" is the first day of an unbroken row of intervals.
    The team is that of the newest allocation that names one, None when none does; `team_until` is
    the day on which that allocation ended, None while it is open.
    Not recorded is not no: `not_seen` names what could not be looked up.
    """
    own = [
        row
        for row in rows
        if row["type"] in READ and row["link"] == OWN and row["occurred_day"] < day
    ]
    by_type: dict[str, list[Row]] = {}
    for row in sorted(own, key=lambda row: (row["occurred_day"], row["contact_key"])):
        by_type.setdefault(row["type"], []).append(row)
    found = (_status(by_type.get(name, ()), day) for name in STATUSES)
    allocated = by_type.get(ALLOCATED, ())
    return {
        "status": [status for status in found if status is not None],
        "worker_allocated_on": _iso(allocated[-1]["occurred_day"]) if allocated else None,
        **_team(allocated, day),
        "not_seen": sorted(unseen.intersection((*STATUSES, ALLOCATED))),
    }


def _status(rows: Iterable[Mapping[str, Any]], day: int) -> Row | None:
    """The open interval among those of one type, oldest first; None when none is open.

    An interval that begins on the day another one ended, or the day after, goes on with it.
    """
    since, until, newest = None, -1, None
    for row in rows:
        if since is None or row["occurred_day"] > until + 1:
            since = row["occurred_day"]
        ended = day if row["ended_day"] is None else row["ended_day"]
        until = max(until, ended)
        if ended >= day:
            newest = row
    if newest is None or since is None:
        return None
    return {"type": newest["type"], "since": _iso(since), "contact_key": newest["contact_key"]}


def _team(allocated: Iterable[Mapping[str, Any]], day: int) -> Row:
    """The team of the newest allocation that names one, oldest first, and until when."""
    named = [row for row in allocated if row.get("organisation")]
    if not named:
        return {"team": None, "team_until": None}
    ended = named[-1]["ended_day"]
    until = None if ended is None or ended >= day else _iso(ended)
    return {"team": str(named[-1]["organisation"]), "team_until": until}


def _iso(number: int) -> str:
    return date_of(number).isoformat()
