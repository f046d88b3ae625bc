"""Signals as analysts and the night get them."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.made_up import Size
from benchmarks.made_up import history as made_up_history
from riskflag.errors import ConfigError, InputError
from riskflag.history.store.view import History
from riskflag.signals import (
    Signal,
    SignalTable,
    age,
    build,
    compute,
    contacts,
    count,
    days_since_last,
    difference,
    distinct,
    exists,
    highest,
    load_catalogue,
    lowest,
    mean,
    ratio,
    total,
)
from riskflag.signals.fast import Kernel
from tests.factories import history_of

AS_OF = dt.date(2026, 3, 1)
ENGINES = ("kernel", "reference")
CONTACTS = [
    {"person_id": "anna", "type": "ed.attendance", "occurred_on": "2026-02-20"},
    {"person_id": "anna", "type": "ed.attendance", "occurred_on": "2026-02-20"},
    {"person_id": "anna", "type": "ed.attendance", "occurred_on": "2025-11-30"},
    {"person_id": "anna", "type": "school.absence", "occurred_on": "2026-02-01", "quantity": 0.1},
    {"person_id": "anna", "type": "school.absence", "occurred_on": "2026-02-02", "quantity": 0.2},
    {"person_id": "anna", "type": "school.absence", "occurred_on": "2026-02-03"},
    {"person_id": "ben", "type": "school.absence", "occurred_on": "2026-02-03"},
]
ABSENCES = contacts("school.absence")
ATTENDANCES = contacts("ed.attendance")


def signal(name, of):
    return Signal(name, of, "What?", "Why.", "Test.", "none", "context", "several")


SIGNALS = (
    signal("visits_90d", count(ATTENDANCES, 90)),
    signal("visits_ever", count(ATTENDANCES, None)),
    signal("since", days_since_last(ATTENDANCES)),
    signal("missed", total(ABSENCES, "quantity")),
    signal("mean_missed", mean(ABSENCES, "quantity")),
    signal("most", highest(ABSENCES, "quantity")),
    signal("least", lowest(ABSENCES, "quantity")),
    signal("any_missed", exists(ABSENCES)),
    signal("agencies", distinct(contacts("*"), "agency")),
    signal("gap", difference(days_since_last(ATTENDANCES), days_since_last(ABSENCES))),
    signal("share", ratio(count(ATTENDANCES, 30), count(ATTENDANCES, None))),
    signal("twin", count(ATTENDANCES, 90)),
)
NAN, INF = math.nan, math.inf
EXPECTED = {
    "anna": [2, 3, 9, 0.3, 0.15, 0.2, 0.1, 1, 2, -17, 2 / 3, 2],
    "ben": [0, 0, INF, NAN, NAN, NAN, NAN, 1, 1, INF, NAN, 0],
    "nobody": [0, 0, INF, 0, NAN, NAN, NAN, 0, 0, NAN, NAN, 0],
}


@pytest.mark.parametrize("engine", ENGINES)
def test_values_by_hand(engine):
    """Every operation on a few contacts gives the number worked out by hand, exactly.

    Contacts whose number was not recorded make a sum unknown, not 0; sums of tenths are exact.
    """
    rows = pd.DataFrame({"person_id": list(EXPECTED), "as_of": AS_OF})
    found = build(history_of(CONTACTS), rows, SIGNALS, engine=engine)

    np.testing.assert_array_equal(found.to_numpy(), np.array(list(EXPECTED.values()), dtype=float))


@pytest.mark.parametrize("engine", ENGINES)
def test_values_are_told_apart_over_contacts_that_other_signals_ask_for_too(engine):
    """A value's latest contact decides in every window, whatever else is asked of some contacts."""
    visits = contacts("ed.attendance")
    both = contacts("ed.attendance", "missing.episode")
    asked = (
        signal("of_visits", distinct(visits, "agency", 30)),
        signal("of_both", distinct(both, "agency", 30)),
        signal("of_both_longer", distinct(both, "agency", 365)),
    )
    rows = [
        {"person_id": "anna", "type": "missing.episode", "occurred_on": "2025-08-01"},
        {"person_id": "anna", "type": "ed.attendance", "occurred_on": "2026-02-20"},
    ]
    history = history_of([{**row, "agency": "police"} for row in rows])

    table = compute(history, ["anna"], as_of=AS_OF, signals=asked, engine=engine)

    assert table.values.tolist() == [[1.0, 1.0, 1.0]]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_empty_history_and_no_rows_work(engine):
    """Nothing is no reason to fail: no contacts, no rows or no persons."""
    empty = History.of(pa.table({}))
    rows = pd.DataFrame({"person_id": ["anna"], "as_of": [AS_OF]})
    found = build(empty, rows, (*SIGNALS, signal("age", age())), engine=engine)

    assert found.iloc[0]["visits_ever"] == 0
    assert math.isnan(found.iloc[0]["age"])
    assert build(empty, rows.iloc[:0], SIGNALS, engine=engine).shape == (0, len(SIGNALS))
    assert compute(empty, [], as_of=AS_OF, signals=SIGNALS, engine=engine).values.shape[0] == 0


@pytest.mark.parametrize(
    "days",
    [
        [AS_OF, AS_OF],
        ["2026-03-01", "2026-03-01"],
        pd.to_datetime(["2026-03-01", "2026-03-01"]),
        pd.to_datetime(["2026-03-01", "2026-03-01"]).astype("datetime64[s]"),
    ],
)
def test_dates_may_be_dates_timestamps_or_text(days):
    """The as-of column may hold dates, timestamps at midnight or ISO text."""
    rows = pd.DataFrame({"person_id": ["anna", "ben"], "as_of": days}, index=[7, 3])
    found = build(history_of(CONTACTS), rows, SIGNALS)

    assert list(found.index) == [7, 3]
    assert list(found["visits_ever"]) == [3, 0]
    assert (found.dtypes == np.float64).all()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"person_id": ["a"]}, "need a column 'as_of'"),
        ({"as_of": [AS_OF]}, "need a column 'person_id'"),
        ({"person_id": ["a", None], "as_of": [AS_OF, AS_OF]}, "no person_id in row 2"),
        ({"person_id": ["a"], "as_of": [None]}, "no as_of in row 1"),
        ({"person_id": ["a"], "as_of": ["soon"]}, "must hold dates"),
        ({"person_id": ["a"], "as_of": [pd.Timestamp("2026-03-01 10:00")]}, "without a time"),
        ({"person_id": ["a"], "as_of": [pd.Timestamp("2026-03-01", tz="UTC")]}, "time zone"),
        ({"person_id": ["a"], "as_of": ["0026-03-01"]}, "between 1900 and 2200"),
    ],
)
def test_bad_rows_are_refused_in_plain_words(rows, words):
    """Rows that lack something or hold no date are an InputError that never shows a value."""
    with pytest.raises(InputError, match=words) as caught:
        build(history_of(CONTACTS), pd.DataFrame(rows), SIGNALS)
    assert "soon" not in str(caught.value)


def test_an_unknown_engine_and_a_repeated_signal_are_refused():
    """Both are a ConfigError with the next step."""
    rows = pd.DataFrame({"person_id": ["anna"], "as_of": [AS_OF]})
    with pytest.raises(ConfigError, match="kernel or reference"):
        build(history_of(CONTACTS), rows, SIGNALS, engine="spark")
    with pytest.raises(ConfigError, match="'twin' is asked for twice"):
        build(history_of(CONTACTS), rows, (*SIGNALS, SIGNALS[-1]))


COVERAGE = [
    {"source": "ecds", "type": "ed.attendance", "complete_to": "2026-02-28"},
    {"source": "census", "type": "school.absence", "complete_to": "2026-01-10"},
]


def test_a_lost_feed_masks_what_needs_it_and_nothing_else():
    """A value that needs a lost feed is NaN in the data frame, at the dates when it was lost."""
    known = history_of(CONTACTS, coverage=COVERAGE)
    days = [AS_OF, dt.date(2026, 1, 12)]
    found = build(known, pd.DataFrame({"person_id": "anna", "as_of": days}), SIGNALS)

    assert known.unavailable_types(AS_OF) == {"school.absence"}
    assert found["visits_90d"].tolist()[0] == 2
    assert math.isnan(found["missed"][0])
    assert math.isnan(found["agencies"][0])
    assert not math.isnan(found["missed"][1])


def test_the_night_keeps_what_the_records_say_and_marks_it():
    """The table has the raw value, `complete` tells that it rests on a lost feed."""
    known = history_of(CONTACTS, coverage=COVERAGE)
    table = compute(known, ["anna", "nobody"], as_of=AS_OF, signals=SIGNALS)

    assert table.column("missed").tolist() == [0.3, 0.0]
    assert not table.complete[table.place("missed")]
    assert table.complete[table.place("visits_90d")]
    assert np.isnan(table.masked()[:, table.place("missed")]).all()
    with pytest.raises(ConfigError, match="riskflag signals"):
        table.column("nothing")


def test_a_table_cannot_have_another_shape():
    """Values and marks must fit children and names."""
    good = {"people": pa.array(["a"]), "as_of": AS_OF, "names": ("x", "y")}
    with pytest.raises(ValueError, match="row per child"):
        SignalTable(**good, values=np.zeros((2, 2)), complete=np.ones(2, bool))
    with pytest.raises(ValueError, match="entry per signal"):
        SignalTable(**good, values=np.zeros((1, 2)), complete=np.ones(1, bool))


def test_progress_is_told_to_the_end():
    """Whoever asked is told how many rows are done, up to all of them."""
    told = []
    people = ["anna", "ben", "nobody"]
    compute(
        history_of(CONTACTS),
        people,
        as_of=AS_OF,
        signals=SIGNALS,
        engine=Kernel(threads=1, chunk=1),
        progress=lambda label, done, total: told.append((label, done, total)),
    )

    assert [done for _, done, _ in told] == [1, 2, 3]
    assert told[-1] == ("signals", 3, 3)


def test_an_unsorted_history_is_refused():
    """The engine does not quietly compute on a table that no history made."""
    made = history_of(CONTACTS)
    turned = made.contacts.take(pa.array([0, 6, 1, 2, 3, 4, 5]))
    broken = History(turned, made.persons, made.relationships, made.coverage)
    with pytest.raises(InputError, match="not sorted"):
        compute(broken, ["anna"], as_of=AS_OF, signals=SIGNALS)


def test_a_history_without_a_needed_column_is_refused():
    """A history loaded with too few columns is an InputError that names the column."""
    made = history_of(CONTACTS)
    broken = History(
        made.contacts.drop_columns(["quantity"]), made.persons, made.relationships, made.coverage
    )
    with pytest.raises(InputError, match="no column quantity"):
        compute(broken, ["anna"], as_of=AS_OF, signals=SIGNALS)


def test_a_child_with_fifty_thousand_contacts():
    """A child larger than a chunk is not divided, and the engines still agree."""
    known = made_up_history(Size(2, 100_000))
    people = ["child-00000000", "child-00000001"]
    wanted = [one for one in SIGNALS if one.name in {"visits_ever", "missed", "most", "since"}]
    small = compute(known, people, as_of=AS_OF, signals=wanted, engine=Kernel(chunk=1_000))
    slow = compute(known, people, as_of=AS_OF, signals=wanted, engine="reference")

    assert small.column("visits_ever").min() > 1_000
    np.testing.assert_array_equal(small.values, slow.values)


def test_the_battery_on_every_signal_of_the_catalogue():
    """Every shipped signal: both engines agree on a child with nothing, one of each, and many."""
    everything = contacts("*").types
    rows = [
        {"person_id": "one", "type": kind, "occurred_on": "2026-02-01"} for kind in everything
    ] + [
        {
            "person_id": "many",
            "type": kind,
            "occurred_on": AS_OF - dt.timedelta(days=3 * day),
            "duration_days": day % 4,
            "quantity": day % 5,
        }
        for day in range(-2, 60)
        for kind in everything
    ]
    known = history_of(rows, persons=[{"person_id": "one", "birth_on": "2025-09-09"}])
    people = ["many", "nobody", "one"]
    fast = compute(known, people, as_of=AS_OF)
    slow = compute(known, people, as_of=AS_OF, engine="reference")

    assert fast.names == load_catalogue().names
    assert len(fast.names) >= 80
    np.testing.assert_array_equal(fast.values.view(np.int64), slow.values.view(np.int64))
    assert not np.isnan(fast.column("age_months")[2])
