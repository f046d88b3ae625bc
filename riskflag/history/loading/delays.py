"""How many days contacts took to become known, of each source: counted, not kept."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pyarrow as pa

from riskflag.history.arrays import isin, numbers, tallies
from riskflag.history.loading.report import Lateness
from riskflag.history.store.versions import asserted


class Delays:
    """Counts, over a load, the days from occurring to being known by source and basis."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, str], Counter[int]] = {}

    def count(self, contacts: pa.Table) -> None:
        """Add some of a day's contacts: those that are said for the first time."""
        first = asserted(contacts) & (numbers(contacts.column("version"), 0) == 1)
        days = numbers(contacts.column("known_on"), 0) - numbers(contacts.column("occurred_on"), 0)
        for source in sorted(tallies(contacts.column("source"), first)):
            mine = first & isin(contacts.column("source"), [source])
            for basis in tallies(contacts.column("known_basis"), mine):
                some = days[mine & isin(contacts.column("known_basis"), [basis])]
                least = int(some.min(initial=0))
                found = np.bincount(some - least)
                told = {least + int(day): int(found[day]) for day in np.flatnonzero(found)}
                self._days.setdefault((source, basis), Counter()).update(told)

    def told(self) -> tuple[Lateness, ...]:
        """By source and basis, how many and how late they were."""
        return tuple(
            Lateness(
                source, basis, days.total(), _quantile(days, 0.5), _quantile(days, 0.9), max(days)
            )
            for (source, basis), days in sorted(self._days.items())
            if days
        )


def _quantile(days: Counter[int], share: float) -> int:
    """The least number of days that this share of the differences between contacts lies below."""
    ordered = sorted(days)
    upto = np.cumsum([days[day] for day in ordered])
    wanted = math.ceil((days.total() - 1) * share)
    return ordered[int(np.searchsorted(upto, wanted, side="right"))]
