"""May this be done? The few rules about a flag's life, in one place.

Nothing here is decided by silence: only a person's recorded decision closes a flag.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from riskflag.errors import ConfigError

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
ComesBack = Literal["default", "if_new", "2_weeks", "4_weeks", "8_weeks"]
FirstThought = Literal["yes", "no", "not_sure"]
VerdictWord = Literal["important", "known", "not_relevant", "wrong"]
Problem = Literal["wrong_child", "wrong_date", "duplicate", "out_of_date", "misread", "other"]

DECISIONS: tuple[str, ...] = get_args(Decision)
WORTH: tuple[str, ...] = get_args(Worth)
COMES_BACK: tuple[str, ...] = get_args(ComesBack)
FIRST_THOUGHTS: tuple[str, ...] = get_args(FirstThought)
VERDICTS: tuple[str, ...] = get_args(VerdictWord)
PROBLEMS: tuple[str, ...] = get_args(Problem)

URGENT = "urgent"
#: Decisions after which the flag is done with; the others leave it open. *unsure* never closes.
CLOSING: frozenset[str] = frozenset(
    {"already_in_hand", "offer_early_help", "refer", "strategy_discussion", "nothing_further"}
)
#: Decisions which say that the child needed something more than was in hand.
NEEDED_MORE: frozenset[str] = frozenset(
    {
        "talk_to_colleague",
        "contact_family",
        "offer_early_help",
        "refer",
        "strategy_discussion",
    }
)
#: How long a closed flag stays quiet when nothing new is recorded, in days, by its level.
QUIET_DAYS = {URGENT: 28, "soon": 90, "routine": 90}
#: Kept quiet by a person (`if_new`), a flag comes back by itself after so many days.
QUIET_LIMIT = 90
#: The choices that name a time, in days.
WEEKS = {"2_weeks": 14, "4_weeks": 28, "8_weeks": 56}


@dataclass(frozen=True)
class ClosedFlag:
    """A child's last closed flag: what the reviewer was shown, and when the review was.

    `comes_back` is the reviewer's choice and `back_on` the day promised with it; None stands for
    the usual time of the level.
    """

    flag_id: str
    person_id: str
    level: str
    closed_on: dt.date
    shown_as_of: dt.date
    reason_ids: frozenset[str]
    comes_back: str = "default"
    back_on: dt.date | None = None

    @property
    def quiet_until(self) -> dt.date:
        """The day from which the flag comes back even with nothing new."""
        return self.back_on or self.closed_on + dt.timedelta(days=QUIET_DAYS[self.level])


def closes(decision: str) -> bool:
    """Whether a decision closes the flag."""
    return decision in CLOSING


def back_on(comes_back: str, decision: str, level: str, today: dt.date) -> dt.date | None:
    """The day that a reviewer's choice promises; None for the usual time.

    Raises ConfigError for a choice that would keep quiet what may not be: an urgent flag beyond
    its usual time, or a flag that stays open.
    """
    if comes_back == "if_new":
        if level == URGENT:
            raise ConfigError(
                "An urgent flag cannot be kept quiet; choose the usual rule or a time up to 4 "
                "weeks."
            )
        if not closes(decision):
            raise ConfigError(
                "This decision leaves the flag open, so it cannot be kept quiet; choose the "
                "usual rule or a time in weeks."
            )
        return today + dt.timedelta(days=QUIET_LIMIT)
    if comes_back not in WEEKS:
        return None
    if closes(decision) and WEEKS[comes_back] > QUIET_DAYS[level]:
        raise ConfigError("An urgent flag comes back after 4 weeks at most; choose a shorter time.")
    return today + dt.timedelta(days=WEEKS[comes_back])


def comes_back(
    closed: ClosedFlag,
    as_of: dt.date,
    *,
    reason_ids: Collection[str],
    newest_known: dt.date | None,
    level: str = "routine",
) -> bool:
    """Whether a child whose flag was closed is brought again; `level` is tonight's.

    Yes when there is a reason the reviewer did not have, when it has become urgent, when a contact
    behind a reason became known on or after the day the reviewer's page was made, or when the
    quiet time is over. Kept quiet by a person, further contacts behind the same reasons do not
    bring it back, unless it is urgent.
    """
    if not set(reason_ids) <= closed.reason_ids:
        return True
    if level == URGENT and closed.level != URGENT:
        return True
    new = newest_known is not None and newest_known >= closed.shown_as_of
    if new and closed.comes_back != "if_new":
        return True
    return as_of >= closed.quiet_until
