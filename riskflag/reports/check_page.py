"""The page of a data check: findings first, then every figure, drawn and in tables.

It is made from the check's own JSON, in which counts are rounded and small ones left out, so the
page can hold nothing that the JSON does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words

#: The drawing of a series, in the units of its own view box.
WIDTH, HEIGHT, STUB = 360, 56, 3
#: The height of a source's bars of lateness, with its label.
ROW = 40


@dataclass(frozen=True)
class Bar:
    """One bar of a series. `kind` is full, hidden (too few to show) or none."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True)
class Chart:
    """A series by month: its bars, what they say in words, and the numbers themselves."""

    name: str
    key: str
    said: str
    bars: tuple[Bar, ...]
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Group:
    """Charts of one source, and the types with too few in every month to draw."""

    name: str
    charts: tuple[Chart, ...]
    small: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table: the heading of each column, whether it holds numbers, and its rows as texts."""

    caption: str
    heads: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Late:
    """A source's lateness as two bars, in percent of the width: half, and nine in ten."""

    label: str
    y: int
    half: float
    nine_tenths: float


@dataclass(frozen=True)
class Found:
    """The findings that ask for one and the same step."""

    title: str
    to_do: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CheckPage:
    """Everything the page shows."""

    authority: str
    as_of: str
    findings: int
    found: tuple[Found, ...]
    smallest: int
    rounding: str
    volumes: tuple[Group, ...]
    rates: tuple[Chart, ...]
    late: tuple[Late, ...]
    late_height: int
    tables: tuple[tuple[str, str, Table], ...]


#: What each kind of finding is called.
TITLES = {
    "volume_low": "Fewer contacts than usual",
    "volume_high": "More contacts than usual",
    "silent_month": "A month without contacts",
    "values_moved": "Values lie elsewhere than before",
    "turned_unknown": "Values that turned unknown",
    "unmapped": "Codes no map holds",
    "quarantined": "Rows set aside",
    "held": "Files refused",
    "duplicates": "Rows told twice",
    "without_person": "Contacts without a person",
    "check_digit": "Wrong check digits",
    "reused": "Identifiers that several people hold",
    "before_birth": "Contacts long before birth",
    "after_death": "Contacts after death",
    "feed_lost": "Feeds that are lost",
    "feed_held": "Feeds that are held",
    "late": "Feeds that come late",
    "slower": "Feeds that have become slower",
    "known_is_occurred": "Known on the day it occurred, always",
    "changed_after_outcome": "Records changed after an outcome",
    "rate_changed": "Rates of outcomes that changed",
}


def check_page(report: Mapping[str, Any]) -> CheckPage:
    """The view of a check's JSON (CheckReport.to_json, read back)."""
    limits, figures = report["limits"], report["figures"]
    late = _late(figures["lateness"])
    few = limits["smallest_shown"]
    step = limits["round_to"]
    return CheckPage(
        authority=report["authority"],
        as_of=words.day(dt.date.fromisoformat(report["as_of"])),
        findings=len(report["findings"]),
        found=_found(report["findings"]),
        smallest=few,
        rounding=f"rounded to the nearest {step}" if step > 1 else "exact",
        volumes=_volumes(figures["volumes"], few),
        rates=tuple(
            _chart(row["type"], f"rate-{n}", row["months"], row["per_thousand"], few)
            for n, row in enumerate(figures["rates"])
        ),
        late=late,
        late_height=len(late) * ROW,
        tables=tuple(_tables(figures, few)),
    )


def _found(findings: Sequence[Mapping[str, Any]]) -> tuple[Found, ...]:
    by_code: dict[str, list[Mapping[str, Any]]] = {}
    for one in findings:
        by_code.setdefault(one["code"], []).append(one)
    return tuple(
        Found(
            TITLES[code],
            some[0]["to_do"],
            tuple((" ".join(filter(None, (f["source"], f["type"]))), f["what"]) for f in some),
        )
        for code, some in by_code.items()
    )


def _volumes(rows: Sequence[Mapping[str, Any]], few: int) -> tuple[Group, ...]:
    groups: dict[str, list[Chart]] = {}
    small: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        charts = groups.setdefault(row["source"], [])
        if any(row["counts"]):
            key = f"volume-{number}"
            charts.append(_chart(row["type"], key, row["months"], row["counts"], few))
        else:
            small.setdefault(row["source"], []).append(row["type"])
    return tuple(
        Group(name, tuple(charts), tuple(small.get(name, ()))) for name, charts in groups.items()
    )


def _chart(
    name: str, key: str, months: Sequence[str], values: Sequence[float | None], few: int
) -> Chart:
    """Bars from the month's value; months of too few are stubs of one height."""
    top = max((value for value in values if value), default=1)
    step = WIDTH / max(len(values), 1)
    bars = []
    for place, value in enumerate(values):
        kind = "hidden" if value is None else "full" if value else "none"
        height = STUB if value is None else HEIGHT * value / top
        bars.append(
            Bar(
                round(place * step + step * 0.1, 2),
                round(HEIGHT - height, 2),
                round(step * 0.8, 2),
                round(height, 2),
                kind,
            )
        )
    numbers = tuple((month, _number(v, few)) for month, v in zip(months, values, strict=True))
    return Chart(name, key, _said(months, values, few), tuple(bars), numbers)


def _said(months: Sequence[str], values: Sequence[float | None], few: int) -> str:
    if not any(values):
        return f"Fewer than {few} in every month."
    # A month of too few lies above none and below the smallest that is shown.
    ordered = sorted(values, key=lambda value: 0.5 if value is None else value)
    usual, most, last = (
        _number(v, few) for v in (ordered[len(values) // 2], ordered[-1], values[-1])
    )
    return (
        f"{len(months)} months from {months[0]} to {months[-1]}; usually {usual}, "
        f"at most {most}, last {last}."
    )


def _late(rows: Sequence[Mapping[str, Any]]) -> tuple[Late, ...]:
    """One pair of bars for each source and noted way of knowing; assumed days are not drawn."""
    told = [row for row in rows if row["basis"] != "assumed_lag" and row["half"] is not None]
    top = max((row["nine_tenths"] for row in told), default=0) or 1
    return tuple(
        Late(
            f"{row['source']}, {row['basis']}: {row['half']}, {row['nine_tenths']}",
            place * ROW,
            round(100 * row["half"] / top, 2),
            round(100 * row["nine_tenths"] / top, 2),
        )
        for place, row in enumerate(told)
    )


def _number(value: float | None, few: int) -> str:
    if value is None:
        return f"under {few}"
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"


#: Title, introduction, and the columns: key, heading, numeric.
_COLUMNS: dict[str, tuple[str, str, tuple[tuple[str, str, bool], ...]]] = {
    "coverage": (
        "Feeds",
        "The state of each feed on this day. A lost feed's signals are unknown, never zero.",
        (
            ("source", "Source", False),
            ("state", "State", False),
            ("complete_to", "Complete to", False),
        ),
    ),
    "lateness": (
        "Days until known",
        "Days from occurring to being known, for half, nine in ten and 99 in 100 contacts.",
        (
            ("source", "Source", False),
            ("basis", "Known by", False),
            ("contacts", "Contacts", True),
            ("half", "Half", True),
            ("nine_tenths", "Nine in ten", True),
            ("most", "99 in 100", True),
        ),
    ),
    "assumed": (
        "Known by assumption",
        "Contacts of a first load whose day of becoming known nobody recorded. Figures of a model "
        "on such rows are reported apart.",
        (
            ("source", "Source", False),
            ("contacts", "Contacts", True),
            ("assumed", "Assumed, %", True),
        ),
    ),
    "marks": (
        "Marks on contacts",
        "Contacts that were kept with a mark.",
        (
            ("source", "Source", False),
            ("contacts", "Contacts", True),
            ("without_person", "No person", True),
            ("unmapped", "Unmapped code", True),
            ("check_failed", "Check digit", True),
            ("end_before_start", "End before start", True),
            ("future", "In the future", True),
        ),
    ),
    "values": (
        "Values",
        "How much of each attribute's values moved between the recent months and those before, and "
        "how much is unknown.",
        (
            ("source", "Source", False),
            ("type", "Type", False),
            ("attribute", "Attribute", False),
            ("moved", "Moved, %", True),
            ("unknown", "Unknown now, %", True),
            ("unknown_before", "Before, %", True),
        ),
    ),
    "identifiers": (
        "Identifiers",
        "Identifiers as they stand: wrong check digits, held by more than one person, and people "
        "with more than one.",
        (
            ("scheme", "Scheme", False),
            ("identifiers", "Identifiers", True),
            ("failed", "Check digit wrong", True),
            ("shared", "Held by several", True),
            ("people_with_several", "People with several", True),
        ),
    ),
    "impossible_days": (
        "Before birth and after death",
        "Contacts that can hardly be this person's.",
        (
            ("source", "Source", False),
            ("type", "Type", False),
            ("contacts", "Contacts", True),
            ("before_birth", "Long before birth", True),
            ("after_death", "After death", True),
        ),
    ),
    "changed_after_outcome": (
        "Changed after an outcome",
        "Earlier records written again in the days before, just after, and later than an outcome.",
        (
            ("source", "Source", False),
            ("type", "Type", False),
            ("before", "Before", True),
            ("after", "Just after", True),
            ("later", "Later", True),
        ),
    ),
    "loads": (
        "Rows loaded",
        "What became of the rows of each source, by the load reports that are kept.",
        (
            ("source", "Source", False),
            ("files", "Files", True),
            ("held", "Refused", True),
            ("rows", "Rows", True),
            ("duplicate", "Duplicate", True),
            ("superseded", "Superseded", True),
            ("quarantined", "Set aside", True),
        ),
    ),
}


def _tables(figures: Mapping[str, Any], few: int) -> list[tuple[str, str, Table]]:
    made = []
    for name, (title, about, columns) in _COLUMNS.items():
        rows = tuple(
            tuple(_cell(key, row[key], numeric, few) for key, _, numeric in columns)
            for row in figures[name]
        )
        heads = tuple((heading, numeric) for _, heading, numeric in columns)
        made.append((name.replace("_", "-"), about, Table(title, heads, rows)))
    return made


#: Columns of days and shares: where they are missing too few contacts stand behind them.
_NOT_COUNTS = ("half", "nine_tenths", "most", "assumed", "moved", "unknown", "unknown_before")


def _cell(key: str, value: Any, numeric: bool, few: int) -> str:
    if value is None and key in _NOT_COUNTS:
        return "too few"
    if numeric:
        return _number(value, few)
    return "nothing usable" if value is None else str(value).replace("assumed_lag", "assumed")
