"""What a worklist shows of each flag: its order, and the FLAG JSON cut down to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from riskflag.casework.policies import URGENT
from riskflag.casework.publishing import FlagRow

Row = dict[str, Any]

#: Parts of a flag that a list shows as they are.
PLAIN = (
    *("flag_id", "person_id", "as_of", "status", "level", "standing", "first_raised"),
    *("previous_as_of", "child", "siblings", "why"),
)


def in_order(flags: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Urgent rules first, then who has waited longest; brothers and sisters stand together.

    A flag may name other children of the family that are known to it in `siblings` (person ids).
    """
    queue = sorted(flags, key=lambda f: (f["level"] != URGENT, f["first_raised"], f["flag_id"]))
    by_person = {flag["person_id"]: flag for flag in queue}
    ordered: dict[str, Mapping[str, Any]] = {}
    for flag in queue:
        ordered.setdefault(flag["flag_id"], flag)
        for person in flag.get("siblings") or ():
            if person in by_person:
                sibling = by_person[person]
                ordered.setdefault(sibling["flag_id"], sibling)
    return list(ordered.values())


def listed(flag: Mapping[str, Any]) -> Row:
    """The part of FLAG JSON that a list shows, in the same shape; new contacts are only counted."""
    return {
        # A publication of an older program does not name brothers and sisters.
        **{name: flag.get(name) for name in PLAIN},
        **{name: (flag.get("care") or {}).get(name) for name in ("team", "team_until")},
        "reasons": [_short(reason) for reason in flag["reasons"]],
        "earlier_reasons": [_short(reason) for reason in flag["earlier_reasons"]],
        "contacts": [{"new": True} for contact in flag["contacts"] if contact["new"]],
    }


def with_places(
    rows: Sequence[FlagRow], short: Sequence[Row], sizes: Iterable[int]
) -> list[FlagRow]:
    """The rows with what lists read.

    `short` (`listed`) are in the order of the rows and of `sizes`, the bytes of each line of
    flags.json.
    """
    places = {flag["flag_id"]: place for place, flag in enumerate(in_order(short))}
    return [
        replace(row, place=places[row.flag_id], starts=starts, length=length, **_facts(flag))
        for row, flag, (starts, length) in zip(rows, short, lines(sizes), strict=True)
    ]


def lines(sizes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Where each flag stands in flags.json (riskflag.nightly.folder): first byte and length."""
    starts = len("[\n")
    for size in sizes:
        yield starts, size
        starts += size + len(",\n")


def _facts(short: Row) -> dict[str, Any]:
    return {
        "listed": json.dumps(short, sort_keys=True, allow_nan=False, ensure_ascii=False),
        "agencies": tuple(short["why"]["agencies"]),
        "new_records": len(short["contacts"]),
        "team": short["team"] or "",
    }


def _short(reason: Mapping[str, Any]) -> Row:
    """A reason's id, theme, and its rule's title when it has a rule."""
    rule = reason["rule"]
    return {
        "reason_id": reason["reason_id"],
        "theme": reason["theme"],
        "rule": None if rule is None else {"id": rule["id"], "title": rule["title"]},
    }
