"""Simulated feed outages: so that an agency that sends nothing is something the model has seen.

LightGBM scores a signal that was never missing in training as if it were zero when it goes
missing at night. Here a random share of the training rows loses all signals of one agency, as if
that agency's delivery had failed, so the model learns what to say without them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def blank_agencies(
    values: Floats, agencies: Sequence[frozenset[str]], *, share: float, seed: int
) -> int:
    """Make one random agency's signals unknown in a random `share` of the rows, in place.

    `agencies` holds for each column of `values` (float64 [n, k]) the agencies it needs. Returns
    the number of rows that lost something. The same rows in the same order lose the same.
    """
    everyone = sorted(set().union(*agencies))
    if not everyone or share == 0:
        return 0
    rng = np.random.default_rng(seed)
    struck = rng.random(len(values)) < share
    which = rng.integers(0, len(everyone), len(values))
    for number, agency in enumerate(everyone):
        rows = np.flatnonzero(struck & (which == number))
        columns = [place for place, needed in enumerate(agencies) if agency in needed]
        values[np.ix_(rows, np.array(columns, dtype=np.intp))] = np.nan
    return int(struck.sum())
