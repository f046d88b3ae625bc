"""Who belongs together by what the sources say: brothers and sisters, adults of one household.

Derived links are rows like any other, with the day they became known. What no longer follows from
the sources is taken back by a further row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pyarrow as pa

from riskflag.clock import day_number
from riskflag.history.arrays import isin
from riskflag.history.hashing import digests, joined
from riskflag.history.linkage.people import Decision, People, current_children
from riskflag.history.loading.snapshot import latest
from riskflag.history.schema import RELATIONSHIP, conform
from riskflag.history.store.matches import AUTO, in_force_roots
from riskflag.history.store.versions import asserted

#: The source of derived rows.
DERIVED = "riskflag"
#: An address or family of more people than this is a hostel or a placeholder: it relates nobody.
MOST_AT_ADDRESS = 12


@dataclass(frozen=True)
class _Link:
    kind: str
    person_id: str
    related_id: str
    why: str
    known_on: dt.date
    valid_from: dt.date


def derived_relationships(
    people: People, day: dt.date, decisions: Iterable[Decision], *, first_load: bool
) -> pa.Table:
    """Rows (schema RELATIONSHIP) that bring the derived links up to what follows now.

    `decisions` are those about to be appended: whoever they join is one person here already.
    """
    pairs = [(one.person_id, one.other_id) for one in decisions if one.decision == AUTO]
    roots = in_force_roots(people.matches, pairs)
    wanted = {_key(link): link for link in _links(people, roots, day)}
    before = _standing(people)
    fresh = [_row(key, one, day, first_load) for key, one in wanted.items() if key not in before]
    gone = [
        row | {"version": row["version"] + 1, "op": "retract", "known_on": day}
        for key, row in before.items()
        if key not in wanted
    ]
    versions = _versions(people)
    for row in fresh:
        row["version"] = versions.get(row["relationship_key"], 0) + 1
        if row["version"] > 1:  # it held before, and was taken back
            row |= {"known_on": day, "known_basis": "landed"}
    rows = sorted(fresh + gone, key=lambda row: (row["relationship_key"], row["version"]))
    return pa.Table.from_pylist(rows, schema=RELATIONSHIP)


def _standing(people: People) -> dict[str, dict[str, Any]]:
    """The derived links that hold, by key."""
    table = people.relationships
    rows = table.filter(pa.array(isin(table.column("source"), [DERIVED]))).to_pylist()
    return {row["relationship_key"]: row for row in rows}


def _versions(people: People) -> dict[str, int]:
    table = conform(people.store.read("relationship"), RELATIONSHIP)
    table = table.filter(pa.array(isin(table.column("source"), [DERIVED])))
    rows = latest(table, "relationship_key").select(["relationship_key", "version"]).to_pylist()
    return {row["relationship_key"]: row["version"] for row in rows}


def _links(people: People, roots: Mapping[str, str], day: dt.date) -> Iterator[_Link]:
    children = {roots.get(name, name) for name in current_children(people, day_number(day))}
    yield from _same_mother(people, roots, children)
    yield from _same_home(people, roots, children, "family_key")
    yield from _same_home(people, roots, children, "address_key")


def _same_mother(people: People, roots: Mapping[str, str], children: set[str]) -> Iterator[_Link]:
    """Children of one mother are brothers and sisters from the day both births were known."""
    mothers: dict[str, dict[str, tuple[dt.date, dt.date]]] = {}
    table = people.relationships
    stated = table.filter(pa.array(asserted(table) & isin(table.column("kind"), ["mother"])))
    births = _births(people, roots)
    for row in stated.to_pylist():
        if row["person_id"] is None or row["related_id"] is None:
            continue
        child = roots.get(row["person_id"], row["person_id"])
        mother = roots.get(row["related_id"], row["related_id"])
        begins = row["valid_from"] or births.get(child) or row["known_on"]
        known = max(row["known_on"], begins)
        mine = mothers.setdefault(mother, {})
        mine[child] = min(mine.get(child, (known, begins)), (known, begins))
    for mother, found in mothers.items():
        if len(found) <= MOST_AT_ADDRESS:
            yield from _siblings(found, children, f"mother {mother}")


def _siblings(
    found: Mapping[str, tuple[dt.date, dt.date]], children: set[str], why: str
) -> Iterator[_Link]:
    for left, right in combinations(sorted(found), 2):
        known = max(found[left][0], found[right][0])
        begins = max(found[left][1], found[right][1])
        for one, other in ((left, right), (right, left)):
            if one in children:
                yield _Link("sibling", one, other, why, known, begins)


def _same_home(
    people: People, roots: Mapping[str, str], children: set[str], key: str
) -> Iterator[_Link]:
    """Adults at a child's address, or in the family an agency numbers; its children too."""
    homes: dict[str, dict[str, dt.date]] = {}
    for row in people.persons.to_pylist():
        if row[key] is not None:
            who = roots.get(row["person_id"], row["person_id"])
            home = homes.setdefault(row[key], {})
            home[who] = min(home.get(who, row["known_on"]), row["known_on"])
    births = _births(people, roots)
    for place, members in homes.items():
        if not 1 < len(members) <= MOST_AT_ADDRESS:
            continue
        since = {who: max(day, births.get(who, day)) for who, day in members.items()}
        adults = sorted(set(members) - children)
        for child in sorted(set(members) & children):
            for adult in adults:
                known = max(since[child], since[adult])
                yield _Link("household_adult", child, adult, f"{key} {place}", known, known)
        if key == "family_key":
            young = {who: (since[who], since[who]) for who in members if who in children}
            yield from _siblings(young, children, f"{key} {place}")


def _births(people: People, roots: Mapping[str, str]) -> dict[str, dt.date]:
    found: dict[str, dt.date] = {}
    for name, rows in people.rows.items():
        stated = [row["birth_on"] for row in rows if row["birth_on"] is not None]
        if stated:
            found[roots.get(name, name)] = max(stated)
    return found


def _key(link: _Link) -> str:
    said = [pa.array([text]) for text in (DERIVED, link.kind, link.person_id, link.related_id)]
    key: str = digests(joined([*said, pa.array([link.why])]))[0].as_py()
    return key


def _row(key: str, link: _Link, day: dt.date, first_load: bool) -> dict[str, Any]:
    """A derived link as a row: known today, or in a first load since its facts were."""
    return {
        "relationship_key": key,
        "person_id": link.person_id,
        "related_id": link.related_id,
        "kind": link.kind,
        "valid_from": link.valid_from,
        "version": 1,
        "op": "assert",
        "known_on": min(link.known_on, day) if first_load else day,
        "known_basis": "assumed_lag" if first_load else "landed",
        "source": DERIVED,
        "record_id": key,
        "row_hash": key,
        "subject_scheme": "person",
        "subject_value": link.person_id,
        "related_scheme": "person",
        "related_value": link.related_id,
    }
