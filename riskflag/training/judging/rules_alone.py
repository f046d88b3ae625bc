"""The rules as a score of their own: what the rulebook would do without a model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import date_of
from riskflag.history.store.view import History
from riskflag.progress import Progress, silent
from riskflag.scoring.flags import LEVELS, RANK, YES
from riskflag.scoring.rulebook import Rulebook
from riskflag.scoring.rules import evaluate
from riskflag.signals import Catalogue, compute
from riskflag.signals.parts import needed
from riskflag.training.data.past import of_parts, types_known
from riskflag.training.data.rows import Ints, Past, Rows

Floats = NDArray[np.float64]


def rules_for(history: Past, catalogue: Catalogue) -> Rulebook | None:
    """The catalogue's rulebook; None without one, or where no contact that it reads ever came."""
    if not catalogue.rulebook_path.is_file():
        return None
    rulebook = Rulebook.load(catalogue.rulebook_path, catalogue)
    read = frozenset[str]().union(*(signal.types for signal in rulebook.signals.values()))
    return rulebook if read & types_known(history) else None


def rules_alone(
    history: Past, rows: Rows, rulebook: Rulebook, progress: Progress = silent
) -> Floats:
    """Each row's most pressing level, then its number of rules (float64 [n]).

    The highest level counts first; among rows of one level, more rules count more.
    """
    signals = list(rulebook.signals.values())
    ids = np.asarray(rows.ids, dtype=object)

    def judged(part: History, mine: Ints) -> Iterator[tuple[Ints, Floats]]:
        for day in np.unique(rows.as_of[mine]):
            places = mine[rows.as_of[mine] == day]
            people, as_of = ids[rows.person[places]].tolist(), date_of(int(day))
            table = compute(part, people, as_of=as_of, signals=signals)
            yield places, as_score(rulebook, evaluate(rulebook, table).outcome)

    scores, done = np.empty(len(rows)), 0
    for places, found in of_parts(history, rows, judged, needed(signals)):
        scores[places] = found
        done += len(places)
        progress("rules alone", done, len(rows))
    return scores


def as_score(rulebook: Rulebook, outcome: NDArray[np.int8]) -> Floats:
    """One number per row of outcomes (int8 [n, r]): level first, then how many say yes."""
    yes = outcome == YES
    worth = np.array([len(LEVELS) - RANK[rule.level] for rule in rulebook.rules])
    level = (yes * worth).max(axis=1, initial=0)
    return np.asarray(level * (yes.shape[1] + 1) + yes.sum(axis=1), dtype=np.float64)
