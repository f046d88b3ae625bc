"""Outcomes that our own flag may have caused: they are told apart, never mixed in silence.

A review of a flag can lead to an enquiry that would otherwise have come later or not at all. A
model that is then praised for having foretold it praises itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import LONDON, day_number
from riskflag.training.checks.hearing import FEW, Hearing
from riskflag.training.data.outcome import Labels
from riskflag.training.data.rows import Bools, Rows
from riskflag.training.figures.checks import FAULT, FINE, HONESTY, LOOK, Check
from riskflag.training.figures.intervals import span, with_interval
from riskflag.training.figures.metrics import Ranking
from riskflag.workspace import Workspace

#: An outcome this many days after a review may be because of it.
AFTER = 180
#: From this share of the outcomes on the figures without them have to be looked at, and from this
#: one on they mostly praise the model for what it set off.
SOME, MOST = 0.05, 0.5

#: A person and the day (number) on which a flag of theirs was reviewed.
Reviewed = Sequence[tuple[str, int]]


def reviews_of(workspace: Workspace) -> Reviewed:
    """Every review of this workspace; none while it has no store of reviews."""
    from riskflag.casework.kept_reviews import reviewed
    from riskflag.casework.store import open_store, store_path

    if not store_path(workspace).exists():
        return ()
    store = open_store(workspace, create=False)
    try:
        return tuple(
            (person, day_number(at.astimezone(LONDON).date())) for person, at in reviewed(store)
        )
    finally:
        store.close()


def caused(rows: Rows, labels: Labels, reviews: Reviewed) -> Bools:
    """Which rows have an outcome that came within AFTER days of a review of a flag (bool [n])."""
    place = {person: position for position, person in enumerate(rows.ids)}
    days: dict[int, list[int]] = {}
    for person, day in reviews:
        if person in place:
            days.setdefault(place[person], []).append(day)
    found = np.zeros(len(rows), dtype=bool)
    for at in np.flatnonzero(labels.happened):
        came = int(labels.day[at])
        found[at] = any(0 <= came - day <= AFTER for day in days.get(int(rows.person[at]), ()))
    return found


def check(hearing: Hearing, reviews: Reviewed) -> Check:
    """AUROC with and without the outcomes that followed a review; "fault" when most did.

    The outcomes learnt from count too: a model must not learn what its own flags set off.
    """
    name = "outcomes_after_our_own_flag"
    if not reviews:
        told = "No flag was reviewed yet, so no outcome can have come of our own flag."
        return Check(name, HONESTY, told)
    labels = hearing.prepared.test.labels.take(hearing.chosen)
    tagged = caused(hearing.rows, labels, reviews)
    came = labels.happened
    train = hearing.prepared.train
    learnt = _share(caused(train.rows, train.labels, reviews), train.labels)
    share = _share(tagged, labels)
    if not share and not learnt:
        told = (
            f"{len(reviews):,} reviews are recorded; no outcome of the training or the test months "
            f"came within {AFTER} days after one."
        )
        return Check(name, HONESTY, told)
    figure = {"value": share, "low": None, "high": None}
    table = [_part(hearing, np.ones(len(came), dtype=bool), "all")]
    table.append(_part(hearing, ~tagged, "without those after a review"))
    told = (
        f"{share:.0%} of the outcomes in the test months came within {AFTER} days after a review "
        f"of our own flag. AUROC with them {span(table[0]['auroc'], 3)}, without "
        f"{span(table[1]['auroc'], 3)}: read the second. Of the outcomes learnt from it is "
        f"{learnt:.0%}."
    )
    worst = max(share, learnt)
    verdict = FAULT if worst >= MOST else LOOK if worst >= SOME else FINE
    return Check(name, HONESTY, told, verdict, figure, table)


def _share(tagged: Bools, labels: Labels) -> float:
    """The share of the outcomes that are tagged."""
    return float(tagged.sum() / max(labels.happened.sum(), 1))


def _part(hearing: Hearing, kept: Bools, what: str) -> dict[str, Any]:
    at: NDArray[np.intp] = np.flatnonzero(kept)
    labels = hearing.labels[at]
    enough = len(np.unique(hearing.rows.person[at][labels > 0])) >= FEW
    ranking = Ranking(hearing.raw[at], labels)
    draws = [ranking.auroc(w[at]) for w in hearing.draws()] if enough else []
    return {
        "outcomes": what,
        "share_of_outcomes": float(labels.sum() / max(hearing.labels.sum(), 1)),
        "auroc": with_interval(ranking.auroc() if enough else float("nan"), draws),
    }
