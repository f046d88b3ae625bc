"""The outcome: did one of the given contacts happen within the horizon, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import NEVER
from riskflag.training.data.rows import Bools, Contacts, Ints, Rows

#: Wide enough to put a person and a day into one number without overlap.
_DAYS = 8_000_000


@dataclass(frozen=True)
class Labels:
    """For n rows: whether the outcome came (bool [n]) and its first day, NEVER without one."""

    happened: Bools
    day: Ints

    def take(self, chosen: Bools | Ints) -> Labels:
        """The labels of the chosen rows."""
        return Labels(self.happened[chosen], self.day[chosen])

    @classmethod
    def together(cls, parts: Sequence[Labels]) -> Labels:
        """One after another."""
        happened, day = ([getattr(one, name) for one in parts] for name in ("happened", "day"))
        return cls(np.concatenate(happened), np.concatenate(day))

    @property
    def numbers(self) -> NDArray[np.float64]:
        """1.0 where the outcome came, else 0.0."""
        return self.happened.astype(np.float64)


def label(rows: Rows, outcomes: Contacts, *, horizon: int, cut: int) -> Labels:
    """Label each row by the first outcome contact from its as-of date on.

    Only contacts that were known when the data was cut count. Rows whose horizon was not over by
    then must have been left out before (see `matured`).
    """
    known = outcomes.visible(cut)
    keys = np.sort(known.person.astype(np.int64) * _DAYS + (known.occurred + NEVER))
    wanted = rows.person * _DAYS + (rows.as_of + NEVER)
    next_one = np.searchsorted(keys, wanted)
    padded = np.append(keys, np.iinfo(np.int64).max)
    same = padded[next_one] // _DAYS == rows.person
    day = padded[next_one] % _DAYS - NEVER
    happened = same & (day < rows.as_of + horizon)
    return Labels(happened, np.where(happened, day, NEVER))


def matured(as_of: int, *, horizon: int, settle: int, cut: int) -> bool:
    """Whether a row of `as_of` may be used: its horizon and the time for late records are over."""
    return as_of + horizon + settle <= cut
