"""Is the score about what was recorded, or about how much?

A family that agencies see often has more records, whatever they say. A score that only counts
them would watch those who are watched. Two questions: how much of the score does the amount of
contact explain, and among children with about the same amount, does the score still tell who comes
to harm, and better than the finer count does?
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.casework.small_numbers import FEWEST
from riskflag.training.checks.hearing import Hearing
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.rows import Rows
from riskflag.training.figures.checks import FINE, HONESTY, LOOK, NOT_KNOWN, Check
from riskflag.training.figures.intervals import span, with_interval
from riskflag.training.figures.metrics import Ranking
from riskflag.training.judging.baselines import contact_count

Floats = NDArray[np.float64]

#: Windows whose contacts are counted, in days; None is ever.
WINDOWS = (30, 90, 365, None)
#: Bands of contacts in the last year: first, last and in words.
BANDS = (
    (0, 0, "none"),
    (1, 2, "1 or 2"),
    (3, 5, "3 to 5"),
    (6, 10, "6 to 10"),
    (11, 20, "11 to 20"),
    (21, 10**9, "21 or more"),
)
#: Of the score this share may be amount of contact before somebody has to look.
MOST = 0.75
ROUNDS = 60


def checks(hearing: Hearing) -> list[Check]:
    """Both questions."""
    counts = amounts(hearing.prepared, hearing.rows)
    alone = contacts_alone(hearing, counts)
    return [explained(hearing, counts), within_bands(hearing, counts[:, 2], alone)]


def amounts(prepared: Prepared, rows: Rows) -> Floats:
    """How many contacts were visible in each window (float64 [n, 4])."""
    return np.column_stack([contact_count(rows, prepared.contacts, days) for days in WINDOWS])


def contacts_alone(hearing: Hearing, counts: Floats) -> Floats:
    """Scores of a model that was given nothing but the counts, learnt where the model learnt."""
    import lightgbm as lgb

    train = hearing.prepared.train
    options = {
        "objective": "binary", "num_leaves": 8, "learning_rate": 0.1, "min_data_in_leaf": 50,
        "monotone_constraints": [1] * counts.shape[1], "lambda_l2": 10.0, "verbosity": -1,
        "seed": 29, "deterministic": True, "force_row_wise": True, "num_threads": 1,
    }  # fmt: skip
    data = lgb.Dataset(
        amounts(hearing.prepared, train.rows),
        train.labels.numbers,
        weight=train.weights,
        params={"verbosity": -1},
    )
    booster = lgb.train(options, data, ROUNDS)
    return np.asarray(booster.predict(counts, raw_score=True), dtype=np.float64)


def explained(hearing: Hearing, counts: Floats) -> Check:
    """The share of the ranks' variance that groups of equal amount explain, with its interval."""
    ranks = np.argsort(np.argsort(hearing.raw, kind="stable")).astype(np.float64)
    group = _groups(counts)

    def share(weights: Floats) -> float:
        size = np.bincount(group, weights)
        mean = np.bincount(group, weights * ranks) / np.where(size > 0, size, 1)
        whole = float(np.average(ranks, weights=weights))
        total = float((weights * (ranks - whole) ** 2).sum())
        return float((size * (mean - whole) ** 2).sum()) / total if total else float("nan")

    figure = with_interval(share(np.ones(len(ranks))), [share(w) for w in hearing.draws()])
    told = (
        f"Amount of contact alone explains {span(figure, 0, by=100)} in 100 of the differences in "
        "score; the rest is what the contacts are."
    )
    high = figure["value"] is not None and figure["value"] > MOST
    return Check("score_explained_by_contact", HONESTY, told, LOOK if high else FINE, figure)


def _groups(counts: Floats) -> NDArray[np.intp]:
    """Rows in groups of like amounts: by eighths of the year's count, and of all within these."""
    group = np.zeros(len(counts), dtype=np.intp)
    for column in (2, 3):
        cuts = np.unique(np.quantile(counts[:, column], np.linspace(0, 1, 9)[1:-1]))
        group = group * (len(cuts) + 1) + np.searchsorted(cuts, counts[:, column], side="right")
    return np.unique(group, return_inverse=True)[1]


def within_bands(hearing: Hearing, year: Floats, alone: Floats) -> Check:
    """AUROC among children with about as many contacts: the score and the counts by themselves."""
    name = "score_within_bands_of_contact"
    inside = [np.flatnonzero((year >= low) & (year <= high)) for low, high, _ in BANDS]
    inside = [at for at in inside if _enough(hearing, at)]
    if not inside or not hearing.enough:
        told = "Within bands of contact: too few outcomes to tell."
        return Check(name, HONESTY, told, NOT_KNOWN)
    ours = [Ranking(hearing.raw[at], hearing.labels[at]) for at in inside]
    theirs = [Ranking(alone[at], hearing.labels[at]) for at in inside]
    draws = [(_mean(ours, inside, w), _mean(theirs, inside, w)) for w in hearing.draws()]
    whole = np.ones(len(year))
    mine, counted = _mean(ours, inside, whole), _mean(theirs, inside, whole)
    figure = with_interval(mine, [a for a, _ in draws])
    gain = with_interval(mine - counted, [a - b for a, b in draws])
    better = gain["low"] is not None and gain["low"] > 0
    told = (
        f"Among children with about as many contacts in a year the score has AUROC "
        f"{span(figure)}, {span(gain, 2, sign=True)} against a model that only counts contacts."
    )
    table = [_band(hearing, at, alone, year[at[0]]) for at in inside]
    return Check(name, HONESTY, told, FINE if better else LOOK, figure, table)


def _enough(hearing: Hearing, at: NDArray[np.intp]) -> bool:
    """Whether a band has so many children with and without the outcome that it may be told."""
    person, came = hearing.rows.person[at], hearing.labels[at] > 0
    return min(len(np.unique(person[came])), len(np.unique(person[~came]))) >= FEWEST


def _band(hearing: Hearing, inside: NDArray[np.intp], alone: Floats, some: float) -> dict[str, Any]:
    labels = hearing.labels[inside]
    return {
        "contacts_in_a_year": next(told for low, high, told in BANDS if low <= some <= high),
        "child_months": len(inside),
        "rate": float(labels.mean()),
        "auroc": Ranking(hearing.raw[inside], labels).auroc(),
        "auroc_contacts_alone": Ranking(alone[inside], labels).auroc(),
    }


def _mean(rankings: list[Ranking], bands: list[NDArray[np.intp]], weights: Floats) -> float:
    """The AUROC of each band, weighed by its pairs: how often a pair of one band is in order."""
    sums = np.zeros(2)
    for ranking, at in zip(rankings, bands, strict=True):
        mine = weights[at]
        pairs = float((mine * ranking.labels).sum() * (mine * (1 - ranking.labels)).sum())
        if pairs:
            sums += np.array([pairs * ranking.auroc(mine), pairs])
    return float(sums[0] / sums[1]) if sums[1] else float("nan")
