"""Small histories for tests: say only what matters, the rest is filled in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from riskflag.history.schema import (
    CONTACT,
    COVERAGE,
    MATCH,
    PERSON,
    RELATIONSHIP,
    conform,
    load_vocabulary,
)
from riskflag.history.store.view import History


def day(text: str | dt.date) -> dt.date:
    """A date from ISO text, or the date itself."""
    return text if isinstance(text, dt.date) else dt.date.fromisoformat(text)


def _table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    columns: dict[str, list[Any]] = {}
    filled = [dict(row) for row in rows]
    for name in schema.names:
        if any(name in row for row in filled):
            columns[name] = [row.get(name) for row in filled]
    unknown = {key for row in filled for key in row} - set(schema.names)
    assert not unknown, f"no such columns: {sorted(unknown)}"
    arrays = {name: pa.array(values, schema.field(name).type) for name, values in columns.items()}
    return conform(pa.table(arrays), schema)


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: day(value) if key.endswith(("_on", "_from", "_to")) and value is not None else value
        for key, value in row.items()
    }


def contact_rows(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Raw contact version rows. Needs person_id, type and occurred_on; dates may be ISO text.

    known_on defaults to occurred_on, agency to the type's, contact_key to a counter, version 1,
    op assert.
    """
    words = load_vocabulary()
    filled = []
    for number, row in enumerate(rows, start=1):
        full = {
            "contact_key": f"c{number:06d}",
            "version": 1,
            "op": "assert",
            "known_on": row["occurred_on"],
            "known_basis": "landed",
            "agency": words[row["type"]].agency if row["type"] in words else "other",
            "source": "test",
            "record_id": f"r{number}",
            "source_file": "test.csv",
            "source_line": number + 1,
            "open_ended": False,
            "issues": "",
            **row,
        }
        filled.append(_dated(full))
    return _table(filled, CONTACT)


def person_rows(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Raw person rows. Needs person_id; birth_on may be ISO text; known since 1900 by default."""
    filled = [
        _dated(
            {
                "person_key": f"p{number:06d}",
                "version": 1,
                "op": "assert",
                "known_on": "1900-01-01",
                "known_basis": "assumed_lag",
                "birth_precision": "day" if row.get("birth_on") else "unknown",
                "source": "test",
                **row,
            }
        )
        for number, row in enumerate(rows, start=1)
    ]
    return _table(filled, PERSON)


def relationship_rows(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Raw relationship rows. Needs person_id (the child), related_id and kind."""
    filled = [
        _dated(
            {
                "relationship_key": f"r{number:06d}",
                "version": 1,
                "op": "assert",
                "known_on": "1900-01-01",
                "known_basis": "assumed_lag",
                "source": "test",
                **row,
            }
        )
        for number, row in enumerate(rows, start=1)
    ]
    return _table(filled, RELATIONSHIP)


def coverage_rows(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Coverage rows. Needs source, type, complete_to; received_on defaults to complete_to."""
    filled = [
        _dated(
            {
                "agency": "other",
                "received_on": row["complete_to"],
                "covered_from": "2000-01-01",
                "rows": 1,
                "status": "ok",
                "fresh_days": 2,
                "tolerance_days": 7,
                "first_load": False,
                **row,
            }
        )
        for row in rows
    ]
    return _table(filled, COVERAGE)


def match_rows(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Decisions on pairs of person ids. Needs person_id (stays), other_id and known_on.

    Rows of one pair are versions in the order given; linked by a steward unless said otherwise.
    """
    versions: dict[tuple[str, ...], int] = {}
    filled = []
    for row in rows:
        pair = tuple(sorted((row["person_id"], row["other_id"])))
        versions[pair] = versions.get(pair, 0) + 1
        full = {
            "match_key": "|".join(pair),
            "version": versions[pair],
            "op": "assert",
            "known_basis": "landed",
            "decision": "linked",
            "method": "steward",
            **row,
        }
        filled.append(_dated(full))
    return _table(filled, MATCH)


def history_of(
    contacts: Iterable[Mapping[str, Any]] = (),
    persons: Iterable[Mapping[str, Any]] = (),
    relationships: Iterable[Mapping[str, Any]] = (),
    coverage: Iterable[Mapping[str, Any]] = (),
    matches: Iterable[Mapping[str, Any]] = (),
) -> History:
    """A History from dictionaries of what matters."""
    return History.of(
        contact_rows(contacts),
        person_rows(persons),
        relationship_rows(relationships),
        coverage_rows(coverage),
        match_rows(matches),
    )
