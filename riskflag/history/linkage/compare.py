"""Comparing records that no identifier joins, by Splink on DuckDB: pairs and their probability.

Splink is the extra `link`; it is imported here and nowhere else, and only when it is used. It reads
and writes nothing but memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.errors import ConfigError
from riskflag.history.arrays import in_order_of, one
from riskflag.history.linkage.model import LinkageModel, level_names
from riskflag.history.memory_database import memory_database

#: What `compare` takes: one row per record. `address` is an address_key (addresses.py), `birth` an
#: ISO date, `feed` names the set of records in which every person should stand once.
RECORD = pa.schema(
    [
        pa.field(name, pa.string())
        for name in (
            "record",
            "feed",
            "given_name",
            "family_name",
            "birth",
            "sex",
            "postcode",
            "address",
            "identifier",
        )
    ]
)
LEVELS = ("given_name", "family_name", "birth", "sex", "place", "identifier")
#: Probabilities are kept to so many places, far finer than any threshold.
PLACES = 9


@dataclass(frozen=True)
class Compared:
    """Pairs of records, left before right, sorted: `left`, `right`, `probability`, `weight`
    (its log2 odds) and the level
    of each of LEVELS in words ("" where one side does not say).
    """

    pairs: pa.Table


def compare(records: pa.Table, model: LinkageModel) -> Compared:
    """Every pair worth keeping, with its probability.

    `records` has schema RECORD; records of one feed are compared too. The result does not depend on
    the order of the rows or on records that have nothing to do with a pair. Raises ConfigError when
    the extra `link` is not installed.
    """
    if records.num_rows < 2:
        return Compared(_no_pairs())
    ready = _ready(records)
    with _linker(ready, model) as linker:
        found = linker.inference.predict(threshold_match_probability=model.keep_from)
        table = found.as_duckdbpyrelation().to_arrow_table()
    return Compared(_pairs(table))


def _no_pairs() -> pa.Table:
    texts = [pa.field(name, pa.string()) for name in ("left", "right", *LEVELS)]
    numbers = [pa.field(name, pa.float64()) for name in ("probability", "weight")]
    return pa.schema([*texts[:2], *numbers, *texts[2:]]).empty_table()


def _ready(records: pa.Table) -> pa.Table:
    """The records in the order of their names, the words of an address as a list."""
    table = in_order_of(records.select(RECORD.names), ["record"])
    words = pc.split_pattern(one(table.column("address")), " ")
    return table.set_column(table.schema.get_field_index("address"), "address", words)


@contextmanager
def _linker(ready: pa.Table, model: LinkageModel) -> Iterator[Any]:
    try:
        from splink import DuckDBAPI, Linker
    except ImportError:
        raise ConfigError(
            "Linking people without a shared identifier needs Splink; "
            "install it with `pip install riskflag[link]`, or leave it out with --exact-only."
        ) from None
    with memory_database() as connection:
        frame = DuckDBAPI(connection).register(ready)
        yield Linker(frame, model.settings(), log_level=50, validate_settings=False)


def _pairs(table: pa.Table) -> pa.Table:
    left, right = (one(table.column(f"record_{side}")).cast(pa.string()) for side in "lr")
    turned = pc.greater(left, right)
    probability, weight = (
        pa.array(np.round(table.column(f"match_{name}").to_numpy(), PLACES), pa.float64())
        for name in ("probability", "weight")
    )
    columns = {
        "left": pc.if_else(turned, right, left),
        "right": pc.if_else(turned, left, right),
        "probability": probability,
        "weight": weight,
    }
    for name in LEVELS:
        words = pa.array([*level_names(name), ""])
        number = one(table.column(f"gamma_{name}")).to_numpy(zero_copy_only=False).astype(np.int64)
        columns[name] = words.take(pa.array(np.where(number < 0, len(words) - 1, number)))
    return in_order_of(pa.table(columns), ["left", "right"])
