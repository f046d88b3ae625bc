"""Generated histories and declarations, small and full of ties.

Days come from a few offsets around a few as-of dates and the edges of the windows, so that almost
every generated contact sits on the edge of something.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from riskflag import clock
from riskflag.history.store.view import History
from riskflag.signals import Signal
from riskflag.signals.expression import (
    COLUMNS,
    FOLLOWED,
    OF_NUMBER,
    OPERATIONS,
    UNITS,
    WITHIN,
    WITHOUT_ATTRIBUTE,
    WITHOUT_WINDOW,
    Age,
    Aggregate,
    Difference,
    Ratio,
    Scaled,
    Selection,
    Within,
)
from riskflag.signals.terms import LINKS, NUMBERS, terms
from tests.factories import contact_rows, person_rows, relationship_rows

BASE = clock.day_number(dt.date(2024, 3, 1))  # the day after a 29 February
AS_OFS = tuple(BASE + days for days in (-7, 0, 1, 7, 90))
WINDOWS = (90, clock.ALL_HISTORY, 30, 7, 1)
GAPS = (0, 0, 1, 7, 30)
EDGES = sorted({a + d for a in AS_OFS for w in (0, 1, 7, 30, 90) for d in (-w - 1, -w, -w + 1)})
TYPES = (
    "ed.attendance",
    "missing.episode",
    "hospital.admission",
    "school.absence",
    "police.da_incident",
    "care.visit",
)
CHILDREN = ("anna", "ben", "cleo")
OTHERS = ("mother", "brother")
WHOSE = ("anna", "mother", "ben", "anna", "brother", "anna", "mother")
NUMBER_POOL = (1.0, 0.1, 0.2, 1 / 3, None, 0.0, 2.5, -1.0, 1e9, 1e10, math.inf, math.nan)
WORDS = ("site a", "site b", "site c")

#: Half of all generated days are edges, half anything near them.
DAYS = (*EDGES, *range(BASE - 100, BASE + 100, 200 // len(EDGES)))
#: Most contacts become known within a day of an as-of date, one way or the other.
KNOWN = (*(a + d for a in AS_OFS for d in (-30, -1, 0, 0, 1)), *EDGES[::5])
AGENCIES = ("ed", "police", "school")
FAR_AHEAD = clock.date_of(BASE + 400)


@dataclass(frozen=True)
class World:
    """Raw rows as an agency's deliveries would have left them."""

    contacts: tuple[dict, ...]
    persons: tuple[dict, ...]
    relationships: tuple[dict, ...]

    @cached_property
    def history(self) -> History:
        return History.of(
            contact_rows(self.contacts),
            person_rows(self.persons),
            relationship_rows(self.relationships),
        )

    def as_known_before(self, as_of: int) -> World:
        """The world without anything first known on or after `as_of`."""
        limit = clock.date_of(as_of)
        parts = (self.contacts, self.persons, self.relationships)
        return World(*(tuple(row for row in part if row["known_on"] < limit) for part in parts))

    def with_ends_before(self, as_of: int) -> World:
        """The world in which an end on or after `as_of` has not been told: the contact is open."""
        limit = clock.date_of(as_of)
        still_open = {"ended_on": None, "open_ended": True, "duration_days": None}
        told = tuple(
            {**row, **still_open} if row["ended_on"] and row["ended_on"] >= limit else row
            for row in self.contacts
        )
        return World(told, self.persons, self.relationships)

    def quiet_from(self) -> dt.date:
        """The first day on which nothing new can become known or begin to count."""
        dates = [BASE, *(clock.day_number(row["occurred_on"]) for row in self.contacts)]
        for part in (self.contacts, self.persons, self.relationships):
            dates += [clock.day_number(row["known_on"]) for row in part]
        return clock.date_of(max(dates) + 1)


class Dice:
    """Picks from pools by the digits of one drawn number: one draw makes a whole contact.

    Drawing each field by itself takes Hypothesis ten times as long; zero still shrinks to the
    first of every pool.
    """

    def __init__(self, drawn: bytes) -> None:
        self._left = int.from_bytes(drawn)

    def pick(self, pool: Sequence[Any]) -> Any:
        self._left, place = divmod(self._left, len(pool))
        return pool[place]

    def some(self, pool: Sequence[Any], most: int) -> tuple[Any, ...]:
        """One or more of a pool, each once."""
        left = list(pool)
        size = self.pick(range(1, min(most, len(left)) + 1))
        return tuple(left.pop(self.pick(range(len(left)))) for _ in range(size))

    def date(self) -> dt.date:
        return clock.date_of(self.pick(DAYS))


@st.composite
def dice(draw, sizes: Sequence[int], digits: int) -> list[Dice]:
    """As many dice as one of the sizes says, each for that many bytes' worth of picks."""
    size = draw(st.sampled_from(sizes))
    drawn = draw(st.binary(min_size=size * digits, max_size=size * digits))
    return [Dice(drawn[place : place + digits]) for place in range(0, len(drawn), digits)]


def contact(number: int, die: Dice) -> Iterator[dict]:
    """One contact with up to three versions, each known later or on the same day."""
    kind, person, known = die.pick(TYPES), die.pick(WHOSE), die.pick(KNOWN)
    for count in range(1, die.pick((1, 1, 1, 2, 3)) + 1):
        yield {
            "contact_key": f"k{number}",
            "record_id": f"r{number}",
            "version": count,
            "op": die.pick(("assert", "assert", "retract")) if count > 1 else "assert",
            "person_id": person,
            "type": kind,
            "agency": die.pick(AGENCIES),
            "occurred_on": die.date(),
            "known_on": clock.date_of(known),
            **end(die),
            **{name: die.pick(NUMBER_POOL) for name in NUMBERS},
            **{
                name: die.pick((*(values or WORDS)[:2], None))
                for name, values in terms()[kind].attributes.items()
            },
        }
        known += die.pick((0, 1, 7, 30))


def end(die: Dice) -> dict:
    """An end, at times far ahead, or none because the contact is open or because nobody says."""
    near = die.date()
    ended = die.pick((near, near, near, FAR_AHEAD))
    open_ended = die.pick((False, True))
    return {"ended_on": die.pick((ended, ended, None)), "open_ended": open_ended}


def person_versions(person: str, die: Dice) -> Iterator[dict]:
    """What was known of a birth date, and when: nothing, one date, or a correction."""
    births = (dt.date(2023, 3, 31), dt.date(2020, 2, 29), dt.date(2024, 4, 1), None)
    known = die.pick(KNOWN)
    for count in range(1, die.pick((1, 0, 2)) + 1):
        yield {
            "person_key": person,
            "person_id": person,
            "version": count,
            "birth_on": die.pick(births),
            "known_on": clock.date_of(known),
        }
        known += die.pick((1, 7))


def relationship(number: int, die: Dice) -> dict:
    return {
        "relationship_key": f"l{number}",
        "person_id": die.pick(("anna", *CHILDREN)),
        "related_id": die.pick((*OTHERS, "ben")),
        "kind": die.pick(LINKS[1:]),
        "known_on": clock.date_of(die.pick(KNOWN)),
        "valid_from": die.pick((None, None, die.date())),
        "valid_to": die.pick((None, None, None, die.date())),
    }


@st.composite
def worlds(draw) -> World:
    contacts = draw(dice((16, 30, 8, 1, 0), 28))
    persons = zip(CHILDREN, draw(dice((len(CHILDREN),), 4)), strict=True)
    links = draw(dice((3, 0, 6), 8))
    return World(
        tuple(row for n, die in enumerate(contacts) for row in contact(n, die)),
        tuple(row for name, die in persons for row in person_versions(name, die)),
        tuple(relationship(n, die) for n, die in enumerate(links)),
    )


@cache
def pool_of(quantity: bool, word: str | None) -> tuple[str, ...]:
    """The types whose contacts may have a quantity, or may say the word."""
    return tuple(
        name
        for name in TYPES
        if (not quantity or terms()[name].quantity)
        and (word is None or word in terms()[name].attributes)
    )


@st.composite
def selections(draw, *, quantity: bool = False, word: str | None = None) -> Selection:
    die = Dice(draw(st.binary(min_size=20, max_size=20)))
    types = die.some(pool_of(quantity, word), 6)
    links = die.some(LINKS, 3)
    shared = set.intersection(*(set(terms()[name].attributes) for name in types))
    few = die.pick((0, 0, 1, 2))
    names = die.some(("agency", *sorted(shared)), few) if few else ()
    where = tuple((name, die.some(values_of(types, name), 2)) for name in sorted(names))
    return Selection(types, die.pick((("self",), LINKS, links)), where)


def values_of(types: tuple[str, ...], name: str) -> tuple[str, ...]:
    if name == "agency":
        return AGENCIES
    return (Selection(types).values_of(name) or WORDS)[:3]


@st.composite
def aggregates(draw, ops: Sequence[str] = OPERATIONS) -> Aggregate:
    op = draw(st.sampled_from(ops))
    window = (draw(st.sampled_from(WINDOWS)), draw(st.sampled_from(GAPS)))
    if op in WITHIN:
        within = min(draw(st.sampled_from((7, 1, 3, 30))), window[0])
        then = draw(selections()) if op in FOLLOWED else None
        return Within(op, draw(selections()), *window, within=within, then=then)
    if op in WITHOUT_ATTRIBUTE:
        days_, ending = (clock.ALL_HISTORY, 0) if op in WITHOUT_WINDOW else window
        return Aggregate(op, draw(selections()), days_, ending)
    if op in OF_NUMBER:
        name = draw(st.sampled_from(NUMBERS))
        return Aggregate(op, draw(selections(quantity=name == "quantity")), *window, name)
    word = draw(st.sampled_from((*COLUMNS, "category", "organisation", "voice")))
    selection = draw(selections(word=None if word in COLUMNS else word))
    return Aggregate(op, selection, *window, word)


leaves = aggregates() | st.sampled_from(UNITS).map(Age)
expressions = st.recursive(
    leaves,
    lambda of: (
        st.builds(Difference, of, of)
        | st.builds(Ratio, of, of)
        | st.builds(Scaled, of, st.sampled_from((-1.0, 0.1, 1 / 3, 2.0)))
    ),
    max_leaves=3,
)
PAIRS = tuple(itertools.combinations((*OPERATIONS, "age", "scaled"), 2))
#: Five pairs at a time: one draw of a handful is far cheaper than a draw of each.
HANDFULS = tuple(PAIRS[first::35] for first in range(35))


@st.composite
def parts(draw, op: str) -> Aggregate | Age | Scaled:
    """Something with this operation."""
    if op == "age":
        return Age(draw(st.sampled_from(UNITS)))
    if op == "scaled":
        return Scaled(draw(aggregates()), 0.1)
    return draw(aggregates([op]))


def signal(number: int, of: object) -> Signal:
    return Signal(f"s{number}", of, "What?", "Why.", "Test.", "none", "context", "several")


@st.composite
def declarations(draw, handful: tuple[tuple[str, str], ...] = ()) -> tuple[Signal, ...]:
    """Several signals; some share selections and windows, as in a catalogue, some are twins.

    Among them is a signal for each pair of operations of a handful, drawn unless given.
    """
    found = draw(st.lists(expressions, min_size=1, max_size=4))
    for two in handful or draw(st.sampled_from(HANDFULS)):
        together = draw(st.sampled_from((Difference, Ratio)))
        found.append(together(*(draw(parts(op)) for op in two)))
    selection = draw(selections())
    shared = [Aggregate("count", selection, w, g) for w in WINDOWS for g in (0, 7)]
    found += draw(st.lists(st.sampled_from(shared), max_size=4))
    return tuple(signal(number, of) for number, of in enumerate(found))


def all_rows() -> pd.DataFrame:
    """Every child (one nobody has heard of among them) at every as-of date."""
    people = (*CHILDREN, "nobody")
    rows = [(person, clock.date_of(day)) for person in people for day in AS_OFS]
    return pd.DataFrame(rows, columns=["person_id", "as_of"])


def same_bytes(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Whether two results are equal to the last bit, undefined values and zeros included."""
    x, y = (np.ascontiguousarray(one.to_numpy()) for one in (a, b))
    return x.shape == y.shape and bool((x.view(np.int64) == y.view(np.int64)).all())
