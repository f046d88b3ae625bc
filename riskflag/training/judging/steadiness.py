"""How steady is the list: who stays on it from one week to the next, and for the same reasons?

A list that turns over every week by itself wears a team out; reasons that change with it are not
trusted. Asked of the weeks that follow the first test date, with one model and no reviews between.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskflag.scoring.model import Model
from riskflag.signals import Signal
from riskflag.training.data.rows import Ints, Rows
from riskflag.training.figures.checks import EVALUATION, FINE, LOOK, NOT_KNOWN, Check
from riskflag.training.figures.intervals import family_draws, span, with_interval
from riskflag.training.judging.weekly import Weeks

Floats = NDArray[np.float64]

#: A list that keeps fewer than this share from week to week is looked at; so are reasons.
STEADY = 0.5
TOP = 3
DRAWS = 100


@dataclass(frozen=True)
class Kept:
    """Children on a week's list (m): families, whether on the next one too, and reasons that stay.

    `reasons` is the share of a child's first TOP reasons that are among the first in the next week;
    NaN for children who leave the list.
    """

    family: Ints
    stays: NDArray[np.bool_]
    reasons: Floats
    weeks: int


def lists(weeks: Weeks, scores: Floats) -> list[NDArray[np.intp]]:
    """The rows on each week's list: the highest scores up to capacity, each week for itself."""
    lot = np.random.default_rng(13).random(len(weeks.rows.ids))
    told = []
    for day in np.unique(weeks.rows.as_of):
        at = np.flatnonzero((weeks.rows.as_of == day) & (scores > -np.inf))
        told.append(at[np.lexsort((lot[weeks.rows.person[at]], -scores[at]))][: weeks.capacity])
    return told


def kept(
    weeks: Weeks,
    scores: Floats,
    reasons_of: Callable[[Rows], list[tuple[str, ...]]],
) -> Kept:
    """Follow every child on a list to the next week; `reasons_of` gives a row's first reasons."""
    each = lists(weeks, scores)
    every = np.sort(np.concatenate(each)) if each else np.empty(0, dtype=np.intp)
    told = dict(zip(every.tolist(), reasons_of(weeks.rows.take(every)), strict=True))
    family, stays, reasons = [], [], []
    for now, later in itertools.pairwise(each):
        next_row = {int(weeks.rows.person[at]): int(at) for at in later}
        for at in now.tolist():
            then = next_row.get(int(weeks.rows.person[at]))
            family.append(int(weeks.family[at]))
            stays.append(then is not None)
            reasons.append(float("nan") if then is None else _shared(told[at], told[then]))
    return Kept(
        np.array(family, dtype=np.int64),
        np.array(stays, dtype=bool),
        np.array(reasons, dtype=np.float64),
        len(each),
    )


def _shared(first: tuple[str, ...], second: tuple[str, ...]) -> float:
    return len(set(first) & set(second)) / len(first) if first else float("nan")


def first_reasons(
    model: Model, signals: tuple[Signal, ...], values: Floats
) -> list[tuple[str, ...]]:
    """The TOP themes that raise each row's score most, as a flag's page would give them."""
    parts = model.contributions(values, model.names).values
    themes = sorted({signal.theme for signal in signals})
    sums = np.column_stack(
        [parts[:, [s.theme == theme for s in signals]].sum(axis=1) for theme in themes]
    )
    order = np.argsort(-sums, axis=1, kind="stable")[:, :TOP]
    return [
        tuple(themes[place] for place in row if sums[at, place] > 0)
        for at, row in enumerate(order.tolist())
    ]


def checks(found: Kept) -> list[Check]:
    """The share of the list that stays, and of the reasons of those who stay."""
    names = ("list_kept_week_to_week", "reasons_kept_week_to_week")
    if not len(found.family):
        told = "Steadiness: there are not two weeks with a list."
        return [Check(name, EVALUATION, told, NOT_KNOWN) for name in names]
    known = np.isfinite(found.reasons)
    stays = _share(found.stays.astype(np.float64), found.family)
    reasons = _share(found.reasons[known], found.family[known])
    value = stays["value"] or 0.0
    told = (
        f"From one week to the next {span(stays, 0, by=100)} in 100 of the list stay on it "
        f"({found.weeks} weeks, nobody reviewed between); the others make room."
    )
    because = (
        f"Of those who stay, {span(reasons, 0, by=100)} in 100 of their first {TOP} reasons stay."
    )
    fine = reasons["value"] is not None and reasons["value"] >= STEADY
    return [
        Check(names[0], EVALUATION, told, FINE if value >= STEADY else LOOK, stays),
        Check(names[1], EVALUATION, because, FINE if fine else LOOK, reasons),
    ]


def _share(values: Floats, family: Ints) -> dict[str, float | None]:
    def mean(weights: Floats) -> float:
        return float(np.average(values, weights=weights)) if weights.sum() else float("nan")

    if not len(values):
        return with_interval(float("nan"), [])
    draws = [mean(weights) for weights in family_draws(family, DRAWS, 47)]
    return with_interval(mean(np.ones(len(values))), draws)
