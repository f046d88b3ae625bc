"""Does the outcome come at an even rate: by as-of month, by the month it happened, and over time?

A month without outcomes is rarely a good month: mostly it was not recorded, or not yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.casework.small_numbers import small
from riskflag.clock import date_of
from riskflag.training.data.prepare import Learning, Prepared
from riskflag.training.data.rows import Contacts, Ints, Past
from riskflag.training.figures.checks import FAULT, FINE, HONESTY, LOOK, NOT_KNOWN, Check
from riskflag.training.figures.intervals import family_draws, span, with_interval

Floats = NDArray[np.float64]

#: A month is compared with so many on each side; it is odd below LOW or above HIGH times their
#: middle, when chance alone would do so less often than CHANCE; EMPTY for a month with none at all.
BESIDE, LOW, HIGH, CHANCE, EMPTY = 6, 0.5, 2.0, 1e-6, 1e-3
#: The level may move by this factor between learning and checking before somebody has to look.
DRIFT = 1.5
DRAWS = 100


@dataclass(frozen=True)
class Months:
    """Months (day numbers [m]) with how often the outcome came and out of how many."""

    day: Ints
    came: Floats
    of: Floats

    @property
    def rate(self) -> Floats:
        """Outcomes per row of each month."""
        return np.divide(self.came, self.of, out=np.zeros_like(self.came), where=self.of > 0)

    def odd(self) -> list[int]:
        """The places of months that are far below or above those around them, beyond chance."""
        from scipy.stats import poisson

        found = []
        for place in range(len(self.day)):
            near = [
                i
                for i in range(max(place - BESIDE, 0), min(place + BESIDE + 1, len(self.day)))
                if i != place
            ]
            if len(near) < 2:
                continue
            usual = float(np.median(self.rate[near])) * self.of[place]
            came = self.came[place]
            scarce = came < LOW * usual and poisson.cdf(came, usual) < (CHANCE if came else EMPTY)
            many = came > HIGH * usual and poisson.sf(came - 1, max(usual, 1e-9)) < CHANCE
            if scarce or many:
                found.append(place)
        return found


def by_as_of(windows: Sequence[Learning]) -> Months:
    """Outcomes by as-of date; of learning rows their weights, which stand for those left out."""
    as_of = np.concatenate([window.rows.as_of for window in windows])
    weights = np.concatenate([window.weights for window in windows])
    labels = np.concatenate([window.labels.numbers for window in windows])
    days, place = np.unique(as_of, return_inverse=True)
    came, of = (np.bincount(place, one).astype(np.float64) for one in (weights * labels, weights))
    return Months(days, came, of)


def by_day_it_happened(contacts: Contacts, first: int, last: int) -> Months:
    """Outcome contacts by the month they happened in, whole months from day `first` to `last`."""
    days = contacts.occurred[contacts.superseded > last]
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    edge = np.array([first, last]).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    every = np.arange(edge[0], edge[1])
    came = np.array([float((month == one).sum()) for one in every])
    starts = every.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return Months(starts, came, np.ones(len(every)))


def checks(history: Past, prepared: Prepared, types: Sequence[str], settle: int) -> list[Check]:
    """Base rate by as-of month, outcomes by month, and drift.

    `types` are the outcome's contact types, empty when it comes from a table; `settle` days before
    the cut are left out, as late records may still come.
    """
    windows = (prepared.learnt_alike, prepared.calibration, prepared.test)
    rates = by_as_of(windows)
    told = [finding("base_rate_by_month", rates, "as of")]
    if types:
        outcomes = Contacts.of(history, prepared.people.ids, types)
        first, last = int(rates.day[0]), prepared.split.cut - settle
        happened = by_day_it_happened(outcomes, first, last)
        told.append(finding("outcomes_by_month", happened, "in"))
    return [*told, drift(prepared)]


def finding(name: str, months: Months, word: str) -> Check:
    """What the months say: "fault" for a month all but without outcomes among others with them."""
    odd = months.odd()
    table = [
        {
            "month": date_of(int(day)).isoformat()[:7],
            "outcomes": None if small(round(came)) else round(came),
            "rate": None if small(round(came)) else float(rate),
            "odd": place in odd,
        }
        for place, (day, came, rate) in enumerate(
            zip(months.day, months.came, months.rate, strict=True)
        )
    ]
    if len(months.day) < 3 or months.came.sum() < 10:
        told = f"Outcomes by month ({word}): too few months or outcomes to compare them."
        return Check(name, HONESTY, told, NOT_KNOWN, table=table)
    if not odd:
        low, high = months.rate.min(), months.rate.max()
        counted = f"{_few(low)} to {_few(high)}" if word == "in" else f"{low:.2%} to {high:.2%}"
        told = f"Outcomes come evenly {word} {len(months.day)} months: {counted} a month."
        return Check(name, HONESTY, told, table=table)
    empty = [place for place in odd if months.came[place] <= 0.1 * np.median(months.came)]
    named = ", ".join(f"{_month(months, i)} ({_few(months.came[i])})" for i in odd)
    what = "next to no outcome is recorded" if empty else "outcomes are far from those around"
    told = (
        f"{len(odd)} {'month is' if len(odd) == 1 else 'months are'} not like the others; {what} "
        f"{word} {named}. Find out what was not recorded before you trust any figure here."
    )
    return Check(name, HONESTY, told, FAULT if empty else LOOK, table=table)


def _few(came: float) -> str:
    """A number of outcomes; small numbers are never told."""
    return "fewer than 10" if small(round(came)) else f"{came:.0f}"


def _month(months: Months, place: int) -> str:
    return date_of(int(months.day[place])).strftime("%B %Y")


def drift(prepared: Prepared) -> Check:
    """The level of the test months against that of the months learnt from, with its interval."""
    learnt, judged = prepared.learnt_alike, prepared.test
    person = np.concatenate([learnt.rows.person, judged.rows.person])
    family = person if prepared.families is None else prepared.families[person]
    labels = np.concatenate([learnt.labels.numbers, judged.labels.numbers])
    weights = np.concatenate([learnt.weights, judged.weights])
    late = np.arange(len(person)) >= len(learnt.rows)

    def ratio(drawn: Floats) -> float:
        both = weights * drawn
        rates = [float((both * labels)[p].sum() / both[p].sum()) for p in (late, ~late)]
        return rates[0] / rates[1] if rates[1] else float("nan")

    figure = with_interval(
        ratio(np.ones(len(person))), [ratio(drawn) for drawn in family_draws(family, DRAWS, 23)]
    )
    low, high = figure["low"], figure["high"]
    if low is None or high is None:
        return Check("outcome_drift", HONESTY, "Drift: too few outcomes to tell.", NOT_KNOWN)
    moved = low > DRIFT or high < 1 / DRIFT
    told = (
        f"The outcome came {span(figure)} times as often in the test months as in the months "
        "learnt from."
    )
    table: list[dict[str, Any]] = [
        {"months": name, "rate": float(np.average(part.labels.numbers, weights=part.weights))}
        for name, part in (("learnt from", learnt), ("test", judged))
    ]
    more = " The probabilities were learnt at another level: calibrate anew." if moved else ""
    return Check("outcome_drift", HONESTY, told + more, LOOK if moved else FINE, figure, table)
