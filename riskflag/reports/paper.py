"""How much of a flag's page comes first, so that four sheets of paper hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from riskflag.reports.cards import CARDS, CARDS_WHEN_FULL, CARDS_WITH_MANY, rules_of
from riskflag.reports.records import SHOWN_FIRST, SHOWN_WHEN_FULL, SHOWN_WITH_MANY

#: A pattern takes about as much paper as so many records, and one more for each of its counts.
CARD_ROWS = 4
#: Beyond so many rows of paper the type gets smaller, beyond more, fewer records come first, and
#: beyond still more also fewer patterns have a card of their own: four sheets hold the page.
DENSE, CROWDED, FULL, BRIM = 34, 46, 58, 72


class Room(NamedTuple):
    """How many records are shown first, how many patterns have a card, and if type is small."""

    records: int
    cards: int
    dense: bool


def room_for(flag: Mapping[str, Any]) -> Room:
    """The room there is for one FLAG JSON."""
    rows = paper_rows(flag)
    first = SHOWN_FIRST if rows <= CROWDED else SHOWN_WITH_MANY if rows <= FULL else SHOWN_WHEN_FULL
    apart = CARDS if rows <= FULL else CARDS_WITH_MANY if rows <= BRIM else CARDS_WHEN_FULL
    return Room(first, apart, rows > DENSE)


def paper_rows(flag: Mapping[str, Any]) -> int:
    """About how much paper a flag takes, in rows of records."""
    rows = min(len(flag["contacts"]), SHOWN_FIRST) + len(flag.get("improvement") or ())
    for reason in [*flag["reasons"], *flag.get("earlier_reasons", ())]:
        parts = [c for rule in rules_of(reason) for c in rule.get("conditions", ())]
        signals = (reason.get("model") or {}).get("signals", ())
        rows += CARD_ROWS + len(parts) + len(signals)
    return rows + sum(len(block["signals"]) for block in flag["lowering"]) // 4
