"""Every look at a child is recorded before it is shown: one entry of the audit chain per child.

Readers who look at the same moment are recorded in one transaction: making an entry safe on the
disk takes far longer than writing it, so nobody waits for more than two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework import audit
from riskflag.casework.store import Store
from riskflag.casework.tables import Flag
from riskflag.errors import InputError

FLAG_NUMBER = "F-"
_FLAG = Flag.__table__.c
_PEOPLE = sa.select(_FLAG.flag_id, _FLAG.person_id).where(
    _FLAG.flag_id.in_(sa.bindparam("flags", expanding=True))
)
UNKNOWN = "There is no flag with this number; look at My reviews again."


@dataclass
class _Look:
    """One reader's looks: done when they are committed, or with what went wrong."""

    actor: str
    action: str
    subjects: tuple[str, ...]
    done: bool = False
    error: Exception | None = None

    @property
    def flags(self) -> set[str]:
        return {subject for subject in self.subjects if subject.startswith(FLAG_NUMBER)}


class LookBook:
    """Records looks for several threads over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Look] = []
        self._list, self._pen = Lock(), Lock()

    def record(self, *, actor: str, action: str, subjects: Sequence[str]) -> None:
        """Record that `actor` looks at each subject: a flag's number or a person's id.

        Committed when this returns. Raises InputError for a flag that is not there, then nothing
        of this look is recorded, and StorageError when the store refuses: the caller shows nothing.
        """
        if not subjects:
            return
        mine = _Look(actor, action, tuple(subjects))
        with self._list:
            self._waiting.append(mine)
        with self._pen:  # whoever has the pen writes for all who came meanwhile
            if not mine.done:
                with self._list:
                    together, self._waiting = self._waiting, []
                self._write(together)
        if mine.error is not None:
            raise mine.error

    def _write(self, together: list[_Look]) -> None:
        try:
            with self._store.writing() as session:
                people = _people(session, set().union(*(look.flags for look in together)))
                for look in together:
                    if not look.flags <= set(people):
                        look.error = InputError(UNKNOWN)
                found = [look for look in together if look.error is None]
                entries = [entry for look in found for entry in _entries(look, people)]
                audit.record_all(session, self._store.key, entries)
        except Exception as error:
            for look in together:
                look.error = look.error or error
        finally:
            for look in together:
                look.done = True


def record_looks(store: Store, *, actor: str, action: str, subjects: Sequence[str]) -> None:
    """Record one reader's looks outside the web app; as `LookBook.record`."""
    LookBook(store).record(actor=actor, action=action, subjects=subjects)


def _entries(look: _Look, people: dict[str, str]) -> list[audit.Said]:
    """One entry for each subject; of a flag, the subject is its child."""
    return [
        audit.Said(
            look.actor,
            look.action,
            people.get(subject, subject),
            {"flag": subject} if subject in people else {},
        )
        for subject in look.subjects
    ]


def _people(session: Session, flags: set[str]) -> dict[str, str]:
    """The person of each flag number that there is."""
    rows = session.connection().execute(_PEOPLE, {"flags": sorted(flags)})
    return {row.flag_id: row.person_id for row in rows}
