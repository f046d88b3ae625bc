"""Growing the model again on other families, to tell how steady its explanations are.

Each refit learns from a random half of the families, drawn anew, with another seed: half-samples
vary about as much as bootstrap samples and cost half as much. Brothers and sisters share records,
so children drawn one by one would look steadier than they are. Refits never score anybody; they say
whether the reasons of one flag would be much the same had other children been in the data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from riskflag.progress import Progress, silent
from riskflag.training.data.experiment import ExperimentConfig
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.rows import Ints
from riskflag.training.model.fit import Grower
from riskflag.training.model.learn import directions, material

#: Kept apart from the seeds that the model itself uses.
FIRST_SEED = 7_000


def refits(
    prepared: Prepared,
    config: ExperimentConfig,
    trees: int,
    *,
    threads: int = 2,
    progress: Progress = silent,
) -> dict[str, Any] | None:
    """The part of a bundle that holds the refits (`models`: texts); None when none are wanted."""
    wanted = config.evaluation.refits
    if not wanted:
        return None
    data = material(prepared, config.model)
    names, kin = prepared.inputs.names, family_of(prepared)
    texts = []
    for number in range(wanted):
        seed = FIRST_SEED + config.model.seed + number
        half = np.random.default_rng(seed).random(int(kin.max()) + 1) < 0.5
        grown = config.model.model_copy(update={"seed": seed})
        grower = Grower(names, directions(prepared), grown, threads)
        texts.append(grower.grow(data.take(half[kin]), trees))
        progress("growing again on other families", number + 1, wanted)
    return {"models": texts, "drawn": "a random half of the families for each"}


def family_of(prepared: Prepared) -> Ints:
    """The family of each training row (int64 [n]): its members are drawn together."""
    person = prepared.train.rows.person
    return person if prepared.families is None else prepared.families[person]
