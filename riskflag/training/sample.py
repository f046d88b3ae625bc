"""Fewer rows to learn from: every row with the outcome, and a weighted share of the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskflag.training.outcome import Labels
from riskflag.training.rows import Ints

Floats = NDArray[np.float64]


def sample(labels: Labels, most: int, seed: int) -> tuple[Ints, Floats]:
    """Positions of at most about `most` rows, rising, and the weight of each.

    Rows without the outcome that are kept stand for those left out, so weighted shares, and with
    them the model's level, are those of all rows.
    """
    positive = np.flatnonzero(labels.happened)
    negative = np.flatnonzero(~labels.happened)
    room = max(most - len(positive), len(positive), 1)
    if len(negative) > room:
        chosen = np.random.default_rng(seed).choice(negative, room, replace=False)
        weight = len(negative) / room
    else:
        chosen, weight = negative, 1.0
    positions = np.sort(np.concatenate([positive, chosen]))
    return positions, np.where(labels.happened[positions], 1.0, weight)
