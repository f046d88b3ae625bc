"""Flags for the tests of the pages: the committed example, and made-up ones of any length."""

from __future__ import annotations

import copy
import datetime as dt
import json
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "flags_example.json"
AS_OF = dt.date(2026, 10, 20)
KINDS = (
    ("ed.attendance", "ed", {"category": "injury", "outcome": "treated", "organisation": "East"}),
    ("police.da_incident", "police", {"grade": "medium", "role": "present", "voice": "no"}),
    ("school.absence", "school", {"category": "unauthorised"}),
    ("health.appointment", "community_health", {"category": "dental", "outcome": "not_brought"}),
    ("care.contact", "social_care", {"category": "school", "outcome": "nfa"}),
    ("early_help.support", "early_help", {"category": "mentoring"}),
    ("housing.temporary_accommodation", "housing", {}),
    ("mental_health.referral", "mental_health", {"outcome": "waiting"}),
    ("missing.report", "police", {"category": "home", "grade": "low"}),
    ("care.visit", "social_care", {"seen": "yes", "seen_alone": "yes", "voice": "yes"}),
    ("adult.substance_treatment", "substance", {"category": "alcohol", "outcome": "started"}),
)
NAMES = [
    "accepted",
    "category",
    "grade",
    "offered",
    "organisation",
    "outcome",
    "role",
    "seen",
    "seen_alone",
    "voice",
    "worker",
]


def examples() -> list[dict]:
    """The flags of the committed example night."""
    flags = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert len(flags) >= 4
    return flags


def contact(number: int, *, days_ago: int, kind: int | None = None, **more) -> dict:
    """One made-up contact; `kind` chooses its type."""
    type_, agency, attributes = KINDS[(number if kind is None else kind) % len(KINDS)]
    day = AS_OF - dt.timedelta(days=days_ago)
    return {
        "contact_key": f"{number:032x}",
        "version": 1,
        "occurred_on": day.isoformat(),
        "occurred_at": None,
        "ended_on": None,
        "known_on": (day + dt.timedelta(days=number % 4)).isoformat(),
        "known_basis": "landed",
        "agency": agency,
        "type": type_,
        "link": "self",
        "attributes": {**dict.fromkeys(NAMES), **attributes},
        "quantity": float(number % 9) if type_ == "school.absence" else None,
        "source": agency,
        "file": f"{agency}_2026-10-01.csv",
        "line": number + 2,
        "record_id": f"R-{number:06d}",
        "issues": [],
        "new": False,
        "in_pattern": False,
        "withdrawn": False,
        **more,
    }


def long_flag(contacts: int, *, reasons: int = 8, in_pattern: int = 30) -> dict:
    """A flag with so many contacts and reasons, late arrivals and missing feeds among them."""
    flag = copy.deepcopy(examples()[1])
    made = [
        contact(
            n,
            days_ago=1 + (n * 700) // contacts,
            in_pattern=n < in_pattern,
            new=n < 3,
            **({"known_on": AS_OF.isoformat()} if n % 13 == 5 else {}),
        )
        for n in range(contacts)
    ]
    flag["contacts"] = made
    pattern = [c for c in made if c["in_pattern"]]
    flag["why"] = {
        "contacts": len(pattern),
        "agencies": sorted({c["agency"] for c in pattern}),
        "from": min(c["occurred_on"] for c in pattern),
        "to": max(c["occurred_on"] for c in pattern),
    }
    flag["reasons"] = [_reason(flag, number, pattern, reasons) for number in range(reasons)]
    flag["not_seen"] *= 2
    flag["caveats"] = [f"Caveat number {n} is one plain sentence about the data." for n in range(5)]
    return flag


def _reason(flag: dict, number: int, pattern: list[dict], reasons: int) -> dict:
    reason = copy.deepcopy(flag["reasons"][number % 2])
    keys = [c["contact_key"] for c in pattern[number::reasons]] or [pattern[0]["contact_key"]]
    agencies = sorted({c["agency"] for c in pattern if c["contact_key"] in keys})
    reason.update(reason_id=f"{reason['reason_id']}-{number}", contact_keys=keys, agencies=agencies)
    signals = (reason["model"] or {}).get("signals", []) + (reason["rule"] or {}).get(
        "conditions", []
    )
    for signal in signals:
        if signal["contact_keys"]:
            signal.update(contact_keys=keys, value=float(len(keys)))
    return reason
