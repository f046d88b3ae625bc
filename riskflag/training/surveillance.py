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

from riskflag.training.baselines import contact_count
from riskflag.training.checks import FINE, HONESTY, LOOK, NOT_KNOWN, Check
from riskflag.training.hearing import Hearing
from riskflag.training.intervals import span, with_interval
from riskflag.training.metrics import Ranking
from riskflag.training.prepare import Prepared
from riskflag.training.rows import Rows

Floats = NDArray[np.float64]

#: Windows whose contacts are counted, in days; None is ever.
WINDOWS = (30, 90, 365, None)
#: Bands of contacts in the last year: first and last of each.
BANDS = ((0, 0), (1, 2), (3, 5), (6, 10), (11, 20), (21, 10**9))
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
    table = []
    for low, high in BANDS:
        inside = np.flatnonzero((year >= low) & (year <= high))
        came = hearing.labels[inside].sum()
        if len(np.unique(hearing.rows.person[inside])) >= 10 and came >= 10:
            table.append(_band(hearing, inside, alone, _band_name(low, high)))
    if not table or not hearing.enough:
        told = "Within bands of contact: too few outcomes to tell."
        return Check(name, HONESTY, told, NOT_KNOWN)
    bands = [np.flatnonzero((year >= low) & (year <= high)) for low, high in BANDS]
    ours = [Ranking(hearing.raw[at], hearing.labels[at]) for at in bands if len(at)]
    theirs = [Ranking(alone[at], hearing.labels[at]) for at in bands if len(at)]
    bands = [at for at in bands if len(at)]
    draws = [(_mean(ours, bands, w), _mean(theirs, bands, w)) for w in hearing.draws()]
    whole = np.ones(len(year))
    mine, counted = _mean(ours, bands, whole), _mean(theirs, bands, whole)
    figure = with_interval(mine, [a for a, _ in draws])
    gain = with_interval(mine - counted, [a - b for a, b in draws])
    better = gain["low"] is not None and gain["low"] > 0
    told = (
        f"Among children with about as many contacts in a year the score has AUROC "
        f"{span(figure)}, {span(gain, 2, sign=True)} against a model that only counts contacts."
    )
    return Check(name, HONESTY, told, FINE if better else LOOK, figure, table)


def _band(hearing: Hearing, inside: NDArray[np.intp], alone: Floats, band: str) -> dict[str, Any]:
    labels = hearing.labels[inside]
    return {
        "contacts_in_a_year": band,
        "child_months": len(inside),
        "rate": float(labels.mean()),
        "auroc": Ranking(hearing.raw[inside], labels).auroc(),
        "auroc_contacts_alone": Ranking(alone[inside], labels).auroc(),
    }


def _band_name(low: int, high: int) -> str:
    if high >= 10**9:
        return f"{low} or more"
    return str(low) if low == high else f"{low} to {high}"


def _mean(rankings: list[Ranking], bands: list[NDArray[np.intp]], weights: Floats) -> float:
    """The AUROC of each band, weighed by its pairs: how often a pair of one band is in order."""
    sums = np.zeros(2)
    for ranking, at in zip(rankings, bands, strict=True):
        mine = weights[at]
        pairs = float((mine * ranking.labels).sum() * (mine * (1 - ranking.labels)).sum())
        if pairs:
            sums += np.array([pairs * ranking.auroc(mine), pairs])
    return float(sums[0] / sums[1]) if sums[1] else float("nan")
