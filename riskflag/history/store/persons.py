"""Who is known about a person, from which day; and who counts as a child."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

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
from riskflag.history.store.matches import Pieces, person_groups
from riskflag.history.store.versions import asserted

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


class Spans(NamedTuple):
    """The different people of a sorted column, and where the rows of each begin, and the end."""

    people: pa.Array
    starts: Ints
    #: Whether each person's rows stand together, and every row has a person.
    together: bool


def children_on(
    contacts: pa.Table,
    persons: pa.Table,
    relationships: pa.Table,
    days: Ints,
    *,
    own: Spans | None = None,
) -> tuple[pa.Array, Mask]:
    """Everyone's id, sorted, and who counts as a child on which of the days: bool [people, days].

    See History.children for who does. `own` are the spans of the contacts, where they are known.
    """
    people, starts, _ = own or spans_of(contacts.column("person_id"))
    seen = _seen(contacts, starts, days)
    if persons.num_rows == 0 and relationships.num_rows == 0:
        return people, seen
    persons_of = encode(persons.column("person_id"))
    ids = _together(people, persons_of.dictionary)
    place_of, row = _among(people, ids), _among(persons_of.dictionary, ids)[codes(persons_of)]
    facts = _Facts.of(persons)
    child = np.zeros((len(ids), len(days)), np.bool_)
    of_persons, of_links = _Clock.of(persons), _Clock.of(relationships)
    # Plain numbers, so that days are compared in the width they are kept in.
    for place, day in enumerate(days.tolist()):
        in_contact, with_row = (np.zeros(len(ids), np.bool_) for _ in range(2))
        in_contact[place_of] = seen[:, place]
        visible = of_persons.visible(day)
        with_row[row[visible]] = True
        child[:, place] = in_contact & ~with_row
        if relationships.num_rows:
            related = relationships.filter(pa.array(of_links.visible(day)))
            child[isin(ids, _related_adults(related)), place] = False
        counts = visible & facts.young(day) & (facts.told | in_contact[row])
        child[row[counts], place] = True
    return ids, child


def spans_of(person_ids: pa.ChunkedArray) -> Spans:
    """Of a sorted column; a person whose rows stand apart has several spans."""
    from riskflag.history.store.fast_people import begins

    column = one(person_ids)
    column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    code, names = codes(column), column.dictionary
    starts = np.empty(len(code) + 1, np.int64)
    starts = starts[: begins(code, starts) + 1]
    met = code[starts[:-1]]
    # As a history's own columns are: everybody the dictionary names, in order.
    everybody = np.array_equal(met, np.arange(len(names)))
    people = names if everybody else names.take(pa.array(met, mask=met < 0))
    together = everybody or (bool((met >= 0).all()) and len(np.unique(met)) == len(met))
    return Spans(people.cast(pa.string()), starts, together)


def _seen(contacts: pa.Table, starts: Ints, days: Ints) -> npt.NDArray[np.bool_]:
    """Whether any contact of a person's own is visible on a day: bool [people, days]."""
    from riskflag.history.store.fast_people import seen_on

    link = one(contacts.column("link"))
    link = link if pa.types.is_dictionary(link.type) else link.dictionary_encode()
    found = np.zeros((len(starts) - 1, len(days)), np.bool_)
    words = link.dictionary.to_pylist()
    own = codes(link), words.index("self") if "self" in words else -1
    clocks = _days(contacts, "known_day"), _days(contacts, "superseded_day")
    seen_on(starts, own, clocks, days.astype(np.int32), found.view(np.uint8))
    return found


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

    @cached_property
    def _grown(self) -> Ints:
        """From which day on each is an adult; never where the birth is not known."""
        unknown = self.birth == NEVER
        return np.where(unknown, NEVER, adult_from(np.where(unknown, 0, self.birth)))

    def young(self, day: int) -> Mask:
        """Whether a row is of a child on a day, as far as age and death tell."""
        return np.asarray(self.kind & (day < self._grown) & (self.death >= day))


class _Clock(NamedTuple):
    """The days on which each row of a table became known, and up to which it held."""

    known: npt.NDArray[np.int32]
    superseded: npt.NDArray[np.int32]

    @classmethod
    def of(cls, table: pa.Table) -> _Clock:
        return cls(_days(table, "known_day"), _days(table, "superseded_day"))

    def visible(self, as_of: int) -> npt.NDArray[np.bool_]:
        """riskflag.clock.visible for every row."""
        return (self.known < as_of) & (as_of <= self.superseded)


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
