"""Opening the operational store: SQLite with write-ahead log, checked at every connection."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from riskflag.casework.turns import FAILED, Turns
from riskflag.errors import ConfigError, IntegrityError, RiskflagError, StorageError
from riskflag.workspace import Workspace

#: The newest step of migrations/versions; a test holds the two together.
HEAD = "0008"
KEY_NAME = "store.key"
KEY_BYTES = 32
BUSY_SECONDS = 30
#: How many connections are kept open: opening one sets and checks every setting again.
KEPT_OPEN = 20

#: Settings without which a committed decision could be lost or a link could dangle.
REQUIRED = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}


@dataclass(frozen=True)
class Store:
    """An open store. `key` makes pseudonyms and digests; it is kept outside the database.

    Where several processes write, `turns` has their writers wait in line (`taking_turns`).
    """

    engine: sa.Engine
    key: bytes
    turns: Turns | None = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction with the write lock held from its start; all of it or nothing."""
        if self.turns is None:
            yield from self._session("BEGIN IMMEDIATE")
            return
        with self.turns.one():
            yield from self._session("BEGIN IMMEDIATE")
        self.turns.written()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """One transaction that sees a single state of the store."""
        yield from self._session("BEGIN")

    def _session(self, begin: str) -> Iterator[Session]:
        try:
            with (
                self.engine.connect().execution_options(riskflag_begin=begin) as connection,
                connection.begin(),
                Session(connection) as session,
            ):
                yield session
                session.flush()
        except sa.exc.IntegrityError:
            raise IntegrityError(
                "The store refused a change that would break its rules; nothing was changed. "
                "Run `riskflag verify`."
            ) from None
        except sa.exc.DBAPIError:
            raise StorageError(FAILED) from None

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        if self.turns is not None:
            self.turns.wait()
        self.engine.dispose()


def taking_turns(store: Store, lock: Path) -> Store:
    """The same store for one of several processes that write, each with the same lock file."""
    return replace(store, turns=Turns(lock, store.engine))


def open_store(workspace: Workspace, *, create: bool = True) -> Store:
    """The workspace's store, made or brought up to date when needed.

    Raises IntegrityError when the store was written by newer code or its key is gone; without
    `create` a missing store is a ConfigError.
    """
    path = store_path(workspace)
    if not path.exists() and not create:
        raise ConfigError(
            "This workspace has no store yet; run `riskflag score --as-of DATE` first."
        )
    key = _key(workspace, path)
    _for_owner_only(path)
    store = Store(make_engine(path), key)
    try:
        _bring_up_to_date(store)
    except RiskflagError:
        store.close()
        raise
    except (sa.exc.DBAPIError, sqlite3.Error):
        store.close()
        raise StorageError(FAILED) from None
    return store


def faults_of(store: Store) -> list[str]:
    """What the database itself finds wrong with its file, as sentences."""
    with store.reading() as session:
        told = session.execute(sa.text("PRAGMA integrity_check")).scalars().all()
        dangling = session.execute(sa.text("PRAGMA foreign_key_check")).all()
    faults = [] if told == ["ok"] else ["The store's file is damaged; restore it from its backup."]
    if dangling:
        faults.append(f"{len(dangling)} rows of the store point to rows that are not there.")
    return faults


def store_path(workspace: Workspace) -> Path:
    """Where the SQLite file is; raises ConfigError for another kind of address."""
    url = sa.make_url(workspace.store_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        raise ConfigError(
            f"{workspace.config_path} store_url: this version keeps its store in a SQLite file; "
            "write sqlite:///FILE or leave the line out."
        )
    return Path(url.database)


def make_engine(path: Path) -> sa.Engine:
    """An engine whose every connection has the required settings, or fails."""
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        pool_size=KEPT_OPEN,
        # The connection used last has in memory what the next one will most likely read.
        pool_use_lifo=True,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, record: Any) -> None:
    # Transactions are begun by us, so that changes of tables are inside them too.
    connection.isolation_level = None
    for setting, wanted in REQUIRED.items():
        connection.execute(f"PRAGMA {setting} = {wanted}")
        found = connection.execute(f"PRAGMA {setting}").fetchone()[0]
        if found != wanted:
            raise StorageError(
                f"The store cannot be used safely ({setting} is refused here); "
                "keep it on a local disk."
            )


def _begin(connection: sa.Connection) -> None:
    begin = connection.get_execution_options().get("riskflag_begin", "BEGIN")
    connection.exec_driver_sql(str(begin))


def _for_owner_only(path: Path) -> None:
    """Make an empty file that others on the machine cannot read; SQLite fills it."""
    try:
        if not path.exists():
            path.touch(mode=0o600)
    except OSError:
        raise StorageError(FAILED) from None


def _key(workspace: Workspace, store: Path) -> bytes:
    """The workspace's secret key, made together with the store and never again."""
    path = workspace.root / KEY_NAME
    if path.exists():
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
        if len(key) != KEY_BYTES:
            raise IntegrityError(f"{path} is not a whole key; restore it from its backup.")
        return key
    if store.exists() and store.stat().st_size:
        raise IntegrityError(f"{path} is missing; restore it from its backup.")
    staged = path.with_name(f".{KEY_NAME}.new")
    with contextlib.suppress(FileNotFoundError):
        staged.unlink()
    try:
        handle = os.open(staged, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, path)
    except OSError:
        raise StorageError(FAILED) from None
    return _key(workspace, store)


def _bring_up_to_date(store: Store) -> None:
    """Make the tables or take the steps that are missing, in one transaction."""
    with store.engine.connect() as connection:
        found = _version(connection)
    if found == HEAD:
        return
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    if found is not None:
        _refuse_unknown(config, found)
    from alembic import command

    with (
        store.engine.connect().execution_options(riskflag_begin="BEGIN IMMEDIATE") as connection,
        connection.begin(),
    ):
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def _refuse_unknown(config: Any, found: str) -> None:
    from alembic.script import ScriptDirectory

    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if found not in known:
        raise IntegrityError(
            "The store was written by a newer version of riskflag; install that version or "
            "restore the store it was before."
        )
