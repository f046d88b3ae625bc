"""What stands for a protected characteristic that the model never sees?

A small model is asked to tell each group from the same signals. If it can, the score can treat the
group differently without being told of it; the signals that do it are named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.casework.groups import NOT_RECORDED
from riskflag.scoring.model import capped
from riskflag.training.checks.groups import AGE, SMALL, Groups
from riskflag.training.checks.hearing import Hearing
from riskflag.training.data.rows import Ints
from riskflag.training.figures.checks import FAIRNESS, FAULT, FINE, LOOK, NOT_KNOWN, Check
from riskflag.training.figures.intervals import Figure, family_draws, span, with_interval
from riskflag.training.figures.metrics import Ranking, auroc

Floats = NDArray[np.float64]

#: Children that are asked about, one row each, and the fewest of a group and outside it.
MOST, FEWEST = 10_000, 50
#: Told this well, the inputs stand for the group; and one signal alone that does is a fault.
STRONG, ALONE = 0.80, 0.90
TOP, ROUNDS, DRAWS = 3, 30, 50


@dataclass(frozen=True)
class Asked:
    """One row per child: signals (float64 [n, k]), families, and the groups of one kind."""

    values: Floats
    family: Ints
    groups: Groups
    names: tuple[str, ...]


def checks(hearing: Hearing, groups: tuple[Groups, ...]) -> list[Check]:
    """One check for every kind of group; not for age, which is an input and said to be one."""
    told = []
    at = one_row_each(hearing)
    wanted = [kind for kind in groups if kind.kind != AGE and " and " not in kind.kind]
    for number, kind in enumerate(wanted):
        hearing.progress("looking for proxies", number, len(wanted))
        some = Groups(kind.kind, kind.names, kind.code[at])
        told.append(
            of_kind(Asked(hearing.values(at), hearing.family[at], some, hearing.model.names))
        )
    return told


def one_row_each(hearing: Hearing) -> NDArray[np.intp]:
    """The last row of each child, of at most MOST children."""
    order = np.lexsort((hearing.rows.as_of, hearing.rows.person))
    last = np.append(np.diff(hearing.rows.person[order]) != 0, True)
    at = np.sort(order[last])
    if len(at) > MOST:
        at = np.sort(np.random.default_rng(31).choice(at, MOST, replace=False))
    return at


def of_kind(asked: Asked) -> Check:
    """How well the inputs tell each group of one kind from the others, the best told first."""
    kind, name = asked.groups.kind, f"proxies_of_{asked.groups.slug}"
    known = np.array([one not in (NOT_RECORDED, SMALL) for one in asked.groups.names])
    # Where a record only ever says yes, those without it are the others.
    among = known[asked.groups.code] if known.sum() > 1 else np.ones(len(asked.values), dtype=bool)
    table = []
    for code, group in enumerate(asked.groups.names):
        member = asked.groups.code[among] == code
        if known[code] and FEWEST <= member.sum() <= len(member) - FEWEST:
            table.append({"group": group, **_told(asked, np.flatnonzero(among), member)})
    if not table:
        told = f"Proxies of {kind}: too few children of any group to tell."
        return Check(name, FAIRNESS, told, NOT_KNOWN)
    table.sort(key=lambda row: (-row["auroc"]["value"], row["group"]))
    return _finding(name, kind, table)


def _finding(name: str, kind: str, table: list[dict[str, Any]]) -> Check:
    best = table[0]
    figure: Figure = best["auroc"]
    alone = [
        (row["group"], one) for row in table for one in row["signals"] if one["auroc"] >= ALONE
    ]
    strong = figure["low"] is not None and figure["low"] >= STRONG
    listed = ", ".join(one["signal"] for one in best["signals"])
    told = (
        f"From the inputs alone the group {best['group']} ({kind}) is told with AUROC "
        f"{span(figure)}; most by {listed}."
    )
    if alone:
        named = "; ".join(f"{one['signal']} stands for {group}" for group, one in alone)
        told += f" {named}, almost by itself: leave it out."
    verdict = FAULT if alone else LOOK if strong else FINE
    return Check(name, FAIRNESS, told, verdict, figure, table)


def _told(asked: Asked, at: NDArray[np.intp], member: NDArray[np.bool_]) -> dict[str, Any]:
    """The AUROC on families that were not learnt from, and the signals that did most."""
    values, labels = capped(asked.values[at]), member.astype(np.float64)
    family = asked.family[at]
    half = np.random.default_rng(37).random(int(family.max()) + 1)[family] < 0.5
    scores, gain = np.zeros(len(labels)), np.zeros(values.shape[1])
    for learnt in (half, ~half):
        booster = _grown(values[learnt], labels[learnt])
        scores[~learnt] = booster.predict(values[~learnt], raw_score=True)
        gain += booster.feature_importance("gain")
    ranking = [(Ranking(scores[part], labels[part]), part) for part in (half, ~half)]

    def both(weights: Floats) -> float:
        return float(np.mean([one.auroc(weights[part]) for one, part in ranking]))

    draws = [both(weights) for weights in family_draws(family, DRAWS, 41)]
    top = [int(place) for place in np.argsort(-gain, kind="stable")[:TOP] if gain[place] > 0]
    return {
        "children": int(member.sum()),
        "auroc": with_interval(both(np.ones(len(labels))), draws),
        "signals": [_alone(asked.names[i], values[:, i], labels) for i in top],
    }


def _alone(name: str, values: Floats, labels: Floats) -> dict[str, Any]:
    area = auroc(np.where(np.isnan(values), -np.inf, values), labels)
    return {"signal": name, "auroc": max(area, 1 - area)}


def _grown(values: Floats, labels: Floats):  # type: ignore[no-untyped-def]  # noqa: ANN202
    import lightgbm as lgb

    options = {
        "objective": "binary", "num_leaves": 8, "learning_rate": 0.1, "min_data_in_leaf": 20,
        "feature_fraction": 0.5, "lambda_l2": 10.0, "seed": 43, "deterministic": True,
        "force_row_wise": True, "num_threads": 1, "verbosity": -1,
    }  # fmt: skip
    return lgb.train(options, lgb.Dataset(values, labels, params={"verbosity": -1}), ROUNDS)
