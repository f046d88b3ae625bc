"""Figures of rows that rest on an assumption, apart from the others.

For a first bulk load the day a record was known is assumed from the source's usual delay. Rows with
such a record in the last year, and rows without, are told beside each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskflag.history.view import History
from riskflag.training.baselines import contact_count
from riskflag.training.checks import EVALUATION, FINE, LOOK, NOT_KNOWN, Check
from riskflag.training.hearing import FEW, Hearing
from riskflag.training.intervals import span, with_interval
from riskflag.training.metrics import Ranking, expected_over_observed
from riskflag.training.prepare import Prepared
from riskflag.training.rows import Bools, Contacts, Rows

YEAR = 365
ASSUMED = "assumed_lag"


def resting_on_assumed(history: History, prepared: Prepared, rows: Rows) -> Bools:
    """Which rows have a visible contact of the last year whose known day is assumed (bool [n])."""
    table = history.contacts
    assumed = table.filter(pc.equal(table["known_basis"].cast("string"), ASSUMED))
    known = History(assumed, history.persons, history.relationships, history.coverage)
    return contact_count(rows, Contacts.of(known, prepared.people.ids), YEAR) > 0


def check(hearing: Hearing) -> Check:
    """AUROC and level on both kinds of rows; "look" when they clearly differ."""
    name = "rows_on_assumed_known_on"
    rests = resting_on_assumed(hearing.history, hearing.prepared, hearing.rows)
    if not rests.any():
        told = "No test row rests on an assumed known_on."
        return Check(name, EVALUATION, told, FINE)
    table = [_part(hearing, rests, "assumed"), _part(hearing, ~rests, "not assumed")]
    share = float(rests.mean())
    both = [row for row in table if row["auroc"]["value"] is not None]
    told = f"{share:.0%} of the test rows rest on a known_on that is assumed."
    if len(both) < 2:
        lacking = " Too few outcomes on one side to compare the two."
        return Check(name, EVALUATION, told + lacking, NOT_KNOWN, table=table)
    gap = _gap(hearing, rests)
    told += (
        f" AUROC there {span(both[0]['auroc'], 3)}, on the others {span(both[1]['auroc'], 3)}; "
        f"the difference is {span(gap, 3, sign=True)}."
    )
    flattered = gap["low"] is not None and gap["low"] > 0
    return Check(name, EVALUATION, told, LOOK if flattered else FINE, gap, table)


def _part(hearing: Hearing, inside: Bools, what: str) -> dict[str, Any]:
    at = np.flatnonzero(inside)
    labels, probability = hearing.labels[at], hearing.probability[at]
    enough = len(np.unique(hearing.rows.person[at][labels > 0])) >= FEW
    ranking = Ranking(hearing.raw[at], labels)
    draws = [w[at] for w in hearing.draws()] if enough else []
    nothing = float("nan")
    area = ranking.auroc() if enough else nothing
    level = expected_over_observed(probability, labels) if enough else nothing
    return {
        "known_on": what,
        "rows": len(at),
        "auroc": with_interval(area, [ranking.auroc(w) for w in draws]),
        "foretold_over_observed": with_interval(
            level, [expected_over_observed(probability, labels, w) for w in draws]
        ),
    }


def _gap(hearing: Hearing, inside: Bools) -> dict[str, float | None]:
    """AUROC on the rows inside less that on the others, within each draw."""
    parts = [(at, Ranking(hearing.raw[at], hearing.labels[at])) for at in _places(inside)]

    def gap(weights: NDArray[np.float64]) -> float:
        first, second = (ranking.auroc(weights[at]) for at, ranking in parts)
        return first - second

    return with_interval(gap(np.ones(len(inside))), [gap(w) for w in hearing.draws()])


def _places(inside: Bools) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.flatnonzero(inside), np.flatnonzero(~inside)
