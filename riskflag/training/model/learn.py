"""From matrices to a calibrated model with a threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from riskflag.progress import Progress, silent
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.model import Model
from riskflag.training.data.experiment import ModelConfig
from riskflag.training.data.narrow import in_blocks
from riskflag.training.data.outage import Outages
from riskflag.training.data.prepare import Prepared
from riskflag.training.model.calibrate import calibrate
from riskflag.training.model.fit import Grower, Matrix
from riskflag.training.model.operate import threshold
from riskflag.training.model.tune import Grounds, Tuned, tune

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Learnt:
    """A model with its threshold, what became of the training rows, and how it was grown."""

    model: Model
    thresholds: dict[str, float]
    trees: int
    rows_with_outage: int
    config: ModelConfig
    tuned: Tuned | None = None


def learn(
    prepared: Prepared,
    config: ModelConfig,
    *,
    capacity: float,
    threads: int = 2,
    progress: Progress = silent,
) -> Learnt:
    """Tune if asked to, fit, calibrate on the later window and draw the line there."""
    names = prepared.inputs.names
    data = material(prepared, config)
    struck = 0 if data.outages is None else data.outages.struck
    grower = Grower(names, directions(prepared), config, threads, progress)
    tuned = None
    if config.tuning is not None:
        tuned = tune(Grounds.of(prepared, grower, data), config.tuning, progress=progress)
        config = tuned.config
        grower = replace(grower, config=config)
    trees = grower.trees_needed(data.take(prepared.fitting), data.take(prepared.stopping))
    text = grower.grow(data, trees)
    later = prepared.calibration
    unset = Calibration((0.0, 1.0), (0.0, 1.0), "none")
    grown = Model(text, names, unset, threads=threads)
    raw = in_blocks(lambda values: grown.raw(values, names), later.values)
    curve = calibrate(raw, later.labels.numbers)
    line = threshold(raw, later.rows, capacity * later.share, curve)
    return Learnt(Model(text, names, curve, threads=threads), line, trees, struck, config, tuned)


def material(prepared: Prepared, config: ModelConfig) -> Matrix:
    """What the trees grow on: the training rows, of which some lose an agency on purpose."""
    train, agencies = prepared.train, prepared.inputs.agencies
    outages = Outages.drawn(len(train.rows), agencies, share=config.outage_share, seed=config.seed)
    return Matrix(train.values, train.labels.numbers, train.weights, outages=outages)


def directions(prepared: Prepared) -> tuple[str, ...]:
    """The direction of each signal."""
    return tuple(signal.direction for signal in prepared.inputs.signals)
