"""Generated histories and declarations, small and full of ties.

Days come from a few offsets around a few as-of dates and the edges of the windows, so that almost
every generated contact sits on the edge of something.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from riskflag import clock
from riskflag.history.view import History
from riskflag.signals import Signal
from riskflag.signals.expression import (
    COLUMNS,
    OF_NUMBER,
    OPERATIONS,
    UNITS,
    WITHOUT_ATTRIBUTE,
    Age,
    Aggregate,
    Difference,
    Ratio,
    Scaled,
    Selection,
)
from riskflag.signals.terms import LINKS, NUMBERS, terms
from tests.factories import contact_rows, person_rows, relationship_rows

BASE = clock.day_number(dt.date(2024, 3, 1))  # the day after a 29 February
AS_OFS = tuple(BASE + days for days in (-7, 0, 1, 7, 90))
WINDOWS = (1, 7, 30, 90, clock.ALL_HISTORY)
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
NUMBER_POOL = (None, 0.0, 0.1, 0.2, 1 / 3, 1.0, 2.5, -1.0, 1e12, 1e13, float("inf"), float("nan"))
WORDS = ("site a", "site b", "site c")

days = st.sampled_from(EDGES) | st.integers(BASE - 120, BASE + 100)


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


@st.composite
def version(draw, kind: str) -> dict:
    """What one version of a contact says."""
    allowed = terms()[kind].attributes
    said = {
        name: draw(st.sampled_from((None, *(values or WORDS)[:3])))
        for name, values in allowed.items()
    }
    numbers = {name: draw(st.sampled_from(NUMBER_POOL)) for name in NUMBERS}
    return {"occurred_on": clock.date_of(draw(days)), **said, **numbers}


@st.composite
def contact(draw, number: int) -> list[dict]:
    """One contact with up to three versions, each known later (or on the same day)."""
    kind = draw(st.sampled_from(TYPES))
    person = draw(st.sampled_from((*CHILDREN[:2], *OTHERS)))
    known = draw(days)
    rows = []
    for count in range(1, draw(st.sampled_from((1, 1, 1, 2, 3))) + 1):
        op = "retract" if count > 1 and draw(st.booleans()) else "assert"
        rows.append(
            {
                "contact_key": f"k{number}",
                "record_id": f"r{number}",
                "version": count,
                "op": op,
                "person_id": person,
                "type": kind,
                "agency": draw(st.sampled_from(("ed", "police", "school"))),
                "known_on": clock.date_of(known),
                **draw(version(kind)),
            }
        )
        known += draw(st.sampled_from((0, 1, 7, 30)))
    return rows


@st.composite
def person_versions(draw, person: str) -> list[dict]:
    """What was known of a birth date, and when: nothing, one date, or a correction."""
    births = (dt.date(2023, 3, 31), dt.date(2020, 2, 29), dt.date(2024, 4, 1), None)
    known, rows = draw(days), []
    for count in range(1, draw(st.sampled_from((0, 1, 1, 2))) + 1):
        rows.append(
            {
                "person_key": person,
                "person_id": person,
                "version": count,
                "birth_on": draw(st.sampled_from(births)),
                "known_on": clock.date_of(known),
            }
        )
        known += draw(st.sampled_from((1, 7)))
    return rows


@st.composite
def relationship(draw, number: int) -> dict:
    begins = draw(st.none() | days)
    ends = draw(st.none() | days)
    return {
        "relationship_key": f"l{number}",
        "person_id": draw(st.sampled_from(CHILDREN)),
        "related_id": draw(st.sampled_from((*OTHERS, "ben"))),
        "kind": draw(st.sampled_from(LINKS[1:])),
        "known_on": clock.date_of(draw(days)),
        "valid_from": None if begins is None else clock.date_of(begins),
        "valid_to": None if ends is None else clock.date_of(ends),
    }


@st.composite
def worlds(draw) -> World:
    contacts = [row for n in range(draw(st.integers(0, 12))) for row in draw(contact(n))]
    persons = [row for name in CHILDREN for row in draw(person_versions(name))]
    links = [draw(relationship(n)) for n in range(draw(st.integers(0, 3)))]
    return World(tuple(contacts), tuple(persons), tuple(links))


@st.composite
def selections(draw, *, quantity: bool = False, word: str | None = None) -> Selection:
    pool = [
        name
        for name in TYPES
        if (not quantity or terms()[name].quantity)
        and (word is None or word in terms()[name].attributes)
    ]
    types = tuple(draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3, unique=True)))
    links = tuple(draw(st.lists(st.sampled_from(LINKS), min_size=1, max_size=3, unique=True)))
    shared = set.intersection(*(set(terms()[name].attributes) for name in types))
    names = draw(st.lists(st.sampled_from(["agency", *sorted(shared)]), max_size=2, unique=True))
    where = tuple((name, draw(values_of(types, name))) for name in sorted(names))
    return Selection(types, links if draw(st.booleans()) else ("self",), where)


def values_of(types: tuple[str, ...], name: str) -> st.SearchStrategy:
    if name == "agency":
        good = ("ed", "police", "school")
    else:
        good = (Selection(types).values_of(name) or WORDS)[:3]
    return st.lists(st.sampled_from(good), min_size=1, max_size=2, unique=True).map(tuple)


@st.composite
def aggregates(draw) -> Aggregate:
    op = draw(st.sampled_from(OPERATIONS))
    window = (draw(st.sampled_from(WINDOWS)), draw(st.sampled_from(GAPS)))
    if op in WITHOUT_ATTRIBUTE:
        everything = op.startswith("days_since")
        days_, ending = (clock.ALL_HISTORY, 0) if everything else window
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
    lambda parts: (
        st.builds(Difference, parts, parts)
        | st.builds(Ratio, parts, parts)
        | st.builds(Scaled, parts, st.sampled_from((-1.0, 0.1, 1 / 3, 2.0)))
    ),
    max_leaves=3,
)


def signal(number: int, of: object) -> Signal:
    return Signal(f"s{number}", of, "What?", "Why.", "Test.", "none", "context", "several")


@st.composite
def declarations(draw) -> tuple[Signal, ...]:
    """Several signals; some share selections and windows, as in a catalogue, some are twins."""
    found = draw(st.lists(expressions, min_size=1, max_size=8))
    selection = draw(selections())
    shared = [Aggregate("count", selection, w, g) for w in WINDOWS for g in (0, 7)]
    found += draw(st.lists(st.sampled_from(shared), max_size=4))
    return tuple(signal(number, of) for number, of in enumerate(found))


def all_rows() -> pd.DataFrame:
    """Every child (one nobody has heard of among them) at every as-of date."""
    people = (*CHILDREN, *OTHERS, "nobody")
    rows = [(person, clock.date_of(day)) for person in people for day in AS_OFS]
    return pd.DataFrame(rows, columns=["person_id", "as_of"])


def same_bytes(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Whether two results are equal to the last bit, undefined values and zeros included."""
    x, y = (np.ascontiguousarray(one.to_numpy()) for one in (a, b))
    return x.shape == y.shape and bool((x.view(np.int64) == y.view(np.int64)).all())
