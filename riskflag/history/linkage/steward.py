"""What a data steward sees and decides: the waiting pairs, merges and un-merges.

Nothing is changed: each decision is a further row, with who took it, when, why, and the day from
which it counts.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from riskflag.errors import ConfigError, InputError
from riskflag.history.arrays import isin
from riskflag.history.linkage.decide import DOUBTS
from riskflag.history.linkage.people import Decision, People, append, in_order
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.matches import APART, IN_FORCE, LINKED, WAITING, match_keys

ITEM_LENGTH = 12
_SAID = (
    "given_name",
    "family_name",
    "birth_on",
    "birth_precision",
    "death_on",
    "sex",
    "postcode",
    "kind",
    "source",
)


@dataclass(frozen=True)
class Item:
    """A pair of people in the steward's queue. `doubts` are whole phrases."""

    item: str
    person_id: str
    other_id: str
    decision: str
    method: str
    probability: float | None
    doubts: tuple[str, ...]
    known_on: dt.date
    decided_by: str
    reason: str


@dataclass(frozen=True)
class Side:
    """One of the two: all the ids that are this person, what the sources say, what they hold."""

    person_id: str
    ids: tuple[str, ...]
    said: tuple[Mapping[str, Any], ...]
    identifiers: tuple[Mapping[str, Any], ...]
    contacts: Mapping[str, int]
    first: dt.date | None
    last: dt.date | None


def queue(people: People, *, settled: bool = False) -> list[Item]:
    """The pairs that wait for a steward, the likeliest first; with `settled` the decided ones."""
    items = [_item(row) for row in people.decisions.values()]
    if settled:
        return sorted(
            (one for one in items if one.decision in (*IN_FORCE, APART)),
            key=lambda one: (one.known_on, one.item),
        )
    waiting = [
        one
        for one in items
        if one.decision == WAITING and people.root(one.person_id) != people.root(one.other_id)
    ]
    return sorted(waiting, key=lambda one: (-(one.probability or 1.0), one.item))


def _item(row: Mapping[str, Any]) -> Item:
    return Item(
        row["match_key"][:ITEM_LENGTH],
        row["person_id"],
        row["other_id"],
        row["decision"],
        row["method"],
        row["probability"],
        tuple(DOUBTS.get(name, name) for name in (row["doubts"] or "").split()),
        row["known_on"],
        row["decided_by"],
        row["reason"] or "",
    )


def find(people: People, item: str) -> Item:
    """The pair of that number; InputError when there is none."""
    found = [_item(row) for row in people.decisions.values() if row["match_key"].startswith(item)]
    if len(found) != 1 or len(item) < 6:
        raise InputError(
            f"There is no pair {item}; `riskflag identity list` shows the numbers of those waiting."
        )
    return found[0]


def side(people: People, person_id: str) -> Side:
    """Everything a steward needs to tell whose records these are; contacts as counts by type."""
    root = people.root(person_id)
    ids = tuple(people.members.get(root, [root]))
    said = tuple({name: row[name] for name in _SAID} for row in people.rows_of(root))
    held = people.identifiers.filter(pa.array(isin(people.identifiers.column("person_id"), ids)))
    names = ["scheme", "value", "valid_from", "valid_to", "check_ok", "source"]
    contacts = conform(people.store.read("contact", columns=["person_id", *_COUNTED]), CONTACT)
    mine = contacts.filter(pa.array(isin(contacts.column("person_id"), ids)))
    days = pc.min_max(mine.column("occurred_on")).as_py()
    return Side(
        root,
        ids,
        said,
        tuple(held.select(names).to_pylist()),
        dict(sorted(Counter(mine.column("type").to_pylist()).items())),
        days["min"],
        days["max"],
    )


_COUNTED = ("type", "occurred_on")


def settle(people: People, item: Item, same: bool, *, by: str, reason: str) -> Decision:
    """A steward's answer to a pair that no other has answered; ConfigError without a reason."""
    left, right = people.root(item.person_id), people.root(item.other_id)
    if left == right:
        raise InputError("The two are one person already; `riskflag identity unmerge` parts them.")
    if item.method == "steward" and item.decision == APART:
        raise InputError(
            f"A steward kept the two apart, from {item.known_on} on; `riskflag identity merge` "
            "joins them all the same."
        )
    if same:
        return merge(people, left, right, by=by, reason=reason)
    return _decision(item.person_id, item.other_id, APART, by, reason)


def merge(people: People, stays: str, other: str, *, by: str, reason: str) -> Decision:
    """Two people are one: `stays` keeps its id. InputError for an id the history does not hold."""
    known = people.known_ids()
    if not {stays, other} <= known:
        raise InputError("The history holds no person of that id; check both ids.")
    left, right = people.root(stays), people.root(other)
    if left == right:
        raise InputError("The two are one person already; nothing was changed.")
    return _decision(left, right, LINKED, by, reason)


def unmerge(people: People, left: str, right: str, *, by: str, reason: str) -> list[Decision]:
    """The two are not one person: every link that joins the one to the other is undone.

    Ids that were joined to either stay with the one they were linked to. Raises InputError when
    the two are not joined, or are joined through others and not to each other.
    """
    if people.root(left) != people.root(right):
        raise InputError("The two are not one person; nothing was changed.")
    row = people.decisions.get(in_order(left, right))
    if row is None or row["decision"] not in IN_FORCE:
        raise InputError(
            "The two are one person through other records; undo those links, which "
            "`riskflag identity list --settled` shows."
        )
    undone = _decision(row["person_id"], row["other_id"], APART, by, reason)
    left_over = _without(people, in_order(left, right))
    if left_over[left] == left_over[right]:
        raise InputError(
            "Other links still make the two one person; undo those first, which "
            "`riskflag identity list --settled` shows."
        )
    return [undone]


def _without(people: People, pair: tuple[str, str]) -> dict[str, str]:
    """Whose each id of this pair would be without its own link."""
    joined = {
        key for key, row in people.decisions.items() if row["decision"] in IN_FORCE and key != pair
    }
    found = {name: name for name in pair}
    for start in pair:
        reached, edge = {start}, {start}
        while edge:
            edge = {n for key in joined if set(key) & edge for n in key} - reached
            reached |= edge
        found[start] = min(reached)
    return found


def _decision(stays: str, other: str, decision: str, by: str, reason: str) -> Decision:
    if not reason.strip():
        raise ConfigError("Say why: a decision on who is who needs --reason.")
    return Decision(stays, other, decision, "steward", decided_by=by, reason=reason.strip())


def record(people: People, decisions: list[Decision], day: dt.date, *, at: str) -> str:
    """Append a steward's decisions; the number of the first pair."""
    append(people.store, day, decisions, at=at)
    keys = match_keys(pa.array([decisions[0].person_id]), pa.array([decisions[0].other_id]))
    key: str = keys[0].as_py()
    return key[:ITEM_LENGTH]
