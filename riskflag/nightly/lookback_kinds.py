"""Days of one kind: every comparison of a rule and every split of the model comes out alike.

A rule compares a signal with a number and a tree splits it at one, so neither tells two values
apart that lie between the same of these numbers. Of the days of a childhood few are of a kind of
their own: rules and model are asked about one day of each, and say the same of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from riskflag.fast_hash import compiled

if TYPE_CHECKING:
    from riskflag.scoring.model import Model
    from riskflag.scoring.rulebook import Rulebook

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_NUMBERS = re.compile(r"^(split_feature|threshold)=(.*)$", re.MULTILINE)
#: "Never" is another number to the model than to a rule, and so a kind of its own.
_NEVER = (-np.inf, np.inf)


@dataclass(frozen=True)
class Cuts:
    """The numbers with which signals are compared.

    Those of the table's column `columns[j]` stand in `cuts` from `starts[j]` to `starts[j + 1]`,
    ascending.
    """

    columns: Ints
    starts: Ints
    cuts: Floats

    @classmethod
    def of(cls, names: tuple[str, ...], rulebook: Rulebook | None, model: Model | None) -> Cuts:
        """Of rules and a model, or one of them; `names` are the columns of the table of signals."""
        found: dict[str, set[float]] = {}
        compared = _compared(rulebook) if rulebook else ()
        for name, number in (*compared, *(_split(model) if model else ())):
            found.setdefault(name, set(_NEVER)).add(number)
        columns = [place for place, name in enumerate(names) if name in found]
        each = [sorted(found[names[place]]) for place in columns]
        ends = np.cumsum([0, *map(len, each)])
        return cls(np.array(columns, np.int64), ends.astype(np.int64), np.concatenate(each or [[]]))

    def kinds(self, values: Floats, complete: Bools) -> tuple[Ints, Ints]:
        """The first day of each kind, and for each day the number of its kind."""
        sides = np.empty((len(values), len(self.columns)), np.int32)
        begins = np.empty(len(values), np.bool_)
        _between(values, complete, (self.columns, self.starts, self.cuts), sides, begins)
        runs = np.flatnonzero(begins)
        number: dict[bytes, int] = {}
        of_run = [number.setdefault(sides[run].tobytes(), len(number)) for run in runs]
        _, first = np.unique(of_run, return_index=True)
        return runs[first], np.array(of_run, np.int64)[np.cumsum(begins) - 1]


def _compared(rulebook: Rulebook) -> Iterator[tuple[str, float]]:
    """Each signal with a number that some rule compares it with."""
    for rule in rulebook.rules:
        yield from ((str(leaf.signal), leaf.threshold) for leaf, _ in rule.when.comparisons)


def _split(model: Model) -> Iterable[tuple[str, float]]:
    """Each signal with a number that some tree splits it at, from the model's own text."""
    features: list[int] = []
    for name, told in _NUMBERS.findall(model.text):
        if name == "split_feature":
            features = [int(one) for one in told.split()]
        else:
            for column, threshold in zip(features, told.split(), strict=True):
                yield model.names[column], float(threshold)


@compiled
def _between(
    values: Floats,
    complete: Bools,
    cuts: tuple[Ints, Ints, Floats],
    sides: NDArray[np.int32],
    begins: Bools,
) -> None:
    """Write between which cuts each value lies, and which rows are of another kind than the last.

    A side is twice the number of cuts below the value, one more on a cut, and -1 for unknown;
    then twice that, and one more where the value is not complete.
    """
    columns, starts, numbers = cuts
    for row in range(values.shape[0]):
        other = row == 0
        for j in range(columns.shape[0]):
            column = columns[j]
            value, partial = values[row, column], not complete[row, column]
            same = row > 0 and value == values[row - 1, column]
            if same and complete[row, column] == complete[row - 1, column]:
                sides[row, j] = sides[row - 1, j]
                continue
            # A value is mostly near that of the day before.
            place = starts[j] if row == 0 else starts[j] + max(sides[row - 1, j] >> 2, 0)
            side = -1
            if not np.isnan(value):
                while place < starts[j + 1] and numbers[place] < value:
                    place += 1
                while place > starts[j] and numbers[place - 1] >= value:
                    place -= 1
                side = 2 * (place - starts[j])
                if place < starts[j + 1] and numbers[place] == value:
                    side += 1
            side = 2 * side + (1 if partial else 0)
            sides[row, j] = side
            other = other or side != sides[row - 1, j]
        begins[row] = other
