"""The folds of a look-back: nothing is left out, and what mattered first is open."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest

from riskflag.reports import words
from riskflag.reports.lookback_days import Change, Step
from riskflag.reports.lookback_folds import FEW_DAYS, FEW_RECORDS, by_month, by_year


@dataclass(frozen=True)
class Line:
    """As much of a record's line as a fold looks at."""

    number: int
    date: str
    agency: str
    late: bool


def step(day: str, *kinds: str) -> Step:
    return Step(words.day(day), day, tuple(Change(kind, f"{kind}.") for kind in kinds), 0)


def days(count: int, kind: str = "missing") -> list[Step]:
    first = dt.date(2024, 1, 1)
    return [step((first + dt.timedelta(days=9 * n)).isoformat(), kind) for n in range(count)]


def lines(count: int) -> list[Line]:
    first = dt.date(2021, 3, 1)
    return [
        Line(
            n, words.day(first + dt.timedelta(days=5 * n)), ("School", "Police")[n % 2], n % 7 == 0
        )
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("count", [0, 1, FEW_DAYS, FEW_DAYS + 1, 200])
def test_every_day_is_in_exactly_one_month_in_order(count):
    """The folds together are the days as they came."""
    steps = days(count)
    folds = by_month(steps)
    assert [one for fold in folds for one in fold.items] == steps
    assert len({fold.title for fold in folds}) == len(folds)
    assert all(fold.open for fold in folds) == (count <= FEW_DAYS)


@pytest.mark.parametrize("count", [0, FEW_RECORDS, FEW_RECORDS + 1, 450])
def test_every_record_is_in_exactly_one_year_in_order(count):
    """The folds together are the records as they came."""
    records = lines(count)
    folds = by_year(records)
    assert [one for fold in folds for one in fold.items] == records
    assert all(fold.title == one.date[-4:] for fold in folds for one in fold.items)
    assert all(fold.open for fold in folds) == (count <= FEW_RECORDS)


def test_open_are_the_first_pattern_and_the_days_on_which_people_acted():
    """Of a long course; everything else opens by hand."""
    steps = [
        *days(14),
        step("2024-08-02", "pattern"),
        step("2024-09-02", "pattern", "record"),
        step("2024-10-05", "done", "pattern"),
        step("2024-10-09", "missing"),
    ]
    folds = by_month(steps)
    assert [fold.title for fold in folds if fold.open] == ["August 2024", "October 2024"]
    october = next(fold for fold in folds if fold.title == "October 2024")
    assert october.told == (
        "two days; people were shown or decided something on one; a pattern came or went on one; "
        "data or a link came or was missing on one"
    )


def test_a_closed_year_says_how_many_records_of_how_many_agencies_and_how_many_late():
    """So that a reader knows what is behind it."""
    records = [Line(n, "1 May 2023", "School", n == 3) for n in range(60)]
    (fold,) = by_year(records)
    assert (fold.told, fold.open) == ("60 records from one agency; one late", False)
