"""Counts that may be shown, and shares with their interval: small numbers are never told.

A count from 1 to 9 of children could point at one of them. Where the counts of a table add up to a
total that is told, hiding one alone would be in vain: a second is hidden with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Counts from 1 up to here, and not this one, are hidden.
FEWEST = 10
#: The 97.5th percentile of the normal distribution.
Z = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """A share with its 95% interval, all from 0 to 1, and the number it is a share of."""

    of: int
    share: float
    low: float
    high: float


def wilson(count: int, of: int) -> Share:
    """A share with Wilson's score interval (Wilson 1927); `of` is at least 1.

    It stays within 0 and 1 and is honest for small numbers, where the simple one is not.
    """
    share, square = count / of, Z * Z
    centre = (share + square / (2 * of)) / (1 + square / of)
    half = Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    low = 0.0 if count == 0 else centre - half
    high = 1.0 if count == of else centre + half
    return Share(of, share, low, high)


def small(count: int) -> bool:
    """Whether a count is to be hidden."""
    return 0 < count < FEWEST


def hidden(
    counts: Sequence[int], *, parts_of_a_whole: bool, also: frozenset[int] = frozenset()
) -> frozenset[int]:
    """The places of the counts that are hidden: the small ones, and those of `also`.

    With `parts_of_a_whole` their total may be told, so further counts are hidden, the smallest
    first, until at least two are and they come to FEWEST together.
    """
    found = {place for place, count in enumerate(counts) if small(count)} | also
    if not parts_of_a_whole or not found:
        return frozenset(found)
    others = sorted(
        (count, place) for place, count in enumerate(counts) if count and place not in found
    )
    while others and (len(found) < 2 or sum(counts[place] for place in found) < FEWEST):
        found.add(others.pop(0)[1])
    return frozenset(found)
