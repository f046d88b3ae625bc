"""What the pages of a review show of a flag, in the words of its own page and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words
from riskflag.reports.cards import Card
from riskflag.reports.flag_page import Voice, cards_of, voice, why
from riskflag.reports.records import Chronology, chronology


@dataclass(frozen=True)
class Brief:
    """Parts of a flag's page, the same as there: `patterns` are all cards in their order."""

    flag_id: str
    display: str
    age: str
    as_of: str
    why: str
    patterns: tuple[Card, ...]
    records: Chronology
    voice: Voice


def brief(flag: Mapping[str, Any]) -> Brief:
    """These parts of the page of one FLAG JSON."""
    records = chronology(flag)
    now, earlier = cards_of(flag, records)
    return Brief(
        flag_id=flag["flag_id"],
        display=flag["child"]["display"],
        age=words.age(flag["child"]),
        as_of=words.day(flag["as_of"]),
        why=why(flag),
        patterns=(*now, *earlier),
        records=records,
        voice=voice(flag, records),
    )
