"""Net benefit: is the list worth its false alarms?

Decision-curve analysis (Vickers and Elkin 2006). Somebody who acts from a probability p on holds
one false alarm to be worth p / (1 - p) of a child found. At that exchange the net benefit per child
is (found - false alarms * p / (1 - p)) / children. It is compared with looking at every child and
at nobody, and at the capacity's own threshold with lists of the same length made in other ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.training.checks.hearing import Hearing
from riskflag.training.figures.checks import EVALUATION, FINE, LOOK, NOT_KNOWN, Check
from riskflag.training.figures.intervals import span, with_interval
from riskflag.training.figures.metrics import Ranking

Floats = NDArray[np.float64]

#: The curve is told at so many thresholds, from a fifth to five times that of the capacity.
POINTS, AROUND = 15, 5.0
#: Net benefit is told per so many child-months.
PER = 10_000


def net_benefit(chosen: Floats, labels: Floats, threshold: float, weights: Floats) -> float:
    """Per row: found less false alarms at the threshold's exchange (all float64 [n])."""
    odds = threshold / (1 - threshold)
    worth = labels - odds * (1 - labels)
    return float((weights * chosen * worth).sum() / weights.sum())


def curve(hearing: Hearing) -> list[dict[str, float]]:
    """The model's net benefit and that of everybody at a range of thresholds, per PER rows."""
    low, high = hearing.line / AROUND, min(hearing.line * AROUND, 0.9)
    every = np.ones(len(hearing.labels))
    return [
        {
            "threshold": float(p),
            "model": PER * net_benefit(hearing.probability >= p, hearing.labels, p, every),
            "everybody": PER * net_benefit(every, hearing.labels, p, every),
        }
        for p in np.geomspace(low, high, POINTS)
    ]


def check(hearing: Hearing, others: Mapping[str, Floats]) -> Check:
    """The gain over the best of the others at the capacity's threshold, and the whole curve.

    `others` are scores of all test rows; each makes a list as long as the model's.
    """
    name, p = "net_benefit", hearing.line
    chosen = (hearing.probability >= p).astype(np.float64)
    if not hearing.enough or not chosen.any() or not 0 < p < 1:
        told = "Net benefit: too few children had the outcome, or nobody was above the line."
        return Check(name, EVALUATION, told, NOT_KNOWN, table=curve(hearing) if 0 < p < 1 else ())
    rankings = {key: Ranking(one[hearing.chosen], hearing.labels) for key, one in others.items()}

    def all_of_them(weights: Floats) -> dict[str, float]:
        told = {
            "nobody": 0.0,
            "everybody": net_benefit(np.ones(len(chosen)), hearing.labels, p, weights),
        }
        listed = float((weights * chosen).sum())
        for key, ranking in rankings.items():
            found = ranking.found_in_top(listed, weights)
            told[key] = (found - p / (1 - p) * (listed - found)) / float(weights.sum())
        return told

    def mine(weights: Floats) -> float:
        return net_benefit(chosen, hearing.labels, p, weights)

    whole = np.ones(len(chosen))
    values = all_of_them(whole)
    best = max(values, key=lambda key: values[key])
    draws = [(mine(w), all_of_them(w)[best]) for w in hearing.draws()]
    figure = with_interval(PER * mine(whole), [PER * m for m, _ in draws])
    gain = with_interval(
        PER * (mine(whole) - values[best]), [PER * (m - other) for m, other in draws]
    )
    told = (
        f"At the line of capacity ({p:.1%}) the net benefit is {span(figure, 1)} children found "
        f"per {PER:,} child-months, false alarms taken off; against {_words(best)} that is "
        f"{span(gain, 1, sign=True)}."
    )
    good = gain["low"] is not None and gain["low"] > 0
    table = [*curve(hearing), *_at_capacity(p, values, mine(whole))]
    return Check(name, EVALUATION, told, FINE if good else LOOK, gain, table)


def _words(name: str) -> str:
    """A way to choose, in words."""
    plain = {"nobody": "looking at nobody", "everybody": "looking at everybody"}
    return plain.get(name, f"a list as long by {name}")


def _at_capacity(p: float, values: Mapping[str, float], mine: float) -> list[dict[str, Any]]:
    told = {"model": mine, **values}
    return [
        {"way": name, "threshold": p, "net_benefit": PER * value} for name, value in told.items()
    ]
