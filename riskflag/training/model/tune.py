"""Tuning: settings for the trees, sought within the training months and nowhere else.

The training months hold several tuning folds. Each grows trees on rows whose label was known for
good before its later months begin, and is judged on those months. The earlier folds choose among
the trials; the last fold, which chose nothing, says whether what they chose is truly better than
the settings the experiment declares. Those stay unless the gain is beyond noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.errors import InputError
from riskflag.progress import Progress, silent
from riskflag.training.data.experiment import ModelConfig, TuningConfig
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.rows import Bools, Floats, Ints
from riskflag.training.data.split import period
from riskflag.training.figures.tables import csv_text
from riskflag.training.model.fit import Grower, Matrix, log_loss

#: Lowest and highest value of each setting that is sought, and whether it is whole or a factor.
SPACE = {
    "leaves": (4, 48, "whole"),
    "learning_rate": (0.02, 0.15, "factor"),
    "min_rows_in_leaf": (20, 500, "whole"),
    "signal_share": (0.2, 1.0, "share"),
    "row_share": (0.5, 1.0, "share"),
    "l2": (0.1, 100.0, "factor"),
}
#: As-of dates in the later part of one tuning fold, at most.
MOST_LATER = 4
DRAWS = 500


@dataclass(frozen=True)
class Fold:
    """Training rows (bool [n] each) to grow on, and later ones to judge by."""

    fitting: Bools
    later: Bools
    told: str


@dataclass(frozen=True)
class Grounds:
    """All that tuning may see: the training rows (n), when each was asked and answered, whose.

    `ends` is the first day on which a row's label was known for good.
    """

    grower: Grower
    data: Matrix
    as_of: Ints
    ends: Ints
    family: Ints

    @classmethod
    def of(cls, prepared: Prepared, grower: Grower, data: Matrix) -> Grounds:
        """Only training rows; raises ValueError when one was not over before a later window."""
        rows, windows = prepared.train.rows, prepared.split
        after = [windows.test[0]]
        if prepared.stages is None:
            after.append(windows.calibration[0])
        if (prepared.ends > min(after)).any():
            raise ValueError("a training row reaches into a later window")
        families = prepared.families
        family = rows.person if families is None else families[rows.person]
        return cls(grower, data, rows.as_of, prepared.ends, family)

    def folds(self, wanted: int) -> list[Fold]:
        """Tuning folds, oldest first; raises InputError when fewer than two can be made."""
        days = np.unique(self.as_of)
        block = int(np.clip(len(days) // (3 * wanted), 1, MOST_LATER))
        found = []
        for number in range(wanted, 0, -1):
            stop = len(days) - (number - 1) * block
            later_days = days[max(stop - block, 0) : max(stop, 0)]
            if not len(later_days):
                continue
            later = np.isin(self.as_of, later_days)
            fold = Fold(self.ends <= later_days[0], later, period(tuple(later_days.tolist())))
            if all(len(np.unique(self.data.labels[part])) == 2 for part in (fold.fitting, later)):
                found.append(fold)
        if len(found) < 2:
            raise InputError(
                "The training months are too few to tune within; bring more history, lengthen "
                "train_months or leave [model.tuning] out of the experiment."
            )
        return found


@dataclass(frozen=True)
class Tuned:
    """What tuning came to: the settings to use, every trial, and the gain of the winner.

    `gain` is the fall in log loss on the last fold against the declared settings, with a 95 percent
    interval over families; `won` says whether it is above zero.
    """

    config: ModelConfig
    trials: tuple[dict[str, float], ...]
    best: int
    gain: dict[str, float]
    won: bool
    folds: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values for the report, with what there is to say in sentences."""
        gain = "{value:+.5f} ({low:+.5f} to {high:+.5f})".format(**self.gain)
        beyond = "is beyond noise, so they are used"
        within = "is within noise, so the declared settings stay"
        chosen = ", ".join(f"{name} {self.trials[self.best][name]:g}" for name in SPACE)
        told = (
            f"Tuning: {len(self.trials)} trials, the declared settings first; chosen on "
            f"{', '.join(self.folds[:-1])}, checked on {self.folds[-1]}.",
            f"The best trial was number {self.best} ({chosen}). Its gain in log loss over the "
            f"declared settings was {gain}: that {beyond if self.won else within}."
            if self.best
            else "No trial was better than the declared settings; they stay.",
        )
        return {
            "trials": list(self.trials),
            "best": self.best,
            "gain": self.gain,
            "won": self.won,
            "folds": list(self.folds),
            "sentences": list(told),
        }

    def table(self) -> str:
        """Every trial as CSV text."""
        return csv_text(self.trials)


def tune(grounds: Grounds, tuning: TuningConfig, *, progress: Progress = silent) -> Tuned:
    """Seek settings with a fixed number of trials; the same ones for any number of threads."""
    declared = grounds.grower.config
    folds = grounds.folds(tuning.folds)
    trials = _trials(grounds, tuning, folds[:-1], progress)
    best = min(range(len(trials)), key=lambda number: trials[number]["log_loss"])
    settings = [_settings(declared, trials[number]) for number in (0, best)]
    gain = {"value": 0.0, "low": 0.0, "high": 0.0}
    if best:
        trees = [round(trials[number]["trees"]) for number in (0, best)]
        gain = _gain(grounds, folds[-1], settings, trees)
    won = gain["low"] > 0
    used = settings[1] if won else declared
    return Tuned(used, tuple(trials), best, gain, won, tuple(fold.told for fold in folds))


def _trials(
    grounds: Grounds, tuning: TuningConfig, folds: list[Fold], progress: Progress
) -> list[dict[str, float]]:
    """Every trial with its settings, mean log loss and mean number of trees."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=tuning.seed))
    declared = {name: float(getattr(grounds.grower.config, name)) for name in SPACE}
    study.enqueue_trial(declared)
    told = []
    for number in range(tuning.trials):
        trial = study.ask()
        asked = {name: _ask(trial, name, value) for name, value in declared.items()}
        config = _settings(grounds.grower.config, asked)
        tried = [
            grounds.grower.using(config).seek(
                grounds.data.take(fold.fitting), grounds.data.take(fold.later)
            )
            for fold in folds
        ]
        trees, loss = (float(np.mean(part)) for part in zip(*tried, strict=True))
        study.tell(trial, loss)
        told.append({"trial": float(number), **asked, "trees": trees, "log_loss": loss})
        progress("tuning", number + 1, tuning.trials)
    return told


def _ask(trial: Any, name: str, declared: float) -> float:
    """A value of one setting; what the experiment declares is always within the range."""
    low, high, kind = SPACE[name]
    low, high = min(low, declared), max(high, declared)
    if kind == "whole":
        return float(trial.suggest_int(name, int(low), int(high), log=True))
    return float(trial.suggest_float(name, low, high, log=kind == "factor"))


def _settings(declared: ModelConfig, asked: dict[str, float]) -> ModelConfig:
    """The declared settings with those of a trial in their place."""
    whole = {name: int(asked[name]) for name in SPACE if SPACE[name][2] == "whole"}
    return declared.model_copy(update={name: asked[name] for name in SPACE} | whole)


def _gain(
    grounds: Grounds, fold: Fold, settings: list[ModelConfig], trees: list[int]
) -> dict[str, float]:
    """The fall in log loss from the first settings to the second on a fold's later rows."""
    fitting, later = grounds.data.take(fold.fitting), grounds.data.take(fold.later)
    foretold = (
        grounds.grower.using(config).foretell(fitting, max(number, 1), later)
        for config, number in zip(settings, trees, strict=True)
    )
    before, after = (log_loss(probability, later.labels) for probability in foretold)
    return by_family(before - after, later.weights, grounds.family[fold.later])


def by_family(gains: Floats, weights: Floats, family: Ints, seed: int = 5) -> dict[str, float]:
    """The weighted mean of `gains` (float64 [n]) with a 95 percent interval over families."""
    _, place = np.unique(family, return_inverse=True)
    sums, sizes = np.bincount(place, gains * weights), np.bincount(place, weights)
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    for _ in range(DRAWS):
        picked: NDArray[np.int64] = rng.integers(0, len(sums), len(sums))
        drawn.append(float(sums[picked].sum() / sizes[picked].sum()))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {"value": float(sums.sum() / sizes.sum()), "low": float(low), "high": float(high)}
