"""Finding millions of keys among millions: keys as pairs of numbers, parted by their first bits.

A key is a digest, so its first bits spread evenly: each part is small enough to stay near the
processor, and the parts are worked on side by side.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from riskflag.history.arrays import Ints, Mask
from riskflag.history.threads import in_threads

Words = npt.NDArray[np.uint64]
_PARTS_BITS = 6


def _parted(numbers: Words) -> tuple[Ints, Ints]:
    """The rows in order of their number's first bits, and where each part begins."""
    part = (numbers >> np.uint64(64 - _PARTS_BITS)).astype(np.uint16)
    order = np.argsort(part, kind="stable")
    ends = np.cumsum(np.bincount(part, minlength=1 << _PARTS_BITS))
    return order, np.concatenate(([0], ends))


def repeated(numbers: Words) -> Mask:
    """Which of many numbers come more than once."""
    order, bounds = _parted(numbers)
    found = np.zeros(len(numbers), np.bool_)

    def look(begin: int, end: int) -> None:
        rows = order[begin:end]
        mine = numbers[rows]
        ordered = np.sort(mine)
        again = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if len(again):
            place = np.minimum(np.searchsorted(again, mine), len(again) - 1)
            found[rows] = again[place] == mine

    in_threads(look, list(itertools.pairwise(bounds.tolist())))
    return found


def matched(wanted: tuple[Words, Words], among: tuple[Words, Words]) -> Ints:
    """The place of each pair among others, which differ from one another; -1 for none."""
    found = np.full(len(wanted[0]), -1, np.int64)
    if len(among[0]) == 0 or len(found) == 0:
        return found
    (mine, begin), (theirs, start) = _parted(wanted[0]), _parted(among[0])

    def look(part: int) -> None:
        ours, others = mine[begin[part] : begin[part + 1]], theirs[start[part] : start[part + 1]]
        place = _matched((wanted[0][ours], wanted[1][ours]), (among[0][others], among[1][others]))
        hit = place >= 0
        found[ours[hit]] = others[place[hit]]

    in_threads(look, [(part,) for part in range(1 << _PARTS_BITS)])
    return found


def _matched(wanted: tuple[Words, Words], among: tuple[Words, Words]) -> Ints:
    """As `matched`, for one part."""
    found = np.full(len(wanted[0]), -1, np.int64)
    order = np.argsort(among[0])
    first, second = among[0][order], among[1][order]
    left = np.arange(len(found))
    at = np.searchsorted(first, wanted[0])
    # Two keys that share a first number stand next to each other: step on while seconds differ.
    while len(left):
        left = left[at[left] < len(first)]
        left = left[first[at[left]] == wanted[0][left]]
        hit = second[at[left]] == wanted[1][left]
        found[left[hit]] = order[at[left[hit]]]
        left = left[~hit]
        at[left] += 1
    return found
