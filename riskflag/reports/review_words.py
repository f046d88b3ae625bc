"""The words of a review: what each kept answer is called on a page, and its text for other systems.

The labels are in `words.toml` under `review`; a name without a label is told as its own words, so
that an answer kept by an older version is never left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from riskflag.casework import policies
from riskflag.casework.policies import DECISION_LIST
from riskflag.clock import LONDON
from riskflag.reports import words

DECISIONS = "decisions"


def choices(kind: str) -> tuple[tuple[str, str], ...]:
    """The answers of one kind (`decisions`, `verdicts`, ...) with their labels, in form order."""
    if kind == DECISIONS:
        return tuple((one.name, one.label) for one in DECISION_LIST)
    return tuple((name, str(label)) for name, label in words.words()["review"][kind].items())


def returns(weeks: Sequence[int]) -> tuple[tuple[str, str], ...]:
    """When a flag may come back, with labels, in form order: the two rules, then so many weeks."""
    return (*choices("comes_back"), *((f"{n}_weeks", comes_back(f"{n}_weeks")) for n in weeks))


def comes_back(name: str) -> str:
    """When a flag comes back, in words."""
    found = policies.weeks(name)
    if not found:
        return label("comes_back", name)
    return f"In {found} {'week' if found == 1 else 'weeks'}"


def decision(name: str | None, recorded: str | None = None) -> str:
    """What a decision is called: as it was when it was recorded, if that was kept."""
    return recorded or label(DECISIONS, name)


def label(kind: str, name: str | None) -> str:
    """What one answer is called; the name's own words when there is no label for it."""
    if not name:
        return "Not answered"
    return dict(choices(kind)).get(name, words.sentence(words.plain(name)))


def instant(moment: dt.datetime) -> str:
    """A moment as London reads it: 3 August 2026 at 4:05pm."""
    local = moment.astimezone(LONDON)
    tail = f"{local.hour % 12 or 12}:{local.minute:02d}{'am' if local.hour < 12 else 'pm'}"
    return f"{words.day(local.date())} at {tail}"


def copyable(lines: Sequence[tuple[str, str]]) -> str:
    """Answers as plain text that can be pasted into a case system: one `term: answer` a line.

    Line ends within an answer are kept and indented, so that a pasted text reads as it was typed.
    """
    told = []
    for term, answer in lines:
        first, *rest = answer.splitlines() or [""]
        told += [f"{term}: {first}".rstrip(), *(f"  {line}".rstrip() for line in rest)]
    return "\n".join(told) + "\n"
