"""Checks on when things became known: lateness, coverage, and signs that the future leaks in."""

from __future__ import annotations

from typing import Any

from riskflag.clock import date_of, day_number
from riskflag.history.checks.model import Finding, Limits, Suppression
from riskflag.history.checks.scratch import Scratch
from riskflag.history.checks.volumes import Checked
from riskflag.history.store.coverage import feed_states

_LATE = """
WITH first AS (SELECT source, known_basis AS basis, known_on, known_on - occurred_on AS days
  FROM versions WHERE version = 1 AND op = 'assert' AND occurred_on <= known_on)
SELECT source, basis, count(*) AS contacts, quantile_disc(days, 0.5) AS half,
  quantile_disc(days, 0.9) AS nine_tenths, quantile_disc(days, 0.99) AS most,
  min(days) AS least, quantile_disc(days, 0.98) AS almost_all,
  quantile_disc(days, 0.9) FILTER (known_on >= ?) AS recently,
  count(*) FILTER (known_on >= ?) AS recent,
  quantile_disc(days, 0.9) FILTER (known_on < ?) AS earlier,
  count(*) FILTER (known_on < ?) AS before
FROM first GROUP BY ALL ORDER BY ALL
"""
#: How a day of knowledge was found, in words.
BASES = {
    "landed": "the day it landed",
    "recorded": "the day the agency wrote it",
    "shared": "the day it was shared",
    "assumed_lag": "assumed",
}
#: Recently: within so many days of the check.
_RECENT_DAYS = 60


def lateness(data: Scratch, limits: Limits) -> Checked:
    """Days from occurring to being known, by source and how the day is known."""
    hidden = Suppression(limits)
    day = date_of(day_number(data.as_of) - _RECENT_DAYS)
    findings, rows = [], []
    for row in data.rows(_LATE, day, day, day, day):
        findings += _late(row, limits)
        shown = {n: row[n] if row["contacts"] >= limits.smallest_shown else None for n in _DAYS}
        count = {"contacts": hidden.count(row["contacts"])}
        rows.append({"source": row["source"], "basis": row["basis"], **count, **shown})
    return findings, rows


_DAYS = ("half", "nine_tenths", "most")


def _late(row: dict[str, Any], limits: Limits) -> list[Finding]:
    """Only days that somebody noted count here; an assumed day says nothing of lateness."""
    if row["basis"] == "assumed_lag" or row["contacts"] < limits.least_rows:
        return []
    source, found = row["source"], []
    if row["least"] == row["almost_all"] and row["contacts"] >= limits.least_rows:
        same = "the day it occurred" if row["least"] == 0 else "a fixed number of days later"
        what = f"Nearly every contact is known on {same} (known by {BASES[row['basis']]})."
        found.append(Finding("known_is_occurred", source, "", what))
    if row["nine_tenths"] > limits.late_days:
        what = f"One in ten contacts is known more than {row['nine_tenths']:,} days later."
        found.append(Finding("late", source, "", what))
    few = min(row["recent"], row["before"]) < limits.least_rows
    if not few and row["recently"] > max(
        limits.slower * row["earlier"], row["earlier"] + limits.slower_days
    ):
        what = f"Nine in ten come within {row['recently']} days now, {row['earlier']} before."
        found.append(Finding("slower", source, "", what))
    return found


_BASIS = """
SELECT source, count(*) AS contacts, count(*) FILTER (known_basis = 'assumed_lag') AS assumed
FROM live GROUP BY source ORDER BY source
"""


def assumed(data: Scratch, limits: Limits) -> Checked:
    """How much of each source is known by assumption only: a first load. Never a finding."""
    hidden = Suppression(limits)
    rows = [
        {
            "source": row["source"],
            "contacts": hidden.count(row["contacts"]),
            "assumed": hidden.share(row["assumed"], row["contacts"]),
        }
        for row in data.rows(_BASIS)
    ]
    return [], rows


def coverage(data: Scratch, limits: Limits) -> Checked:
    """The state of each feed on the day of the check."""
    table = data.connection.sql("SELECT * FROM coverage").to_arrow_table()
    findings, rows = [], []
    for feed in feed_states(table, day_number(data.as_of)):
        until = feed.complete_to.isoformat() if feed.complete_to else None
        rows.append({"source": feed.source, "state": feed.state, "complete_to": until})
        said = f"is complete to {until}" if until else "has delivered nothing usable"
        if feed.state == "LOST":
            findings.append(Finding("feed_lost", feed.source, "", f"The feed {said}."))
        if feed.state == "HELD":
            what = f"Its newest delivery was refused; the feed {said}."
            findings.append(Finding("feed_held", feed.source, "", what))
    return findings, rows


#: Changes of earlier contacts in the days after an outcome, against as many days well before it.
_CHANGED = """
WITH outcome AS (SELECT person, min(occurred_on) AS day FROM live
  WHERE list_contains(?, type) AND person IS NOT NULL GROUP BY person),
changed AS (SELECT source, type, person, occurred_on, known_on FROM versions
  WHERE version > 1 AND person IS NOT NULL AND NOT list_contains(?, type))
SELECT c.source, c.type,
  count(*) FILTER (c.known_on >= o.day AND c.known_on < o.day + CAST(? AS INTEGER)) AS after,
  count(*) FILTER (c.known_on < o.day AND c.known_on >= o.day - CAST(? AS INTEGER)) AS before,
  count(*) FILTER (c.known_on >= o.day + CAST(? AS INTEGER)
    AND c.known_on < o.day + 2 * CAST(? AS INTEGER)) AS later
FROM changed c JOIN outcome o USING (person) WHERE c.occurred_on < o.day
GROUP BY ALL ORDER BY ALL
"""


def changed_after_outcome(data: Scratch, limits: Limits) -> Checked:
    """Records written again just after an outcome, more than in the days around."""
    hidden = Suppression(limits)
    kinds, days = list(limits.outcomes), limits.after_outcome_days
    findings, rows = [], []
    for row in data.rows(_CHANGED, kinds, kinds, days, days, days, days):
        usual = max(row["before"], row["later"], 1)
        if row["after"] >= limits.least_rows / 2 and (
            row["after"] > limits.after_outcome_times * usual
        ):
            what = (
                f"{hidden.words(row['after'])} earlier records were changed within {days} days "
                f"after an outcome, {hidden.words(usual)} in as many days before or after that."
            )
            findings.append(Finding("changed_after_outcome", row["source"], row["type"], what))
        figures = {name: hidden.count(row[name]) for name in ("before", "after", "later")}
        rows.append({"source": row["source"], "type": row["type"], **figures})
    return findings, rows
