"""Looks recorded together: each once, under its own reader; one fault is no other's."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from riskflag.casework import audit
from riskflag.casework.looks import LookBook, _Look
from riskflag.casework.store import open_store, taking_turns
from riskflag.casework.tables import Audit
from riskflag.errors import InputError, StorageError
from riskflag.workspace import Workspace

READERS, TIMES = 8, 12


@pytest.fixture
def store(tmp_path):
    opened = open_store(Workspace.create(tmp_path / "workspace", "Made-up Borough"))
    yield opened
    opened.close()


def entries(store) -> list[tuple[str, str | None]]:
    with store.reading() as session:
        assert audit.first_bad(session) is None
        return [tuple(row) for row in session.execute(sa.select(Audit.actor, Audit.subject))]


@pytest.mark.parametrize("books", [1, 2])
def test_readers_at_the_same_moment_are_each_recorded_once(store, tmp_path, books):
    """Eight threads, over one book or two: each look is committed when its call returns."""
    shelf = [LookBook(taking_turns(store, tmp_path / "queue")) for _ in range(books)]
    missing = []

    def read(number: int) -> None:
        for time in range(TIMES):
            person = f"C{number}-{time}"
            book = shelf[number % books]
            book.record(actor=f"worker {number}", action="read", subjects=[person])
            if (f"worker {number}", audit.pseudonym(store.key, person)) not in entries(store):
                missing.append(person)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = entries(store)
    assert missing == []
    assert len(found) == len(set(found)) == READERS * TIMES


def test_a_flag_that_is_not_there_stops_its_own_look_alone(store):
    """Two looks written together: the one of an unknown flag is refused, the other recorded."""
    unknown = _Look("worker 0", "read", ("C1", "F-2026-000001"))
    known = _Look("worker 1", "read", ("C1", "C2"))
    LookBook(store)._write([unknown, known])
    assert isinstance(unknown.error, InputError)
    assert known.error is None
    assert [actor for actor, _ in entries(store)] == ["worker 1", "worker 1"]


def test_a_store_that_refuses_is_told_to_the_reader(store, monkeypatch):
    """Then the caller has nothing to show; afterwards the book works again."""

    def full(*_):
        raise StorageError("The disk is full.")

    book = LookBook(store)
    with monkeypatch.context() as patched:
        patched.setattr(audit, "record_all", full)
        with pytest.raises(StorageError):
            book.record(actor="worker", action="read", subjects=["C1"])
    assert entries(store) == []
    book.record(actor="worker", action="read", subjects=["C1"])
    assert len(entries(store)) == 1
