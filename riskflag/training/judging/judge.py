"""A learnt model before its judges: baselines, figures, gates and aggregates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.progress import Progress, silent
from riskflag.scoring.model import capped
from riskflag.training.data.experiment import ExperimentConfig, PromotionConfig
from riskflag.training.data.narrow import Values, in_blocks
from riskflag.training.data.prepare import Prepared, Window
from riskflag.training.data.reference import Spread, typical
from riskflag.training.data.split import period
from riskflag.training.judging import gate_figures
from riskflag.training.judging.baselines import best_signal, contact_count, oriented
from riskflag.training.judging.evaluate import MODEL, Trial, evaluate
from riskflag.training.judging.gate_figures import CONTACTS, of_figures, timing
from riskflag.training.judging.gates import Gate, additivity, monotone, same_on_any_threads
from riskflag.training.judging.shap_report import ROWS, summary
from riskflag.training.model.learn import Learnt
from riskflag.training.model.operate import natural_frequency

Floats = NDArray[np.float64]

RULES = gate_figures.RULES
SINGLE = "best single signal"
YEAR = 365
#: Rows on which every signal is swept.
SWEPT = 150


@dataclass(frozen=True)
class Judgement:
    """The figures of the test window, the gates, and aggregates for the bundle and the report.

    `tried` are the gates that were tried on the model itself, `limits` what the others are held to.
    """

    result: dict[str, Any]
    tried: tuple[Gate, ...]
    limits: PromotionConfig
    spread: Spread
    typical: dict[str, Any]
    importance: list[dict[str, Any]]
    scores: Mapping[str, Floats]

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Every gate, by what the result holds by now."""
        return (*self.tried, *of_figures(self.result, self.limits))


@dataclass(frozen=True)
class Court:
    """What a judgement needs: the data, the model, and scores from elsewhere (rules, truth)."""

    prepared: Prepared
    learnt: Learnt
    config: ExperimentConfig
    capacity: float
    others: Mapping[str, Floats] = field(default_factory=dict)
    oracles: Mapping[str, Floats] = field(default_factory=dict)
    progress: Progress = silent

    def judge(self) -> Judgement:
        """Everything that is measured on the test window."""
        test, model = self.prepared.test, self.learnt.model
        raw = in_blocks(lambda values: model.raw(values, model.names), test.values)
        single, chosen = self._single()
        scores = {MODEL: raw, **self.others, **self._contacts(), SINGLE: single}
        trial = Trial(
            test.rows,
            test.labels.numbers,
            model.probability(raw),
            {**scores, **self.oracles},
            self.capacity * test.share,
            self.config.evaluation.bootstrap,
            self.config.evaluation.seed,
            frozenset(self.oracles),
            self.progress,
            self.prepared.test_families,
        )
        months = period(self.prepared.split.test)
        result = evaluate(trial) | {"period": months, "single_signal": chosen}
        result["timing"] = timing(self.prepared, self.config)
        result["natural_frequency"] = natural_frequency(
            raw, trial.labels, test.rows, line=self.learnt.thresholds["raw"], period=months
        )
        if self.oracles:
            result["oracle"] = self._oracle(result)
        return self._with_aggregates(result, scores)

    def _with_aggregates(self, result: dict[str, Any], scores: Mapping[str, Floats]) -> Judgement:
        test, model = self.prepared.test, self.learnt.model
        signals = self.prepared.inputs.signals
        spread = Spread.of(test.values, model.names)
        some = some_rows(test.values, ROWS)
        directions = [signal.direction for signal in signals]
        tried = (
            additivity(model, some),
            monotone(model, some[:SWEPT], directions, spread),
            same_on_any_threads(self.prepared, self.config.model),
        )
        themes = {signal.name: signal.theme for signal in signals}
        importance = summary(model.contributions(some, model.names), themes)
        usual = typical(test.values, model.names, ages_of_last_month(test, self.prepared))
        limits = self.config.promotion
        return Judgement(result, tried, limits, spread, usual, importance, scores)

    def _contacts(self) -> dict[str, Floats]:
        rows, contacts = self.prepared.test.rows, self.prepared.contacts
        counts = (contact_count(rows, contacts), contact_count(rows, contacts, YEAR))
        return dict(zip(CONTACTS, counts, strict=True))

    def _single(self) -> tuple[Floats, str]:
        """The best signal of the training window, as a score of the test rows."""
        train = self.prepared.train
        signals = self.prepared.inputs.signals
        directions = [signal.direction for signal in signals]
        column, reverse, _ = best_signal(train.values, train.labels.numbers, directions)
        score = oriented(self.prepared.test.values[:, column], directions[column])
        return (-score if reverse else score), signals[column].name

    def _oracle(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """How far the model goes from 0.5 to the true hazard, with its interval."""
        name = next(iter(self.oracles))
        auroc = result["scorers"][name]["auroc"]["value"]
        return {"name": name, "auroc": auroc, "share": result["share_of"][name]}


def ages_of_last_month(test: Window, prepared: Prepared) -> Floats:
    """The ages in years of the children of the last test month (float64 [n]).

    NaN for rows of other months, and where the age is not known.
    """
    latest = test.rows.as_of == prepared.split.test[-1]
    people = prepared.people
    births = np.full(len(people.ids), np.nan)
    births[people.person] = np.where(people.birth < -(10**6), np.nan, people.birth)
    ages = (test.rows.as_of - births[test.rows.person]) / 365.25
    return np.where(latest, ages, np.nan)


def some_rows(values: Values, most: int) -> Floats:
    """At most `most` rows, evenly spaced and capped."""
    step = max(len(values) // most, 1)
    return capped(values[::step][:most])
