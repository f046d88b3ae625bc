"""The simulator's truth beside the model: the best anybody could have done.

Only for synthetic boroughs, and only for judging: nothing here is ever an input. DIR/truth holds
the true hazard of each child as segments of days.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riskflag.history.view import History
from riskflag.training.experiment import ExperimentConfig
from riskflag.training.prepare import Prepared

Floats = NDArray[np.float64]


def read_oracles(
    truth: Path, prepared: Prepared, config: ExperimentConfig, history: History
) -> Mapping[str, Floats]:
    """The true hazard of each test row."""
    raise NotImplementedError
