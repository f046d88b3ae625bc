"""Checks on how much there is and what it says: volumes, values, rates of outcomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from statistics import median
from typing import Any

from riskflag.history.checks.model import Finding, Limits, Suppression
from riskflag.history.checks.scratch import Scratch
from riskflag.history.schema import ATTRIBUTES

#: Names of workers and sites change all the time and are nobody's business here.
_VALUES = tuple(name for name in ATTRIBUTES if name not in ("worker", "organisation"))
#: So many months are shown.
SHOWN = 36

Series = dict[tuple[str, str], dict[str, int]]
Checked = tuple[list[Finding], list[dict[str, Any]]]


def volumes(data: Scratch, limits: Limits) -> Checked:
    """Contacts of each source and type by the month in which they became known."""
    months = whole_months(data)
    series = _series(data)
    hidden = Suppression(limits)
    findings: list[Finding] = []
    rows: list[dict[str, Any]] = []
    for (source, kind), counts in sorted(series.items()):
        begun = [month for month in months if month >= min(counts)]
        values = [counts.get(month, 0) for month in begun]
        findings += _odd_months(source, kind, begun, values, limits)
        shown = list(zip(begun, values, strict=True))[-SHOWN:]
        rows.append(
            {
                "source": source,
                "type": kind,
                "months": [month for month, _ in shown],
                "counts": [hidden.count(value) for _, value in shown],
            }
        )
    return findings, rows


def whole_months(data: Scratch) -> list[str]:
    """The months from the first contact to the last that is over, as 2024-05."""
    found = data.rows("SELECT min(known_on) AS first FROM versions WHERE version = 1")
    first: dt.date | None = found[0]["first"]
    months: list[str] = []
    if first is None:
        return months
    year, month = first.year, first.month
    while (year, month) < (data.as_of.year, data.as_of.month):
        months.append(f"{year:04d}-{month:02d}")
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return months


_VOLUMES = """
SELECT source, type, strftime(known_on, '%Y-%m') AS month, count(*) AS contacts
FROM versions WHERE version = 1 AND op = 'assert' GROUP BY ALL ORDER BY ALL
"""


def _series(data: Scratch) -> Series:
    series: Series = {}
    for row in data.rows(_VOLUMES):
        series.setdefault((row["source"], row["type"]), {})[row["month"]] = row["contacts"]
    return series


def _odd_months(
    source: str, kind: str, months: list[str], counts: list[int], limits: Limits
) -> Iterator[Finding]:
    """The recent months far from both the usual number and that of the same month a year ago."""
    hidden = Suppression(limits)
    for place in range(max(0, len(months) - limits.recent_months), len(months)):
        before = counts[max(0, place - limits.usual_months) : place]
        if len(before) < 3:
            continue
        usual = median(before)
        a_year_ago = counts[place - 12] if place >= 12 else usual
        low, high = min(usual, a_year_ago), max(usual, a_year_ago)
        code = _how_odd(counts[place], low, high, limits)
        if code:
            usually = f"where {hidden.words(usual)} a month are usual"
            what = f"{months[place]} has {hidden.words(counts[place])} new contacts {usually}."
            yield Finding(code, source, kind, what)


def _how_odd(count: int, low: float, high: float, limits: Limits) -> str:
    """The code of a finding, or blank. Few contacts say nothing."""
    if low >= limits.least_usual and low - count > limits.chance * low**0.5:
        if count == 0:
            return "silent_month"
        if count < limits.low_share * low:
            return "volume_low"
    above = high >= limits.least_usual and count - high > limits.chance * high**0.5
    return "volume_high" if above and count > limits.high_share * high else ""


def values(data: Scratch, limits: Limits) -> Checked:
    """How the values of each attribute are spread: the recent months against those before."""
    months = whole_months(data)
    recent = months[-limits.recent_months :]
    before = months[-limits.recent_months - limits.usual_months : -limits.recent_months]
    findings: list[Finding] = []
    rows: list[dict[str, Any]] = []
    if not recent or not before:
        return findings, rows
    for name in _VALUES:
        found = data.rows(_SPREAD.format(name=name), recent[0], recent[-1], before[0], before[-1])
        for source, kind in sorted({(row["source"], row["type"]) for row in found}):
            mine = [row for row in found if (row["source"], row["type"]) == (source, kind)]
            made = _spread(name, mine, limits)
            if made is not None:
                rows.append({"source": source, "type": kind, "attribute": name, **made[1]})
                findings += [Finding(code, source, kind, what) for code, what in made[0]]
    return findings, rows


#: `name` is one of ATTRIBUTES and never comes from data.
_SPREAD = """
WITH dated AS (SELECT source, type, {name} AS value, strftime(known_on, '%Y-%m') AS month
  FROM versions WHERE version = 1 AND op = 'assert'),
said AS (SELECT DISTINCT source, type FROM dated WHERE value IS NOT NULL)
SELECT source, type, value,
  count(*) FILTER (month BETWEEN ? AND ?) AS recent,
  count(*) FILTER (month BETWEEN ? AND ?) AS before
FROM dated SEMI JOIN said USING (source, type) GROUP BY ALL ORDER BY ALL
"""


def _spread(
    name: str, rows: list[dict[str, Any]], limits: Limits
) -> tuple[list[tuple[str, str]], dict[str, Any]] | None:
    recent, before = (sum(row[when] for row in rows) for when in ("recent", "before"))
    if min(recent, before) < limits.least_values:
        return None
    shares = {row["value"]: (row["recent"] / recent, row["before"] / before) for row in rows}
    unknown = shares.pop(None, (0.0, 0.0))
    known = [sum(pair[side] for pair in shares.values()) or 1.0 for side in (0, 1)]
    moved = sum(abs(a / known[0] - b / known[1]) for a, b in shares.values()) / 2
    found = []
    if moved > limits.moved:
        found.append(("values_moved", f"{round(100 * moved)}% of {name} lies elsewhere now."))
    if unknown[0] - unknown[1] > limits.turned_unknown:
        now, then = (round(100 * share) for share in unknown)
        found.append(("turned_unknown", f"{name} is unknown in {now}% now, {then}% before."))
    figures = {"moved": round(100 * moved), "unknown": round(100 * unknown[0])}
    return found, {**figures, "unknown_before": round(100 * unknown[1])}


_RATES = """
WITH first AS (SELECT person, type, strftime(occurred_on, '%Y-%m') AS month FROM live
  WHERE list_contains(?, type) AND person IS NOT NULL AND occurred_on < ? GROUP BY ALL)
SELECT type, month, count(*) AS children FROM first GROUP BY ALL ORDER BY ALL
"""
_YOUNG = """
SELECT count(*) AS young FROM people WHERE NOT coalesce(adult, false)
  AND birth_on <= ? AND birth_on > CAST(? AS DATE) - INTERVAL 18 YEAR
  AND (death_on IS NULL OR death_on > ?)
"""


def rates(data: Scratch, limits: Limits) -> Checked:
    """Children with each outcome by month, per thousand children then under 18."""
    hidden = Suppression(limits)
    counts: dict[str, dict[str, int]] = {}
    for row in data.rows(_RATES, list(limits.outcomes), data.as_of.replace(day=1)):
        counts.setdefault(row["type"], {})[row["month"]] = row["children"]
    findings: list[Finding] = []
    rows: list[dict[str, Any]] = []
    for kind, by_month in sorted(counts.items()):
        months = [m for m in whole_months(data) if m >= min(by_month)][-SHOWN:]
        young = {m: _young(data, m) for m in months}
        per = {m: 1000 * by_month.get(m, 0) / young[m] for m in months if young[m]}
        findings += _changed_rate(kind, per, by_month, limits)
        shown = {m: hidden.count(by_month.get(m, 0)) for m in per}
        rows.append(
            {
                "type": kind,
                "months": list(per),
                "per_thousand": [None if shown[m] is None else round(per[m], 2) for m in per],
            }
        )
    return findings, rows


def _young(data: Scratch, month: str) -> int:
    day = dt.date.fromisoformat(f"{month}-01")
    found: int = data.rows(_YOUNG, day, day, day)[0]["young"]
    return found


def _changed_rate(
    kind: str, per: dict[str, float], counts: dict[str, int], limits: Limits
) -> Iterator[Finding]:
    months = list(per)
    for place in range(max(0, len(months) - limits.recent_months), len(months)):
        before = months[max(0, place - limits.usual_months) : place]
        if len(before) < 3:
            continue
        month = months[place]
        usual = median(per[m] for m in before)
        expected = median(counts.get(m, 0) for m in before)
        far = abs(counts.get(month, 0) - expected) > limits.chance * max(expected, 1) ** 0.5
        times = limits.rate_times
        if far and expected >= 20 and not usual / times <= per[month] <= usual * times:
            what = f"{month}: {per[month]:.1f} children per thousand where {usual:.1f} are usual."
            yield Finding("rate_changed", "", kind, what)
