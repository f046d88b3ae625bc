"""Where the records of a CSV text begin, and whether its quotes are well formed.

Arrow's CSV reader is fast but forgiving: it takes an unclosed quote or text behind a closing quote
as data. This scan decides in a few vector operations whether a file is written so plainly that a
forgiving and a strict reader must agree; every other file goes to the strict reader.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskflag.history.arrays import Ints, Mask
from riskflag.history.threads import in_threads

_BLOCK = 1 << 23
_QUOTE, _NEWLINE, _RETURN = 34, 10, 13


@dataclass(frozen=True)
class Layout:
    """The records of a CSV text, header included.

    `start` and `end` are byte positions (the line break left out), `line` the number of the line
    on which each record begins, from 1. `quoted`: there are quotes in it.
    """

    start: Ints
    end: Ints
    line: Ints
    quoted: bool = False

    def blank(self) -> Mask:
        """Which records are empty lines."""
        return np.asarray(self.start == self.end)


def scan(data: bytes, delimiter: str) -> Layout | None:
    """The layout of a plainly written text, or None when only the strict reader may judge it."""
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    bytes_ = np.frombuffer(data, np.uint8)
    breaks, lines, quotes, seen_lines = [], [], 0, 0
    for quote, newline in _marks(bytes_):
        if len(quote) and not _well_formed(bytes_, quote, quotes, ord(delimiter)):
            return None
        outside = ((quotes + np.searchsorted(quote, newline)) & 1) == 0
        breaks.append(newline[outside])
        lines.append(seen_lines + np.flatnonzero(outside) + 1)
        quotes += len(quote)
        seen_lines += len(newline)
    if quotes % 2:
        return None
    return _layout(bytes_, breaks, lines, quotes > 0)


def _marks(bytes_: np.ndarray) -> list[tuple[Ints, Ints]]:
    """Where the quotes and the line breaks are, block after block."""

    def find(begin: int) -> tuple[Ints, Ints]:
        block = bytes_[begin : begin + _BLOCK]
        quote, newline = (np.flatnonzero(block == mark) + begin for mark in (_QUOTE, _NEWLINE))
        return quote, newline

    return in_threads(find, [(begin,) for begin in range(0, len(bytes_), _BLOCK)])


def _well_formed(bytes_: np.ndarray, quote: Ints, before: int, delimiter: int) -> bool:
    """Whether every quote opens a field, closes one, or is half of a doubled quote."""
    place = (before + np.arange(len(quote))) & 1
    opening, closing = quote[place == 0], quote[place == 1]
    left = bytes_[opening[opening > 0] - 1]
    right = bytes_[closing[closing < len(bytes_) - 1] + 1]
    opens = (left == delimiter) | (left == _NEWLINE) | (left == _QUOTE)
    closes = (right == delimiter) | (right == _NEWLINE) | (right == _RETURN) | (right == _QUOTE)
    return bool(opens.all() and closes.all())


def _layout(bytes_: np.ndarray, breaks: list[Ints], lines: list[Ints], quoted: bool) -> Layout:
    newline = np.concatenate(breaks) if breaks else np.zeros(0, np.int64)
    after = np.concatenate(lines) if lines else np.zeros(0, np.int64)
    start = np.concatenate(([0], newline + 1))
    end = np.concatenate((newline, [len(bytes_)]))
    line = np.concatenate(([1], after + 1))
    if start[-1] == len(bytes_):
        start, end, line = start[:-1], end[:-1], line[:-1]
    returned = (end > start) & (bytes_[np.maximum(end - 1, 0)] == _RETURN) if len(end) else end > 0
    return Layout(start, end - returned, line, quoted)
