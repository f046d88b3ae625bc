"""Recording what a person decided about a flag: appended with its audit entry, or not at all."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework import audit, policies
from riskflag.casework.store import Store
from riskflag.casework.tables import Flag, FlagVersion, Publication, Review
from riskflag.clock import moment
from riskflag.errors import ConfigError, InputError


@dataclass(frozen=True)
class NewReview:
    """A decision as a person made it on the page they were shown.

    `why` is the person's own words; `amends` names an earlier review that this one corrects;
    `opened_at` is when the page was opened.
    """

    flag_id: str
    reviewer: str
    role: str
    decision: policies.Decision
    why: str
    worth_bringing: policies.Worth
    opened_at: dt.datetime
    amends: str | None = None

    def __post_init__(self) -> None:
        if self.decision not in policies.DECISIONS or self.worth_bringing not in policies.WORTH:
            raise ConfigError("The review holds an answer that is not on the form; choose one.")
        if not self.why.strip():
            raise ConfigError("A review needs a reason in words; write at least one sentence.")


def record_review(store: Store, review: NewReview) -> str:
    """Append a review of the flag's newest published page; returns its id.

    A closing decision closes the flag in the same transaction. A review that amends one which
    closed the flag, with a decision that does not close, opens it again. Raises InputError when
    there is no such open flag, or no such review to amend.
    """
    decided_at = moment()
    with store.writing() as session:
        flag = _reviewable(session, review)
        shown = _shown(session, review.flag_id)
        row = Review(
            review_id=uuid.uuid4().hex,
            flag_id=review.flag_id,
            publication_id=shown.publication_id,
            shown_hash=shown.payload_hash,
            reviewer=review.reviewer,
            role=review.role,
            decision=review.decision,
            why=review.why,
            worth_bringing=review.worth_bringing,
            amends=review.amends,
            opened_at=review.opened_at,
            decided_at=decided_at,
        )
        session.add(row)
        session.flush()
        if policies.closes(review.decision):
            flag.status, flag.closed_at, flag.closed_by = "closed", decided_at, row.review_id
        elif flag.closed_by == review.amends and not _other_open_flag(session, flag):
            flag.status, flag.closed_at, flag.closed_by = "open", None, None
        audit.record(
            session,
            store.key,
            actor=review.reviewer,
            action="review",
            subject=flag.person_id,
            detail={"review": row.review_id, "decision": review.decision, "why": review.why},
        )
        return row.review_id


def _reviewable(session: Session, review: NewReview) -> Flag:
    flag = session.get(Flag, review.flag_id)
    if flag is None or (flag.status != "open" and review.amends is None):
        raise InputError("There is no open flag with this number; look at the worklist again.")
    if review.amends is not None:
        amended = session.get(Review, review.amends)
        if amended is None or amended.flag_id != review.flag_id:
            raise InputError("There is no such review of this flag to amend; look at it again.")
    return flag


def _other_open_flag(session: Session, flag: Flag) -> bool:
    found = session.scalar(
        sa.select(Flag.flag_id).where(
            Flag.person_id == flag.person_id, Flag.status == "open", Flag.flag_id != flag.flag_id
        )
    )
    return found is not None


def reviews_of(store: Store, flag_id: str) -> list[Review]:
    """Every review of a flag, oldest first."""
    with store.reading() as session:
        found = list(
            session.scalars(
                sa.select(Review).where(Review.flag_id == flag_id).order_by(Review.decided_at)
            )
        )
        session.expunge_all()
        return found


def _shown(session: Session, flag_id: str) -> FlagVersion:
    return session.scalars(
        sa.select(FlagVersion)
        .join(Publication, Publication.id == FlagVersion.publication_id)
        .where(FlagVersion.flag_id == flag_id)
        .order_by(Publication.id.desc())
        .limit(1)
    ).one()
