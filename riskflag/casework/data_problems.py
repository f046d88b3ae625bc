"""Data problems: what reviewers called wrong, a steward's answer, and its way to the reporter.

A problem is a verdict *wrong* in a review. It is open until a step says otherwise; every step is
kept. The record itself is corrected by the agency that holds it, and comes back with a delivery.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework import audit, corrections
from riskflag.casework.kept_reviews import Step, steps_of
from riskflag.casework.store import Store
from riskflag.casework.tables import (
    Correction,
    CorrectionStep,
    Flag,
    ProblemStep,
    Publication,
    Review,
    Verdict,
)
from riskflag.casework.users import User
from riskflag.clock import moment
from riskflag.errors import ConfigError, ConflictError, InputError

State = Literal["open", "asked", "corrected", "stands", "cannot_tell"]
STATES: tuple[str, ...] = get_args(State)
OPEN = "open"
#: The states in which the steward still has something to do.
WAITING = frozenset({"open", "asked"})
LONGEST_NOTE = 5_000


@dataclass(frozen=True)
class DataProblem:
    """One problem, with what the reporter said of it and its steps, oldest first.

    `contact_key` names the record when the reporter did; `as_of` is the day of the page they saw.
    A correction request (riskflag.casework.corrections) has no review and no reason: both empty.
    """

    problem_id: int
    flag_id: str
    review_id: str
    reason_id: str
    problem: str
    note: str
    contact_key: str | None
    reported_by: str
    reported_at: dt.datetime
    as_of: dt.date
    steps: tuple[Step, ...]

    @property
    def state(self) -> str:
        """How it stands after its newest step."""
        return self.steps[-1].state if self.steps else OPEN


def open_problems(store: Store) -> tuple[DataProblem, ...]:
    """The problems that wait for the steward, the oldest first."""
    return tuple(one for one in _find(store, []) if one.state in WAITING)


def answered_problems(store: Store, *, limit: int = 100) -> tuple[DataProblem, ...]:
    """The newest problems that were answered."""
    found = [one for one in _find(store, []) if one.state not in WAITING]
    return tuple(sorted(found, key=lambda one: one.steps[-1].at, reverse=True)[:limit])


def problems_of(store: Store, reporter: str) -> tuple[DataProblem, ...]:
    """What one person reported, the newest first, with what became of it."""
    found = _find(store, [Review.reviewer == reporter], [Correction.reporter == reporter])
    return tuple(reversed(found))


def problems_about(store: Store, flag_id: str, contact_key: str) -> tuple[DataProblem, ...]:
    """What was reported of one record of a flag's child, the oldest first."""
    return _find(
        store,
        [Review.flag_id == flag_id, Verdict.contact_key == contact_key],
        [Correction.flag_id == flag_id, Correction.contact_key == contact_key],
    )


def problem(store: Store, problem_id: int) -> DataProblem:
    """One problem; InputError when there is none with this number."""
    found = _find(store, [Verdict.id == problem_id], [Correction.id == problem_id])
    if not found:
        raise InputError("There is no data problem with this number; look at the list again.")
    return found[0]


def answer(store: Store, problem_id: int, user: User, state: str, note: str) -> None:
    """Add a step. Raises ConfigError for an answer that is not one and InputError for no problem.

    A step that says nothing new (the same state and note by anybody, just before) is refused with
    ConflictError: somebody else was faster.
    """
    if not user.may("data_problems"):
        raise ConfigError("Only a data steward answers data problems; ask one.")
    if state not in STATES:
        raise ConfigError("The answer is not one of those on the form; choose one.")
    if not note.strip():
        raise ConfigError("An answer needs a sentence for whoever reported it; write one.")
    if len(note) > LONGEST_NOTE:
        raise ConfigError(f"The note is longer than {LONGEST_NOTE:,} characters; shorten it.")
    with store.writing() as session:
        asked = problem_id >= corrections.FIRST
        person = (corrections.person_of if asked else _person_of)(session, problem_id)
        if person is None:
            raise InputError("There is no data problem with this number; look at the list again.")
        known = corrections.steps_of if asked else steps_of
        before = known(session, [problem_id]).get(problem_id, [])
        if before and (before[-1].state, before[-1].note) == (state, note):
            raise ConflictError("This answer was saved already; look at the list again.")
        step = {"state": state, "note": note, "user": user.name, "at": moment()}
        session.add(
            CorrectionStep(correction_id=problem_id, **step)
            if asked
            else ProblemStep(verdict_id=problem_id, **step)
        )
        audit.record(
            session,
            store.key,
            actor=user.name,
            action="answer_problem",
            subject=person,
            detail={"problem": problem_id, "state": state, "note": note},
        )


def _person_of(session: Session, verdict_id: int) -> str | None:
    """Whose flag a verdict *wrong* is about; None when there is none with this number."""
    return session.scalar(
        sa.select(Flag.person_id)
        .join(Review, Review.flag_id == Flag.flag_id)
        .join(Verdict, Verdict.review_id == Review.review_id)
        .where(Verdict.id == verdict_id, Verdict.verdict == "wrong")
    )


def _find(
    store: Store,
    verdicts: Sequence[sa.ColumnElement[bool]],
    asked: Sequence[sa.ColumnElement[bool]] = (),
) -> tuple[DataProblem, ...]:
    """Verdicts and correction requests together, the oldest first."""
    with store.reading() as session:
        rows = session.execute(
            sa.select(Verdict, Review, Publication.as_of)
            .join(Review, Review.review_id == Verdict.review_id)
            .join(Publication, Publication.id == Review.publication_id)
            .where(Verdict.verdict == "wrong", *verdicts)
            .order_by(Review.decided_at, Verdict.id)
        ).all()
        found = [*_problems(session, rows), *_requests(session, asked)]
    return tuple(sorted(found, key=lambda one: (one.reported_at, one.problem_id)))


def _requests(session: Session, where: Sequence[sa.ColumnElement[bool]]) -> tuple[DataProblem, ...]:
    rows = corrections.rows_with_day(session, where)
    steps = corrections.steps_of(session, [row.id for row, _ in rows])
    return tuple(
        DataProblem(
            row.id,
            row.flag_id,
            "",
            "",
            row.problem,
            row.note,
            row.contact_key,
            row.reporter,
            row.at,
            as_of,
            tuple(steps.get(row.id, ())),
        )
        for row, as_of in rows
    )


def _problems(session: Session, rows: Sequence[Any]) -> tuple[DataProblem, ...]:
    steps = steps_of(session, [verdict.id for verdict, _, _ in rows])
    return tuple(
        DataProblem(
            verdict.id,
            review.flag_id,
            review.review_id,
            verdict.reason_id,
            verdict.problem,
            verdict.note,
            verdict.contact_key,
            review.reviewer,
            review.decided_at,
            as_of,
            tuple(steps.get(verdict.id, ())),
        )
        for verdict, review, as_of in rows
    )
