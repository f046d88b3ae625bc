"""Figures of rows that rest on an assumption, apart from the others.

For a first bulk load the day a record was known is assumed from the source's usual delay. Rows with
such a record in the last year, and rows without, are told beside each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from riskflag.training.checks.hearing import FEW, Hearing
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.rows import Bools, Contacts, Past, Rows
from riskflag.training.figures.checks import EVALUATION, FINE, LOOK, NOT_KNOWN, Check
from riskflag.training.figures.intervals import span, with_interval
from riskflag.training.figures.metrics import Ranking, expected_over_observed
from riskflag.training.judging.baselines import contact_count

YEAR = 365
ASSUMED = "assumed_lag"


def resting_on_assumed(history: Past, prepared: Prepared, rows: Rows) -> Bools:
    """Which rows have a visible contact of the last year whose known day is assumed (bool [n])."""
    assumed = Contacts.of(history, prepared.people.ids, basis=ASSUMED)
    return contact_count(rows, assumed, YEAR) > 0


def check(hearing: Hearing) -> Check:
    """AUROC and level on both kinds of rows; "look" when nothing is told without the assumption."""
    name = "rows_on_assumed_known_on"
    rests = resting_on_assumed(hearing.history, hearing.prepared, hearing.rows)
    if not rests.any():
        return Check(name, EVALUATION, "No test row rests on an assumed known_on.")
    seen = contact_count(hearing.rows, hearing.prepared.contacts, YEAR) > 0
    table = [
        _part(hearing, rests, "assumed for some"),
        _part(hearing, seen & ~rests, "recorded for all"),
        _part(hearing, ~seen & ~rests, "no contact in the last year"),
    ]
    told = f"{rests.mean():.0%} of the test rows rest on a known_on that is assumed."
    first, second = (row["auroc"] for row in table[:2])
    if first["value"] is None or second["value"] is None:
        lacking = " Too few outcomes on one side to compare the two."
        return Check(name, EVALUATION, told + lacking, NOT_KNOWN, table=table)
    told += (
        f" AUROC there {span(first, 3)}; among the others with a contact in the last year "
        f"{span(second, 3)}. These are other children, so the two need not be alike."
    )
    works = second["low"] is not None and second["low"] > 0.5
    return Check(name, EVALUATION, told, FINE if works else LOOK, second, table)


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
