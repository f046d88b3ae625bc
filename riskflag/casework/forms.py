"""A review as it comes from a page or a paper form: checked before it goes near the store."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from riskflag.casework import policies
from riskflag.errors import ConfigError

#: The longest free text of a review, and the longest line, in characters.
LONGEST_TEXT, LONGEST_LINE = 20_000, 500
REVIEW_ID = re.compile(r"[0-9a-f][0-9a-f-]{15,63}")
DECISION_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
OFF_FORM = "The review holds an answer that is not on the form; choose one."


@dataclass(frozen=True)
class Shown:
    """What a reviewer saw: the page's payload, and the newest review of the flag at that time."""

    payload_hash: str
    last_review_id: str | None


@dataclass(frozen=True)
class ReasonVerdict:
    """What a reviewer says of one reason; `problem`, `note` and `contact_key` go with *wrong*."""

    reason_id: str
    verdict: policies.VerdictWord
    problem: policies.Problem | None = None
    note: str = ""
    contact_key: str | None = None

    def __post_init__(self) -> None:
        if self.verdict not in policies.VERDICTS:
            raise ConfigError(OFF_FORM)
        if (self.verdict == "wrong") != (self.problem is not None):
            raise ConfigError("A reason called wrong needs what is wrong with it, and only that.")
        if self.problem is not None and self.problem not in policies.PROBLEMS:
            raise ConfigError(OFF_FORM)
        if self.contact_key is not None and self.verdict != "wrong":
            raise ConfigError("A record is named only for a reason that is called wrong.")
        _readable(self.note, "note", LONGEST_TEXT)


@dataclass(frozen=True)
class NewReview:
    """A decision as a person made it on the page they were shown.

    `why` is the person's own words; `amends` names an earlier review that this one corrects and
    `second_look_of` one that is looked at again by somebody else; `opened_at` is when the page was
    opened and `expected` what it showed: without it no conflict can be noticed. `review_id`, made
    by whoever sends the review, makes sending it again harmless: 16 to 64 of 0-9, a-f and dashes.
    `meaning` and `decision_label` go with a decision of the authority's own list; without a meaning
    the decision is one of those shipped.
    """

    flag_id: str
    reviewer: str
    role: str
    decision: str
    why: str
    worth_bringing: policies.Worth
    opened_at: dt.datetime
    amends: str | None = None
    verdicts: tuple[ReasonVerdict, ...] = ()
    comes_back: str = "default"
    quiet_reason: str = ""
    discussed_with: str = ""
    first_thought: policies.FirstThought | None = None
    sections_opened: tuple[str, ...] = ()
    expected: Shown | None = None
    review_id: str | None = None
    second_look_of: str | None = None
    meaning: str | None = None
    decision_label: str = ""

    @property
    def means(self) -> str:
        """The fixed meaning of the decision."""
        return self.meaning or policies.MEANING[self.decision]

    def __post_init__(self) -> None:
        on_form = (
            self._decision_is_known
            and self.worth_bringing in policies.WORTH
            and policies.may_be_chosen(self.comes_back)
            and (self.first_thought is None or self.first_thought in policies.FIRST_THOUGHTS)
        )
        if not on_form:
            raise ConfigError(OFF_FORM)
        if not self.why.strip():
            raise ConfigError("A review needs a reason in words; write at least one sentence.")
        self._check_quieting()
        _readable(self.why, "reason", LONGEST_TEXT)
        lines = (self.quiet_reason, self.discussed_with, self.reviewer, self.role)
        for text in (*lines, self.decision_label):
            _readable(text, "line", LONGEST_LINE)
        reasons = [one.reason_id for one in self.verdicts]
        if len(set(reasons)) < len(reasons):
            raise ConfigError("The review says two things of one reason; keep one of them.")
        if self.review_id is not None and not REVIEW_ID.fullmatch(self.review_id):
            raise ConfigError("The review's number is not one of ours; open the flag again.")
        if self.amends is not None and self.second_look_of is not None:
            raise ConfigError("A second look does not amend; record it as one or the other.")

    @property
    def _decision_is_known(self) -> bool:
        if self.meaning is None:
            return self.decision in policies.DECISIONS
        shipped = policies.MEANING.get(self.decision, self.meaning)
        named = DECISION_NAME.fullmatch(self.decision) is not None
        return named and self.meaning in policies.MEANINGS and shipped == self.meaning

    def _check_quieting(self) -> None:
        if self.comes_back == "if_new" and not self.quiet_reason.strip():
            raise ConfigError("Keeping a flag quiet needs a reason; say why in a sentence.")
        if self.comes_back == "default" and self.quiet_reason.strip():
            raise ConfigError(
                "A reason for staying quiet is given, but the usual rule is chosen; choose when "
                "the flag should come back."
            )

    def answers(self) -> dict[str, Any]:
        """What the person said, as plain values: for the audit entry and to tell two apart."""
        return {
            "flag": self.flag_id,
            "decision": self.decision,
            "why": self.why,
            "worth_bringing": self.worth_bringing,
            "amends": self.amends,
            "second_look_of": self.second_look_of,
            "comes_back": self.comes_back,
            "quiet_reason": self.quiet_reason,
            "discussed_with": self.discussed_with,
            "first_thought": self.first_thought,
            "verdicts": [
                [one.reason_id, one.verdict, one.problem, one.note, one.contact_key]
                for one in self.verdicts
            ],
        }


def _readable(text: str, what: str, longest: int) -> None:
    if len(text) > longest:
        raise ConfigError(f"The {what} is longer than {longest:,} characters; shorten it.")
    if NOT_TEXT.search(text):
        raise ConfigError(f"The {what} holds a character that is not text; type it again.")
