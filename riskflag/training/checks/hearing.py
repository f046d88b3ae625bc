"""What the checks of one model rest on: its test rows, their labels, families and scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from riskflag.progress import Progress, silent
from riskflag.scoring.model import Model
from riskflag.training.data.experiment import ExperimentConfig
from riskflag.training.data.narrow import in_blocks
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.rows import Ints, Past, Rows
from riskflag.training.figures.intervals import Figure, family_draws, with_interval
from riskflag.training.figures.metrics import Ranking

Floats = NDArray[np.float64]

#: The checks look at whole families with at most about this many test rows.
MOST_ROWS = 250_000
#: Draws of the checks: each compares many things, and the ends of an interval settle early.
MOST_DRAWS = 100


@dataclass(frozen=True)
class Hearing:
    """The model and what is known of the test window; `capacity` is children a month, all rows."""

    history: Past
    prepared: Prepared
    model: Model
    config: ExperimentConfig
    capacity: float
    #: The probability at the line that the capacity drew.
    line: float
    most_rows: int = MOST_ROWS
    progress: Progress = silent

    @cached_property
    def chosen(self) -> Ints:
        """Positions of the test rows looked at: those of some families, drawn at random."""
        family = self.prepared.test_families
        share = self.most_rows / max(len(family), 1)
        if share >= 1:
            return np.arange(len(family))
        drawn = np.random.default_rng(17).random(int(family.max()) + 1) < share
        return np.flatnonzero(drawn[family])

    @cached_property
    def rows(self) -> Rows:
        """The rows looked at."""
        return self.prepared.test.rows.take(self.chosen)

    def values(self, some: Ints) -> Floats:
        """The signals of some of them, by their places (float64 [m, k])."""
        return np.asarray(self.prepared.test.values[self.chosen[some]])

    @cached_property
    def labels(self) -> Floats:
        """1.0 where the outcome came (float64 [n])."""
        return self.prepared.test.labels.numbers[self.chosen]

    @cached_property
    def family(self) -> Ints:
        """Who is drawn together (int64 [n])."""
        return self.prepared.test_families[self.chosen]

    @cached_property
    def raw(self) -> Floats:
        """The model's scores (float64 [n])."""
        test, names = self.prepared.test, self.model.names
        return in_blocks(lambda values: self.model.raw(values, names), test.values, self.chosen)

    @cached_property
    def probability(self) -> Floats:
        """The model's probabilities (float64 [n])."""
        return self.model.probability(self.raw)

    @cached_property
    def months(self) -> list[NDArray[np.intp]]:
        """The positions of each as-of date's rows."""
        return [np.flatnonzero(self.rows.as_of == day) for day in np.unique(self.rows.as_of)]

    @cached_property
    def a_month(self) -> float:
        """How many of the children looked at fit a month's capacity."""
        test = self.prepared.test
        return self.capacity * test.share * len(self.rows) / max(len(test.rows), 1)

    @cached_property
    def listed(self) -> NDArray[np.bool_]:
        """Whether a row is on its month's list (bool [n]): the highest scores up to capacity."""
        on = np.zeros(len(self.rows), dtype=bool)
        lot = np.random.default_rng(19).random(len(self.rows))
        for places in self.months:
            order = np.lexsort((lot[places], -self.raw[places]))
            on[places[order[: max(round(self.a_month), 1)]]] = True
        return on

    @cached_property
    def enough(self) -> bool:
        """Whether enough children had the outcome to compare anything by it."""
        return len(np.unique(self.rows.person[self.labels > 0])) >= FEW

    def draws(self) -> Iterator[Floats]:
        """Weights of the rows for each draw of families, the same at every call."""
        wanted = min(self.config.evaluation.bootstrap, MOST_DRAWS)
        return family_draws(self.family, wanted, self.config.evaluation.seed)

    def differences(self, others: Mapping[str, Floats]) -> dict[str, dict[str, Figure]]:
        """How AUROC and the share of outcomes found at capacity change with other scores.

        Each as `auroc` and `recall`, the other less the model, taken within each draw.
        """
        scorers = {
            name: _Scorer.of(self, scores) for name, scores in {"": self.raw, **others}.items()
        }
        whole = np.ones(len(self.rows))
        values = {name: one.figures(whole) for name, one in scorers.items()}
        gaps: dict[str, list[Floats]] = {name: [] for name in others}
        for weights in self.draws():
            ours = scorers[""].figures(weights)
            for name in others:
                gaps[name].append(scorers[name].figures(weights) - ours)
        told = {}
        for name in others:
            drawn, value = np.array(gaps[name]), values[name] - values[""]
            told[name] = {
                key: with_interval(float(value[i]), drawn[:, i].tolist())
                for i, key in enumerate(("auroc", "recall"))
            }
        return told


#: With fewer children who had the outcome than this, nothing is compared by it.
FEW = 30


@dataclass(frozen=True)
class _Scorer:
    """Scores sorted once: over all months and month by month."""

    pooled: Ranking
    monthly: tuple[tuple[NDArray[np.intp], Ranking], ...]
    a_month: float

    @classmethod
    def of(cls, hearing: Hearing, scores: Floats) -> _Scorer:
        labels = hearing.labels
        monthly = tuple((at, Ranking(scores[at], labels[at])) for at in hearing.months)
        return cls(Ranking(scores, labels), monthly, hearing.a_month)

    def figures(self, weights: Floats) -> Floats:
        """AUROC and the share of outcomes found at capacity."""
        found = sum(one.found_in_top(self.a_month, weights[at]) for at, one in self.monthly)
        came = float((weights * self.pooled.labels).sum())
        return np.array([self.pooled.auroc(weights), found / came if came else np.nan])
