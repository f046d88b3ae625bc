"""Empty stretches of a chronology are told as what they are, where they are, and only then."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.reports import render_flag, view
from riskflag.reports.silences import LONG, gaps
from tests.unit.reports.flags import AS_OF, contact, examples


def flag_with(*days_ago: int, **more) -> dict:
    """A flag whose child has a record on each of these days before the night."""
    made = [contact(n, days_ago=days, kind=0) for n, days in enumerate(days_ago)]
    return {**examples()[1], "contacts": made, "not_seen": [], **more}


def back(days: int) -> str:
    return (AS_OF - dt.timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("days_ago", "found"),
    [
        ((10, 10 + LONG), []),
        ((10, 11 + LONG), [(back(11 + LONG), "181 days")]),
        ((LONG,), []),
        ((LONG + 1,), [(back(LONG + 1), "181 days")]),
        ((5, 300, 700), [(back(300), "295 days"), (back(700), "400 days")]),
        ((5, 1500), []),
    ],
)
def test_a_silence_of_all_agencies_is_told_from_its_first_day(days_ago, found):
    """Of more than 180 days, up to the night itself; older than two years is not complete here."""
    told = sorted((gap.iso, gap.said) for gap in gaps(flag_with(*days_ago)))
    assert [iso for iso, _ in told] == [iso for iso, _ in sorted(found)]
    assert all(length in said for (_, length), (_, said) in zip(sorted(found), told, strict=True))


def test_another_persons_or_a_withdrawn_record_does_not_break_a_silence():
    """A record about somebody else says nothing of the child."""
    flag = flag_with(10, 150, 300)
    assert gaps(flag) == []
    flag["contacts"][1]["link"] = "sibling"
    assert len(gaps(flag)) == 1
    flag["contacts"][1].update(link="self", withdrawn=True)
    assert len(gaps(flag)) == 1


def test_an_agency_whose_data_ends_is_told_once_with_its_earliest_end():
    """Late and lost feeds, never one that has sent nothing at all, and none that is up to date."""
    feeds = [
        {"agency": "school", "state": "LOST", "complete_to": "2026-09-01"},
        {"agency": "school", "state": "STALE", "complete_to": "2026-10-01"},
        {"agency": "gp", "state": "NEVER", "complete_to": None},
        {"agency": "housing", "state": "LOST", "complete_to": None},
    ]
    (gap,) = gaps(flag_with(5, not_seen=feeds))
    assert (gap.iso, gap.agency, gap.date) == ("2026-09-01", "School", "After 1 September 2026")
    assert gaps({**flag_with(), "not_seen": feeds}) == []


@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_gap_stands_after_the_record_of_its_first_day(oldest_first):
    """In time's own order it follows; newest first it stands above."""
    flag = flag_with(5, 300)
    rows = view(flag, oldest_first=oldest_first).records.rows
    kinds = [row.number for row in rows]
    assert kinds == ([2, 0, 1] if oldest_first else [1, 0, 2])
    html = render_flag(view(flag, oldest_first=oldest_first))
    assert "Between 24 December 2025 and 15 October 2026" in html
    assert "Nothing is recorded about this child for 295 days." in html
