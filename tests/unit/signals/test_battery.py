"""Every signal of the catalogue on the histories that break signals: nothing, one, very many."""

from __future__ import annotations

import datetime as dt
import random

import pandas as pd
import pytest

from riskflag.history.store.view import History
from riskflag.signals import build, load_catalogue
from riskflag.signals.expression import Age
from riskflag.signals.terms import NUMBERS, terms
from tests.factories import contact_rows, person_rows
from tests.generative.worlds import same_bytes

AS_OF = dt.date(2024, 3, 1)
SHIPPED = load_catalogue().signals
TYPES = sorted(terms().types)


def row(person, kind, days, **more):
    """A contact that occurred and was known so many days before the as-of date."""
    day = AS_OF - dt.timedelta(days=days)
    return {"person_id": person, "type": kind, "occurred_on": day, **more}


def told(kind, chance):
    """Whatever a contact of this type may say."""
    attributes = terms()[kind].attributes.items()
    words = {name: chance.choice(values or ("site a",)) for name, values in attributes}
    return {**words, **{name: chance.choice((1.0, 2.5)) for name in NUMBERS}}


def mixed():
    chance = random.Random("battery")
    kinds = [chance.choice(TYPES) for _ in range(400)]
    return [
        row(f"child-{n % 7}", kind, chance.randrange(1, 800), **told(kind, chance))
        for n, kind in enumerate(kinds)
    ]


def values(rows, people, *, births=True, engine="kernel", dates=(AS_OF,)):
    born = [{"person_id": name, "birth_on": dt.date(2015, 5, 5)} for name in sorted(set(people))]
    history = History.of(contact_rows(rows), person_rows(born if births else []))
    asked = pd.DataFrame([(p, d) for p in people for d in dates], columns=["person_id", "as_of"])
    return build(history, asked, SHIPPED, engine=engine)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row("child-0", kind, 5) for kind in TYPES],
        [
            row(f"child-{n}", kind, 5, **told(kind, random.Random(n)))
            for n, kind in enumerate(TYPES)
        ],
    ],
    ids=["nothing", "nothing is said", "one each"],
)
@pytest.mark.parametrize("births", [True, False])
def test_of_nothing_of_one_and_of_what_says_nothing_both_engines_say_the_same(rows, births):
    """Unknown stays unknown: an empty record, contacts without attributes, no birth date."""
    people = [f"child-{n}" for n in range(len(TYPES))] + ["nobody"]
    found = values(rows, people, births=births)
    assert same_bytes(found, values(rows, people, births=births, engine="reference"))
    ages = found[[signal.name for signal in SHIPPED if isinstance(signal.of, Age)]]
    assert ages.shape[1] > 0
    assert births or ages.isna().to_numpy().all()


def test_order_subset_and_repetition_change_no_byte():
    """Rows delivered in another order, some people only, a person asked twice: the same values."""
    rows, people = mixed(), [f"child-{n}" for n in range(7)]
    whole = values(rows, people)
    again = list(rows)
    for number, one in enumerate(again, start=1):
        one |= {"contact_key": f"c{number:06d}", "record_id": f"r{number}"}
    random.Random(1).shuffle(again)
    assert same_bytes(values(again, people), whole)
    some = [people[3], people[1], people[3]]
    assert same_bytes(values(rows, some), whole.iloc[[3, 1, 3]])


@pytest.mark.long
def test_a_hundred_thousand_contacts_of_one_child_are_counted():
    """Nothing overflows and no shape of work differs; counts are what was put in."""
    rows = [row("child-0", TYPES[n % len(TYPES)], 1 + n % 1499) for n in range(100_000)]
    found = values(rows, ["child-0"])
    several = values(rows, ["child-0"], dates=(AS_OF - dt.timedelta(days=1), AS_OF))
    assert same_bytes(several.iloc[[1]], found)
    since = AS_OF - dt.timedelta(days=365)
    recent = [one for one in rows if one["type"] == "ed.attendance" and one["occurred_on"] >= since]
    assert found["ed_attendances_365d"].iloc[0] == len(recent) > 300
