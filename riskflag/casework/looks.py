"""Every look at a child is recorded before it is shown: one entry of the audit chain per child."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework import audit
from riskflag.casework.store import Store
from riskflag.casework.tables import Flag
from riskflag.errors import InputError

FLAG_NUMBER = "F-"


def record_looks(store: Store, *, actor: str, action: str, subjects: Sequence[str]) -> None:
    """Record that `actor` looks at each subject: a flag's number or a person's id.

    Committed when this returns. Raises InputError for a flag that is not there; then nothing is
    recorded, and the caller shows nothing.
    """
    if not subjects:
        return
    with store.writing() as session:
        people = _people(session, [s for s in subjects if s.startswith(FLAG_NUMBER)])
        for subject in subjects:
            is_flag = subject.startswith(FLAG_NUMBER)
            audit.record(
                session,
                store.key,
                actor=actor,
                action=action,
                subject=people[subject] if is_flag else subject,
                detail={"flag": subject} if is_flag else {},
            )


def _people(session: Session, flags: Sequence[str]) -> dict[str, str]:
    """The person of each flag number."""
    rows = session.execute(sa.select(Flag.flag_id, Flag.person_id).where(Flag.flag_id.in_(flags)))
    found = {row.flag_id: row.person_id for row in rows}
    if set(found) != set(flags):
        raise InputError("There is no flag with this number; look at My reviews again.")
    return found
