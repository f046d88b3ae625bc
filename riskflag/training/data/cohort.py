"""The cohort: which children are asked about at each monthly as-of date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import NEVER, date_of, day_number
from riskflag.training.data.rows import Bools, Contacts, Ints, Past, Rows, integers

#: The birth day of a child whose date of birth is not recorded.
UNKNOWN_BIRTH = -NEVER


def month_starts(first: int, last: int) -> list[int]:
    """Day numbers of the first of each month from day `first` to day `last`, both included."""
    day = date_of(first).replace(day=1)
    starts = []
    while day_number(day) <= last:
        if day_number(day) >= first:
            starts.append(day_number(day))
        day = (day + dt.timedelta(days=32)).replace(day=1)
    return starts


@dataclass(frozen=True)
class People:
    """Versions of person records as columns; `person` are positions in the sorted `ids`."""

    ids: tuple[str, ...]
    person: Ints
    known: Ints
    superseded: Ints
    birth: Ints
    death: Ints
    child: Bools
    first_contact: Ints

    @classmethod
    def of(cls, history: Past) -> People:
        """The people of a history; `first_contact` [people] is when one was first known of each."""
        table = history.persons
        texts = table["person_id"].to_pylist()
        ids = tuple(sorted(set(texts)))
        place = {person: position for position, person in enumerate(ids)}
        kinds = table["kind"].to_pylist()
        return cls(
            ids,
            np.array([place[text] for text in texts], dtype=np.int64),
            integers(table["known_day"]),
            integers(table["superseded_day"]),
            integers(table["birth_day"], missing=UNKNOWN_BIRTH),
            integers(table["death_day"], missing=NEVER),
            np.array([kind == "child" for kind in kinds], dtype=bool),
            first_known(Contacts.of(history, ids), len(ids)),
        )

    def children(self, as_of: int, under_age: int) -> Ints:
        """Positions of the children known at `as_of`: born, alive, under age, in rising order.

        A child whose date of birth is not recorded is asked about too, once there is a contact:
        unknown is not grown up. An unborn child is not asked about here.
        """
        known = (self.known < as_of) & (as_of <= self.superseded)
        young = came_of_age(self.birth, under_age) > as_of
        unknown = self.birth == UNKNOWN_BIRTH
        young = np.where(unknown, self.first_contact[self.person] < as_of, young)
        alive = (self.birth < as_of) & (self.death >= as_of)
        return np.unique(self.person[known & self.child & young & alive])


def first_known(contacts: Contacts, people: int) -> Ints:
    """The first day on which a contact of each person was known (int64 [people]), else NEVER."""
    first = np.full(people, NEVER, dtype=np.int64)
    np.minimum.at(first, contacts.person, contacts.known)
    return first


def came_of_age(birth: Ints, years: int) -> Ints:
    """The day number of the birthday on which `years` are reached (1 March for 29 February)."""
    births = birth.astype("datetime64[D]")
    month = births.astype("datetime64[M]")
    offset = births - month.astype("datetime64[D]")
    then = (month + np.timedelta64(12 * years, "M")).astype("datetime64[D]") + offset
    return np.asarray(then.astype(np.int64))


def build_rows(
    people: People,
    plans: Contacts,
    as_ofs: Sequence[int],
    under_age: int,
) -> Rows:
    """One row per child and as-of date, without children on an open plan of `plans` that day.

    Whether a plan is open is judged by what was known that day, as the night would.
    """
    persons, days = [], []
    for as_of in sorted(as_ofs):
        chosen = people.children(as_of, under_age)
        chosen = chosen[~open_at(plans, as_of, len(people.ids))[chosen]]
        persons.append(chosen)
        days.append(np.full(len(chosen), as_of, dtype=np.int64))
    empty: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    return Rows(people.ids, np.concatenate(persons or empty), np.concatenate(days or empty))


def open_at(plans: Contacts, as_of: int, people: int) -> Bools:
    """Whether each person (bool [people]) has an interval open at `as_of` as known that day."""
    seen = plans.visible(as_of)
    running = (seen.occurred < as_of) & (seen.ended >= as_of)
    found = np.zeros(people, dtype=bool)
    found[seen.person[running]] = True
    return found
