"""Recording what a person decided about a flag: appended with its audit entry, or not at all.

A review is checked against what its reviewer was shown, in the transaction that records it: when
another review or another night came in between, nothing is recorded and the reviewer is told. The
same review sent twice is recorded once.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

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

#: `draw` is below this number.
DRAWS = 10_000

NO_FLAG = "There is no open flag with this number; look at the worklist again."


def shown(store: Store, flag_id: str) -> Shown:
    """What a reviewer who opens the flag now is shown; InputError when there is no such flag."""
    with store.reading() as session:
        flag = session.get(Flag, flag_id)
        if flag is None:
            raise InputError("There is no flag with this number; look at the worklist again.")
        last = _last(session, flag_id)
        version = _version(session, flag)
        return Shown(version.payload_hash, None if last is None else last.review_id)


def record_review(store: Store, review: NewReview) -> str:
    """Append a review of the flag's newest published page; returns its id.

    A closing decision closes the flag in the same transaction. A review that amends, or looks a
    second time at, one which closed the flag, with a decision that does not close, opens it again.
    The reviewer's draft is dropped. Raises InputError when there is no such open flag or no such
    review to amend, ConfigError for an answer that does not fit the flag, and ConflictError when
    what the reviewer was shown is no longer the newest.
    """
    decided_at = moment()
    with store.writing() as session:
        before = None if review.review_id is None else session.get(Review, review.review_id)
        if before is not None:
            return _the_same(session, before, review)
        flag = _reviewable(session, review)
        version = _version(session, flag)
        last = _last(session, review.flag_id)
        _refuse_conflict(review, version, last)
        flag = _still_open(flag, review)
        row = _row(store, review, version, number=1 if last is None else last.number + 1)
        row.decided_at = decided_at
        today = decided_at.astimezone(LONDON).date()
        row.back_on = policies.back_on(review.comes_back, review.means, version.level, today)
        session.add(row)
        session.flush()
        _add_verdicts(session, row, review)
        _settle(session, flag, row)
        mine = (Draft.flag_id == review.flag_id, Draft.user == review.reviewer)
        session.execute(sa.delete(Draft).where(*mine))
        audit.record(
            session,
            store.key,
            actor=review.reviewer,
            action="second_look" if review.second_look_of else "review",
            subject=flag.person_id,
            detail={"review": row.review_id, **review.answers()},
        )
        return row.review_id


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


def _reviewable(session: Session, review: NewReview) -> Flag:
    flag = session.get(Flag, review.flag_id)
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


def _refuse_conflict(review: NewReview, version: FlagVersion, last: Review | None) -> None:
    """Raise ConflictError when the reviewer decided on something that is no longer the newest."""
    expected = review.expected
    if expected is None:
        return
    if expected.last_review_id != (None if last is None else last.review_id):
        raise ConflictError(
            "Somebody else has saved a review of this flag since you opened it; yours was not "
            "recorded. Read theirs, then decide again."
        )
    if expected.payload_hash != version.payload_hash:
        raise ConflictError(
            "The flag was brought up to date since you opened it; your review was not recorded. "
            "Read what is new, then decide again."
        )


def _still_open(flag: Flag, review: NewReview) -> Flag:
    if flag.status != "open" and review.amends is None and review.second_look_of is None:
        raise InputError(NO_FLAG)
    return flag


def _row(store: Store, review: NewReview, version: FlagVersion, *, number: int) -> Review:
    review_id = review.review_id or uuid.uuid4().hex
    return Review(
        review_id=review_id,
        flag_id=review.flag_id,
        publication_id=version.publication_id,
        number=number,
        shown_hash=version.payload_hash,
        reviewer=review.reviewer,
        role=review.role,
        decision=review.decision,
        meaning=review.means,
        decision_label=review.decision_label or None,
        why=review.why,
        worth_bringing=review.worth_bringing,
        amends=review.amends,
        second_look_of=review.second_look_of,
        comes_back=review.comes_back,
        quiet_reason=review.quiet_reason,
        discussed_with=review.discussed_with,
        first_thought=review.first_thought,
        sections_opened=review.sections_opened,
        draw=draw_of(store.key, review_id),
        opened_at=review.opened_at,
    )


def _add_verdicts(session: Session, row: Review, review: NewReview) -> None:
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
        session.add(
            Verdict(
                review_id=row.review_id,
                reason_id=one.reason_id,
                verdict=one.verdict,
                problem=one.problem,
                note=one.note,
                contact_key=one.contact_key,
            )
        )
        session.flush()


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


def _settle(session: Session, flag: Flag, row: Review) -> None:
    """Close the flag, open it again, or leave it as it is."""
    answered = {row.amends, row.second_look_of} - {None}
    if policies.closes(row.meaning or ""):
        if flag.status == "open" or flag.closed_by == row.amends:
            flag.status, flag.closed_at, flag.closed_by = "closed", row.decided_at, row.review_id
    elif flag.closed_by in answered and not _other_open_flag(session, flag):
        flag.status, flag.closed_at, flag.closed_by = "open", None, None


def _other_open_flag(session: Session, flag: Flag) -> bool:
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


def _last(session: Session, flag_id: str) -> Review | None:
    return session.scalar(
        sa.select(Review).where(Review.flag_id == flag_id).order_by(Review.number.desc()).limit(1)
    )


def _version(session: Session, flag: Flag) -> FlagVersion:
    """The flag as its newest publication has it."""
    return session.scalars(sa.select(FlagVersion).where(FlagVersion.id == flag.version_id)).one()
