"""What is known of each flagged child, kept beside the flags: no page reads the whole history.

A look-back replays a child's history day by day. Of those who have a flag, the night keeps that
history as it knew it: the contacts in `records.parquet` (riskflag.nightly.chronologies), and here
what is known of them as people, their links, and what the feeds said of themselves. Of names only
the first letter is kept, and of other people nothing but how they are related.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskflag.clock import day_number
from riskflag.history.arrays import isin, numbers
from riskflag.history.store.persons import ADULT_KINDS
from riskflag.history.store.view import CONTACT_COLUMNS, History
from riskflag.nightly import chronologies
from riskflag.nightly.chronologies import RECORDS, known_before, plain

if TYPE_CHECKING:
    from riskflag.casework.publishing import PublicationRecord

PEOPLE, LINKS, FEEDS = "people.parquet", "links.parquet", "feeds.parquet"
#: Who is somebody's parent, carer or adult of the household, and from when: not whose.
NAMED = "named.parquet"
#: About a person, and needed by no look-back.
LEFT_OUT = ("sex", "ethnicity", "disability")


def tables(near: History, as_of: dt.date) -> dict[str, pa.Table]:
    """What a publication keeps, by file; `near` is the history cut to the people with a flag."""
    people = known_before(near.persons, as_of)
    for name in LEFT_OUT:
        people = _with(people, name, pa.nulls(people.num_rows, pa.string()))
    for name in ("given_name", "family_name"):
        trimmed = pc.utf8_trim_whitespace(people[name].cast(pa.string()))
        people = _with(people, name, pc.utf8_slice_codeunits(trimmed, 0, 1))
    links = known_before(near.relationships, as_of)
    return {
        RECORDS: chronologies.table(near, as_of),
        PEOPLE: plain(people),
        LINKS: plain(_with(links, "related_id", pa.nulls(links.num_rows, pa.string()))),
        FEEDS: near.coverage,
    }


def named(relationships: pa.Table) -> pa.Table:
    """Whom others' links name as an adult of theirs, one by one: it tells who is no child."""
    adults = relationships.filter(pa.array(isin(relationships["kind"], ADULT_KINDS)))
    rows = plain(adults)
    return plain(_with(rows, "person_id", rows["related_id"])).sort_by("person_id")


def file_bytes(kept: Mapping[str, pa.Table]) -> Iterator[tuple[str, bytes]]:
    """Each of these files with its content."""
    for name, table in kept.items():
        if name == FEEDS:
            sink = pa.BufferOutputStream()
            pq.write_table(table, sink, store_schema=False)
            yield name, sink.getvalue().to_pybytes()
        else:
            yield name, chronologies.table_bytes(table)


def kept_history(
    publications: Path, record: PublicationRecord, person_id: str, last: int
) -> History | None:
    """The history of one child as a night kept it, for a look-back that ends with day `last`.

    None when the night kept none of this child, or not all that the days before `last` need: then
    the history itself has to be asked. Raises IntegrityError when a file is not the published one.
    """
    if last > day_number(record.as_of):
        return None
    return history_in(publications / record.folder, record.manifest_hash, person_id, last)


def history_in(where: Path, expected: str, person_id: str, last: int) -> History | None:
    """The history of one child out of a folder with `tables`, whose manifest has this hash.

    None and raises as `kept_history`.
    """
    files = [chronologies.opened(where, expected, name) for name in (RECORDS, PEOPLE, LINKS)]
    feeds = chronologies.checked(where, expected, FEEDS)
    found = [file for file in files if file is not None]
    if len(found) < len(files) or feeds is None:
        return None
    contacts = found[0].of(person_id)
    if not contacts.num_rows:
        return None  # nothing more is read of somebody whom the night did not keep
    people, links = found[1].of(person_id), found[2].of(person_id)
    adults = chronologies.opened(where, expected, NAMED)
    if adults is not None:
        others = adults.of(person_id)
        others = _with(others, "person_id", pa.nulls(others.num_rows, pa.string()))
        links = pa.concat_tables([links, others])
    elif not _described(contacts, people, last):
        return None
    contacts = contacts.append_column("contact_person_id", contacts["whose"])
    # Texts of so few rows are left as they are: coding thirty columns takes longer than it saves.
    contacts = contacts.select(CONTACT_COLUMNS)
    return History(contacts, people, links, _feeds(feeds, expected))


def _described(contacts: pa.Table, people: pa.Table, last: int) -> bool:
    """Whether what sources say of the person holds on every day from the first contact on.

    On other days whether somebody is a child follows from the links of everybody else (NAMED).
    """
    day = int(numbers(contacts["known_day"], 0).min()) + 1
    spans = zip(numbers(people["known_day"], 0), numbers(people["superseded_day"], 0), strict=True)
    for known, until in sorted(spans):
        if known < day <= until:
            day = int(until) + 1
    return day > last


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


@lru_cache(maxsize=4)
def _feeds(path: Path, _manifest_hash: str) -> pa.Table:
    return pq.read_table(path, memory_map=True)
