"""The boundary table: one contact, one as-of date, one window; the count worked out by hand.

Days are offsets from the as-of date. `known` is when the contact became known, `gone` when it was
retracted (`-`: never). Read a line as: with a contact that occurred then, was known then and was
taken back then, a count over the window that many days long, ending that many days before the
as-of date, is `counts`.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import pandas as pd

from tests.generative.worlds import World


class Line(NamedTuple):
    as_of: dt.date
    occurred: int
    known: int
    gone: int | None
    days: int | None
    ending: int
    counts: int


#: 1 March after a leap day, the day after the clocks change (both ways), new year, a plain day.
DATES = ("2024-03-01", "2024-04-01", "2024-10-28", "2025-01-01", "2023-03-01")
DRAWN = """
occurred | known | gone | days | ending | counts
      -1 |    -1 |    - |    1 |      0 |      1
       0 |    -1 |    - |    1 |      0 |      0
       0 |     0 |    - |    1 |      0 |      0
       1 |    -1 |    - |    1 |      0 |      0
      -2 |    -1 |    - |    1 |      0 |      0
      -2 |    -1 |    - |    2 |      0 |      1
      -1 |     0 |    - |    1 |      0 |      0
      -1 |     1 |    - |    1 |      0 |      0
     -90 |   -90 |    - |   90 |      0 |      1
     -91 |   -90 |    - |   90 |      0 |      0
     -89 |    -1 |    - |   90 |      0 |      1
     -90 |    -1 |    - |   90 |      0 |      1
     -90 |     0 |    - |   90 |      0 |      0
     -90 |   -91 |    - |   90 |      0 |      1
    -365 |    -1 |    - |  365 |      0 |      1
    -366 |    -1 |    - |  365 |      0 |      0
    -366 |    -1 |    - |  366 |      0 |      1
      -1 |    -1 |   -1 |   90 |      0 |      0
      -5 |    -4 |   -1 |   90 |      0 |      0
      -5 |    -4 |    0 |   90 |      0 |      1
      -5 |    -4 |    1 |   90 |      0 |      1
      -5 |    -4 |   -3 |   90 |      0 |      0
      -5 |    -1 |    0 |   90 |      0 |      1
      -5 |     0 |    0 |   90 |      0 |      0
      -5 |     0 |    1 |   90 |      0 |      0
      -7 |    -1 |    - |   30 |      7 |      0
      -8 |    -1 |    - |   30 |      7 |      1
     -37 |    -1 |    - |   30 |      7 |      1
     -38 |    -1 |    - |   30 |      7 |      0
      -6 |    -1 |    - |   30 |      7 |      0
      -1 |    -1 |    - |   30 |      7 |      0
      -2 |    -1 |    - |    1 |      1 |      1
      -1 |    -1 |    - |    1 |      1 |      0
      -3 |    -1 |    - |    1 |      1 |      0
   -9999 |    -1 |    - |    - |      0 |      1
   -9999 | -9999 |    - |    - |      0 |      1
   -9999 |     0 |    - |    - |      0 |      0
      -1 |    -1 |    - |    - |      0 |      1
       0 |    -1 |    - |    - |      0 |      0
       5 |    -9 |    - |    - |      0 |      0
      -7 |    -1 |    - |    - |      7 |      0
      -8 |    -1 |    - |    - |      7 |      1
     -30 |   -30 |   -1 |    - |      0 |      0
     -30 |   -30 |    0 |    - |      0 |      1
"""


def _whole(cell: str) -> int | None:
    return None if cell.strip() == "-" else int(cell)


def _lines() -> list[Line]:
    drawn = [line.split("|") for line in DRAWN.strip().splitlines()[1:]]
    return [
        Line(dt.date.fromisoformat(date), *(_whole(cell) for cell in cells))
        for date in DATES
        for cells in drawn
    ]


TABLE = _lines()


def as_world(line: Line) -> tuple[World, pd.DataFrame]:
    """The contact as raw rows, and the one row asked."""

    def day(offset: int) -> dt.date:
        return line.as_of + dt.timedelta(days=offset)

    said = {
        "contact_key": "k",
        "person_id": "anna",
        "type": "ed.attendance",
        "occurred_on": day(line.occurred),
    }
    rows = [{**said, "version": 1, "op": "assert", "known_on": day(line.known)}]
    if line.gone is not None:
        rows.append({**said, "version": 2, "op": "retract", "known_on": day(line.gone)})
    return World(tuple(rows), (), ()), pd.DataFrame({"person_id": ["anna"], "as_of": [line.as_of]})
