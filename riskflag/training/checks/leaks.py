"""The leak check: would the figures be as they are without knowing the future?

Three questions, each asked of the test rows, for every signal alone and for the whole model. How
much of the figure is there with the records of some weeks earlier? How much more would there be
with records of some weeks later, which nobody had? And how much more if the day on which something
happened were wrongly taken for the day on which it was known?
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskflag.clock import NEVER
from riskflag.history.arrays import isin
from riskflag.history.store.view import History
from riskflag.progress import Progress, silent
from riskflag.scoring.model import Model
from riskflag.training.data.past import of_parts, signal_values
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.rows import Ints, Past, Rows
from riskflag.training.figures.metrics import auroc
from riskflag.training.judging.baselines import oriented
from riskflag.training.model.fit import SIGNS

Floats = NDArray[np.float64]

#: Days by which the records are moved: what was there before, and what came only later.
EARLIER = -28
LATER = (28, 56)
#: A signal that tells so much alone is looked at ...
STRONG = 0.80
#: ... and suspect when this share of what it tells was not there four weeks before,
LOST = 0.5
#: or when it tells more alone than records ever tell.
TOO_GOOD = 0.95
#: Rows that are asked about; of them at most half have the outcome.
MOST_ROWS = 4_000
LISTED = 10


@dataclass(frozen=True)
class Alone:
    """One signal's AUROC alone: as it stood, with earlier records, and by the day it happened."""

    signal: str
    auroc: float
    earlier: float
    occurred: float

    @property
    def suspect(self) -> str | None:
        """Why this signal looks as if it knew the outcome, or None."""
        if self.auroc >= TOO_GOOD:
            return f"tells the outcome almost by itself (AUROC {self.auroc:.3f})"
        lost = self.auroc - max(self.earlier, 0.5)
        if self.auroc >= STRONG and lost > LOST * (self.auroc - 0.5):
            return (
                f"AUROC {self.auroc:.3f} alone, {self.earlier:.3f} with the records of "
                f"{-EARLIER} days earlier: it seems to be recorded because of the outcome"
            )
        return None


def leak_check(
    history: Past, prepared: Prepared, model: Model, progress: Progress = silent
) -> dict[str, Any]:
    """The whole check as plain JSON values, on a share of the test rows."""
    test = prepared.test
    chosen = some_rows(test.labels.happened, seed=5)
    rows, labels = test.rows.take(chosen), test.labels.numbers[chosen]
    stood = test.values[chosen]
    versions: dict[str, Floats] = {"stood": stood}
    signals = prepared.inputs.signals
    progress("leak check", 0, 2)
    # Every part of the history is read once for all of them.
    moves = (EARLIER, *LATER)
    moved = [Rows(rows.ids, rows.person, rows.as_of + days) for days in moves]
    found = np.split(signal_values(history, Rows.together(moved), signals), len(moves))
    versions |= {str(days): values for days, values in zip(moves, found, strict=True)}
    progress("leak check", 1, 2)
    versions["occurred"] = signal_values(history, rows, signals, seen=as_it_happened)
    whole = {name: auroc(model.raw(v, model.names), labels) for name, v in versions.items()}
    directions = [signal.direction for signal in prepared.inputs.signals]
    alone = each_alone(model.names, directions, versions, labels)
    return told(whole, alone, late_share(history, rows), len(rows))


def each_alone(
    names: Sequence[str], directions: Sequence[str], versions: Mapping[str, Floats], labels: Floats
) -> list[Alone]:
    """Every signal alone, the strongest first; one without a direction is taken as it tells most.

    `versions` has float64 [n, k] under "stood", "occurred" and the number of days earlier.
    """
    found = []
    for column, (name, direction) in enumerate(zip(names, directions, strict=True)):
        areas = [
            auroc(oriented(versions[version][:, column], direction), labels)
            for version in ("stood", str(EARLIER), "occurred")
        ]
        if SIGNS[direction] == 0 and areas[0] < 0.5:
            areas = [1 - area for area in areas]
        found.append(Alone(name, *areas))
    return sorted(found, key=lambda one: (-one.auroc, one.signal))


def told(
    whole: Mapping[str, float], alone: Sequence[Alone], late: float, rows: int
) -> dict[str, Any]:
    """The figures and, under "sentences", what they say."""
    suspects = [(one.signal, one.suspect) for one in alone if one.suspect]
    gain = whole["occurred"] - whole["stood"]
    later = [whole[str(days)] for days in LATER]
    best = alone[0]
    fault = max([whole["stood"], *later])
    sentences = [
        f"Leak check on {rows:,} test rows: the best signal alone, {best.signal}, has AUROC "
        f"{best.auroc:.3f}; {len(suspects) or 'no'} signal{'s look' if len(suspects) > 1 else ''}"
        f"{'' if len(suspects) > 1 else ' looks'} as if it knew the outcome.",
        *(f"Suspect: {name}: {why}." for name, why in suspects),
        f"The model has AUROC {whole['stood']:.3f}; with the records of {-EARLIER} days earlier "
        f"{whole[str(EARLIER)]:.3f}, with those of {LATER[0]} and {LATER[1]} days later, which "
        f"nobody had, {later[0]:.3f} and {later[1]:.3f}.",
        f"A figure of {fault:.2f} or more as of these dates would be a fault: it is what records "
        f"of {LATER[1]} more days would give, so some of them would have come in.",
        f"{late:.0%} of the contacts became known later than they happened. Wrongly using the day "
        f"they happened would seem to gain {gain:+.3f}.",
    ]
    return {
        "rows": rows,
        "auroc": whole["stood"],
        "auroc_earlier": whole[str(EARLIER)],
        "auroc_later": dict(zip(map(str, LATER), later, strict=True)),
        "auroc_by_day_it_happened": whole["occurred"],
        "gain_by_day_it_happened": gain,
        "known_later_than_happened": late,
        "fault_from": fault,
        "alone": [dataclasses.asdict(one) for one in alone[:LISTED]],
        "suspects": [{"signal": name, "why": why} for name, why in suspects],
        "sentences": sentences,
    }


def some_rows(happened: NDArray[np.bool_], seed: int) -> Ints:
    """Rising positions of at most MOST_ROWS rows, at most half of them with the outcome."""
    rng = np.random.default_rng(seed)
    kept = []
    with_outcome, without = np.flatnonzero(happened), np.flatnonzero(~happened)
    for part, most in ((with_outcome, MOST_ROWS // 2), (without, MOST_ROWS - MOST_ROWS // 2)):
        kept.append(part if len(part) <= most else rng.choice(part, most, replace=False))
    return np.sort(np.concatenate(kept))


def as_it_happened(history: History) -> History:
    """The history as somebody sees it who forgets that things become known late.

    The latest version of every contact, taken as known on the day it happened.
    """
    contacts = history.contacts
    contacts = contacts.filter(pc.equal(contacts["superseded_day"], pa.scalar(NEVER, pa.int32())))
    place = contacts.schema.get_field_index("known_day")
    contacts = contacts.set_column(place, "known_day", contacts["occurred_day"])
    return dataclasses.replace(history, contacts=contacts.combine_chunks())


def late_share(history: Past, rows: Rows) -> float:
    """The share of the contacts of the rows' children that became known after they happened."""
    ids = np.asarray(rows.ids, dtype=object)

    def of_part(part: History, mine: Ints) -> list[tuple[int, int]]:
        contacts = part.contacts
        theirs = isin(contacts["person_id"], np.unique(ids[rows.person[mine]]).tolist())
        contacts = contacts.filter(pa.array(theirs))
        later = pc.greater(contacts["known_day"], contacts["occurred_day"])
        return [(pc.sum(later).as_py() or 0, contacts.num_rows)]

    columns = ("person_id", "known_day", "occurred_day")
    found = np.array([(0, 0), *of_parts(history, rows, of_part, columns)])
    late, contacts = found.sum(axis=0)
    return float(late / contacts) if contacts else 0.0
