"""Signals: what practice leads and analysts declare, and what computes it.

`contacts(...)`, `count(...)`, `Signal(...)` and their like build frozen declarations;
`load_catalogue()` reads them from `features/`. `build` and `compute` compute them at an as-of date;
`evidence` gives the contacts behind a value.
"""

from riskflag.signals.build import build, compute
from riskflag.signals.catalogue import Catalogue, load_catalogue
from riskflag.signals.define import (
    Signal,
    age,
    busiest,
    change,
    contacts,
    count,
    days_inside,
    days_since_first,
    days_since_last,
    definition,
    difference,
    distinct,
    exists,
    highest,
    last_value,
    longest_gap,
    lowest,
    mean,
    open_now,
    over_windows,
    ratio,
    scaled,
    sequence,
    shortest_gap,
    total,
    unanswered,
)
from riskflag.signals.evidence import evidence, evidence_many
from riskflag.signals.table import SignalTable

__all__ = [
    "Catalogue",
    "Signal",
    "SignalTable",
    "age",
    "build",
    "busiest",
    "change",
    "compute",
    "contacts",
    "count",
    "days_inside",
    "days_since_first",
    "days_since_last",
    "definition",
    "difference",
    "distinct",
    "evidence",
    "evidence_many",
    "exists",
    "highest",
    "last_value",
    "load_catalogue",
    "longest_gap",
    "lowest",
    "mean",
    "open_now",
    "over_windows",
    "ratio",
    "scaled",
    "sequence",
    "shortest_gap",
    "total",
    "unanswered",
]
