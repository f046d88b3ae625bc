"""What a reader should know about how far a flag's records reach, in plain sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

FAULT = "A fault in the program kept this child from being assessed on this night."


@dataclass(frozen=True)
class Situation:
    """The facts about one flag that caveats are made of."""

    contacts: Sequence[Row]
    begins: Mapping[str, dt.date]
    linked: bool
    with_bundle: bool
    undecided: int
    faulty: bool = False
    doubtful: int = 0


def caveats(situation: Situation) -> list[str]:
    """Every caveat that holds, in a fixed order."""
    return [
        *([FAULT] if situation.faulty else []),
        *_withdrawn(situation.contacts),
        *_assumed(situation.contacts),
        *_marked(situation.contacts),
        *_undecided(situation.undecided),
        *_short(situation.begins),
        *_unlinked(situation.linked),
        *_doubtful(situation.doubtful),
        *_rules_only(situation),
    ]


def _withdrawn(contacts: Sequence[Row]) -> list[str]:
    gone = sum(contact["withdrawn"] for contact in contacts)
    if not gone:
        return []
    return [
        f"{_records(gone)} behind an earlier reason {_has(gone)} since been withdrawn, corrected "
        "or linked to someone else."
    ]


def _assumed(contacts: Sequence[Row]) -> list[str]:
    assumed = sum(contact["known_basis"] == "assumed_lag" for contact in contacts)
    if not assumed:
        return []
    return [
        f"The day on which {_records(assumed)} of the {len(contacts)} shown became known is "
        "assumed, because the history was loaded in one piece."
    ]


def _marked(contacts: Sequence[Row]) -> list[str]:
    marked = sum(bool(c["issues"]) and c["in_pattern"] for c in contacts)
    if not marked:
        return []
    return [f"{_records(marked)} in the pattern came with a mark about {_its(marked)} quality."]


def _undecided(rules: int) -> list[str]:
    if not rules:
        return []
    return [
        f"{rules} {'rule' if rules == 1 else 'rules'} could not be decided for this child, because "
        "records that would be needed had not come."
    ]


def _short(begins: Mapping[str, dt.date]) -> list[str]:
    return [
        f"What we hold from the source {source} begins on {_long(day)}; nothing is known of the "
        "time before."
        for source, day in sorted(begins.items())
    ]


def _unlinked(linked: bool) -> list[str]:
    if linked:
        return []
    return [
        "No parent, carer or sibling is linked to this child in the records we hold, so what "
        "agencies know about the household cannot show here."
    ]


def _doubtful(others: int) -> list[str]:
    if not others:
        return []
    numbers = "1 other person number" if others == 1 else f"{others} other person numbers"
    return [
        f"{numbers} may be this child, and nobody has decided yet. What is recorded there does not "
        "show here."
    ]


def _rules_only(situation: Situation) -> list[str]:
    if situation.with_bundle:
        return []
    return ["No model was in use on this night; the reasons come from rules only."]


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _its(count: int) -> str:
    return "its" if count == 1 else "their"


def _long(day: dt.date) -> str:
    return f"{day.day} {day:%B} {day.year}"
