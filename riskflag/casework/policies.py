"""May this be done? The few rules about a flag's life, in one place.

Nothing here is decided by silence: only a person's recorded decision closes a flag.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from riskflag.errors import ConfigError

#: What a decision means to riskflag, whatever an authority calls it: something more is done and the
#: flag closes; somebody finds out more and it stays open; it is known and in hand; nothing is done;
#: a second person looks.
Meaning = Literal["act", "find_out", "in_hand", "no_action", "cannot_decide"]
Worth = Literal["new_to_me", "knew_most", "no"]
FirstThought = Literal["yes", "no", "not_sure"]
VerdictWord = Literal["important", "known", "not_relevant", "wrong"]
Problem = Literal["wrong_child", "wrong_date", "duplicate", "out_of_date", "misread", "other"]

WORTH: tuple[str, ...] = get_args(Worth)
FIRST_THOUGHTS: tuple[str, ...] = get_args(FirstThought)
VERDICTS: tuple[str, ...] = get_args(VerdictWord)
PROBLEMS: tuple[str, ...] = get_args(Problem)

URGENT = "urgent"
CANNOT_DECIDE, NO_ACTION = "cannot_decide", "no_action"
MEANINGS: tuple[str, ...] = get_args(Meaning)
#: Meanings after which the flag is done with; the others leave it open. Not deciding never closes.
CLOSING: frozenset[str] = frozenset({"act", "in_hand", "no_action"})
#: Meanings which say that the child needed something more than was in hand.
NEEDED_MORE: frozenset[str] = frozenset({"act", "find_out"})


@dataclass(frozen=True)
class Decision:
    """One decision that a form offers: the name it is kept by, its words, and what it means."""

    name: str
    label: str
    meaning: Meaning


#: The decisions that riskflag ships; an authority may have its own (riskflag.casework.decisions).
DECISION_LIST = (
    Decision("already_in_hand", "Already known and in hand", "in_hand"),
    Decision("talk_to_colleague", "Talk to a colleague or another agency", "find_out"),
    Decision("contact_family", "Contact the family or child", "find_out"),
    Decision("offer_early_help", "Offer early help", "act"),
    Decision("refer", "Refer under local thresholds", "act"),
    Decision("strategy_discussion", "Strategy discussion", "act"),
    Decision("nothing_further", "Nothing further from this now", "no_action"),
    Decision("unsure", "Cannot decide (say what is missing)", "cannot_decide"),
)
DECISIONS: tuple[str, ...] = tuple(one.name for one in DECISION_LIST)
#: The meaning of each shipped decision, also for reviews of before meanings were kept.
MEANING: dict[str, Meaning] = {one.name: one.meaning for one in DECISION_LIST}
#: How long a closed flag stays quiet when nothing new is recorded, in days, by its level.
QUIET_DAYS = {URGENT: 28, "soon": 90, "routine": 90}
#: Kept quiet by a person (`if_new`), a flag comes back by itself after so many days.
QUIET_LIMIT = 90
#: The longest time that a reviewer may choose, in weeks.
MOST_WEEKS = QUIET_LIMIT // 7


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


def closes(meaning: str) -> bool:
    """Whether a decision of this meaning closes the flag."""
    return meaning in CLOSING


def weeks(comes_back: str) -> int:
    """The weeks that a choice such as "2_weeks" names; 0 for one that names no time."""
    found = re.fullmatch(r"([1-9][0-9]?)_weeks", comes_back)
    return int(found[1]) if found and int(found[1]) <= MOST_WEEKS else 0


def may_be_chosen(comes_back: str) -> bool:
    """Whether this is a choice of when a flag comes back."""
    return comes_back in ("default", "if_new") or weeks(comes_back) > 0


def back_on(comes_back: str, meaning: str, level: str, today: dt.date) -> dt.date | None:
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
        if not closes(meaning):
            raise ConfigError(
                "This decision leaves the flag open, so it cannot be kept quiet; choose the "
                "usual rule or a time in weeks."
            )
        return today + dt.timedelta(days=QUIET_LIMIT)
    days = 7 * weeks(comes_back)
    if not days:
        return None
    if closes(meaning) and days > QUIET_DAYS[level]:
        raise ConfigError("An urgent flag comes back after 4 weeks at most; choose a shorter time.")
    return today + dt.timedelta(days=days)


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
