"""What was done about one person so far: flags, reviews, and the nights that were published."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

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


@dataclass(frozen=True)
class Past:
    """What there was: the days for which a night was published, ascending, and a person's flags."""

    nights: tuple[dt.date, ...] = ()
    flags: tuple[PastFlag, ...] = ()


# Made once, and of tables: asking for whole objects costs as much again as the answer.
_FLAG, _VERSION = Flag.__table__.c, FlagVersion.__table__.c
_NIGHT, _REVIEW = Publication.__table__.c, Review.__table__.c
_OF_PERSON = _FLAG.person_id == sa.bindparam("person")

_PERSON = sa.select(_FLAG.person_id).where(_FLAG.flag_id == sa.bindparam("flag"))
_NIGHTS = sa.select(_NIGHT.as_of).distinct().order_by(_NIGHT.as_of)
_FLAGS = (
    sa.select(_FLAG.flag_id, _FLAG.first_raised, _FLAG.closed_at, _FLAG.raised_by)
    .where(_OF_PERSON)
    .order_by(_FLAG.first_raised, _FLAG.flag_id)
)
_SHOWN = (
    sa.select(_VERSION.flag_id, _NIGHT.as_of)
    .join_from(Flag.__table__, FlagVersion.__table__, _VERSION.flag_id == _FLAG.flag_id)
    .join(Publication.__table__, _VERSION.publication_id == _NIGHT.id)
    .where(_OF_PERSON)
    .distinct()
    .order_by(_NIGHT.as_of)
)
_DECIDED = (
    sa.select(
        _REVIEW.flag_id,
        _REVIEW.decided_at,
        _REVIEW.decision,
        _REVIEW.amends,
        _REVIEW.decision_label,
    )
    .join_from(Flag.__table__, Review.__table__, _REVIEW.flag_id == _FLAG.flag_id)
    .where(_OF_PERSON)
    .order_by(_REVIEW.decided_at)
)


def past_of(store: Store, person_id: str) -> Past:
    """The nights, and every flag of a person, oldest first."""
    of = {"person": person_id}
    with store.reading() as session:
        ask = session.connection().execute
        nights = tuple(ask(_NIGHTS).scalars())
        flags, shown, decided = (ask(one, of).all() for one in (_FLAGS, _SHOWN, _DECIDED))
    return Past(
        nights,
        tuple(
            PastFlag(
                flag.flag_id,
                flag.first_raised,
                None if flag.closed_at is None else _london(flag.closed_at),
                flag.raised_by,
                tuple(row.as_of for row in shown if row.flag_id == flag.flag_id),
                tuple(_review(row) for row in decided if row.flag_id == flag.flag_id),
            )
            for flag in flags
        ),
    )


def _review(row: sa.Row[Any]) -> PastReview:
    return PastReview(
        _london(row.decided_at), row.decision, row.amends is not None, row.decision_label
    )


def person_of(store: Store, flag_id: str) -> str | None:
    """Whose flag this is; None when there is no such flag."""
    with store.reading() as session:
        found: str | None = session.connection().execute(_PERSON, {"flag": flag_id}).scalar()
        return found


def _london(moment: dt.datetime) -> dt.date:
    return moment.astimezone(LONDON).date()
