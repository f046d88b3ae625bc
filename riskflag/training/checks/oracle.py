"""The simulator's truth beside the model: the best anybody could have done.

Only for synthetic boroughs, and only for judging: nothing here is ever an input, and nothing but
training's report reads it. DIR/truth/hazard.parquet holds, for every child and stretch of days, the
hazard per day that harm comes to light.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from riskflag.errors import InputError
from riskflag.training.data.rows import Rows, integers

Floats = NDArray[np.float64]

HAZARD = "true hazard"
_COLUMNS = ["person_id", "from_day", "to_day", "hazard"]
#: Wide enough to put a person and a day into one number without overlap.
_DAYS = 8_000_000


def read_oracles(truth: Path, rows: Rows) -> Mapping[str, Floats]:
    """The true hazard of each row on its as-of date (float64 [n]), 0 for a child not living there.

    Raises InputError when the folder is not a borough's truth or is about other people.
    """
    path = truth / "hazard.parquet"
    if not path.is_file():
        raise InputError(f"{path} is missing; give the truth folder that `riskflag synth` wrote.")
    table = pq.read_table(path, columns=_COLUMNS)
    place = pc.index_in(table["person_id"].cast(pa.string()), pa.array(rows.ids, pa.string()))
    table = table.append_column("place", place).filter(pc.is_valid(place))
    if not table.num_rows:
        raise InputError("The truth is about other people than the history; give its own folder.")
    return {HAZARD: hazard_on(rows, table)}


def hazard_on(rows: Rows, stretches: pa.Table) -> Floats:
    """The hazard of the stretch that each row's as-of date lies in, 0 where it lies in none."""
    person, start = integers(stretches["place"]), integers(stretches["from_day"])
    order = np.argsort(person * _DAYS + start, kind="stable")
    keys = (person * _DAYS + start)[order]
    found = np.searchsorted(keys, rows.person * _DAYS + rows.as_of, side="right") - 1
    at = order[np.maximum(found, 0)]
    inside = (found >= 0) & (person[at] == rows.person)
    inside &= integers(stretches["to_day"])[at] > rows.as_of
    hazard = stretches["hazard"].to_numpy()
    return np.where(inside, hazard[at], 0.0).astype(np.float64)
