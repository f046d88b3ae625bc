"""A team's weekly list: whom a score would have brought up, how often rightly, how early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import NEVER
from riskflag.training.data.outcome import Labels
from riskflag.training.data.rows import Ints, Rows
from riskflag.training.figures.intervals import Figure, family_draws, with_interval

Floats = NDArray[np.float64]

QUARTILES = {"quarter": 0.25, "median": 0.5, "three_quarters": 0.75}
#: Rarer than this, whole numbers out of ten say too little: then it is told out of a hundred.
EVEN_OF_TEN = 0.25


@dataclass(frozen=True)
class Weeks:
    """Weekly rows (n) with what came, each row's family, and how many a week can be seen."""

    rows: Rows
    labels: Labels
    family: Ints
    capacity: int


@dataclass(frozen=True)
class Listed:
    """Who was listed (m) and who had the outcome (c): families, and what came of the listing.

    `warning` are the days from the listing to the outcome, NaN without one.
    """

    family: Ints
    came: NDArray[np.bool_]
    warning: Floats
    family_of_outcomes: Ints
    person: Ints

    def and_then(self, later: Listed) -> Listed:
        """Both together, as when the folds of a rolling evaluation are pooled."""
        return Listed(
            np.concatenate([self.family, later.family]),
            np.concatenate([self.came, later.came]),
            np.concatenate([self.warning, later.warning]),
            np.concatenate([self.family_of_outcomes, later.family_of_outcomes]),
            np.concatenate([self.person, later.person]),
        )


def weekly_list(weeks: Weeks, scores: Floats, seed: int = 11) -> Listed:
    """The first `capacity` children of each week who were not listed in an earlier week.

    Equal scores are drawn by lot, the same for the same seed; a score of minus infinity is no
    reason to list anybody.
    """
    rows = weeks.rows
    lot = np.random.default_rng(seed).random(len(rows))
    seen = np.zeros(len(rows.ids), dtype=bool)
    chosen: list[NDArray[np.intp]] = []
    for day in np.unique(rows.as_of):
        places = np.flatnonzero((rows.as_of == day) & ~seen[rows.person] & (scores > -np.inf))
        first = places[np.lexsort((lot[places], -scores[places]))][: weeks.capacity]
        seen[rows.person[first]] = True
        chosen.append(first)
    listed = np.concatenate(chosen) if chosen else np.empty(0, dtype=np.intp)
    came = weeks.labels.happened[listed]
    days = (weeks.labels.day - rows.as_of)[listed].astype(np.float64)
    with_outcome = np.flatnonzero(weeks.labels.happened)
    _, once = np.unique(rows.person[with_outcome], return_index=True)
    return Listed(
        weeks.family[listed],
        came,
        np.where(came & (weeks.labels.day[listed] < NEVER), days, np.nan),
        weeks.family[with_outcome[once]],
        rows.person[listed],
    )


def gained(model: Listed, practice: Listed) -> tuple[Ints, Floats]:
    """Families of the children whom the model's list found, and days gained over the other list.

    A child whom the other list brought up too, before the outcome, counts by the days between; one
    whom it did not counts by the whole warning. Below zero: the other list was earlier.
    """
    other = dict(zip(practice.person[practice.came], practice.warning[practice.came], strict=True))
    found = np.flatnonzero(model.came)
    days = [model.warning[at] - other.get(model.person[at], 0.0) for at in found]
    return model.family[found], np.array(days, dtype=np.float64)


def quartiles(family: Ints, days: Floats, draws: int, seed: int) -> dict[str, Figure]:
    """A quarter, half and three quarters of the days lie at or below these, with intervals."""
    whole = np.ones(len(days))
    sets = list(family_draws(family, draws if len(days) else 0, seed))
    return {
        name: with_interval(
            _quantile(days, whole, at), [_quantile(days, weights, at) for weights in sets]
        )
        for name, at in QUARTILES.items()
    }


def figures(listed: Listed, draws: int, seed: int) -> dict[str, Any]:
    """Precision, recall, children found and quartiles of days of warning, with intervals."""
    values = {name: [value] for name, value in _once(listed, None).items()}
    family = np.concatenate([listed.family, listed.family_of_outcomes])
    for weights in family_draws(family, draws if len(family) else 0, seed):
        for name, value in _once(listed, weights).items():
            values[name].append(value)
    return {name: with_interval(value[0], value[1:]) for name, value in values.items()}


def in_words(name: str, figure: dict[str, Any]) -> str:
    """One list as a sentence in natural frequencies."""
    precision, recall = figure["precision"]["value"], figure["recall"]["value"]
    if precision is None or recall is None:
        return f"{name}: nobody was listed, or nobody had the outcome."
    of = 10 if precision >= EVEN_OF_TEN else 100
    share = f"of {of} flags like this, about {_scaled(figure['precision'], of)}"
    reach = f"{_scaled(figure['children_found'])} children, {_scaled(figure['recall'], 100)} in 100"
    warning = figure["days_of_warning"]
    early = (
        ""
        if warning["value"] is None
        else f"; half of them at least {_scaled(warning)} days before"
    )
    return f"{name}: {share} were followed by the outcome; that is {reach} who had it{early}."


def _scaled(figure: dict[str, Any], by: int = 1) -> str:
    """A figure times `by` as a whole number with its interval."""
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    between = "" if low is None else f" ({by * low:.0f} to {by * high:.0f})"
    return f"{by * value:.0f}{between}"


def _once(listed: Listed, weights: Floats | None) -> dict[str, float]:
    m = len(listed.family)
    if weights is None:
        weights = np.ones(m + len(listed.family_of_outcomes))
    mine, theirs = weights[:m], weights[m:]
    found, size, all_of_them = float(mine[listed.came].sum()), float(mine.sum()), theirs.sum()
    return {
        "precision": found / size if size else np.nan,
        "recall": found / float(all_of_them) if all_of_them else np.nan,
        "children_found": found,
        **{
            "days_of_warning" + suffix: _quantile(
                listed.warning[listed.came], mine[listed.came], at
            )
            for suffix, at in (("", 0.5), ("_quarter", 0.25), ("_three_quarters", 0.75))
        },
    }


def _quantile(values: Floats, weights: Floats, at: float) -> float:
    """The value at or below which this share of the weight lies; NaN without any."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    if not len(values) or below[-1] == 0:
        return np.nan
    return float(values[order][np.searchsorted(below, below[-1] * at)])
