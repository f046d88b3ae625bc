"""The clock: the one place that says when a contact may be seen and when it counts.

Days are whole Europe/London dates, held as integers: days since 1 January 1970. The functions
below are plain integer comparisons so that the kernel compiles these very functions: the rule is
written once.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from riskflag.errors import ConfigError

LONDON = ZoneInfo("Europe/London")
EPOCH = dt.date(1970, 1, 1)
#: A window of this many days reaches over all history.
ALL_HISTORY = 1_000_000
#: `superseded_on` of a version that nothing has replaced.
NEVER = 2_000_000


def visible(known_on: int, superseded_on: int, as_of: int) -> bool:
    """Whether this version of a contact is the one that was known at `as_of`.

    A version is visible when it was known before `as_of` and no later version or retraction was.
    """
    return known_on < as_of <= superseded_on


def in_window(occurred_on: int, as_of: int, days: int, ending: int = 0) -> bool:
    """Whether a day lies in the window of `days` days that ends `ending` days before `as_of`."""
    end = as_of - ending
    return end - days <= occurred_on < end


def in_horizon(occurred_on: int, as_of: int, horizon: int) -> bool:
    """Whether an outcome falls within `horizon` days from `as_of` on."""
    return as_of <= occurred_on < as_of + horizon


def day_number(day: dt.date) -> int:
    """Days since 1 January 1970."""
    return (day - EPOCH).days


def date_of(number: int) -> dt.date:
    """The date of a day number."""
    return EPOCH + dt.timedelta(days=int(number))


def today() -> dt.date:
    """Today's date in London, whatever the host's time zone."""
    return dt.datetime.now(LONDON).date()


def moment() -> dt.datetime:
    """The present moment in UTC: when something was done. No signal or flag depends on it."""
    return dt.datetime.now(dt.UTC)


def parse_day(text: str, what: str = "date") -> dt.date:
    """Read an ISO date (2026-03-31); raises ConfigError naming `what` when it is not one."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"The {what} is not a date; write it as year-month-day, for example 2026-03-31."
        ) from None
