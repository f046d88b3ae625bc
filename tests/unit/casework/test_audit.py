"""The audit chain sees every change, and a cut end against an anchor."""

from __future__ import annotations

import random
import sqlite3

import pytest
import sqlalchemy as sa

from riskflag.casework import audit
from riskflag.casework.store import open_store
from riskflag.casework.tables import Audit
from riskflag.errors import IntegrityError
from riskflag.workspace import Workspace

ENTRIES = 30


@pytest.fixture
def workspace(tmp_path):
    place = Workspace.create(tmp_path / "w", "Test Borough")
    store = open_store(place)
    for number in range(ENTRIES):
        with store.writing() as session:
            audit.record(
                session,
                store.key,
                actor="worker",
                action="look",
                subject=f"P-{number}",
                detail={"number": number},
            )
    store.close()
    return place


def first_bad(workspace: Workspace) -> int | None:
    store = open_store(workspace)
    try:
        with store.reading() as session:
            return audit.first_bad(session)
    finally:
        store.close()


def as_owner(workspace: Workspace, *statements: str) -> None:
    """What somebody who owns the database file can do: triggers do not stop them."""
    with sqlite3.connect(workspace.root / "store.db") as connection:
        for trigger in ("audit_no_update", "audit_no_delete"):
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)


def test_an_untouched_chain_is_whole(workspace):
    """No false alarm."""
    assert first_bad(workspace) is None


@pytest.mark.parametrize("verb", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_an_entry(workspace, verb):
    """Entries are appended, never edited."""
    store = open_store(workspace)
    with pytest.raises(IntegrityError), store.writing() as session:
        session.execute(sa.text(verb))
    store.close()


ATTACKS = {
    "actor": "UPDATE audit SET actor = 'nobody' WHERE seq = {n}",
    "time": "UPDATE audit SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = {n}",
    "subject": "UPDATE audit SET subject = NULL WHERE seq = {n}",
    "detail": "UPDATE audit SET detail_digest = 'ff' WHERE seq = {n}",
    "deletion": "DELETE FROM audit WHERE seq = {n}",
    "hash": "UPDATE audit SET hash = 'ff' WHERE seq = {n}",
    "number": "UPDATE audit SET seq = {n} + 1000 WHERE seq = {n}",
}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_a_change_in_the_middle_is_found_where_it_is(workspace, attack):
    """The first entry that no longer follows is named."""
    place = random.Random(attack).randint(1, ENTRIES - 1)
    as_owner(workspace, ATTACKS[attack].format(n=place))
    assert first_bad(workspace) == place


def test_a_cut_end_shows_against_the_head_kept_elsewhere(workspace):
    """The chain alone cannot show it; the anchor can."""
    store = open_store(workspace)
    with store.reading() as session:
        anchor = audit.head(session)
    store.close()
    as_owner(workspace, f"DELETE FROM audit WHERE seq > {ENTRIES - 3}")
    assert first_bad(workspace) is None
    store = open_store(workspace)
    with store.reading() as session:
        assert audit.hash_at(session, anchor.seq) != anchor.hash
    store.close()


def test_no_name_is_in_the_chain(workspace):
    """A person appears as a keyed pseudonym only."""
    store = open_store(workspace)
    with store.reading() as session:
        subjects = list(session.scalars(sa.select(Audit.subject)))
    store.close()
    assert len(set(subjects)) == ENTRIES
    assert not any("P-" in subject for subject in subjects)
