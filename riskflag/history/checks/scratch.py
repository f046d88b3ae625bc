"""The history in a scratch database in memory, for the counts of a check."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from riskflag.clock import date_of, day_number
from riskflag.history.loading.identity import claims
from riskflag.history.memory_database import memory_database
from riskflag.history.schema import ATTRIBUTES, SCHEMAS, conform
from riskflag.history.store.matches import roots_on
from riskflag.history.store.parquet_store import HistoryStore

_CONTACT = (
    "contact_key",
    "version",
    "op",
    "person_id",
    "type",
    "occurred_on",
    "known_on",
    "known_basis",
    "source",
    "issues",
    *ATTRIBUTES,
)
#: All versions known before the day, with `live`: the version that holds, unless withdrawn.
_VERSIONS = """
CREATE TABLE versions AS SELECT c.*, coalesce(r.root, c.person_id) AS person,
  row_number() OVER (PARTITION BY contact_key ORDER BY version DESC) = 1 AND op = 'assert' AS live
FROM contact c LEFT JOIN roots r ON c.person_id = r.id WHERE known_on < ?
"""
_PEOPLE = """
CREATE TABLE people AS SELECT coalesce(r.root, p.person_id) AS person,
  max(birth_on) FILTER (birth_precision = 'day') AS birth_on, max(death_on) AS death_on,
  bool_or(kind = 'adult') AS adult
FROM person p LEFT JOIN roots r ON p.person_id = r.id
WHERE op = 'assert' AND known_on < ? GROUP BY 1
"""


class Scratch:
    """Tables `versions`, `live` (contacts as they stand), `people`, `claim`, `coverage`."""

    def __init__(self, connection: Any, as_of: dt.date) -> None:
        self.connection, self.as_of = connection, as_of

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a query written in this package; `values` fill its question marks."""
        found = self.connection.execute(query, list(values))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextmanager
def scratch(store: HistoryStore, as_of: dt.date) -> Iterator[Scratch]:
    """What was known before `as_of`, in memory; nothing is read or written elsewhere."""
    with memory_database() as connection:
        connection.execute("SET threads = 2")
        for name, table in _tables(store, as_of).items():
            connection.register(f"_{name}", table)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM _{name}")  # noqa: S608
            connection.unregister(f"_{name}")
        connection.execute(_VERSIONS, [as_of])
        connection.execute("CREATE VIEW live AS SELECT * FROM versions WHERE live")
        connection.execute(_PEOPLE, [as_of])
        yield Scratch(connection, as_of)


def _tables(store: HistoryStore, as_of: dt.date) -> dict[str, pa.Table]:
    roots = roots_on(conform(store.read("match"), SCHEMAS["match"]), day_number(as_of) - 1)
    identifiers = conform(store.read("identifier"), SCHEMAS["identifier"])
    known = pa.compute.less(identifiers.column("known_on"), as_of)
    claimed = claims(identifiers.filter(known), roots)
    return {
        "contact": _plain(store.read("contact", columns=_CONTACT)),
        "person": _plain(store.read("person")),
        "coverage": _plain(store.read("coverage")),
        "claim": claimed,
        "roots": pa.table(
            {
                "id": pa.array(list(roots), pa.string()),
                "root": pa.array(list(roots.values()), pa.string()),
            }
        ),
    }


def _plain(table: pa.Table) -> pa.Table:
    """Without dictionaries that differ between chunks."""
    return table.unify_dictionaries()


def newest_day(store: HistoryStore) -> dt.date | None:
    """The day after the newest landing: the first on which all that is here is visible."""
    landed = max((batch.landed for batch in store.batches()), default=None)
    return None if landed is None else date_of(day_number(dt.date.fromisoformat(landed)) + 1)
