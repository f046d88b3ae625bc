"""Turns of writers, and the log that is folded into the store's file beside them."""

from __future__ import annotations

import shutil
import sqlite3

import pytest

from riskflag.casework import audit, turns
from riskflag.casework.store import open_store, taking_turns
from riskflag.workspace import Workspace


@pytest.fixture
def store(tmp_path):
    opened = open_store(Workspace.create(tmp_path / "w", "Made-up Borough"))
    yield taking_turns(opened, tmp_path / "turns")
    opened.close()


def write(store, times: int) -> None:
    for number in range(times):
        with store.writing() as session:
            told = {"actor": "worker", "action": "read", "subject": f"C{number}", "detail": {}}
            audit.record(session, store.key, **told)
    store.turns.wait()


def folded(tmp_path) -> int:
    """How many audit entries the store's file holds by itself, without its log."""
    copy = shutil.copy(tmp_path / "w" / "store.db", tmp_path / "copy.db")
    with sqlite3.connect(f"file:{copy}?immutable=1", uri=True) as alone:
        return alone.execute("SELECT count(*) FROM audit").fetchone()[0]


def test_every_so_many_transactions_the_log_is_folded_into_the_file(store, tmp_path):
    """One fewer leaves everything in the log: it is the count that folds, not the commit."""
    write(store, turns.EVERY - 1)
    assert folded(tmp_path) == 0
    write(store, 1)
    assert folded(tmp_path) == turns.EVERY


def test_what_goes_wrong_in_folding_is_no_fault_of_the_writer(store, tmp_path, monkeypatch):
    """The writers go on, nothing is lost, and the next time folds all of it."""

    def refused(_):
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(turns.Turns, "_checkpoint", refused)
        write(store, turns.EVERY)
    assert folded(tmp_path) == 0
    write(store, turns.EVERY)
    assert folded(tmp_path) == 2 * turns.EVERY


def test_the_settings_that_keep_a_committed_review_stay(store):
    """Folding later does not weaken what a commit waits for."""
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        found = connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar()
    assert found == turns.LONGEST_LOG


def test_a_writer_whose_turn_fails_leaves_the_lock_to_the_next(store):
    """A refused transaction ends its turn; the next writer does not wait for it."""
    with pytest.raises(ZeroDivisionError), store.writing():
        raise ZeroDivisionError
    write(store, 1)
    with store.reading() as session:
        assert audit.head(session).seq == 1
