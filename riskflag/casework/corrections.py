"""Correction requests: a reader says of one record that it is wrong, without a review.

They stand in the same list as what reviewers called wrong (riskflag.casework.data_problems), with
numbers of their own. The record itself is corrected by the agency that holds it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework import audit
from riskflag.casework.kept_reviews import Step
from riskflag.casework.policies import PROBLEMS
from riskflag.casework.store import Store
from riskflag.casework.tables import Correction, CorrectionStep, Flag, FlagVersion, Publication
from riskflag.casework.users import User
from riskflag.clock import moment
from riskflag.errors import ConfigError, InputError

#: Numbers of correction requests begin above those of verdicts, so that one list holds both.
FIRST = 1_000_000_001
LONGEST_NOTE = 5_000


@dataclass(frozen=True)
class NewCorrection:
    """What a reader says is wrong with a record of a flag's child."""

    flag_id: str
    contact_key: str
    problem: str
    note: str


def ask(store: Store, asked: NewCorrection, user: User) -> int:
    """Record a request and return its number; the same request again gives the same number.

    Raises ConfigError for an answer that is not one of the form's and InputError for no such flag.
    """
    _check(asked, user)
    with store.writing() as session:
        person, publication = _flag(session, asked.flag_id)
        before = session.scalar(
            sa.select(Correction.id).where(
                Correction.flag_id == asked.flag_id,
                Correction.contact_key == asked.contact_key,
                Correction.problem == asked.problem,
                Correction.note == asked.note,
                Correction.reporter == user.name,
            )
        )
        if before is not None:
            return before
        row = Correction(
            id=max(FIRST, (session.scalar(sa.select(sa.func.max(Correction.id))) or 0) + 1),
            flag_id=asked.flag_id,
            publication_id=publication,
            contact_key=asked.contact_key,
            problem=asked.problem,
            note=asked.note,
            reporter=user.name,
            role=user.role,
            at=moment(),
        )
        session.add(row)
        session.flush()
        audit.record(
            session,
            store.key,
            actor=user.name,
            action="ask_correction",
            subject=person,
            detail={"problem": row.id, "record": asked.contact_key, "kind": asked.problem},
        )
        return row.id


def rows_with_day(session: Session, where: Sequence[sa.ColumnElement[bool]]) -> Sequence[Any]:
    """The requests with the day of the page the reader saw, the oldest first."""
    return session.execute(
        sa.select(Correction, Publication.as_of)
        .join(Publication, Publication.id == Correction.publication_id)
        .where(*where)
        .order_by(Correction.at, Correction.id)
    ).all()


def steps_of(session: Session, numbers: Sequence[int]) -> dict[int, list[Step]]:
    """The steps in answering requests, by number, oldest first."""
    steps: dict[int, list[Step]] = defaultdict(list)
    asked = CorrectionStep.correction_id.in_(numbers)
    for step in session.scalars(sa.select(CorrectionStep).where(asked).order_by(CorrectionStep.id)):
        steps[step.correction_id].append(Step(step.state, step.note, step.user, step.at))
    return steps


def person_of(session: Session, number: int) -> str | None:
    """Whose record a request is about; None when there is no such request."""
    return session.scalar(
        sa.select(Flag.person_id)
        .join(Correction, Correction.flag_id == Flag.flag_id)
        .where(Correction.id == number)
    )


def _check(asked: NewCorrection, user: User) -> None:
    if not user.may("read_flags"):
        raise ConfigError("Only those who read flags ask for corrections; tell the data steward.")
    if asked.problem not in PROBLEMS:
        raise ConfigError("Choose what is wrong from the form.")
    if not asked.note.strip():
        raise ConfigError("Say in a sentence what is wrong, so that the agency can find it.")
    if len(asked.note) > LONGEST_NOTE:
        raise ConfigError(f"The note is longer than {LONGEST_NOTE:,} characters; shorten it.")


def _flag(session: Session, flag_id: str) -> tuple[str, int]:
    """The person of a flag and the publication that showed it last."""
    found = session.execute(
        sa.select(Flag.person_id, sa.func.max(FlagVersion.publication_id))
        .join(FlagVersion, FlagVersion.flag_id == Flag.flag_id)
        .where(Flag.flag_id == flag_id)
        .group_by(Flag.person_id)
    ).first()
    if found is None:
        raise InputError("There is no flag with this number; look at My reviews again.")
    return found[0], found[1]
