"""Simulated feed outages: so that an agency that sends nothing is something the model has seen.

LightGBM scores a signal that was never missing in training as if it were zero when it goes
missing at night. Here a random share of the training rows loses all signals of one agency, as if
that agency's delivery had failed, so the model learns what to say without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskflag.training.data.rows import Floats, Ints


@dataclass(frozen=True)
class Outages:
    """For each of n rows the number of the agency it loses, or -1; and each agency's columns."""

    which: NDArray[np.int16]
    columns: tuple[Ints, ...]

    @classmethod
    def drawn(
        cls, rows: int, agencies: Sequence[frozenset[str]], *, share: float, seed: int
    ) -> Outages:
        """One random agency for a random `share` of the rows; the same for the same seed.

        `agencies` holds for each signal the agencies it needs.
        """
        everyone = sorted(set().union(*agencies))
        columns = tuple(
            np.array([place for place, needed in enumerate(agencies) if agency in needed])
            for agency in everyone
        )
        if not everyone or share == 0:
            return cls(np.full(rows, -1, np.int16), columns)
        rng = np.random.default_rng(seed)
        struck = rng.random(rows) < share
        which = rng.integers(0, len(everyone), rows)
        return cls(np.where(struck, which, -1).astype(np.int16), columns)

    @property
    def struck(self) -> int:
        """How many rows lose something."""
        return int((self.which >= 0).sum())

    def blank(self, values: Floats, rows: Ints) -> None:
        """Make unknown what these rows lose; `values` (float64 [m, k]) are those of the rows."""
        which = self.which[rows]
        for number, columns in enumerate(self.columns):
            values[np.ix_(np.flatnonzero(which == number), columns)] = np.nan
