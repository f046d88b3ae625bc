"""Reading a source's table from SQL Server, PostgreSQL or SQLite: columns by name, in one snapshot.

Nothing of a declaration becomes SQL text: tables and columns are quoted names in a statement that
SQLAlchemy builds. A read is one read-only transaction for all tables of a connection, so they fit
together, and its rows come in chunks. Messages name the connection and the table, never an address.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.mssql import DATETIMEOFFSET
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import quoted_name

from riskflag.errors import ConfigError
from riskflag.history.declared.source import Source
from riskflag.history.files.delivered import RejectedError
from riskflag.settings import DatabaseSettings

CHUNK = 10_000
_LEVELS = {
    "postgresql": {"snapshot": "REPEATABLE READ"},
    "mssql": {"snapshot": "SNAPSHOT"},
}
#: How long each driver waits for a server that does not answer, in its own word.
_PATIENCE = {
    "psycopg": {"connect_timeout": 10},
    "psycopg2": {"connect_timeout": 10},
    "pyodbc": {"timeout": 10},
    "pymssql": {"login_timeout": 10},
    "pysqlite": {"timeout": 10},
}


def variable_of(connection: str) -> str:
    """The environment variable that may hold a connection's whole address."""
    return f"RISKFLAG_DATABASE_{connection.upper()}"


def address(connection: str, settings: Mapping[str, DatabaseSettings]) -> sa.URL:
    """Where a connection leads; ConfigError when nobody says so or it is no address."""
    said = settings.get(connection, DatabaseSettings())
    text = os.environ.get(variable_of(connection)) or said.url
    if not text:
        raise ConfigError(
            f"Nothing says where the database {connection} is; set {variable_of(connection)} "
            f"or url under databases.{connection} in riskflag.toml."
        )
    try:
        url = sa.make_url(text)
        dialect = url.get_dialect().name
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError, ValueError):
        raise ConfigError(
            f"The address of the database {connection} cannot be used: write it as "
            "postgresql+psycopg://user@server/database or mssql+pyodbc://..., "
            "and install its driver."
        ) from None
    if dialect not in ("postgresql", "mssql", "sqlite"):
        raise ConfigError(
            f"The database {connection} is neither SQL Server, PostgreSQL nor SQLite; "
            "export its tables as files instead."
        )
    if said.password_variable is not None and url.password is None:
        url = url.set(password=os.environ.get(said.password_variable))
    return url


@dataclass(frozen=True)
class Shape:
    """A table as the database describes it: its name and the type of each of its columns."""

    table: str
    columns: Mapping[str, Any]


#: Where each declared column is: which of the shapes, and its name there.
Places = Mapping[str, tuple[int, str]]


def statement(
    source: Source, places: Places, shapes: Sequence[Shape], schema: str | None
) -> sa.Select[Any]:
    """The select of a source's columns, tables joined as declared, in the order of its key."""
    assert source.database is not None
    tables = [_table(shape, number, schema) for number, shape in enumerate(shapes)]
    chosen = [
        tables[number].c[actual].label(name)
        for name, (number, actual) in sorted(places.items())
        if name in source.columns()
    ]
    joined: Any = tables[0]
    for number, join in enumerate(source.database.join, start=1):
        pairs = [
            tables[0].c[_named(shapes[0], ours)] == tables[number].c[_named(shapes[number], theirs)]
            for ours, theirs in join.on.items()
        ]
        joined = joined.outerjoin(tables[number], sa.and_(*pairs))
    keys = [tables[0].c[_named(shapes[0], name)] for name in source.database.order]
    return sa.select(*chosen).select_from(joined).order_by(*keys)


def _table(shape: Shape, number: int, schema: str | None) -> sa.FromClause:
    """A table whose every name is quoted, whatever it holds, under a short name of ours."""
    columns: list[sa.Column[Any]] = [
        sa.Column(quoted_name(name, quote=True), kind, key=name)
        for name, kind in shape.columns.items()
    ]
    name = quoted_name(shape.table, quote=True)
    return sa.Table(name, sa.MetaData(), *columns, schema=schema).alias(f"t{number}")


class Reader:
    """One connection in one read-only transaction that sees a single state of the data."""

    def __init__(self, name: str, connection: sa.Connection, schema: str | None) -> None:
        self.name, self.connection, self.schema = name, connection, schema
        self.dialect = connection.dialect.name

    def read(self, source: Source) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """The schema and the rows of a source's table in chunks; RejectedError when it fails."""
        assert source.database is not None
        schema = source.database.schema_ or self.schema
        names = [source.database.table, *(join.table for join in source.database.join)]
        shapes = [self._shape(table, schema) for table in names]
        places = _matched(source, shapes)
        select = statement(source, places, shapes, schema)
        wanted = [name for name in sorted(places) if name in source.columns()]
        kinds = [shapes[places[name][0]].columns[places[name][1]] for name in wanted]
        fields = [_field(n, k, self._where(names[0])) for n, k in zip(wanted, kinds, strict=True)]
        shape = pa.schema(fields)
        return shape, self._batches(names[0], select, shape, [_padded(kind) for kind in kinds])

    def _where(self, table: str) -> str:
        return f"The table {table} of the database {self.name}"

    def _shape(self, table: str, schema: str | None) -> Shape:
        """The table's columns as the database names them, with their types."""
        with _told(f"{self._where(table)} cannot be read", self.dialect):
            try:
                found = sa.inspect(self.connection).get_columns(table, schema)
            except sa.exc.NoSuchTableError:
                found = []
        if not found:
            raise RejectedError(
                "no_table",
                f"{self._where(table)} is not there or may not be read; check its schema and "
                "the rights of the reading user.",
            )
        return Shape(table, {column["name"]: column["type"] for column in found})

    def _batches(
        self, table: str, select: sa.Select[Any], shape: pa.Schema, padded: list[bool]
    ) -> Iterator[pa.RecordBatch]:
        options = {"stream_results": True, "max_row_buffer": CHUNK}
        with _told(f"{self._where(table)} cannot be read", self.dialect):
            result = self.connection.execute(select, execution_options=options)
            for rows in result.partitions(CHUNK):
                columns = zip(*rows, strict=True)
                arrays = [
                    _array(values, field.type, strip=strip)
                    for values, field, strip in zip(columns, shape, padded, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=shape)


@contextmanager
def opened(
    name: str, settings: Mapping[str, DatabaseSettings], schema: str | None = None
) -> Iterator[Reader]:
    """A reader of a connection; ConfigError or RejectedError in one sentence when it fails."""
    said = settings.get(name, DatabaseSettings())
    url = address(name, settings)
    dialect = url.get_dialect().name
    patience = _PATIENCE.get(url.get_driver_name(), {})
    _sqlite_there(name, url)
    what = f"The database {name} cannot be reached; check its address, its rights and the network"
    with _told(what, ""):
        engine = sa.create_engine(
            url, poolclass=NullPool, hide_parameters=True, connect_args=patience
        )
        connection = engine.connect()
    try:
        with _told(what, dialect):
            _begin(connection, said.isolation)
        yield Reader(name, connection, schema or said.schema_)
    finally:
        connection.close()
        engine.dispose()


def options_for(dialect: str, isolation: str) -> dict[str, Any]:
    """How a connection is opened: the isolation level, and read-only where the server can."""
    level = _LEVELS[dialect].get(isolation, isolation.replace("_", " ").upper())
    read_only = {"postgresql_readonly": True} if dialect == "postgresql" else {}
    return {"isolation_level": level, **read_only}


def _begin(connection: sa.Connection, isolation: str) -> None:
    """Begin the one transaction of a read."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
        return
    connection.execution_options(**options_for(connection.dialect.name, isolation))
    connection.begin()


def _sqlite_there(name: str, url: sa.URL) -> None:
    """SQLite would make a new file of a name that is wrong."""
    if url.get_dialect().name == "sqlite" and not Path(url.database or "").is_file():
        raise RejectedError(
            "database", f"The file of the database {name} is not there; check its address."
        )


@contextmanager
def _told(what: str, dialect: str) -> Iterator[None]:
    """Driver errors as one sentence: their own texts may name hosts, users and values."""
    hint = (
        ", and that SQL Server allows snapshot isolation for it (or set isolation in riskflag.toml)"
        if dialect == "mssql"
        else ""
    )
    try:
        yield
    except ImportError:
        raise ConfigError(
            "The driver of a database is not installed; install riskflag[database], "
            "or pyodbc for SQL Server."
        ) from None
    except (sa.exc.SQLAlchemyError, OSError, ValueError, TypeError, OverflowError):
        raise RejectedError("database", f"{what}{hint}.") from None


def _named(shape: Shape, name: str) -> str:
    """A declared name as the table writes it; case does not matter, as in most databases."""
    if name in shape.columns:
        return name
    alike = [there for there in shape.columns if there.casefold() == name.casefold()]
    if len(alike) != 1:
        raise RejectedError(
            "missing_column",
            f"The table {shape.table} has no column {name}; check it or its source.",
        )
    return alike[0]


def _matched(source: Source, shapes: Sequence[Shape]) -> dict[str, tuple[int, str]]:
    """Where each column is that a source uses; an optional one may be nowhere."""
    assert source.database is not None
    added = {
        name: number
        for number, join in enumerate(source.database.join, start=1)
        for name in join.columns
    }
    found: dict[str, tuple[int, str]] = {}
    for name in sorted(source.columns() | set(source.database.order)):
        number = added.get(name, 0)
        try:
            found[name] = number, _named(shapes[number], name)
        except RejectedError:
            if name not in source.files.optional:
                raise
    return found


def _field(name: str, kind: Any, where: str) -> pa.Field:
    """Days stay days, everything else becomes the text a CSV file would hold."""
    if isinstance(kind, sa.LargeBinary | sa.BINARY | sa.VARBINARY):
        raise RejectedError(
            "column_type", f"{where}: column {name} is neither text, day nor number."
        )
    if isinstance(kind, sa.DateTime):
        zoned = getattr(kind, "timezone", False) or isinstance(kind, DATETIMEOFFSET)
        zone = "UTC" if zoned else None
        return pa.field(name, pa.timestamp("us", tz=zone))
    return pa.field(name, pa.date32() if isinstance(kind, sa.Date) else pa.string())


def _padded(kind: Any) -> bool:
    """Whether the database fills texts of this type up with blanks."""
    return isinstance(kind, sa.CHAR | sa.NCHAR)


def _array(values: tuple[Any, ...], kind: pa.DataType, *, strip: bool) -> pa.Array:
    if not pa.types.is_string(kind):
        return pa.array(values, kind)
    texts = [None if value is None else _text(value) for value in values]
    return pa.array([t.rstrip(" ") if strip and t else t for t in texts], kind)


def _text(value: Any) -> str:
    """A value as a CSV extract would write it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        plain = format(value, "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
