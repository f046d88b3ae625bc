"""Turns of the writers of several processes, and the log folded away while none of them waits.

What is committed stands in SQLite's write-ahead log, safe on the disk, and is copied into the
store's file later. Left to itself, SQLite has a writer do that within its commit as soon as the
log is long, and all others stand in line behind it for as long as a hundred commits take.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from riskflag.errors import StorageError

FAILED = "The store cannot be read or written; check disk space and permissions, then run again."
#: The log is folded away after so many transactions of one process.
EVERY = 50
#: Pages of the log at which a writer does it all the same: should folding fail, it stays bounded.
LONGEST_LOG = 16_000


class Turns:
    """The turns of one process over the lock file that all of them share.

    A writer that found the database taken would sleep and try again, maybe for long; a lock on a
    file is handed on at once.
    """

    def __init__(self, lock: Path, engine: sa.Engine) -> None:
        self._lock, self._engine = lock, engine
        self._written, self._count = 0, Lock()
        self._folding: Thread | None = None
        event.listen(engine, "connect", _leave_the_log)
        engine.dispose()  # connections made before do not know

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Hold the lock; closing its handle, or the process's end, gives it back."""
        try:
            handle = os.open(self._lock, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError:
            raise StorageError(FAILED) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def written(self) -> None:
        """Count a transaction, outside of its turn; every so many begin to fold."""
        with self._count:
            self._written += 1
            if self._written < EVERY or (self._folding and self._folding.is_alive()):
                return
            self._written = 0
            self._folding = Thread(target=self._fold)
            self._folding.start()

    def wait(self) -> None:
        """Return when nothing is being folded any more."""
        if self._folding:
            self._folding.join()

    def _fold(self) -> None:
        """All of the log beside the writers, then in a turn the little they added meanwhile.

        Only a log without a rest is begun anew. What goes wrong is left for the next time.
        """
        with contextlib.suppress(sa.exc.DBAPIError, sqlite3.Error, StorageError):
            self._checkpoint()
            with self.one():
                self._checkpoint()

    def _checkpoint(self) -> None:
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            connection.close()


def _leave_the_log(connection: Any, record: Any) -> None:
    connection.execute(f"PRAGMA wal_autocheckpoint = {LONGEST_LOG}")
