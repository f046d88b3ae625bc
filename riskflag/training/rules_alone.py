"""The rules as a score of their own: what the rulebook would do without a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import date_of
from riskflag.history.view import History
from riskflag.progress import Progress, silent
from riskflag.scoring.flags import LEVELS, RANK, YES
from riskflag.scoring.rulebook import Rulebook
from riskflag.scoring.rules import evaluate
from riskflag.signals import Catalogue, compute
from riskflag.training.rows import Rows

Floats = NDArray[np.float64]


def rules_for(history: History, catalogue: Catalogue) -> Rulebook | None:
    """The catalogue's rulebook; None without one, or where no contact that it reads ever came."""
    if not catalogue.rulebook_path.is_file():
        return None
    rulebook = Rulebook.load(catalogue.rulebook_path, catalogue)
    read = frozenset[str]().union(*(signal.types for signal in rulebook.signals.values()))
    came = set(history.contacts["type"].unique().to_pylist())
    return rulebook if read & came else None


def rules_alone(
    history: History, rows: Rows, rulebook: Rulebook, progress: Progress = silent
) -> Floats:
    """Each row's most pressing level, then its number of rules (float64 [n]).

    The highest level counts first; among rows of one level, more rules count more.
    """
    ids = np.asarray(rows.ids, dtype=object)
    scores = np.empty(len(rows))
    days = np.unique(rows.as_of)
    for number, day in enumerate(days):
        places = np.flatnonzero(rows.as_of == day)
        table = compute(
            history,
            ids[rows.person[places]].tolist(),
            as_of=date_of(int(day)),
            signals=list(rulebook.signals.values()),
        )
        scores[places] = as_score(rulebook, evaluate(rulebook, table).outcome)
        progress("rules alone", number + 1, len(days))
    return scores


def as_score(rulebook: Rulebook, outcome: NDArray[np.int8]) -> Floats:
    """One number per row of outcomes (int8 [n, r]): level first, then how many say yes."""
    yes = outcome == YES
    worth = np.array([len(LEVELS) - RANK[rule.level] for rule in rulebook.rules])
    level = (yes * worth).max(axis=1, initial=0)
    return np.asarray(level * (yes.shape[1] + 1) + yes.sum(axis=1), dtype=np.float64)
