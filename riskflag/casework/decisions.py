"""What a reviewer may answer: the list shipped with riskflag, or the authority's `decisions.toml`.

An authority names its own decisions; each has one of five fixed meanings, on which all that
riskflag does with a review rests. A review keeps the name, the label and the meaning it was
recorded with, so that a later change of the list changes nothing that was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from riskflag.casework.policies import DECISION_LIST, MEANING, MOST_WEEKS, Decision, Meaning
from riskflag.toml_lines import read_toml
from riskflag.workspace import Workspace

FILE_NAME = "decisions.toml"
WHY_PROMPTS = ("What do you know that the records do not?", "What has the child said?")
#: Meanings without which a reviewer could not say what they found.
NEEDED: tuple[Meaning, ...] = ("act", "no_action", "cannot_decide")


@dataclass(frozen=True)
class Answers:
    """The decisions in the order of the form, and what else the form offers.

    `return_weeks` are the times after which a flag may be asked back; `why_prompts` stand under
    "Why?", and `quiet_reasons` are offered where a reason for staying quiet is asked for.
    """

    decisions: tuple[Decision, ...] = DECISION_LIST
    return_weeks: tuple[int, ...] = (2, 4, 8)
    why_prompts: tuple[str, ...] = WHY_PROMPTS
    quiet_reasons: tuple[str, ...] = ()

    def of(self, name: str | None) -> Decision | None:
        """The decision of this name, or None."""
        return next((one for one in self.decisions if one.name == name), None)

    @property
    def form(self) -> dict[str, Any] | None:
        """What a paper form needs to know of the list; None for the shipped one."""
        if (self.decisions, self.return_weeks) == (SHIPPED.decisions, SHIPPED.return_weeks):
            return None
        return {
            "decisions": [[one.name, one.label, one.meaning] for one in self.decisions],
            "return_weeks": list(self.return_weeks),
        }


SHIPPED = Answers()

_Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
_Weeks = Annotated[int, Field(ge=1, le=MOST_WEEKS)]


class _Decision(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    label: _Line
    meaning: Meaning

    @model_validator(mode="after")
    def _same_meaning(self) -> _Decision:
        shipped = MEANING.get(self.name)
        if shipped is not None and shipped != self.meaning:
            raise ValueError(
                f"a shipped decision keeps its meaning, here {shipped}; give yours another name"
            )
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: tuple[_Decision, ...] = Field(min_length=1, max_length=12)
    return_weeks: tuple[_Weeks, ...] = Field(default=SHIPPED.return_weeks, max_length=6)
    why_prompts: tuple[_Line, ...] = Field(default=WHY_PROMPTS, max_length=6)
    quiet_reasons: tuple[_Line, ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _whole(self) -> _File:
        for what in ("name", "label"):
            told = [getattr(one, what).casefold() for one in self.decision]
            if len(set(told)) < len(told):
                raise ValueError(f"two decisions have the same {what}; give one of them another")
        missing = [name for name in NEEDED if name not in {one.meaning for one in self.decision}]
        if missing:
            raise ValueError(f"no decision has the meaning {missing[0]}; add one that has")
        if sorted(set(self.return_weeks)) != list(self.return_weeks):
            raise ValueError("return_weeks must rise from one to the next; put them in order")
        return self


def load_answers(workspace: Workspace) -> Answers:
    """The workspace's list, or the shipped one when there is no `decisions.toml`.

    Raises ConfigError, naming file and line, when the file is not valid.
    """
    path = workspace.root / FILE_NAME
    if not path.is_file():
        return SHIPPED
    told = read_toml(path, _File)
    return Answers(
        tuple(Decision(one.name, one.label, one.meaning) for one in told.decision),
        told.return_weeks,
        told.why_prompts,
        told.quiet_reasons,
    )
