"""What linkage and checks put into DuckDB stays in memory."""

from __future__ import annotations

import pytest

from riskflag.errors import StorageError
from riskflag.history.memory_database import memory_database

TOO_MUCH = "CREATE TABLE t AS SELECT uuid() AS a FROM range(3_000_000)"


def fill(connection):
    connection.execute("SET memory_limit = '40MB'")
    connection.execute(TOO_MUCH)


def test_what_memory_cannot_hold_is_an_error_and_never_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match="not enough memory"), memory_database() as connection:
        fill(connection)
    assert list(tmp_path.iterdir()) == []


def test_left_to_itself_duckdb_would_write_a_file(tmp_path, monkeypatch):
    """The negative control: without the setting the same table lies in the folder."""
    import duckdb

    monkeypatch.chdir(tmp_path)
    with duckdb.connect(":memory:") as connection:
        fill(connection)
        assert [path.name for path in tmp_path.iterdir()] == [".tmp"]


def test_no_file_can_be_read_through_it(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n", encoding="utf-8")
    import duckdb

    with pytest.raises(duckdb.PermissionException), memory_database() as connection:
        connection.execute(f"SELECT * FROM '{tmp_path / 'a.csv'}'")
