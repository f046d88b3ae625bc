"""Finding the contacts behind the signals of flagged children, one child's records at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from riskflag.history.view import History
    from riskflag.nightly.inputs import Inputs


class Behind:
    """Answers which contacts made a signal's value; what was asked for before is remembered."""

    def __init__(self, near: History, inputs: Inputs) -> None:
        """`near` is the history of the children who are shown."""
        self._near = near
        self._inputs = inputs
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}
        people = np.asarray(near.contacts["person_id"].to_pandas().astype(str))
        edges = np.flatnonzero(people[1:] != people[:-1]) + 1
        starts: list[int] = [0, *edges.tolist()] if len(people) else []
        self._slices = {
            str(people[start]): (start, stop)
            for start, stop in zip(starts, [*starts[1:], len(people)], strict=False)
        }

    def ask(self, person_id: str, signals: Collection[str]) -> None:
        """Look several signals of a child up at once: the records are read only once."""
        from riskflag.signals.evidence import evidence_many

        new = sorted(name for name in signals if (person_id, name) not in self._known)
        start, stop = self._slices.get(person_id, (0, 0))
        own = dataclasses.replace(
            self._near, contacts=self._near.contacts.slice(start, stop - start)
        )
        wanted = [self._inputs.catalogue.by_name[name] for name in new]
        found = evidence_many(own, person_id, self._inputs.as_of, wanted) if new else {}
        for name, rows in found.items():
            self._known[person_id, name] = tuple(sorted(set(rows["contact_key"].to_pylist())))

    def __call__(self, person_id: str, signal: str) -> tuple[str, ...]:
        """The keys of the contacts behind a signal's value for a child, sorted."""
        if (person_id, signal) not in self._known:
            self.ask(person_id, [signal])
        return self._known[person_id, signal]
