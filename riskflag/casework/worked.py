"""How often flags were right: what reviewers decided about past flags with the same reason.

Only reviews made before the night's day count, so that a night made again later tells the same.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework.policies import CANNOT_DECIDE, NEEDED_MORE
from riskflag.casework.tables import Reason, Review, meaning_of
from riskflag.clock import LONDON


@dataclass(frozen=True)
class Worked:
    """Of `n` decided flags that had a reason, how many needed something more.

    Decided between two London days; a flag counts once, by its newest decision that is one.
    """

    reason_id: str
    n: int
    needed_more: int
    first_day: dt.date
    last_day: dt.date


def worked(session: Session, as_of: dt.date) -> tuple[Worked, ...]:
    """What was decided before `as_of`, by reason; the reasons are those the reviewer was shown."""
    before = dt.datetime.combine(as_of, dt.time(), LONDON)
    newest = (
        sa.select(Review.flag_id, sa.func.max(Review.number).label("number"))
        .where(Review.decided_at < before, meaning_of(Review) != CANNOT_DECIDE)
        .group_by(Review.flag_id)
        .subquery()
    )
    needed = sa.case((meaning_of(Review).in_(sorted(NEEDED_MORE)), 1), else_=0)
    rows = session.execute(
        sa.select(
            Reason.reason_id,
            sa.func.count(),
            sa.func.sum(needed),
            sa.func.min(Review.decided_at),
            sa.func.max(Review.decided_at),
        )
        .join(newest, newest.c.flag_id == Reason.flag_id)
        .join(
            Review,
            sa.and_(Review.flag_id == newest.c.flag_id, Review.number == newest.c.number),
        )
        .where(
            Reason.first_publication_id <= Review.publication_id,
            Reason.last_publication_id >= Review.publication_id,
        )
        .group_by(Reason.reason_id)
        .order_by(Reason.reason_id)
    )
    return tuple(
        Worked(reason_id, n, int(more), _london(first), _london(last))
        for reason_id, n, more, first, last in rows
    )


def _london(moment: dt.datetime) -> dt.date:
    return moment.astimezone(LONDON).date()
