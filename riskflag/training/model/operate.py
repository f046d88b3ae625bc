"""Where the line is drawn: from the team's capacity to a threshold, and what came of it before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.scoring.calibration import Calibration
from riskflag.training.data.rows import Rows

Floats = NDArray[np.float64]

WEEKS_PER_MONTH = 365.25 / 12 / 7
#: Below this many flags the share that had the outcome is not told.
FEW_FLAGS = 20


def monthly_capacity(per_week: int) -> float:
    """How many children a team that can look at `per_week` a week can look at in a month."""
    return per_week * WEEKS_PER_MONTH


def threshold(
    raw: Floats, rows: Rows, capacity: float, calibration: Calibration
) -> dict[str, float]:
    """The raw score that, in the calibration window, let through a month's capacity on average.

    Drawn on the calibration window, so that what came of it in the test window is not flattered.
    """
    months = len(np.unique(rows.as_of))
    listed = int(np.clip(round(capacity * months), 1, len(raw)))
    line = float(np.sort(raw)[-listed])
    probability = float(calibration.apply(np.array([line]))[0])
    return {
        "raw": line,
        "probability": probability,
        "share": listed / len(raw),
        "per_month": float(capacity),
    }


def natural_frequency(
    raw: Floats, labels: Floats, rows: Rows, *, line: float, period: str
) -> dict[str, Any]:
    """Of `n` children above the line in the test window, how many had the outcome.

    Each child counts once, at the first month above the line, as a flag would.
    """
    above = np.flatnonzero(raw >= line)
    order = above[np.lexsort((rows.as_of[above], rows.person[above]))]
    _, first = np.unique(rows.person[order], return_index=True)
    came = labels[order[first]]
    n, needed = len(came), int(came.sum())
    told: dict[str, Any] = {"n": n, "needed_more": needed, "period": period}
    told["of_10_flags"] = round(10 * needed / n) if n >= FEW_FLAGS else None
    return told
