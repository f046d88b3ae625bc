"""Going through the contacts of everybody once, compiled: a night does so before its signals.

Without Python's lock, and in one call: many small steps over the same columns would make threads
wait for each other at every one of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from riskflag.fast_hash import compiled

Codes = npt.NDArray[np.int32]
Days = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@compiled
def begins(codes: Codes, starts: Ints) -> int:
    """Write where each run of equal codes begins, and then the end; how many runs there are."""
    runs = 0
    for i in range(codes.shape[0]):
        if i == 0 or codes[i] != codes[i - 1]:
            starts[runs] = i
            runs += 1
    starts[runs] = codes.shape[0]
    return runs


@compiled
def seen_on(
    starts: Ints, own: tuple[Codes, int], clocks: tuple[Days, Days], days: Days, found: Bytes
) -> None:
    """Write 1 to `found` [people, days] where one of a person's own contacts is visible on a day.

    `own` are the codes of the contacts' links and the one that makes a contact the person's own;
    `clocks` the days on which each became known and up to which it held (riskflag.clock.visible).
    `found` is all 0 before.
    """
    (links, self_made), (known, superseded) = own, clocks
    for person in range(starts.shape[0] - 1):
        left = days.shape[0]
        for i in range(starts[person], starts[person + 1]):
            # Nearly always the first contacts tell: what is known stays known.
            if left == 0:
                break
            if links[i] != self_made:
                continue
            for d in range(days.shape[0]):
                if known[i] < days[d] and days[d] <= superseded[i] and found[person, d] == 0:
                    found[person, d] = 1
                    left -= 1
