"""May this be done? The few rules about a flag's life, in one place.

Nothing here is decided by silence: only a person's recorded decision closes a flag.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

Decision = Literal[
    "already_in_hand",
    "talk_to_colleague",
    "contact_family",
    "offer_early_help",
    "refer",
    "strategy_discussion",
    "nothing_further",
    "unsure",
]
Worth = Literal["new_to_me", "knew_most", "no"]

DECISIONS: tuple[str, ...] = get_args(Decision)
WORTH: tuple[str, ...] = get_args(Worth)

#: Decisions after which the flag is done with; the others leave it open. *unsure* never closes.
CLOSING: frozenset[str] = frozenset(
    {"already_in_hand", "offer_early_help", "refer", "strategy_discussion", "nothing_further"}
)
#: How long a closed flag stays quiet when nothing new is recorded, in days, by its level.
QUIET_DAYS = {"urgent": 28, "soon": 90, "routine": 90}


@dataclass(frozen=True)
class ClosedFlag:
    """A child's last closed flag: what the reviewer was shown, and when the review was."""

    flag_id: str
    person_id: str
    level: str
    closed_on: dt.date
    shown_as_of: dt.date
    reason_ids: frozenset[str]


def closes(decision: str) -> bool:
    """Whether a decision closes the flag."""
    return decision in CLOSING


def comes_back(
    closed: ClosedFlag, as_of: dt.date, *, reason_ids: Collection[str], newest_known: dt.date | None
) -> bool:
    """Whether a child whose flag was closed is brought again.

    Yes when there is a reason the reviewer did not have, when a contact behind a reason became
    known on or after the day the reviewer's page was made, or when the quiet time is over.
    """
    if not set(reason_ids) <= closed.reason_ids:
        return True
    if newest_known is not None and newest_known >= closed.shown_as_of:
        return True
    return as_of >= closed.closed_on + dt.timedelta(days=QUIET_DAYS[closed.level])
