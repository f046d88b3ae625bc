"""What the model has to beat: counting contacts, and the single best signal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from riskflag.training.data.narrow import Values
from riskflag.training.data.rows import Bools, Contacts, Days, Rows
from riskflag.training.figures.metrics import auroc
from riskflag.training.model.fit import SIGNS

Floats = NDArray[np.float64]

#: Wide enough to put a person and a day into one number without overlap.
_DAYS = 8_000_000
_SHIFT = 3_000_000


def contact_count(rows: Rows, contacts: Contacts, days: int | None = None) -> Floats:
    """Each row's number of visible contacts of any kind (float64 [n]), ever or in `days` days.

    A contact counts for the as-of dates from the day after it is both past and known to the day
    it leaves the window or is superseded, so two sorted lists and two look-ups do for all rows.
    """
    asked = np.zeros(len(rows.ids), dtype=bool)
    asked[rows.person] = True
    contacts = contacts.take(asked[contacts.person])
    begins = np.maximum(contacts.occurred, contacts.known) + 1
    ends = contacts.superseded
    if days is not None:
        ends = np.minimum(ends, contacts.occurred + days)
    lasting = ends >= begins
    return _at_or_before(rows, contacts.person, begins, lasting) - _at_or_before(
        rows, contacts.person, ends + 1, lasting
    )


def _at_or_before(rows: Rows, person: Days, day: Days, chosen: Bools) -> Floats:
    keys = np.sort(person[chosen].astype(np.int64) * _DAYS + day[chosen] + _SHIFT)
    first = np.searchsorted(keys, rows.person * _DAYS)
    last = np.searchsorted(keys, rows.person * _DAYS + rows.as_of + _SHIFT, side="right")
    return (last - first).astype(np.float64)


def oriented(values: Floats, direction: str) -> Floats:
    """A signal as a score: higher is more concern; unknown counts as least concern."""
    signed = -values if SIGNS[direction] < 0 else values
    return np.where(np.isnan(signed), -np.inf, signed)


def best_signal(
    values: Values, labels: Floats, directions: Sequence[str]
) -> tuple[int, bool, float]:
    """The column with the best AUROC of its own: its position, whether reversed, its AUROC.

    Choose on training rows only. A signal with a direction is taken that way; one without, either.
    """
    best = (0, False, 0.0)
    for column, direction in enumerate(directions):
        area = auroc(oriented(values[:, column], direction), labels)
        either = SIGNS[direction] == 0 and area < 0.5
        area = 1 - area if either else area
        if area > best[2]:
            best = (column, either, area)
    return best
