"""The history as the signals see it: sorted, encoded, with the days each version held."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.clock import NEVER, day_number
from riskflag.history.arrays import (
    Ints,
    codes,
    day_numbers,
    decoded,
    distinct,
    encode,
    in_order_of,
    isin,
    numbers,
    one,
    ordered,
    ranks,
    take,
    those,
)
from riskflag.history.schema import (
    ATTRIBUTES,
    CONTACT,
    COVERAGE,
    MATCH,
    NUMBERS,
    PERSON,
    RELATIONSHIP,
    conform,
)
from riskflag.history.store.coverage import FeedState, feed_states, unavailable
from riskflag.history.store.links import linked_contacts, relationship_view
from riskflag.history.store.matches import Pieces, joins, spread
from riskflag.history.store.persons import Spans, children_on, person_view, spans_of
from riskflag.history.store.versions import asserted, superseded_days
from riskflag.history.threads import IN_TURN

_ENCODED = ("type", "agency", *ATTRIBUTES, "known_basis", "source", "source_file", "issues")
#: The columns of `History.contacts`, in order.
CONTACT_COLUMNS = (
    "person_id",
    "contact_key",
    "version",
    "type",
    "agency",
    "link",
    "contact_person_id",
    "occurred_day",
    "known_day",
    "superseded_day",
    "ended_day",
    "occurred_at",
    "open_ended",
    *ATTRIBUTES,
    *NUMBERS,
    "known_basis",
    "source",
    "source_file",
    "source_line",
    "record_id",
    "issues",
)
#: Where a row stood in its file is lineage, not content: it never changes the digest.
_LINEAGE = frozenset({"source_file", "source_line"})


@dataclass(frozen=True)
class History:
    """Everything known about a set of people, as tables that never change.

    `contacts`: one row per asserted version of a contact and child it concerns (CONTACT_COLUMNS),
    sorted by person_id, occurred_day, contact_key, version, link. Days are int32 day numbers
    (riskflag.clock); `superseded_day` is clock.NEVER for a version that still holds. Texts are
    dictionary-encoded but for contact_key and record_id. `link` is "self" or the relationship
    through which another person's contact (`contact_person_id`) reaches this child.
    """

    contacts: pa.Table
    persons: pa.Table
    relationships: pa.Table
    coverage: pa.Table
    unlinked: int = field(default=0, compare=False)

    @classmethod
    def of(
        cls,
        contacts: pa.Table,
        persons: pa.Table | None = None,
        relationships: pa.Table | None = None,
        coverage: pa.Table | None = None,
        matches: pa.Table | None = None,
    ) -> History:
        """Build the view from raw version rows (schema.py); columns left out are null."""
        raw = conform(contacts, CONTACT, coded=True)
        joined = joins(conform(matches, MATCH))
        related = relationship_view(conform(relationships, RELATIONSHIP), joined.roots)
        people = person_view(conform(persons, PERSON), related, joined.groups)
        covered = conform(coverage, COVERAGE)
        own, unlinked = _own_contacts(raw, joined.roots)
        return cls(_with_links(own, related), people, related, _sorted_coverage(covered), unlinked)

    def person_ids(self) -> list[str]:
        """Everyone with a contact or a person row, sorted."""
        found: set[str] = set()
        for table in (self.contacts, self.persons):
            every = np.ones(table.num_rows, np.bool_)
            found.update(distinct(table.column("person_id"), every).to_pylist())
        return sorted(found)

    def children(self, as_of: dt.date) -> list[str]:
        """Who counts as a child at `as_of`: known by then, not adult, alive; sorted.

        A child whose birth date is unknown counts (unknown is not no), once a contact or a person
        row of theirs is visible. An unborn child with an expected birth date counts.
        """
        return list(decoded(self.child_ids(as_of)).to_pylist())

    def child_ids(self, as_of: dt.date) -> pa.DictionaryArray:
        """The same as an Arrow array of texts, encoded: its dictionary is everyone."""
        with IN_TURN:
            day = np.array([day_number(as_of)], np.int64)
            tables = (self.contacts, self.persons, self.relationships)
            ids, child = children_on(*tables, day, own=self.own)
            chosen = np.flatnonzero(child[:, 0]).astype(np.int32)
            return pa.DictionaryArray.from_arrays(pa.array(chosen), ids)

    @cached_property
    def own(self) -> Spans:
        """Everyone with a contact, and where the contacts of each lie."""
        return spans_of(self.contacts.column("person_id"))

    def feeds(self, as_of: dt.date) -> tuple[FeedState, ...]:
        """The state of every source's feed at `as_of`, by source name."""
        return feed_states(self.coverage, day_number(as_of))

    def unavailable_types(self, as_of: dt.date) -> frozenset[str]:
        """The contact types that no usable feed covers at `as_of`; none without coverage rows."""
        return unavailable(self.feeds(as_of))

    def select(self, person_ids: Sequence[str] | pa.Array) -> History:
        """The same history for these people only."""
        tables = (self.contacts, self.persons, self.relationships)
        contacts, persons, relationships = (
            _recoded(those(t, isin(t.column("person_id"), person_ids))) for t in tables
        )
        return History(contacts, persons, relationships, self.coverage)

    @cached_property
    def _digest(self) -> str:
        total = hashlib.sha256()
        for table in (self.contacts, self.persons, self.relationships, self.coverage):
            total.update(_table_digest(table))
        return total.hexdigest()

    def digest(self) -> str:
        """SHA-256 of the content: equal for the same rows delivered in any order or file."""
        return self._digest


def _own_contacts(raw: pa.Table, roots: Pieces) -> tuple[pa.Table, int]:
    """Asserted versions of linked contacts in canonical order, and how many have no person yet."""
    superseded = superseded_days(raw, "contact_key")
    known = numbers(raw.column("known_on"), NEVER)
    linked = np.asarray(one(raw.column("person_id")).is_valid())
    holds = asserted(raw) & (known < superseded)
    rows = np.flatnonzero(holds & linked)
    unlinked = int((asserted(raw) & ~linked & (superseded == NEVER)).sum())
    part = take(raw, rows).combine_chunks()
    person = encode(part.column("person_id"))
    columns = {
        "person_id": person,
        "contact_key": one(part.column("contact_key")),
        "version": one(part.column("version")),
        "link": encode(pa.repeat("self", len(rows))),
        "contact_person_id": person,
        "occurred_day": day_numbers(part.column("occurred_on")),
        "known_day": day_numbers(part.column("known_on")),
        "superseded_day": pa.array(superseded[rows], pa.int32()),
        "ended_day": day_numbers(part.column("ended_on")),
        **{name: encode(part.column(name)) for name in _ENCODED},
    }
    for name in ("occurred_at", "open_ended", *NUMBERS, "source_line", "record_id"):
        columns[name] = one(part.column(name))
    table = pa.table({name: columns[name] for name in CONTACT_COLUMNS})
    table = spread(_ends_when_over(table), ("person_id", "contact_person_id"), roots)
    return _in_order(_recoded(table) if roots else table), unlinked


def _ends_when_over(table: pa.Table) -> pa.Table:
    """An end is told from the day after it came, however early the version holds that names it.

    A first load brings an episode together with its end, known by assumption soon after its start.
    Until the end is past, such a version stands as still open, without end and length.
    """
    ended = numbers(table.column("ended_day"), -NEVER)
    known = numbers(table.column("known_day"), NEVER)
    superseded = numbers(table.column("superseded_day"), NEVER)
    ahead = np.flatnonzero(ended > known)
    if not len(ahead):
        return table
    before = table.take(pa.array(ahead))
    known = known.copy()
    known[ahead] = ended[ahead]
    days = {
        "superseded_day": pa.array(np.minimum(superseded[ahead], ended[ahead]), pa.int32()),
        "ended_day": pa.nulls(len(ahead), pa.int32()),
        "duration_days": pa.nulls(len(ahead), pa.float64()),
        "open_ended": pa.repeat(pa.scalar(True), len(ahead)),
    }
    for name, column in days.items():
        before = before.set_column(before.schema.get_field_index(name), name, column)
    place = table.schema.get_field_index("known_day")
    after = table.set_column(place, "known_day", pa.array(known, pa.int32()))
    after = after.filter(pa.array(known < superseded))
    return pa.concat_tables([after, before]).unify_dictionaries().combine_chunks()


def _in_order(table: pa.Table) -> pa.Table:
    """Sorted by person, occurred day, contact key, version, link and known day."""
    person = codes(one(table.column("person_id"))).astype(np.int64)
    main = (person << 24) + numbers(table.column("occurred_day"), 0) + (1 << 23)

    def finer(rows: Ints) -> list[Ints]:
        part = table.select(["contact_key", "version", "link", "known_day"])
        part = part.take(pa.array(rows))
        return [
            numbers(part.column("known_day"), 0),
            ranks(part.column("link")),
            numbers(part.column("version"), 0),
            ranks(part.column("contact_key")),
        ]

    return take(table, ordered(main, finer)).combine_chunks()


def _with_links(own: pa.Table, relationships: pa.Table) -> pa.Table:
    """Own contacts together with those that reach a child through a relationship."""
    if relationships.num_rows == 0 or own.num_rows == 0:
        return own
    people = pa.concat_arrays(
        [
            pc.unique(decoded(own.column("person_id"))),
            pc.unique(decoded(relationships.column("person_id"))),
        ]
    )
    names = encode(people).dictionary
    person = _codes_in(own.column("person_id"), names)
    related = relationships.append_column(
        "child_code", pa.array(_codes_in(relationships.column("person_id"), names))
    ).append_column("related_code", pa.array(_codes_in(relationships.column("related_id"), names)))
    related = related.filter(pc.greater_equal(related.column("related_code"), 0))
    linked = linked_contacts(own, person, related)
    child = one(linked.column("child_code")).cast(pa.int32())
    place = linked.schema.get_field_index("person_id")
    linked = linked.set_column(place, "person_id", pa.DictionaryArray.from_arrays(child, names))
    return _in_order(_recoded(pa.concat_tables([own, linked.select(own.column_names)])))


def _codes_in(column: pa.ChunkedArray, names: pa.Array) -> Ints:
    """The place of each text in `names`, -1 where it is not there."""
    encoded = encode(column)
    places = pc.index_in(encoded.dictionary, value_set=names).fill_null(-1).to_numpy()
    found = codes(encoded)
    if len(places) == 0:
        return np.full(len(found), -1, np.int64)
    return np.where(found < 0, -1, places[found]).astype(np.int64)


def _recoded(table: pa.Table) -> pa.Table:
    """The table in one chunk, with every dictionary in its canonical form."""
    table = table.unify_dictionaries().combine_chunks()
    for place, entry in enumerate(table.schema):
        if pa.types.is_dictionary(entry.type):
            table = table.set_column(place, entry.name, encode(table.column(place)))
    return table


def _sorted_coverage(coverage: pa.Table) -> pa.Table:
    names = ("source", "type", "received_on", "status", "complete_to", "rows", "batch_id")
    return in_order_of(coverage, names)


def _table_digest(table: pa.Table) -> bytes:
    """A hash of a canonical table's content, column by column."""
    total = hashlib.sha256(str(table.num_rows).encode())
    for name in table.column_names:
        if name in _LINEAGE or name == "batch_id":
            continue
        total.update(name.encode())
        array = one(table.column(name))
        if pa.types.is_dictionary(array.type):
            total.update(_text_bytes(array.dictionary))
            total.update(codes(array).tobytes())
        elif pa.types.is_string(array.type):
            total.update(_text_bytes(array))
        else:
            total.update(np.asarray(array.is_null()).tobytes())
            total.update(_number_bytes(array))
    return total.digest()


def _text_bytes(array: pa.Array) -> bytes:
    lengths = pc.fill_null(pc.binary_length(array), -1).to_numpy().astype(np.int32)
    joined = pc.fill_null(array, "").cast(pa.large_binary())
    _, offsets, data = joined.buffers()
    bounds = np.frombuffer(offsets, np.int64)[joined.offset : joined.offset + len(joined) + 1]
    body = b"" if data is None else memoryview(data)[int(bounds[0]) : int(bounds[-1])].tobytes()
    return bytes(lengths.tobytes() + body)


def _number_bytes(array: pa.Array) -> bytes:
    if pa.types.is_floating(array.type):
        return np.asarray(array.fill_null(0.0).to_numpy(), "<f8").tobytes()
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32())
    return np.asarray(array.cast(pa.int64()).fill_null(0).to_numpy(), "<i8").tobytes()
