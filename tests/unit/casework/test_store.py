"""The operational store: its settings, its versions, and what it refuses."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from riskflag.casework import audit, tables
from riskflag.casework import store as store_module
from riskflag.casework.store import HEAD, REQUIRED, open_store
from riskflag.errors import ConfigError, IntegrityError, StorageError
from riskflag.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace.create(tmp_path / "w", "Test Borough")


@pytest.fixture
def store(workspace):
    opened = open_store(workspace)
    yield opened
    opened.close()


def test_every_connection_has_the_settings_that_keep_decisions(store):
    """Write-ahead log, full synchronous writes and foreign keys hold on each connection."""
    with store.engine.connect() as one, store.engine.connect() as two:
        for connection in (one, two):
            for setting, wanted in REQUIRED.items():
                assert connection.exec_driver_sql(f"PRAGMA {setting}").scalar() == wanted


def test_a_connection_without_full_writes_is_refused(workspace, monkeypatch):
    """When SQLite does not take a setting, nothing is read or written."""
    monkeypatch.setitem(store_module.REQUIRED, "journal_mode", "never heard of")
    with pytest.raises(StorageError):
        open_store(workspace)


def test_the_steps_and_the_tables_say_the_same(store):
    """The migration makes exactly the tables the code reads and writes."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, tables.Base.metadata) == []


def test_the_newest_step_is_the_one_the_code_expects():
    """HEAD follows the files in migrations/versions."""
    config = Config()
    folder = store_module.Path(store_module.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_tables_are_strict(store):
    """A text in a number's place is refused by the database itself."""
    with pytest.raises(IntegrityError), store.writing() as session:
        session.execute(
            sa.text("INSERT INTO current_publication (id, publication_id) VALUES (1, 'many')")
        )


def test_opening_again_changes_no_byte(workspace):
    """Reading leaves the file as it is."""
    open_store(workspace).close()
    before = (workspace.root / "store.db").read_bytes()
    again = open_store(workspace)
    with again.reading() as session:
        assert audit.first_bad(session) is None
    again.close()
    assert (workspace.root / "store.db").read_bytes() == before


def test_a_store_of_a_newer_version_is_refused(workspace, store):
    """Older code never touches a newer store: exit 40."""
    store.close()
    with sqlite3.connect(workspace.root / "store.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(IntegrityError, match="newer version") as refused:
        open_store(workspace)
    assert refused.value.exit_code == 40


def test_a_migration_that_is_ended_midway_leaves_nothing(workspace, monkeypatch):
    """The tables appear together or not at all, and the next run makes them."""
    from alembic import op

    made = []
    plain = op.create_table

    def breaks(name, *columns, **options):
        made.append(name)
        if len(made) == 4:
            raise sqlite3.OperationalError("disk I/O error")
        return plain(name, *columns, **options)

    monkeypatch.setattr(op, "create_table", breaks)
    with pytest.raises(StorageError):
        open_store(workspace)
    monkeypatch.undo()
    with sqlite3.connect(workspace.root / "store.db") as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    open_store(workspace).close()


def test_a_lost_key_is_said_and_never_replaced(workspace, store):
    """A new key would break every pseudonym: the store stays shut without its own."""
    store.close()
    (workspace.root / "store.key").unlink()
    with pytest.raises(IntegrityError, match="missing"):
        open_store(workspace)


@pytest.mark.parametrize("name", ["store.key", "store.db", "store.db-wal"])
def test_the_store_and_its_key_are_readable_by_their_owner_only(workspace, store, name):
    """Neither is for others on the machine."""
    with store.reading() as session:
        audit.head(session)
        assert (workspace.root / name).stat().st_mode & 0o077 == 0


def test_another_kind_of_database_is_refused_in_plain_words(tmp_path):
    """What this version cannot keep safely it does not open."""
    workspace = Workspace.create(tmp_path / "w", "Test Borough")
    workspace.config_path.write_text('authority = "T"\nstore_url = "postgresql://db/riskflag"\n')
    with pytest.raises(ConfigError, match="SQLite"):
        open_store(Workspace.open(workspace.root))


def test_reading_without_a_store_says_what_to_do(workspace):
    """Commands that only read never make a store."""
    with pytest.raises(ConfigError, match="riskflag score"):
        open_store(workspace, create=False)
    assert not (workspace.root / "store.db").exists()
