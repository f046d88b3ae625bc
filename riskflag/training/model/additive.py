"""An explainable boosting machine on the same signals: one curve a signal, added up.

It can be read whole, curve by curve, and is held to the same directions as the trees; only the
parts in which signals act together are missing. Trees that gain nothing over it are not needed.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.scoring.model import capped
from riskflag.training.data.narrow import Values, in_blocks
from riskflag.training.data.prepare import Learning, Prepared
from riskflag.training.model.fit import SIGNS

Floats = NDArray[np.float64]

NAME = "explainable boosting"
MOST_ROWS = 250_000
#: How often it is grown, each time watched by other families, and how far it may go.
BAGS, WATCHING, ROUNDS, BINS = 4, 0.15, 4000, 64


@dataclass(frozen=True)
class Additive:
    """The fitted curves as plain numbers, so that they can be kept as text.

    Signal i adds `heights[i][0]` when unknown, else `heights[i][1 + j]` where j of its `cuts[i]`
    are at or below the value.
    """

    names: tuple[str, ...]
    cuts: tuple[tuple[float, ...], ...]
    heights: tuple[tuple[float, ...], ...]
    intercept: float

    @classmethod
    def learn(cls, prepared: Prepared, seed: int) -> Additive:
        """Fit to MOST_ROWS training rows at most; `seed` draws who watches for too many rounds."""
        return cls.of(fit(prepared, seed), prepared.inputs.names)

    @classmethod
    def of(cls, fitted: Any, names: tuple[str, ...]) -> Additive:
        """The numbers of a machine that the library has fitted."""
        cuts, heights = zip(*(_curve(fitted, place) for place in range(len(names))), strict=True)
        return cls(names, cuts, heights, float(np.ravel(fitted.intercept_)[0]))

    def score(self, values: Values) -> Floats:
        """Log-odds of the rows of `values` (float64 [n, k], unknown NaN, never infinity)."""
        return in_blocks(self._score, values)

    def _score(self, values: Floats) -> Floats:
        finite = capped(values)
        total = np.full(len(finite), self.intercept)
        for column, cuts, heights in zip(finite.T, self.cuts, self.heights, strict=True):
            place = np.searchsorted(np.array(cuts), column, side="right") + 1
            total += np.array(heights)[np.where(np.isnan(column), 0, place)]
        return total

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: the curve of every signal."""
        curves = [
            {"signal": name, "unknown": heights[0], "cuts": list(cuts), "adds": list(heights[1:])}
            for name, cuts, heights in zip(self.names, self.cuts, self.heights, strict=True)
        ]
        return {"intercept": self.intercept, "curves": curves}


def fit(prepared: Prepared, seed: int) -> Any:
    """The library's own machine, fitted on the training rows by their weights."""
    from interpret.glassbox import ExplainableBoostingClassifier

    train, signals = prepared.train.some(MOST_ROWS), prepared.inputs.signals
    machine = ExplainableBoostingClassifier(
        feature_names=list(prepared.inputs.names),
        feature_types=["continuous"] * len(signals),
        monotone_constraints=[SIGNS[signal.direction] for signal in signals],
        interactions=0,
        outer_bags=BAGS,
        max_bins=BINS,
        max_rounds=ROUNDS,
        random_state=seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        machine.fit(
            capped(train.values[:]),
            train.labels.numbers,
            sample_weight=train.weights,
            bags=_bags(prepared, train, seed),
        )
    return machine


def _curve(fitted: Any, place: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The cuts of one signal and the heights between them, that of unknown values first."""
    terms: Sequence[tuple[int, ...]] = fitted.term_features_
    if (place,) not in terms:
        return (), (0.0, 0.0)
    cuts = fitted.bins_[place][0]
    # The last height is for values that cannot be read as a number; there are none.
    heights = fitted.term_scores_[list(terms).index((place,))][:-1]
    return tuple(cuts.tolist()), tuple(heights.tolist())


def _bags(prepared: Prepared, train: Learning, seed: int) -> NDArray[np.int8]:
    """For each training row and bag (int8 [n, BAGS]) 1 to learn from it and -1 to watch with it."""
    person, families = train.rows.person, prepared.families
    family = person if families is None else families[person]
    rng = np.random.default_rng(seed)
    drawn = rng.random((int(family.max()) + 1, BAGS)) < WATCHING
    return np.where(drawn, -1, 1).astype(np.int8)[family]
