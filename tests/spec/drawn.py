"""Drawn histories: a small table of contacts and what it must come to.

A line reads `days ago | type | what is recorded`. Several days ago make several contacts;
`of=sibling` says whose contact it is when it is not the child's own; `known=3` says that the
authority first knew of it three days before the as-of date and not on the day it happened;
`ended=2` that it ended two days before the as-of date, `ended=open` that it has not ended.

    10, 40 | ed.attendance | category=injury
    5      | ed.attendance | category=injury known=0
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from riskflag.history.schema import load_vocabulary
from riskflag.history.store.view import History
from tests.factories import history_of

AS_OF = dt.date(2026, 4, 1)
CHILD = "child"
#: The child of a drawn history is eight years old unless the case says otherwise.
EIGHT = "2018-01-15"


@dataclass(frozen=True)
class Case:
    """One claim: a drawn history and the signals it must come to."""

    claim: str
    table: str
    expected: Mapping[str, float]
    born: str | None = EIGHT


@dataclass(frozen=True)
class RuleCase:
    """A rule with a history that fires it, one just below, and the feeds that make it unknown.

    `despite_loss` is what the firing history comes to when those feeds are lost: yes where what
    is recorded proves the rule whatever else may arrive, unknown where it rests on an absence.
    """

    rule: str
    fires: str
    below: str
    lost: tuple[str, ...]
    despite_loss: str = "yes"
    born: str | None = EIGHT
    says: tuple[str, ...] = field(default=())


def contacts_of(table: str) -> list[dict[str, object]]:
    """The contact rows of a drawn table."""
    rows: list[dict[str, object]] = []
    for line in filter(str.strip, table.splitlines()):
        days, name, what = (part.strip() for part in line.split("|"))
        for ago in days.split(","):
            rows.append(_row(int(ago), name, dict(pair.split("=") for pair in what.split())))
    return rows


def history(table: str, *, born: str | None = EIGHT, lost: Iterable[str] = ()) -> History:
    """The history of a drawn table; the feeds of the `lost` contact types stopped 100 days ago."""
    rows = contacts_of(table)
    others = sorted({str(row["person_id"]) for row in rows} - {CHILD})
    links = [{"person_id": CHILD, "related_id": kind, "kind": kind} for kind in others]
    return history_of(rows, [{"person_id": CHILD, "birth_on": born}], links, feeds(lost))


def feeds(lost: Iterable[str] = ()) -> list[dict[str, object]]:
    """Coverage of one feed per contact type, up to date but for the lost ones."""
    gone = set(lost)
    return [
        {
            "source": f"feed_{name}",
            "type": name,
            "complete_to": day_before(100 if name in gone else 1),
            "received_on": day_before(100 if name in gone else 1),
        }
        for name in load_vocabulary().types
    ]


def day_before(ago: int) -> dt.date:
    """The date so many days before the as-of date."""
    return AS_OF - dt.timedelta(days=ago)


def _row(ago: int, name: str, what: dict[str, str]) -> dict[str, object]:
    row: dict[str, object] = {
        "person_id": what.pop("of", CHILD),
        "type": name,
        "occurred_on": day_before(ago),
        "known_on": day_before(int(what.pop("known", ago))),
    }
    ended = what.pop("ended", None)
    if ended is not None:
        told = {"open_ended": True} if ended == "open" else {"ended_on": day_before(int(ended))}
        row |= told
    for number in ("quantity", "duration_days"):
        if number in what:
            row[number] = float(what.pop(number))
    return row | what
