"""What tests about synthetic boroughs share."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from riskflag.synth import SynthSummary

UNTIL = dt.date(2026, 3, 31)


def bulk(summary: SynthSummary) -> Path:
    """The folder of the first delivery."""
    return min(summary.landing.iterdir())
