"""Checks on whose records they are: identifiers, births and deaths, records without a person."""

from __future__ import annotations

from typing import Any

from riskflag.history.checks.model import Finding, Limits, Suppression, too_many
from riskflag.history.checks.scratch import Scratch
from riskflag.history.checks.volumes import Checked

_IMPOSSIBLE = """
SELECT c.source, c.type, count(*) AS contacts,
  count(*) FILTER (c.occurred_on < p.birth_on - CAST(? AS INTEGER)) AS before_birth,
  count(*) FILTER (c.occurred_on > p.death_on + CAST(? AS INTEGER)) AS after_death
FROM live c JOIN people p USING (person) GROUP BY ALL ORDER BY ALL
"""
_SAID = {
    "before_birth": "lie more than {days} days before the person was born",
    "after_death": "lie more than {days} days after the person died",
}


def impossible_days(data: Scratch, limits: Limits) -> Checked:
    """Contacts long before birth or after death."""
    hidden = Suppression(limits)
    days = {"before_birth": limits.before_birth_days, "after_death": limits.after_death_days}
    findings, rows = [], []
    for row in data.rows(_IMPOSSIBLE, *days.values()):
        for code, limit in days.items():
            if too_many(row[code], row["contacts"], limits.impossible):
                what = f"{hidden.words(row[code])} contacts {_SAID[code].format(days=limit)}."
                findings.append(Finding(code, row["source"], row["type"], what))
        if row["before_birth"] or row["after_death"]:
            named = {name: hidden.count(row[name]) for name in ("contacts", *days)}
            rows.append({"source": row["source"], "type": row["type"], **named})
    return findings, rows


_CHECKED = """
SELECT scheme, count(*) AS identifiers, count(*) FILTER (check_ok IS FALSE) AS failed
FROM claim GROUP BY scheme ORDER BY scheme
"""
_REUSED = """
WITH held AS (SELECT scheme, name, count(DISTINCT person_id) AS people FROM claim GROUP BY ALL),
several AS (SELECT scheme, person_id, count(DISTINCT name) AS numbers FROM claim
  WHERE coalesce(valid_to, DATE '9999-01-01') > ? GROUP BY ALL)
SELECT scheme, count(*) AS identifiers, count(*) FILTER (people > 1) AS shared,
  any_value(m.many) AS many
FROM held LEFT JOIN (SELECT scheme, count(*) FILTER (numbers > 1) AS many FROM several
  GROUP BY scheme) m USING (scheme) GROUP BY scheme ORDER BY scheme
"""


def identifiers(data: Scratch, limits: Limits) -> Checked:
    """Wrong check digits, identifiers that several people hold, people with several."""
    hidden = Suppression(limits)
    reused = {row["scheme"]: row for row in data.rows(_REUSED, data.as_of)}
    findings, rows = [], []
    for row in data.rows(_CHECKED):
        more = reused[row["scheme"]]
        scheme, total = row["scheme"], row["identifiers"]
        if too_many(row["failed"], total, limits.check_digit):
            what = f"{scheme}: {hidden.words(row['failed'])} of {hidden.words(total)} fail."
            findings.append(Finding("check_digit", "", "", what))
        if too_many(more["shared"], more["identifiers"], limits.reused):
            what = f"{scheme}: {hidden.words(more['shared'])} are held by more than one person."
            findings.append(Finding("reused", "", "", what))
        figures = {"identifiers": total, "failed": row["failed"], "shared": more["shared"]}
        figures["people_with_several"] = more["many"] or 0
        rows.append({"scheme": scheme, **{k: hidden.count(v) for k, v in figures.items()}})
    return findings, rows


_MARKED = """
SELECT source, count(*) AS contacts, count(*) FILTER (person IS NULL) AS without_person,
  count(*) FILTER (contains(issues, 'unmapped_code')) AS unmapped,
  count(*) FILTER (contains(issues, 'id_check_failed')) AS check_failed,
  count(*) FILTER (contains(issues, 'end_before_start')) AS end_before_start,
  count(*) FILTER (contains(issues, 'future')) AS future
FROM live GROUP BY source ORDER BY source
"""


def marks(data: Scratch, limits: Limits) -> Checked:
    """Contacts without a person, with codes no map holds, and with other marks, by source."""
    hidden = Suppression(limits)
    findings: list[Finding] = []
    rows: list[dict[str, Any]] = []
    told = {
        "without_person": (limits.without_person, "belong to nobody the history knows"),
        "unmapped": (limits.unmapped, "carry a code that no map holds"),
        "check_digit": (limits.check_digit, "carry an identifier whose check digit is wrong"),
    }
    for row in data.rows(_MARKED):
        row["check_digit"] = row["check_failed"]
        for code, (limit, words) in told.items():
            if too_many(row[code], row["contacts"], limit):
                share = hidden.share(row[code], row["contacts"])
                much = "" if share is None else f" ({share:g}%)"
                what = f"{hidden.words(row[code])} contacts{much} {words}."
                findings.append(Finding(code, row["source"], "", what))
        shown = {k: hidden.count(v) for k, v in row.items() if k not in ("source", "check_digit")}
        rows.append({"source": row["source"], **shown})
    return findings, rows
