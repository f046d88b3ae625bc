"""What a steward looks at and decides on who is who, in the audit chain."""

from __future__ import annotations

from collections.abc import Iterable

from riskflag.casework import audit
from riskflag.casework.store import open_store
from riskflag.workspace import Workspace


def note(workspace: Workspace, people: Iterable[str], *, actor: str, action: str) -> None:
    """An audit entry for each person, committed before anything about them is shown or changed."""
    store = open_store(workspace)
    try:
        with store.writing() as session:
            for person in people:
                audit.record(
                    session, store.key, actor=actor, action=action, subject=person, detail={}
                )
    finally:
        store.close()
