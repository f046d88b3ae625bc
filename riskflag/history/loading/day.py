"""One landing day: every source's delivery compared with the history and made into one batch."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import day_number
from riskflag.history.arrays import (
    Ints,
    constant,
    isin,
    numbers,
    one,
    stacked,
    take,
)
from riskflag.history.declared.source_files import Delivery
from riskflag.history.hashing import BUCKETS
from riskflag.history.loading.adapt_people import (
    identifier_keys,
    identifiers_with_keys,
    merged_persons,
    person_keys,
)
from riskflag.history.loading.day_parts import Found, Part, by_bucket
from riskflag.history.loading.delivery import Delivered
from riskflag.history.loading.identity import Identities, made_identifiers
from riskflag.history.loading.known import COMPARED
from riskflag.history.loading.snapshot import (
    DUPLICATE,
    SUPERSEDED,
    Difference,
    Rows,
    Stamp,
    compare,
    gone,
    latest,
    places,
    retractions,
)
from riskflag.history.loading.state import State
from riskflag.history.schema import SCHEMAS, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.shelf import CODES, Chunk, Shelf, by_subject, ranges
from riskflag.history.store.versions import asserted
from riskflag.history.threads import streamed

_KEYS = {
    "contact": "contact_key",
    "person": "person_key",
    "identifier": "identifier_key",
    "relationship": "relationship_key",
}


class Day:
    """The work of one landing day: what is to be appended, by table, in `rows` and `contacts`.

    `folder` is where contacts are put aside that are too many for memory; before that `told` is
    called with them, some at a time.
    """

    def __init__(
        self,
        state: State,
        store: HistoryStore,
        day: dt.date,
        batch_id: str,
        *,
        folder: Path | None = None,
        told: Callable[[pa.Table], None] = lambda contacts: None,
    ) -> None:
        self.state, self.store = state, store
        self._told, self._telling = told, Lock()
        self.day, self.batch_id = day_number(day), batch_id
        self.date = day
        self.rows: dict[str, list[pa.Table]] = {name: [] for name in SCHEMAS}
        self.contacts = Shelf(by_bucket, folder, 1 if folder is None else CODES)
        self.linked_later = 0
        self.issues: Counter[str] = Counter()
        self.notes: set[str] = set()
        self.news: set[str] = set()
        self.covered: dict[str, tuple[int | None, int | None]] = {}

    def take_in(self, deliveries: list[Delivered]) -> None:
        """Identities of every source first, then relationships and contacts."""
        for item in deliveries:
            item.settle()
        for item in deliveries:
            self._each(item, "identifier", self._identifiers)
        for item in deliveries:
            self._each(item, "person", self._own_records)
        identities = self.state.identities()
        for item in deliveries:
            self._each(item, "person", self._persons, identities)
        self._link_contacts(identities)
        self._link_relationships(identities)
        for item in deliveries:
            self._each(item, "relationship", self._relationships, identities)
            self._contacts(item, identities)

    def _each(
        self,
        item: Delivered,
        name: str,
        work: Callable[[Part, Identities], None],
        identities: Identities | None = None,
    ) -> None:
        """Work on the candidates of one table part by part, by what is known of people before."""
        for first, last in ranges(item.parts):
            part = Part.of(item, name, first, last)
            if part is not None:
                identities = identities or self.state.identities()
                work(part, identities)

    def tables(self) -> dict[str, pa.Table | Shelf]:
        """Everything to append."""
        made: dict[str, pa.Table | Shelf] = {
            name: stacked([conform(part, SCHEMAS[name], lean=True) for part in parts])
            for name, parts in self.rows.items()
            if parts
        }
        return made | ({"contact": self.contacts} if len(self.contacts) else {})

    def _append(self, name: str, table: pa.Table) -> None:
        if table.num_rows:
            self.rows[name].append(table)
            self.state.add(name, table)

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
        self, part: Part, winners: Rows, current: Rows, place: Ints | None = None
    ) -> Difference:
        key, stamp = _KEYS[part.name], self._stamp(part.item)
        schema = SCHEMAS[part.name]
        return compare(winners, current, key, schema=schema, stamp=stamp, place=place)

    def _current(self, part: Part) -> Rows:
        """What the source said last, as far as it can concern this part."""
        source, name = part.item.source, part.name
        if name == "contact":
            known = partial(self.state.contacts.current, source.name, part.first, part.last)
            if source.delivery.scope not in ("full", "delta"):
                return Rows.of(known())
            return Rows(known(COMPARED.__contains__), lambda rows: take(known(), rows))
        current = latest(self.state.tables[name], _KEYS[name], source.name)
        if part.item.parts == 1 or name != "relationship":
            return Rows.of(current)
        code = by_subject(current)
        return Rows.of(current.filter(pa.array((code >= part.first) & (code < part.last))))

    def _identifiers(self, part: Part, identities: Identities) -> None:
        table = part.sound()
        if table.num_rows == 0:
            return
        merged = self._of_known(part.name, identifiers_with_keys(table), identities)
        self._add_merged(part, (table, identifier_keys(table)), merged)

    def _own_records(self, part: Part, identities: Identities) -> None:
        """A person id for each record of a feed with no shared identifier that nobody knows yet."""
        table = part.sound()
        if not pc.any(table.column("linkage")).as_py():
            return
        merged = merged_persons(table.filter(table.column("linkage")).combine_chunks())
        person, disputed = identities.resolve(merged)
        person = pc.if_else(pa.array(disputed), "", person)
        made = made_identifiers(merged, person)
        winners = made.append_column("withdrawn", pa.repeat(False, made.num_rows))
        part = replace(part, name="identifier")
        found = self._compare(part, Rows.of(winners), self._current(part))
        self._append("identifier", found.rows)

    def _persons(self, part: Part, identities: Identities) -> None:
        table = part.sound()
        if table.num_rows == 0:
            return
        merged = self._of_known(part.name, merged_persons(table), identities)
        conflicts = int(isin(merged.column("issues"), ["conflict"]).sum())
        self.issues.update({"person_conflict": conflicts} if conflicts else {})
        self._add_merged(part, (table, person_keys(table)), merged)

    def _add_merged(self, part: Part, rows: tuple[pa.Table, pa.Array], merged: pa.Table) -> None:
        """Add what is new in a delivery's merged rows; its rows fare as the merged one does."""
        merged = merged.append_column("withdrawn", pa.repeat(False, merged.num_rows))
        difference = self._compare(part, Rows.of(merged), self._current(part))
        self._append(part.name, difference.rows)
        if difference.rows.num_rows:
            self.news.add(part.item.source.name)
        at = numbers(pc.index_in(rows[1], value_set=one(merged.column(_KEYS[part.name]))), -1)
        known = np.flatnonzero(at >= 0)
        if len(known):
            part.item.note(rows[0], known, difference.status[at[known]])

    def _of_known(self, name: str, table: pa.Table, identities: Identities) -> pa.Table:
        """Rows about a person who can be found, each with the person; the others are counted."""
        person, _ = identities.resolve(table)
        found = np.asarray(person.is_valid())
        if not found.all():
            self.issues[f"{name}_not_resolved"] += int((~found).sum())
        whole = table.append_column("person_id", person)
        return whole.filter(pa.array(found)).combine_chunks()

    def _relationships(self, part: Part, identities: Identities) -> None:
        table = part.sound()
        person, _ = identities.resolve(table)
        related, _ = identities.resolve(table, "related")
        table = table.append_column("person_id", person).append_column("related_id", related)
        for rows in self._versions(part, Rows.of(table)):
            self._append("relationship", rows)

    def _contacts(self, item: Delivered, identities: Identities) -> None:
        """The contacts of a delivery, several parts at once."""
        parts = ((item, *codes, identities) for codes in ranges(item.parts))
        found = [some for some in streamed(self._contact_part, parts) if some is not None]
        for part in found:
            self._cover(item.source.name, part.first, part.last)
            self.issues.update(part.issues)
            for file in item.files:
                file.contacts += part.made.get(file.path, 0)
        # Only now: no part may see what another one has added.
        chunks = [chunk for part in found for chunk in part.chunks if chunk.rows]
        self._put(chunks, loose=any(part.loose for part in found))
        if chunks:
            self.news.add(item.source.name)

    def _aside(self, contacts: pa.Table) -> Chunk:
        """Count contacts that are to be appended, and put them aside."""
        with self._telling:
            self._told(contacts)
        return self.contacts.chunk(contacts)

    def _put(self, chunks: list[Chunk], *, loose: bool) -> None:
        self.contacts.chunks += chunks
        self.state.contacts.add(self.contacts, chunks, loose=loose)

    def _contact_part(
        self, item: Delivered, first: int, last: int, identities: Identities
    ) -> Found | None:
        part = Part.of(item, "contact", first, last)
        if part is None:
            return None
        table = part.sound()
        person, disputed = identities.resolve(table, day="occurred_on")
        occurred = numbers(table.column("occurred_on"), self.day)
        occurred = occurred[occurred <= self.day]
        table = table.append_column("person_id", person)
        sound = Rows(table, partial(part.contacts, table, disputed))
        fresh, withdrawn = self._versions(part, sound)
        return Found.of(fresh, withdrawn, occurred, self._aside)

    def _cover(self, source: str, first: int | None, last: int | None) -> None:
        begun, ended = self.covered.get(source, (None, None))
        self.covered[source] = (
            min((day for day in (begun, first) if day is not None), default=None),
            max((day for day in (ended, last) if day is not None), default=None),
        )

    def _versions(self, part: Part, sound: Rows) -> tuple[pa.Table, pa.Table]:
        """Choose within the delivery, compare with the history, withdraw what is gone."""
        item, name, current = part.item, part.name, self._current(part)
        table, known = sound.table, current.table
        choice = item.choice(name, part.first, table)
        winner = choice.winner
        winners = Rows(take(table, winner), lambda rows: sound.whole(winner[rows]))
        placed = item.placed(self.state.contacts) if name == "contact" else None
        if placed is None:
            placed = places(part.table.column(_KEYS[name]), known.column(_KEYS[name]))
        mine = placed[part.kept][winner]
        difference = self._compare(part, winners, current, mine)
        item.note(table, winner, difference.status)
        item.note(table, choice.duplicate, DUPLICATE)
        item.note(table, choice.superseded, SUPERSEDED)
        return difference.rows, self._gone(part, current, placed)

    def _gone(self, part: Part, current: Rows, named: Ints) -> pa.Table:
        """Retractions of what a complete full or window delivery no longer holds."""
        item, stamp, schema = part.item, self._stamp(part.item), SCHEMAS[part.name]
        scope: Delivery = item.source.delivery
        if scope.scope == "delta" or stamp.older:
            return schema.empty_table()
        if not item.complete:
            self.notes.add(
                f"{item.source.name}: not every row could be read, so nothing was withdrawn."
            )
            return schema.empty_table()
        return retractions(current, gone(current.table, named, scope, self.day), schema, stamp)

    def _link_contacts(self, identities: Identities) -> None:
        """Contacts kept without a person whose identifier is now known: linked from today."""
        linked: dict[str, str] = {}
        for waiting in self.state.contacts.waiting():
            person, _ = identities.resolve(waiting, day="occurred_on")
            found = waiting.append_column("found", person).filter(person.is_valid())
            said = (found.column(name).to_pylist() for name in ("contact_key", "found"))
            linked.update(zip(*said, strict=True))
        if not linked:
            return
        keys, people = pa.array(list(linked)), pa.array(list(linked.values()))
        pieces = []
        for read in self.store.readers("contact", only_buckets=[BUCKETS]):
            table = conform(read(), SCHEMAS["contact"])
            pieces.append(table.filter(pa.array(isin(table.column("contact_key"), keys))))
        if not pieces:
            return
        whole = latest(stacked(pieces).combine_chunks(), "contact_key")
        place = pc.index_in(one(whole.column("contact_key")), value_set=keys)
        self.linked_later += whole.num_rows
        again = self._again(whole, {"person_id": people.take(place)})
        self._put([self._aside(again)], loose=False)

    def _link_relationships(self, identities: Identities) -> None:
        current = latest(self.state.tables["relationship"], "relationship_key")
        unknown = pc.or_(
            one(current.column("person_id")).is_null(), one(current.column("related_id")).is_null()
        )
        waiting = asserted(current) & np.asarray(unknown)
        current = current.filter(pa.array(waiting)).combine_chunks()
        if current.num_rows == 0:
            return
        person, _ = identities.resolve(current)
        related, _ = identities.resolve(current, "related")
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
