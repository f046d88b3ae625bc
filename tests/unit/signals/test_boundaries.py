"""The edges of knowledge and of windows, by hand."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from riskflag import clock
from riskflag.signals import Signal, age, build, contacts, count
from riskflag.signals.kernel import in_window, visible
from tests.factories import history_of
from tests.unit.signals.boundaries import TABLE, as_world

ENGINES = ("kernel", "reference")
SAID = ("What?", "Why.", "Test.", "none", "context", "several")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_boundary_table(engine):
    """A count is 0 or 1 as the table, worked out by hand, says."""
    wrong = []
    for line in TABLE:
        world, rows = as_world(line)
        declared = [Signal("s", count(contacts("ed.attendance"), line.days, line.ending), *SAID)]
        if build(world.history, rows, declared, engine=engine).iloc[0, 0] != line.counts:
            wrong.append(line)

    assert len(TABLE) >= 200
    assert {line.counts for line in TABLE} == {0, 1}
    assert wrong == []


def test_the_kernel_compiles_the_clock_itself():
    """The compiled functions are the clock's own and agree with it at every edge."""
    assert visible.py_func is clock.visible
    assert in_window.py_func is clock.in_window
    days = range(-3, 4)
    cases = [(a, b, c) for a in days for b in days for c in days]
    assert all(visible(*case) == clock.visible(*case) for case in cases)
    assert all(in_window(a, b, 2, c) == clock.in_window(a, b, 2, c) for a, b, c in cases)


AGES = [
    # born, as-of date, years, months, days
    ("2020-02-29", "2021-02-28", 0, 11, 365),
    ("2020-02-29", "2021-03-01", 1, 12, 366),
    ("2020-02-29", "2024-02-28", 3, 47, 1460),
    ("2020-02-29", "2024-02-29", 4, 48, 1461),
    ("2020-01-31", "2020-02-29", 0, 0, 29),
    ("2020-01-31", "2020-03-01", 0, 1, 30),
    ("2019-12-31", "2020-01-01", 0, 0, 1),
    ("2019-06-15", "2020-06-14", 0, 11, 365),
    ("2019-06-15", "2020-06-15", 1, 12, 366),
    ("2020-06-15", "2020-06-15", 0, 0, 0),
    ("2020-06-15", "2020-06-14", -1, -1, -1),
    ("2020-06-15", "2020-05-15", -1, -1, -31),
    ("2020-06-15", "2020-05-14", -1, -2, -32),
    ("1999-12-31", "2100-03-01", 100, 1202, 36585),
    ("1950-03-01", "2026-02-28", 75, 911, 27758),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("born", "as_of", "years", "months", "days"), AGES)
def test_age_by_hand(engine, born, as_of, years, months, days):
    """Years and months are completed ones; a birthday on 29 February falls on 1 March."""
    import pandas as pd

    known = history_of(persons=[{"person_id": "anna", "birth_on": born}])
    rows = pd.DataFrame({"person_id": ["anna"], "as_of": [dt.date.fromisoformat(as_of)]})
    declared = [Signal(f"age_{u}", age(u), *SAID) for u in ("years", "months", "days")]
    found = build(known, rows, declared, engine=engine)

    assert found.iloc[0].tolist() == [years, months, days]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_unknown_birth_date_is_not_an_age(engine):
    """Without a birth date known by then, age is undefined, not zero."""
    import pandas as pd

    born = {"person_id": "anna", "birth_on": "2020-01-01", "known_on": "2024-03-01"}
    known = history_of(persons=[born])
    days = [dt.date(2024, 3, 1), dt.date(2024, 3, 2)]
    rows = pd.DataFrame({"person_id": "anna", "as_of": days})
    found = build(known, rows, [Signal("age", age(), *SAID)], engine=engine)["age"].tolist()

    assert math.isnan(found[0])
    assert found[1] == 4
