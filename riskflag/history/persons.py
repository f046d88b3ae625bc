"""Who is known about a person, from which day; and who counts as a child."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riskflag.clock import NEVER, day_number
from riskflag.history.arrays import (
    Ints,
    Mask,
    day_numbers,
    decoded,
    distinct,
    encode,
    group_starts,
    in_order_of,
    isin,
    numbers,
    one,
    ranks,
)
from riskflag.history.hashing import joined
from riskflag.history.matches import Pieces, person_groups
from riskflag.history.versions import asserted

#: The known day of undated facts of a first load (a birth month, who the mother is): assumed to
#: have been known all along. What such a fact reaches is still known only from its own day.
ALWAYS = day_number(dt.date(1900, 1, 1))
ADULT_AGE = 18
#: Being related to a child in one of these ways makes someone an adult unless a source differs.
ADULT_KINDS = ("mother", "parent", "household_adult", "carer")

_TEXTS = ("sex", "ethnicity", "disability", "given_name", "family_name")


def person_view(raw: pa.Table, relationships: pa.Table, groups: Pieces) -> pa.Table:
    """What is known of each person, merged over sources: one row per day it changed.

    A field keeps the last value any source gave; a source that says nothing about a field takes
    nothing away. `groups` say which ids were one person on which days. Sorted by person_id and
    known_day.
    """
    table = raw.filter(pa.array(asserted(raw))).combine_chunks()
    taken, known, names, ends = person_groups(table, groups)
    stated = numbers(table.column("known_on"), NEVER)[taken]
    table = table.take(pa.array(taken)) if groups else table
    # A person whom someone joins or leaves begins anew: one group of rows per such stretch.
    person = ranks(joined([names, pa.array(ends)])) if groups else ranks(names)
    order = np.lexsort(
        (
            ranks(table.column("row_hash")),
            numbers(table.column("version"), 0),
            ranks(table.column("source")),
            stated,
            known,
            person,
        )
    )
    table, names = table.take(pa.array(order)), names.take(pa.array(order))
    person, known, ends = person[order], known[order], ends[order]
    filled = _carried_forward(table, group_starts(person))
    last = np.ones(len(person), np.bool_)
    last[:-1] = group_starts(person, known)[1:]
    rows = np.flatnonzero(last)
    superseded = ends[rows]
    if len(rows):
        same = ~group_starts(person[rows])[1:]
        superseded[:-1][same] = known[rows][1:][same]
    view = pa.table(
        {
            "person_id": encode(names.take(pa.array(rows))),
            "known_day": pa.array(known[rows], pa.int32()),
            "superseded_day": pa.array(superseded, pa.int32()),
            **{name: column.take(pa.array(rows)) for name, column in filled.items()},
        }
    )
    view = _with_kind(view, relationships)
    return in_order_of(view, ["person_id", "known_day"]) if groups else view


def _carried_forward(table: pa.Table, starts: Mask) -> dict[str, pa.Array]:
    """Each field with its last stated value within the person, rows sorted."""
    size = table.num_rows
    first = np.maximum.accumulate(np.where(starts, np.arange(size), 0)) if size else np.zeros(0)

    def carried(array: pa.Array, stated: Mask) -> pa.Array:
        if size == 0:
            return array
        last = np.maximum.accumulate(np.where(stated, np.arange(size), -1))
        return array.take(pa.array(last, pa.int64(), mask=last < first))

    birth = day_numbers(table.column("birth_on"))
    has_birth = np.asarray(birth.is_valid())
    death, kind = day_numbers(table.column("death_on")), one(table.column("kind"))
    precision = one(carried(one(table.column("birth_precision")), has_birth))
    filled = {
        "birth_day": carried(birth, has_birth),
        "birth_precision": encode(precision.fill_null("unknown")),
        "death_day": carried(death, np.asarray(death.is_valid())),
        "kind": carried(kind, np.asarray(kind.is_valid())),
    }
    for name in _TEXTS:
        text = one(table.column(name))
        filled[name] = encode(carried(text, np.asarray(text.is_valid())))
    return filled


def _with_kind(view: pa.Table, relationships: pa.Table) -> pa.Table:
    """The stated kind, or adult for a child's parent of unknown birth, or child."""
    stated = one(view.column("kind"))
    implied = isin(decoded(view.column("person_id")), _related_adults(relationships))
    implied &= np.asarray(one(view.column("birth_day")).is_null())
    default = pa.array(np.where(implied, "adult", "child").tolist(), pa.string())
    kind = encode(pa.array(stated.fill_null(default)))
    return view.set_column(view.schema.get_field_index("kind"), "kind", kind)


def _related_adults(relationships: pa.Table) -> pa.Array:
    """Everyone who is a parent, carer or adult of the household of some child."""
    rows = isin(decoded(relationships.column("kind")), ADULT_KINDS)
    return decoded(relationships.column("related_id")).filter(pa.array(rows)).unique()


def children_at(
    contacts: pa.Table, persons: pa.Table, relationships: pa.Table, as_of: int
) -> list[str]:
    """See History.children."""
    own = isin(contacts.column("link"), ["self"]) & _visible(contacts, as_of)
    in_contact = distinct(contacts.column("person_id"), own)
    people = persons.filter(pa.array(_visible(persons, as_of)))
    ids = decoded(people.column("person_id"))
    birth, known = (
        numbers(people.column("birth_day"), NEVER),
        numbers(people.column("known_day"), 0),
    )
    unknown_birth = birth == NEVER
    counts = isin(people.column("kind"), ["child"])
    counts &= unknown_birth | (as_of < _adult_from(np.where(unknown_birth, 0, birth)))
    counts &= numbers(people.column("death_day"), NEVER) >= as_of
    counts &= ~(unknown_birth & (known == ALWAYS)) | isin(ids, in_contact)
    without_row = in_contact.filter(pa.array(~isin(in_contact, ids)))
    related = relationships.filter(pa.array(_visible(relationships, as_of)))
    without_row = without_row.filter(pa.array(~isin(without_row, _related_adults(related))))
    return sorted([*ids.filter(pa.array(counts)).to_pylist(), *without_row.to_pylist()])


def _visible(table: pa.Table, as_of: int) -> npt.NDArray[np.bool_]:
    """riskflag.clock.visible for every row."""
    known = numbers(table.column("known_day"), NEVER)
    superseded = numbers(table.column("superseded_day"), NEVER)
    return (known < as_of) & (as_of <= superseded)


def _adult_from(birth: Ints) -> Ints:
    """The day number of the 18th birthday (1 March for one born on 29 February)."""
    day = birth.astype("M8[D]")
    month = day.astype("M8[M]")
    within = day - month.astype("M8[D]")
    birthday = (month + 12 * ADULT_AGE).astype("M8[D]") + within
    return np.asarray(birthday.astype(np.int64))
