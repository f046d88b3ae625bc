"""Plainer models learnt from the same children and months, judged like the model and told in words.

Nobody should rest on 1,000 trees where a line would do. Each challenger learns from the training
rows, is calibrated on the calibration window and stands in the report of the test window. None is
ever exported for the night; each is kept as numbers in a text file, never as a pickle.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from riskflag.progress import Progress, silent
from riskflag.scoring.bundle import canonical
from riskflag.training.data.experiment import EvaluationConfig, ModelConfig
from riskflag.training.data.narrow import Values
from riskflag.training.data.prepare import Prepared
from riskflag.training.figures.intervals import interval
from riskflag.training.judging.evaluate import MODEL, Trial, calibrated
from riskflag.training.model import additive, logistic
from riskflag.training.model.calibrate import calibrate

Floats = NDArray[np.float64]

NAMES = {"logistic": logistic.NAME, "ebm": additive.NAME}
WORDS = {
    "auroc": "ranking all children (AUROC)",
    "precision_at_capacity": "precision at the team's capacity",
}


class Plain(Protocol):
    """A fitted challenger."""

    def score(self, values: Values) -> Floats: ...

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Challengers:
    """Every fitted challenger by its plain name."""

    fitted: Mapping[str, Plain]

    @classmethod
    def learn(
        cls, prepared: Prepared, config: ModelConfig, progress: Progress = silent
    ) -> Challengers:
        """Fit those that the experiment names, on the rows that the model learns from."""
        fitted: dict[str, Plain] = {}
        for number, kind in enumerate(config.challengers):
            progress(f"learning the {NAMES[kind]}", number, len(config.challengers))
            if kind == "ebm":
                fitted[NAMES[kind]] = additive.Additive.learn(prepared, config.seed)
            else:
                fitted[NAMES[kind]] = logistic.Logistic.learn(prepared.train)
        return cls(fitted)

    def scores(self, values: Values) -> dict[str, Floats]:
        """What each says of the rows of `values`."""
        return {name: one.score(values) for name, one in self.fitted.items()}

    def texts(self) -> dict[str, str]:
        """Each as a text file of numbers, by artifact path."""
        return {
            f"challengers/{name.replace(' ', '_')}.json": canonical(one.to_dict()).decode()
            for name, one in self.fitted.items()
        }

    def beside(
        self, prepared: Prepared, result: Mapping[str, Any], config: EvaluationConfig
    ) -> dict[str, Any]:
        """Calibration of each on the test window, and in words what it loses or wins."""
        told: dict[str, Any] = {}
        sentences = []
        for name, one in self.fitted.items():
            told[name] = {"calibration": _calibration(one, prepared, result, config)}
            sentences += in_words(name, result["gain_over"][name], told[name]["calibration"])
        return {**told, "sentences": sentences}


def _calibration(
    one: Plain, prepared: Prepared, result: Mapping[str, Any], config: EvaluationConfig
) -> dict[str, Any]:
    """Calibrated on the calibration window and judged on the test window, as the model is."""
    later, test = prepared.calibration, prepared.test
    curve = calibrate(one.score(later.values), later.labels.numbers)
    raw = one.score(test.values)
    trial = Trial(
        test.rows,
        test.labels.numbers,
        curve.apply(raw),
        {MODEL: raw},
        result["capacity_per_month"],
        config.bootstrap,
        config.seed,
    )
    found = calibrated(dataclasses.replace(trial, families=prepared.test_families))
    return found | {"method": curve.method}


def in_words(
    name: str, gain: Mapping[str, Mapping[str, float | None]], calibration: Mapping[str, Any]
) -> list[str]:
    """Two sentences: who ranks better by how much, and whether its probabilities are true."""
    parts = [f"at {words} {_verdict(name, gain[key])}" for key, words in WORDS.items()]
    slope = calibration["slope"]
    between = f" ({slope['low']:.2f} to {slope['high']:.2f})" if slope["low"] is not None else ""
    value = "not known" if slope["value"] is None else f"{slope['value']:.2f}{between}"
    return [
        f"Beside {name}, learnt from the same children and months: {'; '.join(parts)}.",
        f"Calibration slope of {name} {value}, Brier {interval(calibration['brier'], 4)}.",
    ]


def _verdict(name: str, gain: Mapping[str, float | None]) -> str:
    value, low, high = gain["value"], gain["low"], gain["high"]
    if value is None or low is None or high is None:
        return "nothing can be told"
    between = f"by {abs(value):.3f} (model less {name}: {low:+.3f} to {high:+.3f})"
    if low > 0:
        return f"the model is better {between}"
    if high < 0:
        return f"{name} is better {between}: prefer it, or find out why"
    return f"they cannot be told apart ({low:+.3f} to {high:+.3f}), and {name} is the plainer"
