"""The result of a night's computation: one row per child, one column per signal."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskflag.errors import ConfigError
from riskflag.signals.layout import Floats


@dataclass(frozen=True, eq=False)
class SignalTable:
    """Signals of n children at one as-of date; k signals.

    `values` are what the records say, also where a feed was missing: a rule may hold on what is
    there. `complete[j]` is False when a feed that signal j needs was not available, so that the
    true value may be another; `masked()` has NaN there.
    """

    people: pa.Array  # [n] of texts
    as_of: dt.date
    names: tuple[str, ...]
    values: Floats
    complete: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.people), len(self.names)):
            raise ValueError("values must have a row per child and a column per signal")
        if self.complete.shape != (len(self.names),):
            raise ValueError("complete must have an entry per signal")

    @cached_property
    def person_ids(self) -> tuple[str, ...]:
        """Whose row each is; made when asked for, which for a million takes longer than a sum."""
        return tuple(self.people.to_pylist())

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def place(self, name: str) -> int:
        """Which column a signal is in; ConfigError when it is not in the table."""
        try:
            return self._places[name]
        except KeyError:
            raise ConfigError(
                f"There is no signal '{name}' in the catalogue; `riskflag signals` lists them."
            ) from None

    def column(self, name: str) -> Floats:
        """The raw values [n] of a signal."""
        return self.values[:, self.place(name)]

    def masked(self) -> Floats:
        """The values [n, k], NaN where a needed feed was not available."""
        return np.where(self.complete, self.values, np.nan)
