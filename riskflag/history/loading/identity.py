"""Whose record is it: exact resolution of identifiers to persons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import NEVER
from riskflag.history.arrays import Mask, decoded, group_starts, isin, numbers, one, ranks
from riskflag.history.hashing import digests, joined
from riskflag.history.loading.adapt_people import identifier_keys
from riskflag.history.loading.snapshot import latest
from riskflag.history.loading.text_forms import match_form
from riskflag.history.store.matches import MADE
from riskflag.history.store.versions import asserted

#: An identifier held by one person for a time: (first day, last day, person).
Holding = tuple[int, int, str]


@dataclass(frozen=True)
class Identities:
    """Who each identifier belongs to. Identifiers that two persons claim resolve to nobody.

    `dated` holds those whose days count: temporary pupil numbers, and identifiers that were given
    to a second person after the first had ceased to hold them.
    """

    names: pa.Array
    persons: pa.Array
    disputed: pa.Array
    dated: Mapping[str, tuple[Holding, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, identifiers: pa.Table, roots: Mapping[str, str] | None = None) -> Identities:
        """From stored identifier rows (schema IDENTIFIER, any order).

        `roots` says which person ids are now one person: they do not dispute with each other. A
        record is still its own id's, so that it goes with it when the two are parted again.
        """
        table = claims(identifiers, roots or {})
        name, person, own = (ranks(table.column(n)) for n in ("name", "person_id", "own_id"))
        order = np.lexsort((own, person, name))
        order = order[person[order] >= 0]
        first = np.flatnonzero(group_starts(name[order]))
        last = np.append(first[1:], len(order))[: len(first)] - 1
        single = own[order[first]] == own[order[last]]
        pairs = np.flatnonzero(group_starts(name[order], person[order]))
        several = np.diff(np.append(np.searchsorted(pairs, first), len(pairs))) > 1
        names = one(table.column("name"))
        holder = [
            one(table.column(n)).take(pa.array(order[first])) for n in ("own_id", "person_id")
        ]
        persons = pc.if_else(pa.array(single), *holder).filter(pa.array(~several))
        alone, shared = (names.take(pa.array(order[first[some]])) for some in (~several, several))
        dated = _dated(table, shared)
        handed_on = pa.array(sorted(dated), pa.string())
        lone = pa.array(~isin(alone, handed_on))
        return cls(
            alone.filter(lone),
            persons.filter(lone),
            shared.filter(pa.array(~isin(shared, handed_on))),
            dated,
        )

    def resolve(
        self, table: pa.Table, whom: str = "subject", *, day: str | None = None
    ) -> tuple[pa.Array, Mask]:
        """The person each row names as its `whom` (null: nobody knows), and which are disputed.

        The column `day` is when each record says something happened: it decides between people who
        held one identifier one after the other. Without it such an identifier is disputed.
        """
        scheme, value = (one(table.column(f"{whom}_{part}")) for part in ("scheme", "value"))
        itself = isin(scheme, ["person"])
        if itself.all() and not self._own_disputed():
            return value, np.zeros(len(value), np.bool_)
        names = joined([scheme, match_form(value)])
        place = pc.index_in(names, value_set=self.names)
        found = self.persons.take(place) if len(self.persons) else pa.nulls(len(names), pa.string())
        disputed = np.asarray(pc.and_(pc.is_in(names, value_set=self.disputed), value.is_valid()))
        if self.dated:
            found, unclear = self._by_day(names, found, table.column(day) if day else None)
            disputed = disputed | unclear
        return pc.if_else(pa.array(itself), value, found), disputed

    def _own_disputed(self) -> bool:
        """Whether a person's own id is claimed as an identifier by two."""
        head = joined([pa.scalar("person"), pa.scalar("")], 1)[0].as_py()
        return bool(pc.any(pc.starts_with(self.disputed, head)).as_py())

    def _by_day(self, names: pa.Array, found: pa.Array, day: Any | None) -> tuple[pa.Array, Mask]:
        """The holder on each day of the identifiers whose days count."""
        rows = np.flatnonzero(isin(names, pa.array(sorted(self.dated), pa.string())))
        unclear = np.zeros(len(names), np.bool_)
        if len(rows) == 0:
            return found, unclear
        no_day = NEVER + 1  # in nobody's time
        days = np.full(len(names), no_day) if day is None else numbers(day, no_day)
        holders = [
            _holder(self.dated[name], int(days[row]))
            for row, name in zip(rows, names.take(pa.array(rows)).to_pylist(), strict=True)
        ]
        unclear[rows] = [holder is None for holder in holders]
        mask = np.zeros(len(names), np.bool_)
        mask[rows] = True
        return pc.replace_with_mask(found, pa.array(mask), pa.array(holders, pa.string())), unclear


def claims(identifiers: pa.Table, roots: Mapping[str, str], *, resolving: bool = True) -> pa.Table:
    """Every standing claim: name (scheme and value), whose it is now (`own_id`: under which of
    their ids), and from and to which day.

    The claim of a made id gives way where a source names a person for the same identifier; unless
    `resolving`, only that to the agency's own number does, which has no check digit.
    """
    table = latest(identifiers, "identifier_key")
    table = table.filter(pa.array(asserted(table))).combine_chunks()
    person = own = decoded(table.column("person_id"))
    if roots:
        person = pa.array([roots.get(name, name) for name in person.to_pylist()], pa.string())
    columns = {
        "name": joined([table.column("scheme"), match_form(table.column("value"))]),
        "person_id": person,
        "own_id": own,
        **{name: decoded(table.column(name)) for name in ("scheme", "value")},
        **{name: one(table.column(name)) for name in ("valid_from", "valid_to")},
        "check_ok": one(table.column("check_ok")),
    }
    found = pa.table(columns)
    made = np.asarray(pc.fill_null(pc.starts_with(person, MADE), False))
    if made.any():
        named = one(found.column("name")).filter(pa.array(~made)).unique()
        gives_way = made & isin(found.column("name"), named)
        if not resolving:
            gives_way &= np.asarray(found.column("check_ok").is_null())
        found = found.filter(pa.array(~gives_way))
    return found.combine_chunks()


def temporary(table: pa.Table) -> Mask:
    """Which claims are of temporary pupil numbers: those that end in a letter."""
    letter = pc.fill_null(pc.match_substring_regex(one(table.column("value")), "[A-Z]$"), False)
    return np.asarray(isin(table.column("scheme"), ["upn"]) & np.asarray(letter))


def _dated(table: pa.Table, shared: pa.Array) -> dict[str, tuple[Holding, ...]]:
    """The identifiers whose days count, with who held them when; those that overlap are left."""
    from_day = numbers(table.column("valid_from"), -NEVER)
    to_day = numbers(table.column("valid_to"), NEVER)
    stated = (from_day > -NEVER) | (to_day < NEVER)
    wanted = isin(table.column("name"), shared) | (temporary(table) & stated)
    rows = np.flatnonzero(wanted)
    some = table.take(pa.array(rows))
    held, own = holdings(some), holdings(some, "own_id")
    return {name: tuple(own[name]) for name, days in held.items() if one_by_one(days)}


def holdings(table: pa.Table, person: str = "person_id") -> dict[str, list[Holding]]:
    """Who held each identifier from and to which day, as `claims` say, sorted."""
    held: dict[str, list[Holding]] = {}
    begins = numbers(table.column("valid_from"), -NEVER).tolist()
    ends = numbers(table.column("valid_to"), NEVER).tolist()
    said = zip(table.column("name").to_pylist(), table.column(person).to_pylist(), strict=True)
    for begin, end, (name, who) in zip(begins, ends, said, strict=True):
        if who is not None:
            held.setdefault(name, []).append((begin, end, who))
    return {name: sorted(some) for name, some in held.items()}


def one_by_one(holdings: list[Holding]) -> bool:
    """Whether no two people held the identifier on one day."""
    return all(
        one_of[2] == other[2] or one_of[1] < other[0] or other[1] < one_of[0]
        for one_of, other in combinations(holdings, 2)
    )


def _holder(holdings: tuple[Holding, ...], day: int) -> str | None:
    return next((person for begin, end, person in holdings if begin <= day <= end), None)


def made_identifiers(merged: pa.Table, person: pa.Array) -> pa.Table:
    """Identifier rows (IDENTIFIER columns) that give a record nobody else knows a person id.

    `merged` are rows of `merged_persons`; `person` says whose each is already. The id is made of
    the agency's own id alone: it depends on no other record and on no order.
    """
    rows = merged.filter(person.is_null()).combine_chunks()
    scheme, value = one(rows.column("subject_scheme")), one(rows.column("subject_value"))
    short = pc.utf8_slice_codeunits(digests(joined([scheme, value])), 0, 20)
    table = pa.table(
        {
            "person_id": pc.binary_join_element_wise(pa.scalar(MADE), short, ""),
            "subject_scheme": scheme,
            "subject_value": value,
            "scheme": scheme,
            "value": value,
            **{
                name: one(rows.column(name))
                for name in (
                    "known_on",
                    "known_basis",
                    "source",
                    "source_file",
                    "source_line",
                    "batch_id",
                )
            },
        }
    )
    key = identifier_keys(table)
    table = table.append_column("identifier_key", key).append_column("record_id", key)
    return table.append_column("row_hash", digests(joined([scheme, value])))
