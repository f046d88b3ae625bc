"""A flag in short, for the pages around its own: whose it is, its patterns and its numbers.

It says what the flag's page says, without wording every record and counting every pattern.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words
from riskflag.reports.cards import heading
from riskflag.reports.records import numbered


@dataclass(frozen=True)
class Pattern:
    """A pattern's name, where it stands on the flag's page, and its reason's id."""

    reason_id: str
    heading: str
    anchor: str


@dataclass(frozen=True)
class Outline:
    """Whose flag it is, and what its page calls patterns and records.

    `numbers` has the number on the flag's page of every record that stands there, by contact key.
    """

    flag_id: str
    display: str
    age: str
    as_of: str
    patterns: tuple[Pattern, ...]
    numbers: Mapping[str, int]


def outline(flag: Mapping[str, Any]) -> Outline:
    """The outline of one FLAG JSON; the same names and numbers as on its page."""
    kinds = (("pattern", flag["reasons"]), ("earlier", flag.get("earlier_reasons", ())))
    return Outline(
        flag_id=flag["flag_id"],
        display=flag["child"]["display"],
        age=words.age(flag["child"]),
        as_of=words.day(flag["as_of"]),
        patterns=tuple(
            Pattern(reason["reason_id"], heading(reason), f"{prefix}-{number}")
            for prefix, reasons in kinds
            for number, reason in enumerate(reasons, 1)
        ),
        numbers={c["contact_key"]: number for number, c in numbered(flag["contacts"])},
    )
