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
    return _due(store, user, _waiting(share))


def due_of(store: Store, flag_id: str, user: User, *, share: float) -> Due | None:
    """The second look at this flag that this person may take, or None."""
    found = _due(store, user, _waiting(share).where(Review.flag_id == flag_id))
    return found[0] if found else None


def _due(store: Store, user: User, waiting: sa.Select[Review]) -> tuple[Due, ...]:
    """None of those on which this person has decided before: they could not look afresh."""
    if not user.may("second_look"):
        return ()
    own = aliased(Review)
    decided = sa.exists().where(own.flag_id == Review.flag_id, own.reviewer == user.name)
    with store.reading() as session:
        rows = session.scalars(waiting.where(~decided).order_by(Review.decided_at))
        found = {row.flag_id: Due(row.flag_id, row.review_id, row.decided_at) for row in rows}
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


def waiting_flags(share: float) -> sa.Select[tuple[str]]:
    """The numbers of flags that wait for a second look by somebody, as a query."""
    return _waiting(share).with_only_columns(Review.flag_id)


def _waiting(share: float) -> sa.Select[Review]:
    """First reviews that were drawn or left undecided, and that nobody has looked at again."""
    second, later = aliased(Review), aliased(Review)
    looked = sa.exists().where(second.second_look_of == Review.review_id)
    settled = sa.exists().where(
        later.amends == Review.review_id, meaning_of(later) != CANNOT_DECIDE
    )
    return sa.select(Review).where(
        Review.second_look_of.is_(None),
        ~looked,
        sa.or_(
            sa.and_(Review.draw < round(share * DRAWS), Review.amends.is_(None)),
            sa.and_(meaning_of(Review) == CANNOT_DECIDE, ~settled),
        ),
    )
