"""Declared date formats: what is read, what is refused, and nothing guessed."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskflag.clock import date_of
from riskflag.history.declared.dates import BAD, BLANK, OK, OUT_OF_RANGE, check_format, parse_days


def read(texts, text_format):
    return parse_days(pa.chunked_array([pa.array(texts, pa.string())]), text_format)


def dates(texts, text_format):
    found = read(texts, text_format)
    return [
        date_of(day) if state == OK else int(state)
        for day, state in zip(found.day, found.state, strict=True)
    ]


def test_days_are_read_as_declared_and_never_as_the_other_way_round():
    assert dates(["03/04/2024"], "%d/%m/%Y") == [dt.date(2024, 4, 3)]
    assert dates(["03/04/2024"], "%m/%d/%Y") == [dt.date(2024, 3, 4)]


@pytest.mark.parametrize(
    "text",
    ["29/02/2023", "31/04/2024", "00/01/2024", "1/13/2024", "2024-01-01", "x", " 01/01/2024"],
)
def test_a_text_that_is_no_such_day_is_bad(text):
    assert dates([text], "%d/%m/%Y") == [BAD]


def test_blank_is_blank_and_a_day_no_record_can_have_is_out_of_range():
    assert dates(["", None, "31/12/9999", "01/01/1753", "29/02/2024"], "%d/%m/%Y") == [
        BLANK,
        BLANK,
        OUT_OF_RANGE,
        OUT_OF_RANGE,
        dt.date(2024, 2, 29),
    ]


def test_month_names_times_and_offsets_are_read():
    assert dates(["05-Oct-2024"], "%d-%b-%Y") == [dt.date(2024, 10, 5)]
    found = read(["2024-07-01 23:30:00+00:00", "2024-07-01 25:00:00Z"], "%Y-%m-%d %H:%M:%S%z")
    assert found.state.tolist() == [OK, BAD]
    assert date_of(found.day[0]) == dt.date(2024, 7, 2), (
        "half past eleven UTC is next day in London"
    )


def test_typed_dates_of_a_parquet_file_are_taken_as_they_are():
    column = pa.chunked_array([pa.array([dt.date(2024, 1, 2), None, dt.date(9999, 12, 31)])])
    found = parse_days(column, "%Y-%m-%d")
    assert found.state.tolist() == [OK, BLANK, OUT_OF_RANGE]
    assert date_of(found.day[0]) == dt.date(2024, 1, 2)


@pytest.mark.parametrize("text_format", ["%y-%m-%d", "%d/%m", "%Y-%m-%d %d", "%Y%j", ""])
def test_a_format_that_leaves_the_day_open_is_refused(text_format):
    with pytest.raises(ValueError, match="date"):
        check_format(text_format)


@given(st.lists(st.dates(dt.date(1901, 1, 1), dt.date(2199, 12, 31)), min_size=1, max_size=30))
def test_every_day_comes_back_whatever_the_format(days):
    for text_format in ("%d/%m/%Y", "%Y-%m-%d", "%d %b %Y", "%Y%m%d"):
        assert dates([day.strftime(text_format) for day in days], text_format) == days
