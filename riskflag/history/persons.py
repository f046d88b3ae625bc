"""Who is known about a person, from which day; and who counts as a child."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import NEVER, day_number
from riskflag.history.arrays import (
    Ints,
    Mask,
    codes,
    day_numbers,
    decoded,
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


def person_view(raw: pa.Table, relationships: pa.Table, groups: Pieces | None = None) -> pa.Table:
    """What is known of each person, merged over sources: one row per day it changed.

    A field keeps the last value any source gave; a source that says nothing about a field takes
    nothing away. `groups` say which ids were one person on which days. Sorted by person_id and
    known_day.
    """
    table = raw.filter(pa.array(asserted(raw))).combine_chunks()
    groups = groups or Pieces.none()
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
) -> pa.Array:
    """See History.child_ids."""
    ids, child = children_on(contacts, persons, relationships, np.array([as_of]))
    return ids.filter(pa.array(child[:, 0]))


def children_on(
    contacts: pa.Table, persons: pa.Table, relationships: pa.Table, days: Ints
) -> tuple[pa.Array, Mask]:
    """Everyone's id, sorted, and who counts as a child on which of the days: bool [people, days].

    See History.children for who does.
    """
    people, begin = _people(contacts)
    persons_of = encode(persons.column("person_id"))
    ids = _together(people, persons_of.dictionary)
    own, row = _among(people, ids), _among(persons_of.dictionary, ids)[codes(persons_of)]
    self_made = isin(contacts.column("link"), ["self"])
    facts = _Facts.of(persons)
    child = np.zeros((len(ids), len(days)), np.bool_)
    # Plain numbers, so that days are compared in the width they are kept in.
    for place, day in enumerate(days.tolist()):
        related = relationships.filter(pa.array(_visible(relationships, day)))
        in_contact, with_row = (np.zeros(len(ids), np.bool_) for _ in range(2))
        if len(people):
            seen = self_made & _visible(contacts, day)
            in_contact[own] = np.logical_or.reduceat(seen, begin)
        visible = _visible(persons, day)
        with_row[row[visible]] = True
        child[:, place] = in_contact & ~with_row
        if related.num_rows:
            child[isin(ids, _related_adults(related)), place] = False
        counts = visible & facts.young(day) & (facts.told | in_contact[row])
        child[row[counts], place] = True
    return ids, child


def _people(contacts: pa.Table) -> tuple[pa.Array, Ints]:
    """The different people of contacts sorted by person, and where the rows of each begin."""
    column = one(contacts.column("person_id"))
    column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    code = codes(column)
    begin = np.flatnonzero(np.concatenate([[len(code) > 0], code[1:] != code[:-1]]))
    return column.dictionary.take(pa.array(code[begin])).cast(pa.string()), begin


def _together(some: pa.Array, others: pa.Array) -> pa.Array:
    """All of two sorted lists, sorted."""
    if len(others) == 0 or some.equals(others):
        return some
    return encode(pa.concat_arrays([some, others])).dictionary


def _among(names: pa.Array, ids: pa.Array) -> Ints:
    """The place of each name in `ids`, which hold them all."""
    if len(names) == 0:
        return np.empty(0, np.int64)
    if len(names) == len(ids):
        return np.arange(len(ids))
    return np.asarray(pc.index_in(names, value_set=ids).to_numpy(zero_copy_only=False), np.int64)


@dataclass(frozen=True)
class _Facts:
    """What tells a child, for each row of the persons table.

    `told` is False for one whose birth is not known and whom only a first load has named.
    """

    kind: Mask
    birth: Ints
    death: Ints
    told: Mask

    @classmethod
    def of(cls, persons: pa.Table) -> _Facts:
        birth = numbers(persons.column("birth_day"), NEVER)
        always = numbers(persons.column("known_day"), 0) == ALWAYS
        death = numbers(persons.column("death_day"), NEVER)
        kind = isin(persons.column("kind"), ["child"])
        return cls(kind, birth, death, ~((birth == NEVER) & always))

    def young(self, day: int) -> Mask:
        """Whether a row is of a child on a day, as far as age and death tell."""
        unknown = self.birth == NEVER
        before = day < adult_from(np.where(unknown, 0, self.birth))
        return np.asarray(self.kind & (unknown | before) & (self.death >= day))


def _visible(table: pa.Table, as_of: int) -> npt.NDArray[np.bool_]:
    """riskflag.clock.visible for every row."""
    known, superseded = _days(table, "known_day"), _days(table, "superseded_day")
    return (known < as_of) & (as_of <= superseded)


def _days(table: pa.Table, name: str) -> npt.NDArray[np.int32]:
    """A day column as it lies in memory: a night looks at every contact's."""
    column = one(table.column(name))
    full = column.fill_null(NEVER) if column.null_count else column
    return np.asarray(full.to_numpy(zero_copy_only=False), np.int32)


def adult_from(birth: Ints) -> Ints:
    """The day number of the 18th birthday (1 March for one born on 29 February)."""
    day = birth.astype("M8[D]")
    month = day.astype("M8[M]")
    within = day - month.astype("M8[D]")
    birthday = (month + 12 * ADULT_AGE).astype("M8[D]") + within
    return np.asarray(birthday.astype(np.int64))
