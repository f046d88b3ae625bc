"""One landing day: every source's delivery compared with the history and made into one batch."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import day_number
from riskflag.history.adapt_people import (
    identifier_keys,
    identifiers_with_keys,
    merged_persons,
    person_keys,
)
from riskflag.history.arrays import (
    Ints,
    constant,
    decoded,
    isin,
    numbers,
    one,
    stacked,
    take,
    tallies,
)
from riskflag.history.delivery import Delivered
from riskflag.history.identity import Identities, made_identifiers
from riskflag.history.schema import SCHEMAS, conform
from riskflag.history.snapshot import (
    DUPLICATE,
    SUPERSEDED,
    Difference,
    Stamp,
    choose,
    compare,
    gone,
    latest,
    places,
    retractions,
)
from riskflag.history.source import Delivery
from riskflag.history.state import State
from riskflag.history.store import HistoryStore
from riskflag.history.versions import asserted

_KEYS = {
    "contact": "contact_key",
    "person": "person_key",
    "identifier": "identifier_key",
    "relationship": "relationship_key",
}
Candidates = Mapping[str, pa.Table | None]


class Day:
    """The work of one landing day. `rows` collects what is to be appended, by table."""

    def __init__(self, state: State, store: HistoryStore, day: dt.date, batch_id: str) -> None:
        self.state, self.store = state, store
        self.day, self.batch_id = day_number(day), batch_id
        self.date = day
        self.rows: dict[str, list[pa.Table]] = {name: [] for name in SCHEMAS}
        self.linked_later = 0
        self.issues: Counter[str] = Counter()
        self.notes: set[str] = set()
        self.news: set[str] = set()
        self.covered: dict[str, tuple[int | None, int | None]] = {}

    def take_in(self, deliveries: list[Delivered]) -> None:
        """Identities of every source first, then relationships and contacts."""
        settled = [(item, item.settle()) for item in deliveries]
        for item, tables in settled:
            self._identifiers(item, tables)
        for item, tables in settled:
            self._own_records(item, tables)
        identities = self.state.identities()
        for item, tables in settled:
            self._persons(item, tables, identities)
        self._link_contacts(identities)
        self._link_relationships(identities)
        for item, tables in settled:
            self._relationships(item, tables, identities)
            self._contacts(item, tables, identities)

    def tables(self) -> dict[str, pa.Table]:
        """Everything to append."""
        return {
            name: stacked([conform(part, SCHEMAS[name], lean=True) for part in parts])
            for name, parts in self.rows.items()
            if parts
        }

    def _append(self, name: str, table: pa.Table) -> None:
        if table.num_rows:
            self.rows[name].append(table)
            self.state.add({name: table})

    def _stamp(self, item: Delivered) -> Stamp:
        """When what this delivery says became known.

        A delivery put into the folder of a past day, after a later day was loaded, is known from
        that later day: what past nights saw must not change.
        """
        mine, latest_day = self.state.last_day(item.source), self.state.last_day()
        older = mine is not None and dt.date.fromisoformat(mine) > self.date
        late = latest_day is not None and dt.date.fromisoformat(latest_day) > self.date
        if late and latest_day is not None and not item.landing.first_load:
            known = day_number(dt.date.fromisoformat(latest_day))
            return Stamp(known, self.batch_id, older, late=True)
        return Stamp(self.day, self.batch_id, older)

    def _compare(
        self, item: Delivered, name: str, winners: pa.Table, current: pa.Table | None = None
    ) -> Difference:
        if "withdrawn" not in winners.column_names:
            nothing = pa.repeat(False, winners.num_rows)
            winners = winners.append_column("withdrawn", nothing)
        if current is None:
            current = latest(self.state.tables[name], _KEYS[name], item.source.name)
        named, schema = self._named(item, name), SCHEMAS[name]
        place = named if named is not None and len(named) == winners.num_rows else None
        key, stamp = _KEYS[name], self._stamp(item)
        return compare(winners, current, key, schema=schema, stamp=stamp, place=place)

    def _named(self, item: Delivered, name: str) -> Ints | None:
        """Where each candidate's key stands in what is known, if that was found out before."""
        fresh = item.placed_in is self.state.tables["contact"]
        return item.placed if name == "contact" and fresh else None

    def _identifiers(self, item: Delivered, tables: Candidates) -> None:
        table = tables["identifier"]
        if table is None or table.num_rows == 0:
            return
        merged = identifiers_with_keys(table)
        person, _ = self.state.identities().resolve(
            merged.column("subject_scheme"), merged.column("subject_value")
        )
        merged = self._resolved_only(merged.append_column("person_id", person), "identifier")
        self._add_merged(item, "identifier", (table, identifier_keys(table)), merged)

    def _own_records(self, item: Delivered, tables: Candidates) -> None:
        """A person id for each record of a feed with no shared identifier that nobody knows yet."""
        table = tables["person"]
        if table is None or not pc.any(table.column("linkage")).as_py():
            return
        merged = merged_persons(table.filter(table.column("linkage")).combine_chunks())
        person, disputed = self.state.identities().resolve(
            merged.column("subject_scheme"), merged.column("subject_value")
        )
        person = pc.if_else(pa.array(disputed), "", person)
        made = made_identifiers(merged, person)
        winners = made.append_column("withdrawn", pa.repeat(False, made.num_rows))
        self._append("identifier", self._compare(item, "identifier", winners).rows)

    def _persons(self, item: Delivered, tables: Candidates, identities: Identities) -> None:
        table = tables["person"]
        if table is None or table.num_rows == 0:
            return
        merged = merged_persons(table)
        person, _ = identities.resolve(
            merged.column("subject_scheme"), merged.column("subject_value")
        )
        merged = self._resolved_only(merged.append_column("person_id", person), "person")
        conflicts = int(isin(merged.column("issues"), ["conflict"]).sum())
        self.issues.update({"person_conflict": conflicts} if conflicts else {})
        self._add_merged(item, "person", (table, person_keys(table)), merged)

    def _add_merged(
        self, item: Delivered, name: str, rows: tuple[pa.Table, pa.Array], merged: pa.Table
    ) -> None:
        """Add what is new in a delivery's merged rows; its rows fare as the merged one does."""
        difference = self._compare(item, name, merged)
        self._append(name, difference.rows)
        if difference.rows.num_rows:
            self.news.add(item.source.name)
        at = numbers(pc.index_in(rows[1], value_set=one(merged.column(_KEYS[name]))), -1)
        known = np.flatnonzero(at >= 0)
        if len(known):
            item.note(rows[0], known, difference.status[at[known]])

    def _resolved_only(self, table: pa.Table, name: str) -> pa.Table:
        """Rows about a person who can be found; the others are counted."""
        found = np.asarray(one(table.column("person_id")).is_valid())
        if not found.all():
            self.issues[f"{name}_not_resolved"] += int((~found).sum())
        return table.filter(pa.array(found)).combine_chunks()

    def _relationships(self, item: Delivered, tables: Candidates, identities: Identities) -> None:
        table = tables["relationship"]
        if table is None:
            return
        person, _ = identities.resolve(
            table.column("subject_scheme"), table.column("subject_value")
        )
        related, _ = identities.resolve(
            table.column("related_scheme"), table.column("related_value")
        )
        table = table.append_column("person_id", person).append_column("related_id", related)
        self._versions(item, "relationship", table)

    def _contacts(self, item: Delivered, tables: Candidates, identities: Identities) -> None:
        table = tables["contact"]
        if table is None:
            return
        person, disputed = identities.resolve(
            table.column("subject_scheme"),
            table.column("subject_value"),
            table.column("occurred_on"),
        )
        if disputed.any():
            issues = decoded(table.column("issues"))
            marked = pc.utf8_trim_whitespace(
                pc.binary_join_element_wise(issues, "ambiguous_identifier", " ")
            )
            issues = pc.if_else(pa.array(disputed), marked, issues)
            table = table.set_column(table.schema.get_field_index("issues"), "issues", issues)
        self._cover(item, table)
        self._versions(item, "contact", table.append_column("person_id", person))

    def _cover(self, item: Delivered, table: pa.Table) -> None:
        occurred = numbers(table.column("occurred_on"), self.day)
        occurred = occurred[occurred <= self.day]
        first, last = (int(occurred.min()), int(occurred.max())) if len(occurred) else (None, None)
        self.covered[item.source.name] = (first, last)

    def _versions(self, item: Delivered, name: str, table: pa.Table) -> None:
        """Choose within the delivery, compare with the history, withdraw what is gone."""
        choice = item.chosen.pop(name, None) or choose(table, _KEYS[name])
        current = latest(self.state.tables[name], _KEYS[name], item.source.name)
        difference = self._compare(item, name, take(table, choice.winner), current)
        item.note(table, choice.winner, difference.status)
        item.note(table, choice.duplicate, DUPLICATE)
        item.note(table, choice.superseded, SUPERSEDED)
        if name == "contact":
            self._count(item, difference.rows)
        withdrawn = self._gone(item, name, current)
        self._append(name, difference.rows)
        self._append(name, withdrawn)
        if difference.rows.num_rows + withdrawn.num_rows:
            self.news.add(item.source.name)

    def _gone(self, item: Delivered, name: str, current: pa.Table) -> pa.Table:
        """Retractions of what a complete full or window delivery no longer holds."""
        stamp, schema, seen = self._stamp(item), SCHEMAS[name], item.seen[name]
        scope: Delivery = item.source.delivery
        if scope.scope == "delta" or stamp.older or seen is None:
            return schema.empty_table()
        if not item.complete:
            self.notes.add(
                f"{item.source.name}: not every row could be read, so nothing was withdrawn."
            )
            return schema.empty_table()
        named = self._named(item, name)
        if named is None:
            named = places(seen, current.column(_KEYS[name]))
        rows = gone(current, named, scope, self.day)
        return retractions(current, rows, schema, stamp)

    def _count(self, item: Delivered, rows: pa.Table) -> None:
        """Contacts made per file, and the marks they carry."""
        fresh = asserted(rows)
        made = tallies(rows.column("source_file"), fresh)
        for file in item.files:
            file.contacts = made.get(file.path, 0)
        for marks, count in tallies(rows.column("issues"), fresh).items():
            for mark in marks.split():
                self.issues[mark] += count

    def _link_contacts(self, identities: Identities) -> None:
        """Contacts kept without a person whose identifier is now known: linked from today."""
        current = self.state.tables["contact"]
        if current.column("person_id").null_count == 0:
            return
        current = latest(current, "contact_key")
        waiting = asserted(current) & np.asarray(one(current.column("person_id")).is_null())
        current = current.filter(pa.array(waiting)).combine_chunks()
        if current.num_rows == 0:
            return
        person, _ = identities.resolve(
            current.column("subject_scheme"),
            current.column("subject_value"),
            current.column("occurred_on"),
        )
        found = np.asarray(person.is_valid())
        keys = one(current.column("contact_key")).filter(pa.array(found))
        if len(keys) == 0:
            return
        whole = conform(self.store.read("contact", only_buckets=[64]), SCHEMAS["contact"])
        whole = whole.filter(pa.array(isin(whole.column("contact_key"), keys)))
        whole = latest(whole.combine_chunks(), "contact_key")
        place = pc.index_in(one(whole.column("contact_key")), value_set=keys)
        self.linked_later += whole.num_rows
        linked = person.filter(pa.array(found)).take(place)
        self._append("contact", self._again(whole, {"person_id": linked}))

    def _link_relationships(self, identities: Identities) -> None:
        current = latest(self.state.tables["relationship"], "relationship_key")
        unknown = pc.or_(
            one(current.column("person_id")).is_null(), one(current.column("related_id")).is_null()
        )
        waiting = asserted(current) & np.asarray(unknown)
        current = current.filter(pa.array(waiting)).combine_chunks()
        if current.num_rows == 0:
            return
        person, _ = identities.resolve(
            current.column("subject_scheme"), current.column("subject_value")
        )
        related, _ = identities.resolve(
            current.column("related_scheme"), current.column("related_value")
        )
        both = pc.and_(person.is_valid(), related.is_valid())
        linked = {"person_id": person.filter(both), "related_id": related.filter(both)}
        self._append("relationship", self._again(current.filter(both), linked))

    def _again(self, table: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
        """The same rows as a further version, known from today."""
        size = table.num_rows
        columns = columns | {
            "version": pa.array(numbers(table.column("version"), 0) + 1, pa.int32()),
            "known_on": pa.array(np.full(size, self.day, np.int32)).cast(pa.date32()),
            "known_basis": constant("landed", size),
            "batch_id": constant(self.batch_id, size),
        }
        for name, column in columns.items():
            table = table.set_column(table.schema.get_field_index(name), name, column)
        return table
