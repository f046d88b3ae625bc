"""Signals: what practice leads and analysts declare, and what computes it.

`contacts(...)`, `count(...)`, `Signal(...)` and their like build frozen declarations;
`load_catalogue()` reads them from `features/`.
"""

from riskflag.signals.catalogue import Catalogue, load_catalogue
from riskflag.signals.define import (
    Signal,
    age,
    change,
    contacts,
    count,
    days_since_first,
    days_since_last,
    definition,
    difference,
    distinct,
    exists,
    highest,
    lowest,
    mean,
    over_windows,
    ratio,
    scaled,
    total,
)

__all__ = [
    "Catalogue",
    "Signal",
    "age",
    "change",
    "contacts",
    "count",
    "days_since_first",
    "days_since_last",
    "definition",
    "difference",
    "distinct",
    "exists",
    "highest",
    "load_catalogue",
    "lowest",
    "mean",
    "over_windows",
    "ratio",
    "scaled",
    "total",
]
