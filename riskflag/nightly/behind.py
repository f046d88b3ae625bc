"""Finding the contacts behind the signals of flagged children, one child's records at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskflag.clock import day_number

if TYPE_CHECKING:
    from riskflag.nightly.inputs import Inputs
    from riskflag.nightly.records import Records


class Behind:
    """Answers which contacts made a signal's value; what was found of the last child is known."""

    def __init__(self, people: Records, inputs: Inputs) -> None:
        """`people` are the records of the children who are shown."""
        self._people = people
        self._inputs = inputs
        self._last: tuple[str | None, dict[str, Sequence[str]]] = (None, {})

    def ask(self, person_id: str, signals: Collection[str]) -> None:
        """Look several signals of a child up at once: the records are read only once."""
        from riskflag.signals.evidence import keys_behind

        known = self.known(person_id)
        new = sorted(name for name in signals if name not in known)
        rows = self._people.contacts.get(person_id, ()) if new else ()
        as_of = day_number(self._inputs.as_of)
        # A signal looks at few kinds of contacts: the others need not be gone through for each.
        here = {row["type"] for row in rows}
        of_types: dict[frozenset[str], list[dict[str, Any]]] = {}
        for name in new:
            signal = self._inputs.catalogue.by_name[name]
            types = signal.types & here
            if types not in of_types:
                of_types[types] = [row for row in rows if row["type"] in types]
            known[name] = keys_behind(signal, of_types[types], as_of)

    def __call__(self, person_id: str, signal: str) -> Sequence[str]:
        """The keys of the contacts behind a signal's value for a child, sorted."""
        self.ask(person_id, [signal])
        return self.known(person_id)[signal]

    def known(self, person_id: str) -> dict[str, Sequence[str]]:
        """What was found for a child so far, by signal; that of another child is forgotten."""
        if self._last[0] != person_id:
            self._last = (person_id, {})
        return self._last[1]

    def remember(self, person_id: str, known: Mapping[str, Sequence[str]]) -> None:
        """Take over what was found for a child elsewhere."""
        self._last = (person_id, dict(known))
