"""Fewer rows to learn from: every row with the outcome, and a weighted share of the others.

Whether a row without the outcome is kept follows from who it is about, its as-of date and the seed
alone: not from the other rows, nor from the parts in which people are worked on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riskflag.history.store.content import mixed, row_numbers
from riskflag.training.data.outcome import Labels
from riskflag.training.data.rows import Floats, Ints, Rows

#: Lots are drawn from so many numbers.
_LOTS = 2.0**64


@dataclass(frozen=True)
class Sample:
    """How rows are chosen: this share of those without the outcome, by the lot of each."""

    share: float
    lots: NDArray[np.uint64]

    @classmethod
    def of(cls, ids: tuple[str, ...], rows: int, outcomes: int, *, most: int, seed: int) -> Sample:
        """For about `most` of `rows` rows: all `outcomes`, and at least as many of the others."""
        room = max(most - outcomes, outcomes, 1)
        lots = row_numbers(pa.table({"person": pa.array(ids, pa.string())}))[0]
        return cls(
            min(1.0, room / max(rows - outcomes, 1)), lots + mixed(np.array([seed], np.uint64))
        )

    def positions(self, rows: Rows, labels: Labels) -> Ints:
        """The rising positions of the rows that are kept."""
        if self.share >= 1:
            return np.arange(len(rows))
        lot = mixed(mixed(self.lots[rows.person]) + rows.as_of.astype(np.uint64))
        return np.flatnonzero(labels.happened | (lot < np.uint64(self.share * _LOTS)))


def weights(happened: NDArray[np.bool_], left: int) -> Floats:
    """Weights (float64 [n]) of the rows that were kept, out of `left` rows without the outcome.

    Those without the outcome stand for the ones left out, so weighted shares, and with them the
    model's level, are those of all rows.
    """
    kept = int((~happened).sum())
    return np.where(happened, 1.0, left / max(kept, 1))


def sample(rows: Rows, labels: Labels, *, most: int, seed: int) -> tuple[Ints, Floats]:
    """Rising positions of about `most` of these rows at most, and the weight of each."""
    came = int(labels.happened.sum())
    chosen = Sample.of(rows.ids, len(rows), came, most=most, seed=seed).positions(rows, labels)
    return chosen, weights(labels.happened[chosen], len(rows) - came)
