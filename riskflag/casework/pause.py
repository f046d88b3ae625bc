"""Pausing riskflag, withdrawing it and letting it go on: who, when and why, never erased.

While paused a night brings the flags that wait up to date and raises no new ones; withdrawn, there
is no night at all. Either way what waits can be read and decided, and nothing is lost: a child who
would have been raised is raised by the first night after.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework import audit
from riskflag.casework.store import Store
from riskflag.casework.tables import PauseStep
from riskflag.casework.users import User
from riskflag.clock import moment
from riskflag.errors import ConfigError, ConflictError

Standing = Literal["running", "paused", "withdrawn"]
RUNNING: Standing = "running"
PAUSED: Standing = "paused"
WITHDRAWN: Standing = "withdrawn"

#: What each step is called in the audit chain.
ACTIONS = {RUNNING: "resume", PAUSED: "pause", WITHDRAWN: "withdraw"}
LONGEST_REASON = 2_000


@dataclass(frozen=True)
class Step:
    """One step: the standing from then on, and who took it, why and when."""

    state: Standing
    reason: str
    user: str
    role: str
    at: dt.datetime | None


#: How it is before anybody paused anything.
FROM_THE_START = Step(RUNNING, "", "", "", None)


def state(store: Store) -> Step:
    """How riskflag stands now, by the newest step."""
    with store.reading() as session:
        return _now(session)


def history(store: Store) -> tuple[Step, ...]:
    """Every step, newest first."""
    with store.reading() as session:
        rows = session.scalars(sa.select(PauseStep).order_by(PauseStep.id.desc()))
        return tuple(_step(row) for row in rows)


def pause(store: Store, user: User, reason: str) -> Step:
    """No new flags from the next night on; raises as `resume` does."""
    return _take(store, user, PAUSED, reason)


def withdraw(store: Store, user: User, reason: str) -> Step:
    """No further nights until somebody resumes; raises as `resume` does."""
    return _take(store, user, WITHDRAWN, reason)


def resume(store: Store, user: User, reason: str) -> Step:
    """Nights raise flags again.

    Raises ConfigError without a reason or for a role that may not, and ConflictError when riskflag
    stands so already: then somebody else was faster.
    """
    return _take(store, user, RUNNING, reason)


def _take(store: Store, user: User, to: Standing, reason: str) -> Step:
    if not user.may("pause"):
        raise ConfigError("Only the responsible owner may pause, withdraw or resume; ask them.")
    if not reason.strip():
        raise ConfigError("Pausing, withdrawing and resuming need a reason; write a sentence.")
    if len(reason) > LONGEST_REASON:
        raise ConfigError(f"The reason is longer than {LONGEST_REASON:,} characters; shorten it.")
    with store.writing() as session:
        if _now(session).state == to:
            raise ConflictError(f"riskflag is {to} already; look at who did it and why.")
        row = PauseStep(state=to, reason=reason, user=user.name, role=user.role, at=moment())
        session.add(row)
        session.flush()
        audit.record(
            session,
            store.key,
            actor=user.name,
            action=ACTIONS[to],
            subject=None,
            detail={"reason": reason, "role": user.role},
        )
        return _step(row)


#: Every page asks, so it is made once, and of the table: whole objects cost as much again.
_STEP = PauseStep.__table__.c
_NEWEST = (
    sa.select(_STEP.state, _STEP.reason, _STEP.user, _STEP.role, _STEP.at)
    .order_by(_STEP.id.desc())
    .limit(1)
)


def _now(session: Session) -> Step:
    last = session.connection().execute(_NEWEST).first()
    return FROM_THE_START if last is None else Step(*last)


def _step(row: PauseStep) -> Step:
    return Step(row.state, row.reason, row.user, row.role, row.at)  # type: ignore[arg-type]
