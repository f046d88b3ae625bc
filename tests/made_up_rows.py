"""Rows for any source, made from its declaration alone: every column filled as it says."""

from __future__ import annotations

import datetime as dt
import random

from riskflag.history.declared.check_digits import failed_check
from riskflag.history.declared.source import Day, Filter, Source, Value
from riskflag.history.declared.source_files import Strict

LAST = dt.date(2024, 3, 1)


def made_up(source: Source, count: int, seed: int = 1) -> list[dict[str, str]]:
    """`count` rows of texts by column that the source accepts, each with a record of its own."""
    draw = random.Random(f"{source.name} {seed}")
    return [_row(source, number, draw) for number in range(count)]


def _row(source: Source, number: int, draw: random.Random) -> dict[str, str]:
    row = {column: f"{column[:4]}{number}" for column in source.columns()}
    day = LAST - dt.timedelta(days=draw.randrange(20, 400))
    told: dict[str, str] = {}
    for item in _parts(source):
        if isinstance(item, Value) and item.column is not None:
            told[item.column] = _value(source, item, draw) or told.get(item.column, "")
    row |= told
    row |= {name: '["3A","16A"]' for name in row if name.endswith("factors_json")}
    for item in _parts(source):
        if isinstance(item, Day):
            written = day.strftime(item.format or source.files.date_format)
            row[item.column] = written
            day += dt.timedelta(days=1)
    for recorded in (entry.recorded for entry in source.contact if entry.recorded is not None):
        # Written down last of all: what is told before it happened is a fault.
        row[recorded.column] = day.strftime(recorded.format or source.files.date_format)
    for entry in (*source.contact, *source.identifier, *source.relationship):
        for item in getattr(entry, "when", []):
            if item.is_ and draw.random() < 0.5:
                row[item.column] = draw.choice(item.is_)
    for entry in (*source.contact, *source.person, *source.identifier, *source.relationship):
        for name in ("subject", "id", "person", "related"):
            subject = getattr(entry, name, None)
            if subject is not None:
                shift = 0 if name != "related" else 40
                row[subject.column] = _identifier(subject.scheme, number % 40 + shift)
    return row


def _parts(source: Source) -> list[Strict]:
    """Every value, day and filter of the declaration."""
    found: list[Strict] = []

    def walk(item: object) -> None:
        if isinstance(item, Value | Day | Filter):
            found.append(item)
        elif isinstance(item, Strict):
            for name in type(item).model_fields:
                walk(getattr(item, name))
        elif isinstance(item, list | dict):
            for part in item.values() if isinstance(item, dict) else item:
                walk(part)

    for entry in (*source.contact, *source.person, *source.identifier, *source.relationship):
        birth = getattr(entry, "birth", None)
        if birth is not None and birth.column is not None:
            found.append(Day(column=birth.column, format=birth.format))
        walk(entry)
    return found


def _value(source: Source, item: Value, draw: random.Random) -> str:
    if item.number:
        return str(draw.randrange(1, 20))
    if item.map is None:
        return f"T{draw.randrange(5)}"
    plain = [code for code in source.map_named(item.map) if not code.startswith("~")]
    codes = [code for code in plain if code != "*"]
    if not codes:
        return "Neglect" if "*" in plain else ""
    return draw.choice(codes)


def _identifier(scheme: str, number: int) -> str:
    if scheme != "nhs":
        return f"P{number:04d}"
    import pyarrow as pa

    for digit in "0123456789":
        value = f"999{number:06d}{digit}"
        if not failed_check(pa.array([value]), "nhs")[0]:
            return value
    return _identifier(scheme, number + 1000)
