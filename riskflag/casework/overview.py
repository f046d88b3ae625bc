"""The team overview: what waits and for how long, what was decided, and why nothing further.

About the work, never about a worker: no name of a reviewer is in it, and nothing tells whose
decisions agree with the engine.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework.policies import NO_ACTION
from riskflag.casework.second_looks import waiting_flags
from riskflag.casework.store import Store
from riskflag.casework.tables import Current, Flag, FlagVersion, Publication, Review, meaning_of
from riskflag.casework.worklist import first_due, of_team
from riskflag.clock import LONDON

LEVELS = ("urgent", "soon", "routine")
#: Ages of what waits, in days: each from its first day on.
AGES = ((0, "under a week"), (7, "1 to 4 weeks"), (28, "4 to 12 weeks"), (84, "over 12 weeks"))
#: How many reasons for nothing further are told, the newest first.
REASONS_TOLD = 50


@dataclass(frozen=True)
class Waiting:
    """The flags of one level that wait: by age, without any review, and past their first day."""

    level: str
    flags: int
    unread: int
    overdue: int
    by_age: tuple[tuple[str, int], ...]
    oldest_days: int | None


@dataclass(frozen=True)
class NothingFurther:
    """Why a flag needed nothing further, in the reviewer's words and without their name."""

    flag_id: str
    decided_at: dt.datetime
    why: str


@dataclass(frozen=True)
class Decided:
    """How often a decision was recorded under one label (None: one of before labels were kept)."""

    name: str
    label: str | None
    reviews: int


@dataclass(frozen=True)
class Overview:
    """The team's work at the current publication's day, and what was decided since a day.

    `median_days_to_review` is from the day a flag was raised to its first review. `nothing_further`
    are the ids of the newest reviews that tell why: their words are about a child (`whys`).
    """

    as_of: dt.date | None
    since: dt.date
    waiting: tuple[Waiting, ...]
    decisions: tuple[Decided, ...]
    second_looks: int
    median_days_to_review: float | None
    nothing_further: tuple[str, ...]


def overview(store: Store, since: dt.date, *, share: float, team: str | None = None) -> Overview:
    """The overview; reviews count from `since` on, London days.

    With `team` only its flags count, as they stood when they were reviewed; an empty text asks for
    flags without a team.
    Why a flag needed nothing further is told only once no second look at it waits (`share` is the
    workspace's setting): a manager may be the one who takes it.
    """
    start = dt.datetime.combine(since, dt.time(), LONDON)
    with store.reading() as session:
        as_of = session.scalar(
            sa.select(Publication.as_of).join(Current, Current.publication_id == Publication.id)
        )
        return Overview(
            as_of,
            since,
            _waiting(session, as_of, team),
            _decisions(session, start, team),
            _second_looks(session, start, team),
            _days_to_review(session, start, team),
            _nothing_further(session, start, share, team=team),
        )


def whys(store: Store, review_ids: Sequence[str]) -> tuple[NothingFurther, ...]:
    """Why a flag needed nothing further by each of these reviews, in their order."""
    with store.reading() as session:
        rows = session.connection().execute(_WHYS, {"ids": list(review_ids)})
        found = {row[0]: NothingFurther(*row[1:]) for row in rows}
    return tuple(found[one] for one in review_ids)


_REVIEW = Review.__table__.c
_WHYS = sa.select(_REVIEW.review_id, _REVIEW.flag_id, _REVIEW.decided_at, _REVIEW.why).where(
    _REVIEW.review_id.in_(sa.bindparam("ids", expanding=True))
)


def _shown(team: str | None) -> sa.ColumnElement[bool]:
    """That a review is of a flag that was the team's on the page which the reviewer saw."""
    if team is None:
        return sa.true()
    return sa.exists().where(
        FlagVersion.flag_id == Review.flag_id,
        FlagVersion.publication_id == Review.publication_id,
        of_team(team),
    )


def _waiting(session: Session, as_of: dt.date | None, team: str | None) -> tuple[Waiting, ...]:
    read = sa.exists().where(Review.flag_id == Flag.flag_id)
    rows = session.execute(
        sa.select(FlagVersion.level, Flag.first_raised, read)
        .join(FlagVersion, FlagVersion.id == Flag.version_id)
        .where(Flag.status == "open", sa.true() if team is None else of_team(team))
    ).all()
    found = []
    for level in LEVELS:
        mine = [(first, bool(was_read)) for named, first, was_read in rows if named == level]
        unread = [first for first, was_read in mine if not was_read]
        days = [(as_of - first).days for first, _ in mine] if as_of else []
        due = [day for first in unread if (day := first_due(first, level)) is not None]
        overdue = sum(day < as_of for day in due) if as_of else 0
        ages = Counter(_age(one) for one in days)
        by_age = tuple((name, ages[name]) for _, name in AGES)
        oldest = max(days, default=None)
        found.append(Waiting(level, len(mine), len(unread), overdue, by_age, oldest))
    return tuple(found)


def _age(days: int) -> str:
    return next((name for first, name in reversed(AGES) if days >= first), AGES[0][1])


def _decisions(session: Session, start: dt.datetime, team: str | None) -> tuple[Decided, ...]:
    rows = session.execute(
        sa.select(Review.decision, Review.decision_label, sa.func.count())
        .where(Review.decided_at >= start, _shown(team))
        .group_by(Review.decision, Review.decision_label)
        .order_by(Review.decision, Review.decision_label)
    )
    return tuple(Decided(*row) for row in rows)


def _second_looks(session: Session, start: dt.datetime, team: str | None) -> int:
    counted = sa.select(sa.func.count()).where(
        Review.decided_at >= start, Review.second_look_of.is_not(None), _shown(team)
    )
    return int(session.scalar(counted) or 0)


def _days_to_review(session: Session, start: dt.datetime, team: str | None) -> float | None:
    rows = session.execute(
        sa.select(Review.decided_at, Flag.first_raised)
        .join(Flag, Flag.flag_id == Review.flag_id)
        .where(Review.number == 1, Review.decided_at >= start, _shown(team))
    )
    days = [(at.astimezone(LONDON).date() - raised).days for at, raised in rows]
    return float(statistics.median(days)) if days else None


def _nothing_further(
    session: Session, start: dt.datetime, share: float, *, team: str | None
) -> tuple[str, ...]:
    found = session.scalars(
        sa.select(Review.review_id)
        .where(
            meaning_of(Review) == NO_ACTION,
            Review.decided_at >= start,
            Review.flag_id.not_in(waiting_flags(share)),
            _shown(team),
        )
        .order_by(Review.decided_at.desc())
        .limit(REASONS_TOLD)
    )
    return tuple(found)
