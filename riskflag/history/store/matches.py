"""Which person ids are one person, on which days: the links and un-links of people as intervals.

Every record belongs for ever to the person id it was stored under. A decision that two ids are one
person is a further row; the view joins them from the day after the decision was known, and parts
them again from the day after an un-merge. So each past night is seen as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import NEVER
from riskflag.history.arrays import Ints, encode, isin, numbers, one, spans
from riskflag.history.hashing import digests, joined
from riskflag.history.store.versions import superseded_days

AUTO, WAITING, NOT = "auto_linked", "for_a_steward", "not_linked"
LINKED, APART = "linked", "kept_apart"
#: The decisions by which two ids are one person.
IN_FORCE = (AUTO, LINKED)
#: The decisions only a steward takes; no run of the linkage changes them.
BY_STEWARD = (LINKED, APART)
#: Begins the id of a person that no source named: made from the agency's own id of the record.
MADE = "rf-"
_ALWAYS = -NEVER


def match_keys(left: pa.Array, right: pa.Array) -> pa.Array:
    """The key of each pair of person ids, whichever way round they stand."""
    turned = pc.greater(left, right)
    low, high = pc.if_else(turned, right, left), pc.if_else(turned, left, right)
    return digests(joined([low, high]))


@dataclass(frozen=True)
class Pieces:
    """For each id that was ever joined: whose it was on the days (begin, end], sorted by id."""

    base: pa.Array
    root: pa.Array
    begin: Ints
    end: Ints

    def __bool__(self) -> bool:
        return len(self.base) > 0

    @classmethod
    def none(cls) -> Pieces:
        """Nobody was ever joined to anybody."""
        return _pieces([])


@dataclass(frozen=True)
class Joins:
    """`roots` begin a piece where an id changes hands, `groups` where anyone joins or leaves."""

    roots: Pieces
    groups: Pieces


def joins(matches: pa.Table) -> Joins:
    """The intervals of every id that a decision in force ever touched (schema MATCH, any order)."""
    roots: list[Piece] = []
    groups: list[Piece] = []
    for edges in _clusters(_edges(matches)):
        days = sorted({_ALWAYS} | {day for edge in edges for day in edge[2:] if day != NEVER})
        by_day = [_members(edges, day) for day in days]
        for name in {name for edge in edges for name in edge[:2]}:
            held = [found.get(name, (name, frozenset([name]))) for found in by_day]
            roots += _runs(name, [root for root, _ in held], held, [*days, NEVER])
            groups += _runs(name, [members for _, members in held], held, [*days, NEVER])
    return Joins(_pieces(sorted(roots)), _pieces(sorted(groups)))


Piece = tuple[str, str, int, int]
Edge = tuple[str, str, int, int]


def _edges(matches: pa.Table) -> list[Edge]:
    """(stays, other, begin, end) of every decision in force, in days (begin, end]."""
    superseded = superseded_days(matches, "match_key")
    known = numbers(matches.column("known_on"), NEVER)
    holds = isin(matches.column("decision"), IN_FORCE) & (known < superseded)
    rows = np.flatnonzero(holds)
    part = matches.take(pa.array(rows)).select(["person_id", "other_id"]).to_pylist()
    return sorted(
        (row["person_id"], row["other_id"], int(known[at]), int(superseded[at]))
        for at, row in zip(rows, part, strict=True)
    )


def _clusters(edges: list[Edge]) -> list[list[Edge]]:
    """The edges by the people they ever joined, directly or through others."""
    top = _tops((stays, other) for stays, other, _, _ in edges)
    clusters: dict[str, list[Edge]] = {}
    for edge in edges:
        clusters.setdefault(top[edge[0]], []).append(edge)
    return list(clusters.values())


def _tops(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For each id of these pairs one id that stands for all it is joined to."""
    above: dict[str, str] = {}

    def top(name: str) -> str:
        path = [name]
        while above[path[-1]] != path[-1]:
            path.append(above[path[-1]])
        above.update(dict.fromkeys(path, path[-1]))
        return path[-1]

    for pair in pairs:
        for name in pair:
            above.setdefault(name, name)
        above[top(pair[1])] = top(pair[0])
    return {name: top(name) for name in above}


def _members(edges: Iterable[Edge], day: int) -> dict[str, tuple[str, frozenset[str]]]:
    """Whose each joined id is from `day` on (known that day), and who is the same person."""
    of_day = sorted((edge for edge in edges if edge[2] <= day < edge[3]), key=lambda e: (e[2], e))
    holding = [edge[:2] for edge in of_day]
    group: dict[str, set[str]] = {}
    for name, top in _tops(holding).items():
        group.setdefault(top, set()).add(name)
    absorbed = {other for _, other in holding}
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for members in group.values():
        # Decisions may run in a circle, so that everybody in it gave way to somebody.
        gone = _gave_way(holding) if members <= absorbed else absorbed
        root = min(members, key=lambda name: (name in gone, preferred(name)))
        found |= dict.fromkeys(members, (root, frozenset(members)))
    return found


def _gave_way(pairs: Iterable[tuple[str, str]]) -> set[str]:
    """Who gave way when two people became one, pair after pair as they became known.

    A pair that were one person already adds nothing, so somebody of each person never did.
    """
    gone: set[str] = set()
    person: dict[str, set[str]] = {}
    for stays, other in pairs:
        one_, two = person.setdefault(stays, {stays}), person.setdefault(other, {other})
        if one_ is not two:
            gone.add(other)
            one_ |= two
            person.update(dict.fromkeys(two, one_))
    return gone


def preferred(name: str) -> tuple[bool, str]:
    """The order in which ids stay when people are joined: one a source named before a made one."""
    return name.startswith(MADE), name


def _runs(
    name: str, key: list[Any], held: list[tuple[str, frozenset[str]]], starts: list[int]
) -> list[Piece]:
    """The days on which `key` stays the same, as (id, root, begin, end)."""
    cuts = [at for at in range(len(key)) if at == 0 or key[at] != key[at - 1]]
    ends = [starts[at] for at in cuts[1:]] + [NEVER]
    return [(name, held[at][0], starts[at], end) for at, end in zip(cuts, ends, strict=True)]


def _pieces(rows: list[Piece]) -> Pieces:
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], []]
    base, root, begin, end = columns
    return Pieces(
        pa.array(base, pa.string()),
        pa.array(root, pa.string()),
        np.array(begin, np.int64),
        np.array(end, np.int64),
    )


def spread(table: pa.Table, names: tuple[str, ...], pieces: Pieces) -> pa.Table:
    """Rows with known_day and superseded_day, handed to whose they were on which days.

    `names` are columns that hold the same person id (dictionary-encoded); all get the new one.
    """
    rows, piece, known, superseded = _cut(
        table.column(names[0]),
        numbers(table.column("known_day"), NEVER),
        numbers(table.column("superseded_day"), NEVER),
        pieces,
    )
    if rows is None:
        return table
    part = table.take(pa.array(rows))
    columns = {
        "known_day": pa.array(known, pa.int32()),
        "superseded_day": pa.array(superseded, pa.int32()),
        **{name: _handed(part.column(name), piece, pieces) for name in names},
    }
    for name, column in columns.items():
        part = part.set_column(part.schema.get_field_index(name), name, column)
    return part


def _handed(column: Any, piece: Ints, pieces: Pieces) -> pa.DictionaryArray:
    """The person of each row: the root of its piece, or as it was (piece -1)."""
    array = one(column)
    plain = array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array
    root = pieces.root.take(pa.array(piece, mask=piece < 0))
    return encode(pc.coalesce(root, plain))


def _cut(
    ids: Any, known: Ints, superseded: Ints, pieces: Pieces
) -> tuple[Ints | None, Ints, Ints, Ints]:
    """Rows, their piece (-1: untouched) and days; None when no row belongs to a joined id."""
    touched = isin(ids, pieces.base.unique()) if pieces else np.zeros(len(known), np.bool_)
    mine = np.flatnonzero(touched)
    if len(mine) == 0:
        return None, known, known, superseded
    names = pieces.base.unique()
    first = np.asarray(pc.index_in(names, value_set=pieces.base).to_numpy(), np.int64)
    last = np.append(first[1:], len(pieces.base))
    array = one(ids).take(pa.array(mine))
    array = array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array
    place = np.asarray(pc.index_in(array, value_set=names).to_numpy(), np.int64)
    piece, owner = spans(first[place], last[place])
    begins = np.maximum(known[mine][owner], pieces.begin[piece])
    ends = np.minimum(superseded[mine][owner], pieces.end[piece])
    keep = begins < ends
    others = np.flatnonzero(~touched)
    return (
        np.concatenate([others, mine[owner[keep]]]),
        np.concatenate([np.full(len(others), -1), piece[keep]]),
        np.concatenate([known[others], begins[keep]]),
        np.concatenate([superseded[others], ends[keep]]),
    )


def person_groups(table: pa.Table, pieces: Pieces) -> tuple[Ints, Ints, pa.Array, Ints]:
    """What each day's person is merged from: rows of PERSON, their known days, roots and ends.

    A person that someone joins or leaves begins anew that day, from all rows of its members.
    """
    known = numbers(table.column("known_on"), NEVER)
    never = np.full(len(known), NEVER, np.int64)
    rows, piece, begins, ends = _cut(table.column("person_id"), known, never, pieces)
    if rows is None:
        every = np.arange(len(known))
        return every, known, one(table.column("person_id")), never
    person = _handed(table.column("person_id").take(pa.array(rows)), piece, pieces)
    return rows, begins, person.cast(pa.string()), ends


def everyone_ever(matches: pa.Table, person_ids: Iterable[str]) -> list[str]:
    """These ids with all that were ever joined to them, directly or through others; sorted."""
    wanted, top = set(person_ids), tops(matches)
    chosen = {top[name] for name in wanted & set(top)}
    return sorted(wanted | {name for name, above in top.items() if above in chosen})


def tops(matches: pa.Table) -> dict[str, str]:
    """For each id that was ever joined to another: one id that stands for all it was joined to."""
    return _tops(edge[:2] for edge in _edges(matches))


def roots_on(matches: pa.Table, day: int) -> Mapping[str, str]:
    """For each id that is joined to another on the morning after `day`: whose it is."""
    return {name: root for name, (root, _) in _members(_edges(matches), day).items()}


def doubtful_on(matches: pa.Table, day: int) -> dict[str, int]:
    """With how many others each person may be one, as the night after `day` knows and none decided.

    By the id that stays. A pair that has been joined through others meanwhile does not count.
    """
    known = numbers(matches.column("known_on"), NEVER)
    over = superseded_days(matches, "match_key")
    waits = isin(matches.column("decision"), (WAITING,)) & (known <= day) & (day < over)
    pairs = matches.take(pa.array(np.flatnonzero(waits))).select(["person_id", "other_id"])
    roots = roots_on(matches, day)
    others: dict[str, set[str]] = {}
    for row in pairs.to_pylist():
        one_, other = (roots.get(name, name) for name in (row["person_id"], row["other_id"]))
        if one_ != other:
            others.setdefault(one_, set()).add(other)
            others.setdefault(other, set()).add(one_)
    return {name: len(found) for name, found in sorted(others.items())}


def in_force_roots(matches: pa.Table, more: Iterable[tuple[str, str]] = ()) -> Mapping[str, str]:
    """As `roots_on` at the end of all that is known, with further pairs (stays, other) joined."""
    latest = [edge for edge in _edges(matches) if edge[3] == NEVER]
    edges = latest + [(stays, other, _ALWAYS, NEVER) for stays, other in more]
    return {name: root for name, (root, _) in _members(edges, NEVER - 1).items()}
