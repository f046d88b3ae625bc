"""What was done about one person so far: flags, reviews, and the nights that were published."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework.store import Store
from riskflag.casework.tables import Flag, FlagVersion, Publication, Review
from riskflag.clock import LONDON


@dataclass(frozen=True)
class PastReview:
    """A recorded decision: the London day it was made on, and what it was; not who made it."""

    on: dt.date
    decision: str
    amends: bool
    label: str | None = None


@dataclass(frozen=True)
class PastFlag:
    """A flag of the person: its days, the nights it was published for, and its reviews."""

    flag_id: str
    first_raised: dt.date
    closed_on: dt.date | None
    raised_by: str
    nights: tuple[dt.date, ...]
    reviews: tuple[PastReview, ...]


def past_flags(store: Store, person_id: str) -> tuple[PastFlag, ...]:
    """Every flag of a person, oldest first."""
    columns = (Flag.flag_id, Flag.first_raised, Flag.closed_at, Flag.raised_by)
    with store.reading() as session:
        flags = session.execute(
            sa.select(*columns)
            .where(Flag.person_id == person_id)
            .order_by(Flag.first_raised, Flag.flag_id)
        ).all()
        return tuple(
            PastFlag(
                flag.flag_id,
                flag.first_raised,
                None if flag.closed_at is None else _london(flag.closed_at),
                flag.raised_by,
                _nights(session, flag.flag_id),
                _reviews(session, flag.flag_id),
            )
            for flag in flags
        )


def _nights(session: Session, flag_id: str) -> tuple[dt.date, ...]:
    found = session.scalars(
        sa.select(Publication.as_of)
        .join(FlagVersion, FlagVersion.publication_id == Publication.id)
        .where(FlagVersion.flag_id == flag_id)
        .distinct()
        .order_by(Publication.as_of)
    )
    return tuple(found)


def _reviews(session: Session, flag_id: str) -> tuple[PastReview, ...]:
    rows = session.execute(
        sa.select(Review.decided_at, Review.decision, Review.amends, Review.decision_label)
        .where(Review.flag_id == flag_id)
        .order_by(Review.decided_at)
    )
    return tuple(
        PastReview(
            _london(row.decided_at), row.decision, row.amends is not None, row.decision_label
        )
        for row in rows
    )


def nights(store: Store) -> tuple[dt.date, ...]:
    """The days for which a night was published, ascending."""
    with store.reading() as session:
        found = session.scalars(sa.select(Publication.as_of).distinct().order_by(Publication.as_of))
        return tuple(found)


def person_of(store: Store, flag_id: str) -> str | None:
    """Whose flag this is; None when there is no such flag."""
    with store.reading() as session:
        return session.scalar(sa.select(Flag.person_id).where(Flag.flag_id == flag_id))


def _london(moment: dt.datetime) -> dt.date:
    return moment.astimezone(LONDON).date()
