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

from riskflag.casework import audit
from riskflag.casework.kept_reviews import Step, steps_of
from riskflag.casework.store import Store
from riskflag.casework.tables import Flag, ProblemStep, Publication, Review, Verdict
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
    return tuple(reversed(_find(store, [Review.reviewer == reporter])))


def problem(store: Store, problem_id: int) -> DataProblem:
    """One problem; InputError when there is none with this number."""
    found = _find(store, [Verdict.id == problem_id])
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
        person = session.scalar(
            sa.select(Flag.person_id)
            .join(Review, Review.flag_id == Flag.flag_id)
            .join(Verdict, Verdict.review_id == Review.review_id)
            .where(Verdict.id == problem_id, Verdict.verdict == "wrong")
        )
        if person is None:
            raise InputError("There is no data problem with this number; look at the list again.")
        before = steps_of(session, [problem_id]).get(problem_id, [])
        if before and (before[-1].state, before[-1].note) == (state, note):
            raise ConflictError("This answer was saved already; look at the list again.")
        session.add(
            ProblemStep(verdict_id=problem_id, state=state, note=note, user=user.name, at=moment())
        )
        audit.record(
            session,
            store.key,
            actor=user.name,
            action="answer_problem",
            subject=person,
            detail={"problem": problem_id, "state": state, "note": note},
        )


def _find(store: Store, more: Sequence[sa.ColumnElement[bool]]) -> tuple[DataProblem, ...]:
    with store.reading() as session:
        rows = session.execute(
            sa.select(Verdict, Review, Publication.as_of)
            .join(Review, Review.review_id == Verdict.review_id)
            .join(Publication, Publication.id == Review.publication_id)
            .where(Verdict.verdict == "wrong", *more)
            .order_by(Review.decided_at, Verdict.id)
        ).all()
        return _problems(session, rows)


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
