"""The 146 signals of the benchmark, in riskflag and by hand in SQL, Polars and pandas.

Every side answers with the same table: a row for each child it has something to say about, in the
order of `names()`, nothing said being NULL.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.made_up import MEASURED, TYPES
from riskflag.signals import (
    Signal,
    contacts,
    count,
    days_since_last,
    distinct,
    highest,
    mean,
    total,
)
from riskflag.signals.expression import Expression

WINDOWS = (7, 30, 90, 180, 365, None)
SUM_WINDOWS = (30, 90, 180, 365, None)
DISTINCT_WINDOWS = (90, 365)
#: Columns of the history that the questions need.
COLUMNS = ("person_id", "type", "occurred_day", "known_day", "superseded_day", "quantity")

Question = tuple[str, str, int | None]


def questions() -> Iterator[Question]:
    """What is asked, of which type, over how many days."""
    for kind in TYPES:
        yield from (("count", kind, days) for days in WINDOWS)
        yield ("since", kind, None)
    for kind in MEASURED:
        for days in SUM_WINDOWS:
            yield from ((what, kind, days) for what in ("total", "mean", "highest"))
    yield from (("types", "all", days) for days in DISTINCT_WINDOWS)


def name(what: str, kind: str, days: int | None) -> str:
    return f"{what}_{kind.replace('.', '_')}_{'ever' if days is None else f'{days}d'}"


def names() -> list[str]:
    return [name(*question) for question in questions()]


def signals() -> list[Signal]:
    """The questions as signals."""
    return [
        Signal(
            name(*one),
            _expression(*one),
            question="?",
            rationale="-",
            source="-",
            direction="none",
            theme="context",
            agency="several",
        )
        for one in questions()
    ]


def _expression(what: str, kind: str, days: int | None) -> Expression:
    if what == "types":
        return distinct(contacts(*TYPES), "type", days)
    if what == "since":
        return days_since_last(contacts(kind))
    if what == "count":
        return count(contacts(kind), days)
    of = {"total": total, "mean": mean, "highest": highest}[what]
    return of(contacts(kind), "quantity", days)


def one_scan(table: str, as_of: int) -> str:
    """SQL: one grouped scan, one FILTER aggregate for each question."""
    inner = ", ".join(
        f"{_sql(what, kind, days, as_of, by_type=True)} AS {name(what, kind, days)}"
        for what, kind, days in questions()
        if what != "types"
    )
    return f"""SELECT person_id, {_finished()} FROM (
        SELECT person_id, {inner} FROM {table} WHERE {_seen(as_of)} GROUP BY person_id)"""


def two_stages(table: str, as_of: int) -> str:
    """SQL: first by child and type, then the types side by side."""
    kinds = {(what, days) for what, _, days in questions() if what != "types"}
    first = ", ".join(
        f"{_sql(what, '', days, as_of, by_type=False)} AS {name(what, 'x', days)}"
        for what, days in sorted(kinds, key=str)
    )
    second = ", ".join(
        f"max({name(what, 'x', days)}) FILTER (type = '{kind}') AS {name(what, kind, days)}"
        for what, kind, days in questions()
        if what != "types"
    )
    return f"""SELECT person_id, {_finished()} FROM (
        SELECT person_id, {second} FROM (
            SELECT person_id, type, {first} FROM {table} WHERE {_seen(as_of)}
            GROUP BY person_id, type)
        GROUP BY person_id)"""


def _seen(as_of: int) -> str:
    return f"known_day < {as_of} AND superseded_day >= {as_of} AND occurred_day < {as_of}"


def _sql(what: str, kind: str, days: int | None, as_of: int, *, by_type: bool) -> str:
    parts = [f"type = '{kind}'"] if by_type else []
    parts += [] if days is None else [f"occurred_day >= {as_of - days}"]
    only = f"FILTER ({' AND '.join(parts)})" if parts else ""
    aggregate = {
        "count": "count(*)",
        "since": f"{as_of} - max(occurred_day)",
        "total": "sum(quantity)",
        "mean": "avg(quantity)",
        "highest": "max(quantity)",
    }[what]
    if what == "since":
        return f"{as_of} - max(occurred_day) {only}"
    return f"{aggregate} {only}"


def _finished() -> str:
    """Nothing counted is 0, and so is its total; never is infinity; types come from the counts."""
    columns = []
    for what, kind, days in questions():
        column = name(what, kind, days)
        if what == "count":
            columns.append(f"coalesce({column}, 0)::DOUBLE AS {column}")
        elif what == "since":
            columns.append(f"coalesce({column}, 'infinity'::DOUBLE) AS {column}")
        elif what == "total":
            counted = name("count", kind, days)
            columns.append(
                f"CASE WHEN coalesce({counted}, 0) = 0 THEN 0 ELSE {column} END AS {column}"
            )
        elif what == "types":
            each = " + ".join(
                f"(coalesce({name('count', one, days)}, 0) > 0)::INT" for one in TYPES
            )
            columns.append(f"({each})::DOUBLE AS {column}")
        else:
            columns.append(column)
    return ", ".join(columns)


def in_polars(frame: Any, as_of: int) -> Any:
    """The questions of a lazy frame of contacts, as a lazy frame."""
    import polars as pl

    day, kind, number = pl.col("occurred_day"), pl.col("type"), pl.col("quantity")
    seen = (pl.col("known_day") < as_of) & (pl.col("superseded_day") >= as_of) & (day < as_of)
    columns = []
    for what, of, days in questions():
        chosen = kind == of if days is None else (kind == of) & (day >= as_of - days)
        column = name(what, of, days)
        if what == "count":
            columns.append(chosen.sum().cast(pl.Float64).alias(column))
        elif what == "since":
            last = as_of - day.filter(chosen).max()
            columns.append(last.cast(pl.Float64).fill_null(float("inf")).alias(column))
        elif what == "total":
            some = number.filter(chosen)
            value = pl.when(some.len() == 0).then(0.0).when(some.count() > 0).then(some.sum())
            columns.append(value.alias(column))
        elif what == "mean":
            columns.append(number.filter(chosen).mean().alias(column))
        elif what == "highest":
            columns.append(number.filter(chosen).max().alias(column))
    counted = frame.filter(seen).group_by("person_id").agg(columns)
    different = [
        pl.sum_horizontal([pl.col(name("count", one, days)) > 0 for one in TYPES])
        .cast(pl.Float64)
        .alias(name("types", "all", days))
        for days in DISTINCT_WINDOWS
    ]
    return counted.with_columns(different).select("person_id", *names())


def in_pandas(frame: Any, as_of: int) -> Any:
    """The questions of a data frame of contacts: a pivot of child by type for each window."""
    import pandas as pd

    seen = frame[
        (frame.known_day < as_of) & (frame.superseded_day >= as_of) & (frame.occurred_day < as_of)
    ]
    everyone = pd.Index(seen.person_id.unique(), name="person_id")
    found: dict[str, Any] = {}
    for days in WINDOWS:
        inside = seen if days is None else seen[seen.occurred_day >= as_of - days]
        groups = inside.groupby(["person_id", "type"], observed=True)
        table = groups.agg(
            count=("quantity", "size"),
            since=("occurred_day", "max"),
            measured=("quantity", "count"),
            total=("quantity", "sum"),
            mean=("quantity", "mean"),
            highest=("quantity", "max"),
        ).unstack("type")
        for what, kind, asked in questions():
            if asked != days or what == "types" or (what, kind) not in _columns(table, what):
                continue
            column = table[what, kind].reindex(everyone)
            if what == "count":
                column = column.fillna(0.0)
            elif what == "since":
                column = (as_of - column).fillna(np.inf)
            elif what == "total":
                column = column.where(table["measured", kind].reindex(everyone) > 0)
                column = column.where(table["count", kind].reindex(everyone) > 0, 0.0)
            found[name(what, kind, days)] = column
    result = pd.DataFrame(found, index=everyone)
    for days in DISTINCT_WINDOWS:
        counts = [name("count", kind, days) for kind in TYPES]
        result[name("types", "all", days)] = (result.reindex(columns=counts) > 0).sum(axis=1)
    # A type that nobody has a contact of in a window has no column.
    without = {"count": 0.0, "total": 0.0, "since": np.inf, "types": 0.0}
    for what, kind, days in questions():
        if name(what, kind, days) not in result:
            result[name(what, kind, days)] = without.get(what, np.nan)
    return result[names()]


def _columns(table: Any, what: str) -> set[tuple[str, str]]:
    return {(what, kind) for kind in table[what].columns}


def columns(found: pa.Table) -> list[np.ndarray]:
    """An answer as a column of numbers for each question, NULL as NaN."""
    return [found.column(one).cast(pa.float64()).to_numpy() for one in names()]


def matrix(found: pa.Table) -> np.ndarray:
    """An answer as numbers [children, questions]."""
    return np.column_stack(columns(found))
