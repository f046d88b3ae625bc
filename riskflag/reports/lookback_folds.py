"""The long parts of a look-back in folds: days by month, records by year, nothing left out.

A fold is opened by hand, without a script; on paper all are open. A short part is not folded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Generic, TypeVar

from riskflag.reports import words
from riskflag.reports.lookback_days import Step

T = TypeVar("T")

#: So many days, or records, are all shown open.
FEW_DAYS, FEW_RECORDS = 12, 40
#: Of a list of sentences so many stand open before the rest.
FEW_LINES = 5
#: What changed on a day, in the order in which a fold tells of it.
TOLD = {
    "done": "people were shown or decided something",
    "pattern": "a pattern came or went",
    "missing": "data or a link came or was missing",
    "voice": "the child's words were missing",
}


@dataclass(frozen=True)
class Fold(Generic[T]):
    """One part: what its closed form says, whether it is open at first, and what is in it."""

    title: str
    told: str
    open: bool
    items: tuple[T, ...]


def by_month(steps: Sequence[Step]) -> tuple[Fold[Step], ...]:
    """The days by month; open are the first with a pattern and those on which people acted."""
    first = next((s.iso[:7] for s in steps if "pattern" in _kinds(s)), "")
    few = len(steps) <= FEW_DAYS

    def fold(month: str, held: tuple[Step, ...]) -> Fold[Step]:
        acted = any("done" in _kinds(step) for step in held)
        title = words.day(f"{month}-01").split(" ", 1)[1]
        return Fold(title, _days_told(held), few or acted or month == first, held)

    return _folded(steps, lambda step: step.iso[:7], fold)


def _kinds(step: Step) -> frozenset[str]:
    return frozenset(change.kind for change in step.changes)


def _days_told(held: Sequence[Step]) -> str:
    """How many days changed, and on how many of them what."""
    parts = [words.counted(len(held), "day")]
    for kind, text in TOLD.items():
        days = sum(kind in _kinds(step) for step in held)
        if days:
            parts.append(f"{text} on {words.small(days)}" if len(held) > 1 else text)
    return "; ".join(parts)


def by_year(records: Sequence[Any]) -> tuple[Fold[Any], ...]:
    """The record lines by the year in which they happened; a short list is open."""
    few = len(records) <= FEW_RECORDS

    def fold(year: str, held: tuple[Any, ...]) -> Fold[Any]:
        agencies = len({record.agency for record in held})
        late = sum(record.late for record in held)
        parts = [
            f"{words.counted(len(held), 'record')} from "
            f"{words.counted(agencies, 'agency', 'agencies')}",
            *([f"{words.small(late)} late"] if late else ()),
        ]
        return Fold(year, "; ".join(parts), few, held)

    return _folded(records, lambda record: str(record.date[-4:]), fold)


def _folded(
    items: Sequence[T], key: Callable[[T], str], fold: Callable[[str, tuple[T, ...]], Fold[T]]
) -> tuple[Fold[T], ...]:
    return tuple(fold(name, tuple(held)) for name, held in groupby(items, key))
