"""Finding the contacts behind the signals of flagged children, one child's records at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from riskflag.clock import day_number

if TYPE_CHECKING:
    from riskflag.nightly.inputs import Inputs
    from riskflag.nightly.records import Records


class Behind:
    """Answers which contacts made a signal's value; what was asked for before is remembered."""

    def __init__(self, people: Records, inputs: Inputs) -> None:
        """`people` are the records of the children who are shown."""
        self._people = people
        self._inputs = inputs
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def ask(self, person_id: str, signals: Collection[str]) -> None:
        """Look several signals of a child up at once: the records are read only once."""
        from riskflag.signals.evidence import keys_behind

        new = sorted(name for name in signals if (person_id, name) not in self._known)
        rows = self._people.contacts.get(person_id, ()) if new else ()
        as_of = day_number(self._inputs.as_of)
        # A signal looks at few kinds of contacts: the others need not be gone through for each.
        of_types: dict[frozenset[str], list[dict[str, Any]]] = {}
        for name in new:
            signal = self._inputs.catalogue.by_name[name]
            if signal.types not in of_types:
                chosen = (row for row in rows if row["type"] in signal.types)
                of_types[signal.types] = [
                    {**row, "place": place} for place, row in enumerate(chosen)
                ]
            self._known[person_id, name] = keys_behind(signal, of_types[signal.types], as_of)

    def __call__(self, person_id: str, signal: str) -> tuple[str, ...]:
        """The keys of the contacts behind a signal's value for a child, sorted."""
        if (person_id, signal) not in self._known:
            self.ask(person_id, [signal])
        return self._known[person_id, signal]
