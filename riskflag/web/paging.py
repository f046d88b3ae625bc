"""A long list in pages of 25: which part is asked for, and where the parts beside it are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")
Other = TypeVar("Other")

SIZE = 25


@dataclass(frozen=True)
class Part(Generic[Row]):
    """One page of a list: its rows, its number from 1, the last number, and how many there are."""

    rows: tuple[Row, ...]
    number: int
    last: int
    total: int

    def of(self, rows: Sequence[Other]) -> Part[Other]:
        """The same page of the same list, told with other rows."""
        return Part(tuple(rows), self.number, self.last, self.total)


def part_of(rows: Sequence[Row], asked: str | None) -> Part[Row]:
    """The page that was asked for; the nearest there is when the number is none of the list's."""
    last = max(1, -(-len(rows) // SIZE))
    number = min(max(1, int(asked)), last) if asked and asked.isdecimal() and len(asked) < 9 else 1
    start = (number - 1) * SIZE
    return Part(tuple(rows[start : start + SIZE]), number, last, len(rows))
