"""A year told again: what each night stored is what the whole record says of that night."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskflag import clock
from riskflag.history.store.view import History
from riskflag.signals import compute, load_catalogue
from riskflag.signals.asked import every_day
from riskflag.signals.fast import Kernel
from riskflag.signals.terms import LINKS, NUMBERS, terms
from tests.factories import contact_rows, person_rows, relationship_rows

FIRST = dt.date(2023, 9, 1)
SIGNALS = load_catalogue().signals


def versions(chance: random.Random, number: int, person: str, nights: int) -> Iterator[dict]:
    """A contact, known at once or late, with corrections or a retraction after it."""
    kind = chance.choice(sorted(terms().types))
    occurred = FIRST + dt.timedelta(days=chance.randrange(-400, nights))
    known = occurred + dt.timedelta(days=chance.choice((0, 0, 0, 1, 3, 30, 200)))
    for version in range(1, chance.choice((1, 1, 1, 2, 3)) + 1):
        ended = occurred + dt.timedelta(days=chance.randrange(90))
        yield {
            "contact_key": f"k{number}",
            "version": version,
            "op": chance.choice(("assert", "retract")) if version > 1 else "assert",
            "person_id": person,
            "type": kind,
            "occurred_on": occurred,
            "known_on": known,
            "ended_on": chance.choice((ended, None)),
            "open_ended": chance.random() < 0.5,
            **{name: chance.choice((None, 0.1, 2.5, 30.0)) for name in NUMBERS},
            **{
                name: chance.choice((*(values or ("site a", "site b"))[:3], None))
                for name, values in terms()[kind].attributes.items()
            },
        }
        known += dt.timedelta(days=chance.choice((0, 1, 7, 60)))


def deliveries(children: int, nights: int) -> dict[str, pa.Table]:
    """Raw rows as a year's deliveries leave them: some first known on almost every night."""
    chance = random.Random(f"replay {children} {nights}")
    names = [f"child-{number:05d}" for number in range(children)]

    def some_day() -> dt.date:
        return FIRST + dt.timedelta(days=chance.randrange(-30, nights))

    contacts = [
        row
        for number in range(12 * children)
        for row in versions(chance, number, chance.choice(names), nights)
    ]
    persons = [
        {
            "person_key": name,
            "person_id": name,
            "version": version,
            "birth_on": FIRST - dt.timedelta(days=chance.randrange(30, 6200)),
            "known_on": FIRST + dt.timedelta(days=(version - 1) * chance.randrange(nights)),
        }
        for name in names
        for version in range(1, chance.choice((1, 1, 2)) + 1)
    ]
    links = [
        {
            "relationship_key": f"l{number}",
            "person_id": name,
            "related_id": chance.choice(names),
            "kind": chance.choice(LINKS[1:]),
            "known_on": some_day(),
        }
        for number, name in enumerate(names)
    ]
    return {
        "contacts": contact_rows(contacts),
        "persons": person_rows(persons),
        "relationships": relationship_rows(links),
    }


def known_before(tables: dict[str, pa.Table], as_of: dt.date) -> History:
    """All that had been delivered when the night of `as_of` began, and nothing else."""
    return History.of(
        **{
            name: table.filter(pc.less(table.column("known_on"), as_of))
            for name, table in tables.items()
        }
    )


def stored(tables: dict[str, pa.Table], days: list[dt.date]) -> list[dict[str, int]]:
    """What each night made of each child, night after night."""
    engine, found = Kernel(threads=1), []
    for day in days:
        history = known_before(tables, day)
        table = compute(history, history.children(day), as_of=day, signals=SIGNALS, engine=engine)
        found.append(dict(zip(table.person_ids, map(mark, table.values), strict=True)))
    return found


def mark(values: np.ndarray) -> int:
    return hash(values.tobytes())


def told_again(tables: dict[str, pa.Table], days: list[dt.date]) -> list[dict[str, int]]:
    """The same of every night at once, from the record as it stands at the end."""
    whole = History.of(**tables)
    numbers = np.array([clock.day_number(day) for day in days], dtype=np.int64)
    people = whole.person_ids()
    blocks = Kernel(threads=1).blocks(whole, SIGNALS, every_day(people, numbers), len(days))
    marks = {name: list(map(mark, block)) for name, block in zip(people, blocks, strict=True)}
    return [
        {name: marks[name][place] for name in whole.children(day)} for place, day in enumerate(days)
    ]


def check_replay(children: int, nights: int) -> int:
    """How many child-nights were stored and told again alike; each night something was new."""
    tables = deliveries(children, nights)
    days = [FIRST + dt.timedelta(days=night) for night in range(1, nights + 1)]
    by_night, again = stored(tables, days), told_again(tables, days)
    for day, one, other in zip(days, by_night, again, strict=True):
        assert one == other, day
    changed = sum(a != b for a, b in pairwise(by_night))
    assert changed > nights / 2
    return sum(map(len, by_night))


def test_a_month_of_nights_told_again_is_what_was_stored():
    """Every signal of the catalogue: as delivered night by night, and from the whole record."""
    assert check_replay(20, 30) > 400


@pytest.mark.long
def test_365_nights_of_2_000_children_told_again_are_what_was_stored():
    """No night saw anything that the record did not hold then, and none would say otherwise."""
    assert check_replay(2_000, 365) > 700_000


def test_the_replay_would_see_a_record_that_forgot_when_things_became_known():
    """Negative control: with the day it occurred for the day it became known, nights differ."""
    tables = deliveries(20, 5)
    days = [FIRST + dt.timedelta(days=night) for night in range(1, 6)]
    contacts = tables["contacts"]
    forgot = contacts.set_column(
        contacts.schema.get_field_index("known_on"), "known_on", contacts.column("occurred_on")
    )
    assert stored(tables, days) != told_again({**tables, "contacts": forgot}, days)
