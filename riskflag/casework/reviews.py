"""Recording what a person decided about a flag: appended with its audit entry, or not at all.

A review is checked against what its reviewer was shown, in the transaction that records it: when
another review or another night came in between, nothing is recorded and the reviewer is told. The
same review sent twice is recorded once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from riskflag.casework import audit, policies
from riskflag.casework.forms import NewReview, ReasonVerdict, Shown
from riskflag.casework.store import Store
from riskflag.casework.tables import Draft, Evidence, Flag, FlagVersion, Reason, Review, Verdict
from riskflag.clock import LONDON, moment
from riskflag.errors import ConfigError, ConflictError, InputError

__all__ = [
    "NewReview",
    "ReasonVerdict",
    "Shown",
    "record_review",
    "reviews_of",
    "shown",
    "verdicts_of",
]

#: The columns of a review that are as its reviewer sent them.
_AS_SAID = (
    *("flag_id", "reviewer", "role", "decision", "why", "worth_bringing", "amends"),
    *("second_look_of", "comes_back", "quiet_reason", "discussed_with", "first_thought"),
    *("sections_opened", "opened_at"),
)

#: `draw` is below this number.
DRAWS = 10_000

NO_FLAG = "There is no open flag with this number; look at the worklist again."

_LAST, _OTHER = aliased(Review), aliased(Review)
_NUMBER = sa.select(sa.func.max(_OTHER.number)).where(_OTHER.flag_id == Flag.flag_id)
#: All that a review of a flag is checked against. This and what is written below are made once, and
#: asked of the connection: the writers of all processes wait while one of them records.
_STANDING = (
    sa.select(
        Flag.flag_id,
        Flag.person_id,
        Flag.status,
        Flag.closed_by,
        FlagVersion.publication_id,
        FlagVersion.payload_hash,
        FlagVersion.level,
        _LAST.review_id.label("last_review_id"),
        sa.func.coalesce(_LAST.number, 0).label("reviews"),
    )
    .join(FlagVersion, FlagVersion.id == Flag.version_id)
    .outerjoin(
        _LAST, sa.and_(_LAST.flag_id == Flag.flag_id, _LAST.number == _NUMBER.scalar_subquery())
    )
    .where(Flag.flag_id == sa.bindparam("flag"))
)
_RECORDED = sa.select(Review.review_id).where(Review.review_id == sa.bindparam("review"))
_ADD_REVIEW = sa.insert(Review.__table__)  # type: ignore[arg-type]
_ADD_VERDICT = sa.insert(Verdict.__table__)  # type: ignore[arg-type]
_STAND_OTHERWISE = (
    sa.update(Flag.__table__)  # type: ignore[arg-type]
    .where(Flag.flag_id == sa.bindparam("flag"))
    .values({name: sa.bindparam(name) for name in ("status", "closed_at", "closed_by")})
)
_DROP_DRAFT = sa.delete(Draft.__table__).where(  # type: ignore[arg-type]
    Draft.flag_id == sa.bindparam("flag"), Draft.user == sa.bindparam("writer")
)


def shown(store: Store, flag_id: str) -> Shown:
    """What a reviewer who opens the flag now is shown; InputError when there is no such flag."""
    with store.reading() as session:
        flag = _standing(session, flag_id)
    if flag is None:
        raise InputError("There is no flag with this number; look at the worklist again.")
    return Shown(flag.payload_hash, flag.last_review_id)


def record_review(store: Store, review: NewReview) -> str:
    """Append a review of the flag's newest published page; returns its id.

    A closing decision closes the flag in the same transaction. A review that amends, or looks a
    second time at, one which closed the flag, with a decision that does not close, opens it again.
    The reviewer's draft is dropped. Raises InputError when there is no such open flag or no such
    review to amend, ConfigError for an answer that does not fit the flag, and ConflictError when
    what the reviewer was shown is no longer the newest.
    """
    decided_at = moment()
    _refuse_unfit(store, review)
    with store.writing() as session:
        connection = session.connection()
        if connection.scalar(_RECORDED, {"review": review.review_id}) is not None:
            return _the_same(session, session.get_one(Review, review.review_id), review)
        flag = _reviewable(session, review)
        _refuse_conflict(review, flag)
        _refuse_closed(review, flag)
        row = _row(store, review, flag, decided_at)
        connection.execute(_ADD_REVIEW, row)
        said = [{"review_id": row["review_id"], **asdict(one)} for one in review.verdicts]
        if said:
            connection.execute(_ADD_VERDICT, said)
        _settle(session, flag, row)
        connection.execute(_DROP_DRAFT, {"flag": review.flag_id, "writer": review.reviewer})
        audit.record(
            session,
            store.key,
            actor=review.reviewer,
            action="second_look" if review.second_look_of else "review",
            subject=flag.person_id,
            detail={"review": row["review_id"], **review.answers()},
        )
        return str(row["review_id"])


def reviews_of(store: Store, flag_id: str) -> list[Review]:
    """Every review of a flag, oldest first."""
    with store.reading() as session:
        found = list(
            session.scalars(
                sa.select(Review).where(Review.flag_id == flag_id).order_by(Review.number)
            )
        )
        session.expunge_all()
        return found


def verdicts_of(store: Store, review_id: str) -> tuple[ReasonVerdict, ...]:
    """What a review said of each reason, in the order in which it was said."""
    with store.reading() as session:
        return _verdicts(session, review_id)


def draw_of(key: bytes, review_id: str) -> int:
    """A number from 0 to 9,999 that nobody without the store's key can foresee."""
    made = hmac.new(key, b"second look|" + review_id.encode(), hashlib.sha256).digest()
    return int.from_bytes(made[:8], "big") % DRAWS


def _the_same(session: Session, before: Review, review: NewReview) -> str:
    """The id of a review that was recorded already; ConflictError when it said something else."""
    kept = NewReview(
        before.flag_id,
        before.reviewer,
        before.role,
        before.decision,
        before.why,
        before.worth_bringing,  # type: ignore[arg-type]
        before.opened_at,
        amends=before.amends,
        second_look_of=before.second_look_of,
        verdicts=_verdicts(session, before.review_id),
        comes_back=before.comes_back,
        quiet_reason=before.quiet_reason,
        discussed_with=before.discussed_with,
        first_thought=before.first_thought,  # type: ignore[arg-type]
        meaning=before.meaning,
    )
    if kept.answers() != review.answers() or kept.reviewer != review.reviewer:
        raise ConflictError(
            "This form was saved before with other answers, and those stand; open the flag again "
            "and amend that review."
        )
    return before.review_id


def _standing(session: Session, flag_id: str) -> Any:
    """The row of _STANDING, or None when there is no such flag."""
    return session.connection().execute(_STANDING, {"flag": flag_id}).first()


def _reviewable(session: Session, review: NewReview) -> Any:
    """How the flag stands; InputError when it, or the review that this is about, is not there."""
    flag = _standing(session, review.flag_id)
    if flag is None:
        raise InputError(NO_FLAG)
    for named in (review.amends, review.second_look_of):
        earlier = None if named is None else session.get(Review, named)
        if named is not None and (earlier is None or earlier.flag_id != review.flag_id):
            raise InputError("There is no such review of this flag to amend; look at it again.")
    if review.second_look_of is not None:
        _refuse_second_look(session, review)
    return flag


def _refuse_second_look(session: Session, review: NewReview) -> None:
    first = session.get_one(Review, review.second_look_of)
    if first.reviewer == review.reviewer:
        raise ConfigError("A second look is never at one's own review; leave it to somebody else.")
    taken = sa.select(Review.review_id).where(Review.second_look_of == first.review_id)
    if session.scalar(taken) is not None:
        raise ConflictError(
            "Somebody else has just saved this second look; yours was not recorded. Take another."
        )


def _refuse_conflict(review: NewReview, flag: Any) -> None:
    """Raise ConflictError when the reviewer decided on something that is no longer the newest."""
    expected = review.expected
    if expected is None:
        return
    if expected.last_review_id != flag.last_review_id:
        raise ConflictError(
            "Somebody else has saved a review of this flag since you opened it; yours was not "
            "recorded. Read theirs, then decide again."
        )
    if expected.payload_hash != flag.payload_hash:
        raise ConflictError(
            "The flag was brought up to date since you opened it; your review was not recorded. "
            "Read what is new, then decide again."
        )


def _refuse_closed(review: NewReview, flag: Any) -> None:
    if flag.status != "open" and review.amends is None and review.second_look_of is None:
        raise InputError(NO_FLAG)


def _row(store: Store, review: NewReview, flag: Any, decided_at: dt.datetime) -> dict[str, Any]:
    """The review as the store keeps it; ConfigError when it may not come back as it says."""
    review_id = review.review_id or uuid.uuid4().hex
    today = decided_at.astimezone(LONDON).date()
    return {
        **{name: getattr(review, name) for name in _AS_SAID},
        "review_id": review_id,
        "publication_id": flag.publication_id,
        "number": flag.reviews + 1,
        "shown_hash": flag.payload_hash,
        "meaning": review.means,
        "decision_label": review.decision_label or None,
        "back_on": policies.back_on(review.comes_back, review.means, flag.level, today),
        "draw": draw_of(store.key, review_id),
        "decided_at": decided_at,
    }


def _refuse_unfit(store: Store, review: NewReview) -> None:
    """Raise ConfigError for a verdict on what the flag does not have.

    Asked before the store is locked: a flag's reasons and the records behind them only grow.
    """
    if not review.verdicts:
        return
    with store.reading() as session:
        known = set(
            session.scalars(sa.select(Reason.reason_id).where(Reason.flag_id == review.flag_id))
        )
        for one in review.verdicts:
            if one.reason_id not in known:
                raise ConfigError(
                    "The review names a reason that this flag does not have; open it again."
                )
            if one.contact_key is not None and not _behind(session, review.flag_id, one):
                raise ConfigError(
                    "The review names a record that is not behind its reason; choose one."
                )


def _behind(session: Session, flag_id: str, one: ReasonVerdict) -> bool:
    found = session.scalar(
        sa.select(Evidence.id)
        .join(Reason, Reason.id == Evidence.reason_pk)
        .where(
            Reason.flag_id == flag_id,
            Reason.reason_id == one.reason_id,
            Evidence.contact_key == one.contact_key,
        )
        .limit(1)
    )
    return found is not None


def _settle(session: Session, flag: Any, row: Mapping[str, Any]) -> None:
    """Close the flag, open it again, or leave it as it is."""
    answered = {row["amends"], row["second_look_of"]} - {None}
    if policies.closes(row["meaning"]):
        if flag.status == "open" or flag.closed_by == row["amends"]:
            _stand(session, flag, "closed", row["decided_at"], row["review_id"])
    elif flag.closed_by in answered and not _other_open_flag(session, flag):
        _stand(session, flag, "open", None, None)


def _stand(
    session: Session, flag: Any, status: str, /, at: dt.datetime | None, by: str | None
) -> None:
    told = {"status": status, "closed_at": at, "closed_by": by}
    session.connection().execute(_STAND_OTHERWISE, {"flag": flag.flag_id, **told})


def _other_open_flag(session: Session, flag: Any) -> bool:
    found = session.scalar(
        sa.select(Flag.flag_id).where(
            Flag.person_id == flag.person_id, Flag.status == "open", Flag.flag_id != flag.flag_id
        )
    )
    return found is not None


def _verdicts(session: Session, review_id: str) -> tuple[ReasonVerdict, ...]:
    rows = session.scalars(
        sa.select(Verdict).where(Verdict.review_id == review_id).order_by(Verdict.id)
    )
    return tuple(
        ReasonVerdict(row.reason_id, row.verdict, row.problem, row.note, row.contact_key)  # type: ignore[arg-type]
        for row in rows
    )
