"""Alert health: what came of the flags, by rule, theme of the model, agency and group of children.

*Worth bringing* is what reviewers say of the flag, apart from what they decided. Nothing here is
told of one reviewer, and no count of fewer than ten children.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework.groups import KINDS, NOT_RECORDED, Groups
from riskflag.casework.rows import names_between
from riskflag.casework.small_numbers import Share, hidden, wilson
from riskflag.casework.store import Store
from riskflag.casework.tables import Flag, FlagVersion, Reason, Review
from riskflag.casework.worklist import of_team

T = TypeVar("T")

RULES, THEMES = "rule:", "model:"
WORTH = ("new_to_me", "knew_most")


@dataclass(frozen=True)
class HealthLine:
    """One rule, theme, agency or group; None stands for a number too small to tell.

    `flags` were raised in the period; `again` of them for a child who had a flag before. Of the
    `reviewed` ones, `worth` is the share that was worth bringing, with its interval.
    """

    name: str
    flags: int | None
    first: int | None
    again: int | None
    reviewed: int | None
    worth: Share | None


@dataclass(frozen=True)
class AlertHealth:
    """The period's flags: all of them, and by rule, theme, agency and kind of group.

    A flag counts with every agency behind its reasons, as they were last published.
    `groups` is empty when nothing is recorded of the children themselves.
    """

    since: dt.date
    until: dt.date
    all: HealthLine
    rules: tuple[HealthLine, ...]
    themes: tuple[HealthLine, ...]
    agencies: tuple[HealthLine, ...]
    groups: Mapping[str, tuple[HealthLine, ...]]


@dataclass(frozen=True)
class _Flagged:
    person_id: str
    again: bool
    worth: bool | None
    reasons: tuple[str, ...]
    agencies: tuple[str, ...]


def raised_on(
    store: Store, since: dt.date, until: dt.date, *, team: str | None = None
) -> dict[str, dt.date]:
    """The children flagged in a period, by person id, each with the first day: whose groups count.

    Both days are in the period. With `team` only its flags count, by the team they named when they
    were last published; an empty text asks for flags without a team.
    """
    version = sa.exists().where(FlagVersion.id == Flag.version_id, of_team(team or ""))
    theirs = sa.true() if team is None else version
    with store.reading() as session:
        rows = session.execute(
            sa.select(Flag.person_id, sa.func.min(Flag.first_raised))
            .where(Flag.first_raised.between(since, until), theirs)
            .group_by(Flag.person_id)
        )
        return {row[0]: row[1] for row in rows}


def alert_health(
    store: Store, since: dt.date, until: dt.date, groups: Mapping[str, Groups] | None = None
) -> AlertHealth:
    """What came of the flags first raised from `since` to `until`.

    `groups` (riskflag.casework.groups) has the groups of each child of `raised_on`.
    """
    with store.reading() as session:
        flagged = _flagged(session, since, until)
    by_reason = _sorted_by((name, one) for one in flagged for name in one.reasons)
    known = groups or {}
    return AlertHealth(
        since,
        until,
        _lines({"all": flagged}, parts_of_a_whole=False)[0],
        _lines(_starting(by_reason, RULES), parts_of_a_whole=False),
        _lines(_starting(by_reason, THEMES), parts_of_a_whole=False),
        _lines(
            _sorted_by((name, one) for one in flagged for name in one.agencies),
            parts_of_a_whole=False,
        ),
        {kind: _group_lines(kind, flagged, known) for kind in KINDS if known},
    )


def _flagged(session: Session, since: dt.date, until: dt.date) -> list[_Flagged]:
    """Each flag of the period with its newest review's word on whether it was worth bringing."""
    newest = (
        sa.select(Review.flag_id, sa.func.max(Review.number).label("number"))
        .group_by(Review.flag_id)
        .subquery()
    )
    earlier = sa.select(sa.func.min(Flag.flag_id)).group_by(Flag.person_id)
    again = Flag.flag_id.not_in(earlier)
    rows = session.execute(
        sa.select(Flag.flag_id, Flag.person_id, again, Review.worth_bringing, FlagVersion.agencies)
        .outerjoin(FlagVersion, FlagVersion.id == Flag.version_id)
        .outerjoin(newest, newest.c.flag_id == Flag.flag_id)
        .outerjoin(
            Review,
            sa.and_(Review.flag_id == Flag.flag_id, Review.number == newest.c.number),
        )
        .where(Flag.first_raised.between(since, until))
        .order_by(Flag.flag_id)
    ).all()
    reasons = _sorted_by(
        (flag_id, reason_id)
        for flag_id, reason_id in session.execute(
            sa.select(Reason.flag_id, Reason.reason_id)
            .join(Flag, Flag.flag_id == Reason.flag_id)
            .where(Flag.first_raised.between(since, until))
        )
    )
    return [
        _Flagged(
            person,
            bool(again),
            None if worth is None else worth in WORTH,
            tuple(reasons.get(flag_id, ())),
            names_between(agencies),
        )
        for flag_id, person, again, worth, agencies in rows
    ]


def _sorted_by(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for name, one in pairs:
        found.setdefault(name, []).append(one)
    return dict(sorted(found.items()))


def _starting(found: Mapping[str, list[_Flagged]], start: str) -> dict[str, list[_Flagged]]:
    return {name.removeprefix(start): of for name, of in found.items() if name.startswith(start)}


def _group_lines(
    kind: str, flagged: list[_Flagged], groups: Mapping[str, Groups]
) -> tuple[HealthLine, ...]:
    """Every flag is in one group of a kind, so the groups add up to all flags."""
    by_group = _sorted_by(
        (groups.get(one.person_id, {}).get(kind, NOT_RECORDED), one) for one in flagged
    )
    return _lines(by_group, parts_of_a_whole=True)


def _lines(
    found: Mapping[str, list[_Flagged]], *, parts_of_a_whole: bool
) -> tuple[HealthLine, ...]:
    """One line for each name; what is too small is None, in each column for itself."""
    flags = [len(of) for of in found.values()]
    again = [sum(one.again for one in of) for of in found.values()]
    first = [all_ - some for all_, some in zip(flags, again, strict=True)]
    reviewed = [sum(one.worth is not None for one in of) for of in found.values()]
    worth = [sum(bool(one.worth) for one in of) for of in found.values()]
    hide = partial(hidden, parts_of_a_whole=parts_of_a_whole)
    no_flags = hide(flags)
    # Both parts of `flags` go together: one of them would tell the other.
    no_split = hide(again, also=hide(first, also=hide(again, also=no_flags)))
    no_reviewed = hide(reviewed, also=no_flags)
    lines = []
    for place, name in enumerate(found):
        hide_split, hide_reviewed = place in no_split, place in no_reviewed
        lines.append(
            HealthLine(
                name,
                None if place in no_flags else flags[place],
                None if hide_split else first[place],
                None if hide_split else again[place],
                None if hide_reviewed else reviewed[place],
                None
                if hide_reviewed or not reviewed[place]
                else wilson(worth[place], reviewed[place]),
            )
        )
    return tuple(lines)
