"""What becomes of tonight's findings and of the flags that are already open.

Silence never closes, lowers or hides a flag. An open flag whose child was not found tonight stays,
with its earlier reasons and why they do not stand tonight: because something could not be
assessed, or because the pattern is no longer there. A review closes it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.casework.policies import ClosedFlag, comes_back
from riskflag.casework.publishing import OpenFlag, State
from riskflag.nightly.joined import join, split
from riskflag.scoring.combine import keyed_order
from riskflag.scoring.flags import RANK, FlagDraft, Level, Standing, higher

Row = dict[str, Any]

#: Why a reason does not stand tonight, by child and reason.
WhyNot = Callable[[str, Row], Standing]


@dataclass(frozen=True)
class Found:
    """A draft, the ids of its reasons, and the newest known day of the contacts behind them.

    `told` are the reasons, and the contacts behind the signals that were looked up for them, as
    bytes (riskflag.nightly.told): those of ten thousand children would take much room, and each
    copy of the process that reads some of them would have it anew.
    """

    draft: FlagDraft
    reason_ids: frozenset[str]
    newest_known: dt.date | None
    told: bytes


@dataclass(frozen=True)
class Entry:
    """One flag of tonight's publication."""

    flag_id: str
    person_id: str
    status: str
    level: Level
    standing: Standing
    raised_by: str
    first_raised: dt.date
    last_matched: dt.date
    previous_as_of: dt.date | None
    found: Found | None
    earlier_reasons: tuple[Row, ...]


@dataclass(frozen=True)
class Lives:
    """The night's entries in the order of the worklist, and how many reviews keep quiet.

    `held_back` counts the children who would have been raised if riskflag were not paused.
    """

    entries: tuple[Entry, ...]
    quiet: int
    held_back: int = 0


def live(
    found: Sequence[Found],
    state: State,
    as_of: dt.date,
    *,
    previous: Callable[[str], Row | None],
    why_not: WhyNot,
    paused: bool = False,
) -> Lives:
    """Tonight's flags: open ones go on, new ones begin unless paused, reviewed ones stay quiet.

    `found` is in the order in which new numbers are given; `previous` gives a flag of the
    previous publication by its id; its records and contributions are not asked for.
    """
    by_person = {one.draft.person_id: one for one in found}
    entries = [
        _continued(flag, by_person.get(flag.person_id), as_of, before=previous, why_not=why_not)
        for flag in state.open_flags
    ]
    open_people = {flag.person_id for flag in state.open_flags}
    closed = {flag.person_id: flag for flag in state.closed_flags}
    serial, quiet, held_back = state.last_serial, 0, 0
    for one in found:
        person = one.draft.person_id
        if person in open_people or one.draft.raised_by is None:
            continue
        if person in closed and not _returns(closed[person], one, as_of):
            quiet += 1
            continue
        if paused:
            held_back += 1
            continue
        serial += 1
        entries.append(_begun(one, as_of, serial))
    ordered = sorted(entries, key=lambda entry: worklist_order(entry, as_of))
    return Lives(tuple(ordered), quiet, held_back)


def worklist_order(entry: Entry, as_of: dt.date) -> tuple[int, dt.date, str]:
    """Most pressing level first, then the longest waiting, then a keyed hash; never the score."""
    return RANK[entry.level], entry.first_raised, keyed_order(as_of, entry.person_id)


def _begun(one: Found, as_of: dt.date, serial: int) -> Entry:
    return Entry(
        flag_id=f"F-{as_of.year:04d}-{serial:06d}",
        person_id=one.draft.person_id,
        status="new",
        level=one.draft.level,
        standing="present",
        raised_by=one.draft.raised_by or "rule",
        first_raised=as_of,
        last_matched=as_of,
        previous_as_of=None,
        found=one,
        earlier_reasons=(),
    )


def _continued(
    flag: OpenFlag,
    one: Found | None,
    as_of: dt.date,
    *,
    before: Callable[[str], Row | None],
    why_not: WhyNot,
) -> Entry:
    earlier = before(flag.flag_id)
    holds = one is not None and bool(one.reason_ids)
    carried = _carried(earlier, one.reason_ids if one is not None else frozenset(), why_not)
    level: Level = "routine" if earlier is None else earlier["level"]
    if one is not None and holds:
        level = higher(level, one.draft.level)
    return Entry(
        flag_id=flag.flag_id,
        person_id=flag.person_id,
        status="new" if flag.first_raised == as_of else "continuing",
        level=level,
        standing="present" if holds else _standing(carried),
        raised_by=flag.raised_by,
        first_raised=flag.first_raised,
        last_matched=as_of if holds else flag.last_matched,
        previous_as_of=flag.previous_as_of,
        found=one,
        earlier_reasons=carried,
    )


def _carried(earlier: Row | None, present: frozenset[str], why_not: WhyNot) -> tuple[Row, ...]:
    """The reasons of the previous publication that do not stand tonight, with why."""
    if earlier is None:
        return ()
    held = [{**reason, "last_matched": earlier["as_of"]} for reason in earlier["reasons"]]
    before = [one for reason in [*held, *earlier["earlier_reasons"]] for one in split(reason)]
    kept = {
        reason["reason_id"]: {**reason, "standing": why_not(earlier["person_id"], reason)}
        for reason in reversed(before)
        if reason["reason_id"] not in present
    }
    return tuple(join(kept[reason_id] for reason_id in sorted(kept)))


def _standing(carried: Sequence[Row]) -> Standing:
    """Of several reasons the one that says least is known tells how the whole flag stands."""
    found = {reason["standing"] for reason in carried}
    order: tuple[Standing, ...] = (
        "not_reassessed",
        "outside_group",
        "rule_withdrawn",
        "no_longer_present",
    )
    return next((standing for standing in order if standing in found), "not_reassessed")


def _returns(closed: ClosedFlag, one: Found, as_of: dt.date) -> bool:
    return comes_back(
        closed,
        as_of,
        reason_ids=one.reason_ids,
        newest_known=one.newest_known,
        level=one.draft.level,
    )
