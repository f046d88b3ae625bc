"""Who stands in the history now, and the decisions on who is who: read once, decided, appended."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from riskflag.clock import NEVER, date_of, day_number, today
from riskflag.errors import ConfigError
from riskflag.history.arrays import isin, numbers
from riskflag.history.loading.snapshot import latest
from riskflag.history.schema import SCHEMAS, conform
from riskflag.history.store.matches import MADE, match_keys, preferred, roots_on
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.versions import asserted

#: Who takes the decisions of a run.
MACHINE = "riskflag"


def in_order(left: str, right: str) -> tuple[str, str]:
    """Two ids in the order that names their pair."""
    return (left, right) if left < right else (right, left)


@dataclass(frozen=True)
class Decision:
    """What was decided on a pair of person ids. `person_id` stays where the two are one."""

    person_id: str
    other_id: str
    decision: str
    method: str
    probability: float | None = None
    doubts: str = ""
    model: str = ""
    decided_by: str = MACHINE
    reason: str = ""
    known_on: dt.date | None = None
    known_basis: str = "landed"

    @property
    def pair(self) -> tuple[str, str]:
        """The two ids in order: what names the pair."""
        return in_order(self.person_id, self.other_id)


@dataclass
class People:
    """The latest rows about people, as dictionaries where few, as tables where many."""

    store: HistoryStore
    persons: pa.Table = field(init=False)
    identifiers: pa.Table = field(init=False)
    relationships: pa.Table = field(init=False)
    matches: pa.Table = field(init=False)

    def __post_init__(self) -> None:
        self.persons = self._now("person", "person_key")
        self.relationships = self._now("relationship", "relationship_key")
        self.identifiers = conform(self.store.read("identifier"), SCHEMAS["identifier"])
        self.matches = conform(self.store.read("match"), SCHEMAS["match"])

    def _now(self, name: str, key: str) -> pa.Table:
        table = latest(conform(self.store.read(name), SCHEMAS[name]), key)
        return table.filter(pa.array(asserted(table))).combine_chunks()

    @cached_property
    def roots(self) -> Mapping[str, str]:
        """For each id that is joined to another: whose it is now."""
        return roots_on(self.matches, NEVER - 1)

    def root(self, person_id: str) -> str:
        """Whose an id is now."""
        return self.roots.get(person_id, person_id)

    @cached_property
    def decisions(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The decision that holds for each pair, by its two ids in order."""
        rows = latest(self.matches, "match_key").to_pylist()
        return {in_order(row["person_id"], row["other_id"]): row for row in rows}

    @cached_property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """What each source says of each person id."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.persons.to_pylist():
            found.setdefault(row["person_id"], []).append(row)
        return found

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """The ids that are one person now, by the id that stays; only of joined ones."""
        found: dict[str, list[str]] = {}
        for name, root in sorted(self.roots.items()):
            found.setdefault(root, []).append(name)
        return found

    def rows_of(self, root: str) -> list[dict[str, Any]]:
        """What every source says of a person, with all the ids that are theirs."""
        return [row for name in self.members.get(root, [root]) for row in self.rows.get(name, [])]

    def stays(self, left: str, right: str) -> tuple[str, str]:
        """The two in the order in which the first id stays when they are one."""
        low, high = sorted(
            (left, right), key=lambda n: (n.startswith(MADE), n not in self.roots, preferred(n))
        )
        return low, high

    def known_ids(self) -> set[str]:
        """Every person id of the history."""
        claimed = self.identifiers.column("person_id").to_pylist()
        contacts = self.store.read("contact", columns=["person_id"]).column("person_id")
        return {*self.rows, *claimed, *contacts.unique().to_pylist()} - {None}


def check_day(store: HistoryStore, day: dt.date | None) -> dt.date:
    """The day a decision counts as known; ConfigError for one before the newest landing or ahead.

    A decision dated back would change what past nights saw.
    """
    newest = max((batch.landed for batch in store.batches()), default=None)
    chosen = day or max(today(), dt.date.fromisoformat(newest) if newest else today())
    if day is not None and day > today():
        raise ConfigError("The day of a decision lies ahead; name today or leave --on out.")
    if newest is not None and chosen.isoformat() < newest:
        raise ConfigError(
            f"The history already holds what landed on {newest}; "
            "a decision cannot be known earlier, so name that day or a later one."
        )
    return chosen


def append(
    store: HistoryStore,
    day: dt.date,
    decisions: Iterable[Decision],
    relationships: pa.Table | None = None,
    *,
    at: str,
) -> int:
    """Append decisions (and derived relationships) as one batch; how many rows were added.

    `at` is the moment as text, for the record only.
    """
    tables: dict[str, pa.Table] = {}
    made = list(decisions)
    if made:
        tables["match"] = _match_rows(conform(store.read("match"), SCHEMAS["match"]), made, day, at)
    if relationships is not None and relationships.num_rows:
        tables["relationship"] = relationships
    if not tables:
        return 0
    content = repr([asdict(one) for one in made]) + str(relationships)
    plain = f"{day}-identity-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    before = {batch.batch_id for batch in store.batches()}
    tries = sum(name == plain or name.startswith(f"{plain}-") for name in before)
    batch_id = plain if not tries else f"{plain}-{tries + 1}"
    for name, table in tables.items():
        mark = pa.repeat(pa.scalar(batch_id, pa.string()), table.num_rows)
        whole = conform(table, SCHEMAS[name])
        tables[name] = whole.set_column(whole.schema.get_field_index("batch_id"), "batch_id", mark)
    store.append_batch(batch_id, day.isoformat(), tables)
    return sum(table.num_rows for table in tables.values())


def _match_rows(before: pa.Table, made: list[Decision], day: dt.date, at: str) -> pa.Table:
    """Rows of MATCH, numbered after those that are there."""
    rows = [asdict(one) for one in made]
    keys = match_keys(
        pa.array([one.person_id for one in made]), pa.array([one.other_id for one in made])
    )
    versions: dict[str, int] = {}
    known = before.select(["match_key", "version", "known_on"]).to_pylist()
    last: dict[str, dt.date] = {}
    for row in known:
        versions[row["match_key"]] = max(versions.get(row["match_key"], 0), row["version"])
        last[row["match_key"]] = max(last.get(row["match_key"], day), row["known_on"])
    for row, key in zip(rows, keys.to_pylist(), strict=True):
        versions[key] = versions.get(key, 0) + 1
        row |= {"match_key": key, "version": versions[key], "op": "assert", "decided_at": at}
        row["known_on"] = max(row["known_on"] or day, last.get(key, dt.date.min))
    return conform(pa.Table.from_pylist(rows), SCHEMAS["match"])


def first_known(rows: Iterable[Mapping[str, Any]]) -> dt.date:
    """The first day any of these rows was known."""
    return min((row["known_on"] for row in rows), default=date_of(day_number(today())))


def current_children(people: People, day: int) -> set[str]:
    """The ids that some source says are born within 18 years of `day`, or are children."""
    births = numbers(people.persons.column("birth_on"), -NEVER)
    young = births > day - 18 * 365.25
    stated = isin(people.persons.column("kind"), ["child"]) & (births == -NEVER)
    ids = people.persons.column("person_id")
    return set(ids.filter(pa.array(np.asarray(young | stated))).to_pylist())
