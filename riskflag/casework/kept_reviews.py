"""Reviews as they were kept, with their verdicts and what became of the data problems in them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework import audit
from riskflag.casework.store import Store
from riskflag.casework.tables import Audit, Flag, ProblemStep, Publication, Review, Verdict
from riskflag.errors import InputError

_COUNT = sa.select(sa.func.count()).select_from(Review.__table__)
_PERSON = sa.select(Flag.person_id).where(Flag.flag_id == sa.bindparam("flag"))
_LAST_REVIEWED = sa.select(sa.func.max(sa.type_coerce(Review.decided_at, sa.Text))).where(
    Review.flag_id == sa.bindparam("flag")
)
_OPENED = (
    sa.select(Audit.action)
    .where(
        Audit.subject == sa.bindparam("subject"),
        Audit.actor == sa.bindparam("actor"),
        Audit.at >= sa.func.coalesce(_LAST_REVIEWED.scalar_subquery(), ""),
    )
    .distinct()
    .order_by(Audit.action)
)


@dataclass(frozen=True)
class Step:
    """One step in answering a data problem."""

    state: str
    note: str
    user: str
    at: dt.datetime


@dataclass(frozen=True)
class KeptVerdict:
    """What a reviewer said of one reason; `steps` are the answers when it was called wrong."""

    problem_id: int
    reason_id: str
    verdict: str
    problem: str | None
    note: str
    contact_key: str | None
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class KeptReview:
    """One recorded review in plain values; `as_of` is the day of the page that was shown."""

    review_id: str
    flag_id: str
    number: int
    reviewer: str
    role: str
    decision: str
    meaning: str | None
    decision_label: str | None
    why: str
    worth_bringing: str
    comes_back: str
    back_on: dt.date | None
    quiet_reason: str
    discussed_with: str
    first_thought: str | None
    sections_opened: tuple[str, ...]
    amends: str | None
    second_look_of: str | None
    opened_at: dt.datetime
    decided_at: dt.datetime
    as_of: dt.date
    shown_hash: str
    verdicts: tuple[KeptVerdict, ...]


@dataclass(frozen=True)
class FlagCourse:
    """One flag of a child and its reviews, newest first."""

    flag_id: str
    status: str
    first_raised: dt.date
    closed_at: dt.datetime | None
    closed_by: str | None
    reviews: tuple[KeptReview, ...]


def is_open(store: Store, flag_id: str) -> bool:
    """Whether a flag waits for a decision; InputError when there is no such flag."""
    with store.reading() as session:
        status = session.scalar(sa.select(Flag.status).where(Flag.flag_id == flag_id))
    if status is None:
        raise InputError("There is no flag with this number; look at My reviews again.")
    return str(status) == "open"


def count(store: Store) -> int:
    """How many reviews are recorded; it only grows."""
    with store.reading() as session:
        return int(session.connection().scalar(_COUNT) or 0)


def reviews_of_flag(store: Store, flag_id: str) -> tuple[KeptReview, ...]:
    """The reviews of one flag, newest first."""
    with store.reading() as session:
        return _reviews(session, [flag_id])


def courses_of_child(store: Store, flag_id: str) -> tuple[FlagCourse, ...]:
    """Every flag of the child whose flag this is, newest first, each with its reviews."""
    with store.reading() as session:
        person = sa.select(Flag.person_id).where(Flag.flag_id == flag_id).scalar_subquery()
        flags = session.scalars(
            sa.select(Flag).where(Flag.person_id == person).order_by(Flag.flag_id.desc())
        ).all()
        found: dict[str, list[KeptReview]] = defaultdict(list)
        for review in _reviews(session, [flag.flag_id for flag in flags]):
            found[review.flag_id].append(review)
        return tuple(
            FlagCourse(
                flag.flag_id,
                flag.status,
                flag.first_raised,
                flag.closed_at,
                flag.closed_by,
                tuple(found[flag.flag_id]),
            )
            for flag in flags
        )


def pages_opened(store: Store, flag_id: str, user: str) -> tuple[str, ...]:
    """What a person opened about the flag's child since its last review: by the audit chain."""
    with store.reading() as session:
        connection = session.connection()
        person = connection.scalar(_PERSON, {"flag": flag_id})
        if person is None:
            return ()
        whose = {"subject": audit.pseudonym(store.key, person), "actor": user, "flag": flag_id}
        return tuple(connection.scalars(_OPENED, whose))


def _reviews(session: Session, flag_ids: Sequence[str]) -> tuple[KeptReview, ...]:
    rows = session.execute(
        sa.select(Review, Publication.as_of)
        .join(Publication, Publication.id == Review.publication_id)
        .where(Review.flag_id.in_(flag_ids))
        .order_by(Review.decided_at.desc(), Review.number.desc())
    ).all()
    verdicts = _verdicts(session, [review.review_id for review, _ in rows])
    return tuple(
        KeptReview(
            **{name: getattr(review, name) for name in _COLUMNS},
            sections_opened=tuple(review.sections_opened or ()),
            as_of=as_of,
            verdicts=tuple(verdicts[review.review_id]),
        )
        for review, as_of in rows
    )


_COLUMNS = tuple(
    name
    for name in KeptReview.__dataclass_fields__
    if name not in ("sections_opened", "as_of", "verdicts")
)


def _verdicts(session: Session, review_ids: Sequence[str]) -> dict[str, list[KeptVerdict]]:
    rows = session.scalars(
        sa.select(Verdict).where(Verdict.review_id.in_(review_ids)).order_by(Verdict.id)
    ).all()
    steps = steps_of(session, [row.id for row in rows])
    found: dict[str, list[KeptVerdict]] = defaultdict(list)
    for row in rows:
        found[row.review_id].append(
            KeptVerdict(
                row.id,
                row.reason_id,
                row.verdict,
                row.problem,
                row.note,
                row.contact_key,
                tuple(steps.get(row.id, ())),
            )
        )
    return found


#: How many numbers go into one query; SQLite takes no more than 32,766.
AT_ONCE = 10_000


def steps_of(session: Session, verdict_ids: Sequence[int]) -> dict[int, list[Step]]:
    """The steps in answering data problems, by verdict, oldest first."""
    steps: dict[int, list[Step]] = defaultdict(list)
    for start in range(0, len(verdict_ids), AT_ONCE):
        asked = ProblemStep.verdict_id.in_(verdict_ids[start : start + AT_ONCE])
        for step in session.scalars(sa.select(ProblemStep).where(asked).order_by(ProblemStep.id)):
            steps[step.verdict_id].append(Step(step.state, step.note, step.user, step.at))
    return steps


def reviewed(store: Store) -> tuple[tuple[str, dt.datetime], ...]:
    """Every review as the person it was about and when it was decided, oldest first."""
    with store.reading() as session:
        rows = session.execute(
            sa.select(Flag.person_id, Review.decided_at)
            .join(Flag, Flag.flag_id == Review.flag_id)
            .order_by(Review.decided_at, Review.review_id)
        )
        return tuple((row[0], row[1]) for row in rows)
