"""The clock's boundary table, by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag import clock
from riskflag.errors import ConfigError

AS_OF = clock.day_number(dt.date(2026, 3, 31))


@pytest.mark.parametrize(
    ("known", "superseded", "seen"),
    [
        (AS_OF - 1, clock.NEVER, True),
        (AS_OF, clock.NEVER, False),
        (AS_OF + 1, clock.NEVER, False),
        (AS_OF - 2, AS_OF - 1, False),
        (AS_OF - 2, AS_OF, True),
        (AS_OF - 2, AS_OF + 1, True),
        (AS_OF - 1, AS_OF - 1, False),
    ],
)
def test_a_version_is_visible_from_the_day_after_it_was_known_until_it_is_replaced(
    known, superseded, seen
):
    """`known_on < as_of <= superseded_on`, on both edges."""
    assert clock.visible(known, superseded, AS_OF) is seen


@pytest.mark.parametrize(
    ("occurred", "days", "ending", "inside"),
    [
        (AS_OF, 30, 0, False),
        (AS_OF - 1, 30, 0, True),
        (AS_OF - 30, 30, 0, True),
        (AS_OF - 31, 30, 0, False),
        (AS_OF - 30, 30, 30, False),
        (AS_OF - 31, 30, 30, True),
        (AS_OF - 60, 30, 30, True),
        (AS_OF - 61, 30, 30, False),
        (0, clock.ALL_HISTORY, 0, True),
    ],
)
def test_a_window_has_its_first_day_and_not_its_last(occurred, days, ending, inside):
    """`as_of - n <= occurred_on < as_of`, on both edges, also when it ends earlier."""
    assert clock.in_window(occurred, AS_OF, days, ending) is inside


@pytest.mark.parametrize(
    ("occurred", "inside"),
    [(AS_OF - 1, False), (AS_OF, True), (AS_OF + 179, True), (AS_OF + 180, False)],
)
def test_the_as_of_day_belongs_to_the_outcome_and_never_to_the_signals(occurred, inside):
    """A day is in a window or in the horizon, never in both."""
    assert clock.in_horizon(occurred, AS_OF, 180) is inside
    assert not (inside and clock.in_window(occurred, AS_OF, clock.ALL_HISTORY))


def test_days_and_dates_convert_both_ways():
    """Day numbers are days since 1970."""
    assert clock.day_number(dt.date(1970, 1, 2)) == 1
    assert clock.date_of(AS_OF) == dt.date(2026, 3, 31)


def test_a_date_that_is_not_one_is_refused_without_repeating_it():
    """The sentence says what to write, never what was written."""
    with pytest.raises(ConfigError) as caught:
        clock.parse_day("31/03/2026", "as-of date")
    assert "as-of date" in str(caught.value)
    assert "31/03" not in str(caught.value)
