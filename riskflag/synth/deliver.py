"""Deliveries: what each file holds each week, with everything that goes wrong on the way.

The first delivery is the bulk load; then one a week. A "delta" file holds what was recorded or
changed since the last one, a "window" file everything that occurred in the last weeks and what was
changed. On top of that come rows written wrongly at first and corrected later, rows withdrawn,
rows sent twice, and one file that does not come in its week.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from riskflag import clock
from riskflag.synth.draws import Array, chance, stream
from riskflag.synth.extract import Extract

CORRECTED, WITHDRAWN = 0.006, 0.003
TWICE, RESENT = 0.002, 0.01
#: The delivery (index) an extract with an outage skips.
OUTAGE = 2
NOT = 10**6


@dataclass(frozen=True)
class Mess:
    """What goes wrong with the rows of one extract: from which delivery each is right or gone."""

    right_from: Array  # delivery in which a wrongly written row is first right; 0 if never wrong
    gone_from: Array  # delivery from which a row is withdrawn; NOT if it stays


def plan_mess(seed: int, extract: Extract, landings: list[int]) -> Mess:
    """Choose the rows that are corrected or withdrawn between the deliveries."""
    rng = stream(seed, f"mess of {extract.name}")
    n = len(extract.recorded)
    first = np.searchsorted(landings, extract.recorded)
    recent = (extract.recorded > landings[0] - 45) & (first < len(landings) - 1)
    late = first + 1 + rng.integers(0, 2, n)
    late = np.minimum(late + (late == OUTAGE) * extract.outage, len(landings) - 1)
    wrong = recent & chance(rng, CORRECTED * 4, n)
    if extract.correction is None:
        wrong[:] = False
    gone = recent & ~wrong & chance(rng, WITHDRAWN * 4, n)
    if not extract.retractable:
        gone[:] = False
    return Mess(np.where(wrong, late, 0), np.where(gone, late, NOT))


def deliver(
    seed: int, extract: Extract, landings: list[int], folder: Path
) -> tuple[int, Mess, int]:
    """Write every delivery of one extract; returns rows written, the mess, and rows sent twice."""
    mess = plan_mess(seed, extract, landings)
    rng = stream(seed, f"copies of {extract.name}")
    written = copies = 0
    for index, landing in enumerate(landings):
        if extract.outage and index == OUTAGE:
            continue
        since = _previous(extract, index, landings)
        rows = _rows(extract, mess, index, landing, since)
        again = rows[chance(rng, TWICE, len(rows))]
        if index and extract.scope == "delta":
            old = np.flatnonzero((extract.recorded <= since) & (extract.recorded > since - 7))
            old = old[chance(rng, RESENT, len(old)) & ~np.isin(old, rows)]
            again = np.concatenate([again, old[extract.last_change[old] <= since]])
        copies += len(again)
        table = _as_of(extract, mess, np.concatenate([rows, again]), index, landing)
        write_csv(table, folder / clock.date_of(landing).isoformat() / f"{extract.name}.csv")
        written += table.num_rows
    return written, mess, copies


def _previous(extract: Extract, index: int, landings: list[int]) -> int:
    """The landing day of the delivery before this one; none before the first."""
    if index == 0:
        return -NOT
    return landings[index - 2 if extract.outage and index == OUTAGE + 1 else index - 1]


def _rows(extract: Extract, mess: Mess, index: int, landing: int, since: int) -> Array:
    """The rows one delivery holds, in the order in which they were recorded."""
    there = (extract.recorded <= landing) & (mess.gone_from > index)
    if extract.outage and index == OUTAGE + 1:
        fixed = (mess.right_from == index) | (mess.right_from == index - 1)
    else:
        fixed = mess.right_from == index
    new = (extract.recorded > since) | (fixed & (index > 0))
    if extract.later:
        assert extract.changed is not None
        new |= (extract.changed > since) & (extract.changed <= landing)
    if extract.scope == "window" and index:
        new |= extract.occurred >= landing - extract.window
    return np.flatnonzero(there & new)


def _as_of(extract: Extract, mess: Mess, rows: Array, index: int, landing: int) -> pa.Table:
    """The chosen rows as they stood on the landing day: ends unknown, mistakes uncorrected."""
    table = extract.table.take(pa.array(rows))
    if extract.later:
        assert extract.changed is not None
        known = pa.array(extract.changed[rows] <= landing)
        for name in extract.later:
            values = pc.if_else(known, table[name], pa.scalar(None, pa.string()))
            table = table.set_column(table.column_names.index(name), name, values)
    wrong = mess.right_from[rows] > index
    if extract.correction is not None and wrong.any():
        name, options = extract.correction.column, extract.correction.wrong
        chosen = pa.array(options).take(pa.array(rows % len(options)))
        values = pc.if_else(pa.array(wrong), chosen, table[name])
        table = table.set_column(table.column_names.index(name), name, values)
    return table


def write_csv(table: pa.Table, path: Path) -> None:
    """Write one file: header, plain text, nothing for what is not known."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    pyarrow.csv.write_csv(table, path, write_options=options)
