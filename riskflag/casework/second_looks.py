"""Second looks: a random share of reviews, and every *cannot decide*, read again by somebody else.

Who takes a second look does not see the first decision, nor why the flag was chosen, before their
own is saved. Which reviews are drawn follows from a keyed number kept with each review, which no
reviewer can foresee. `share`, from 0 to 1, is the workspace's setting `second_look_share`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from riskflag.casework.policies import CANNOT_DECIDE
from riskflag.casework.reviews import DRAWS
from riskflag.casework.store import Store
from riskflag.casework.tables import Review, meaning_of
from riskflag.casework.users import User
from riskflag.errors import InputError

#: Other reviews beside the one asked about; made once, since making them takes longer than asking.
_OWN, _SECOND, _LATER = aliased(Review), aliased(Review), aliased(Review)


@dataclass(frozen=True)
class Due:
    """A second look that waits: all that may be known of the first review before it."""

    flag_id: str
    review_id: str
    reviewed_at: dt.datetime


@dataclass(frozen=True)
class Compared:
    """Two people's decisions on one flag, after the second was saved."""

    first: Review
    second: Review

    @property
    def agree(self) -> bool:
        """Whether both decided the same."""
        return self.first.decision == self.second.decision


def due(store: Store, user: User, *, share: float) -> tuple[Due, ...]:
    """The second looks that this person may take, one for a flag, the longest waiting first."""
    return _due(store, user, share)


def due_of(store: Store, flag_id: str, user: User, *, share: float) -> Due | None:
    """The second look at this flag that this person may take, or None."""
    found = _due(store, user, share, Review.flag_id == flag_id)
    return found[0] if found else None


def _due(store: Store, user: User, share: float, *about: sa.ColumnElement[bool]) -> tuple[Due, ...]:
    """None of those on which this person has decided before: they could not look afresh."""
    if not user.may("second_look"):
        return ()
    decided = sa.exists().where(_OWN.flag_id == Review.flag_id, _OWN.reviewer == user.name)
    waiting = (
        sa.select(Review.flag_id, Review.review_id, Review.decided_at)
        .where(*_waiting(share), *about, ~decided)
        .order_by(Review.decided_at)
    )
    with store.reading() as session:
        found = {row.flag_id: Due(*row) for row in session.execute(waiting)}
    return tuple(sorted(found.values(), key=lambda one: (one.reviewed_at, one.review_id)))


def readable_reviews(
    store: Store, flag_id: str, user: User, *, share: float
) -> tuple[tuple[Review, ...], bool]:
    """The reviews of a flag this person may read now, oldest first, and whether any is kept back.

    While a second look waits for them, others' reviews stay unseen until their own is saved.
    """
    blind = due_of(store, flag_id, user, share=share) is not None
    with store.reading() as session:
        found = session.scalars(
            sa.select(Review).where(Review.flag_id == flag_id).order_by(Review.number)
        ).all()
        session.expunge_all()
    kept = tuple(one for one in found if not blind or one.reviewer == user.name)
    return kept, len(kept) < len(found)


def compared(store: Store, review_id: str, user: User) -> Compared:
    """The first review and the second look at it, for those who gave either.

    Raises InputError when there is no such second look or it is not theirs to compare.
    """
    with store.reading() as session:
        second = session.get(Review, review_id)
        first = None if second is None else session.get(Review, second.second_look_of or "")
        session.expunge_all()
    if first is None or second is None or user.name not in (first.reviewer, second.reviewer):
        raise InputError("There is no second look of yours with this number; look at the list.")
    return Compared(first, second)


def waiting_flags(share: float) -> sa.Select[str]:
    """The numbers of flags that wait for a second look by somebody, as a query."""
    return sa.select(Review.flag_id).where(*_waiting(share))


def _waiting(share: float) -> tuple[sa.ColumnElement[bool], ...]:
    """First reviews that were drawn or left undecided, and that nobody has looked at again."""
    looked = sa.exists().where(_SECOND.second_look_of == Review.review_id)
    settled = sa.exists().where(
        _LATER.amends == Review.review_id, meaning_of(_LATER) != CANNOT_DECIDE
    )
    return (
        Review.second_look_of.is_(None),
        ~looked,
        sa.or_(
            sa.and_(Review.draw < round(share * DRAWS), Review.amends.is_(None)),
            sa.and_(meaning_of(Review) == CANNOT_DECIDE, ~settled),
        ),
    )
