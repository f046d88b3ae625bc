"""A large store out of a small demo: every flag and every child many times, under new ids.

Flags, records and manifest are written by the night's own functions into a publication, and into
the store by the one transaction that ends a night; children are appended to the history by the
history's own writer; reviews are recorded as a page would. Only the flags' texts are copies.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from riskflag.casework import publishing
from riskflag.casework.policies import VerdictWord
from riskflag.casework.publishing import FlagRow, PublicationRecord
from riskflag.casework.reviews import NewReview, ReasonVerdict, record_review, shown
from riskflag.casework.store import Store, open_store
from riskflag.clock import moment
from riskflag.history.schema import SCHEMAS, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.nightly import aside, chronologies, folder, listing, near, steps
from riskflag.nightly.flag_lines import Written
from riskflag.nightly.told import flag_of, told_flag
from riskflag.workspace import Workspace

#: How many days the flags' waiting is spread over.
SPREAD = 60
BATCHES = 12
#: How many flags were reviewed before the last night.
CLOSED = 300
#: The day of a demo's publication.
AS_OF = dt.date(2026, 4, 1)
#: Columns that name a person or a row, by table; each gets the copy's number at its end.
NAMES = {
    "contact": ("contact_key", "person_id", "record_id"),
    "person": ("person_key", "person_id", "record_id"),
    "relationship": ("relationship_key", "person_id", "related_id", "record_id"),
}


def enlarge(workspace: Workspace, *, flags: int, children: int, reviews: int) -> None:
    """Fill a finished demo's workspace up to so many flags, children and reviews."""
    store = open_store(workspace, create=False)
    try:
        of_demo = publishing.current(store)
        assert of_demo is not None
        more_flags(workspace, store, 2 * CLOSED, of_demo)
        more_reviews(store, CLOSED)
        more_flags(workspace, store, flags, of_demo)
        more_reviews(store, reviews)
    finally:
        store.close()
    more_children(workspace, children)
    keep_aside(workspace)


def more_flags(workspace: Workspace, store: Store, wanted: int, of_demo: PublicationRecord) -> None:
    """Publish a demo's flags again, `wanted` in all, as a further publication of their day.

    What a review has closed since is left out, as a night would.
    """
    now = publishing.current(store)
    assert now is not None
    closed = {one.flag_id: one.person_id for one in publishing.state(store, AS_OF).closed_flags}
    old = workspace.publications / of_demo.folder
    texts = [line.rstrip(b",\n") for line in (old / folder.FLAGS).read_bytes().splitlines()[1:-1]]
    run_key = hashlib.sha256(now.run_key.encode() + str(wanted).encode()).hexdigest()
    name = f"{now.as_of.isoformat()}-{run_key[:12]}"
    staging = folder.begin(workspace.publications, name)
    made = (flag for flag in _copies(texts, wanted + len(closed)) if flag["flag_id"] not in closed)
    rows, content_hash = _write_flags(staging / folder.FLAGS, made, wanted, run_key)
    copies = -(-(wanted + len(closed)) // len(texts))
    for kept in (chronologies.RECORDS, near.PEOPLE, near.LINKS):
        folder.write(staging / kept, _of_copies(old / kept, copies, set(closed.values())))
    folder.write(staging / near.FEEDS, (old / near.FEEDS).read_bytes())
    told = {
        **folder.read_manifest(old, of_demo.manifest_hash),
        "content_hash": content_hash,
        "run_key": run_key,
        "files": folder.listed(staging),
    }
    folder.write(staging / folder.MANIFEST, folder.pretty_bytes(told))
    folder.finish(staging, workspace.publications / name)
    record = PublicationRecord(
        run_key=run_key,
        as_of=now.as_of,
        generation=now.generation + 1,
        folder=name,
        content_hash=content_hash,
        manifest_hash=folder.sha256(folder.pretty_bytes(told)),
        exit_code=now.exit_code,
    )
    publishing.publish(store, record, rows, reached=steps.reached)
    folder.point_to(workspace.publications, name)


def _write_flags(
    path: Path, made: Iterator[dict[str, Any]], wanted: int, run_key: str
) -> tuple[list[FlagRow], str]:
    """flags.json, one flag at a time (it would not fit in memory), and its rows and hash."""
    rows, short, sizes = [], [], []
    with folder.FlagsFile(path) as file:
        for flag in itertools.islice(made, wanted):
            flag["versions"]["run_key"] = run_key
            written, row, _ = flag_of(told_flag(flag, Written.of(flag), {}), _entry(flag))
            file.add(written.line)
            rows.append(row)
            short.append(written.short)
            sizes.append(written.size)
        content_hash = file.finish()
    return listing.with_places(rows, short, sizes), content_hash


def _copies(texts: list[bytes], wanted: int) -> Iterator[dict[str, Any]]:
    """The flags, then the same under new numbers and for new people, raised on other days."""
    people = {flag["person_id"] for flag in map(json.loads, texts)}
    people |= {one for flag in map(json.loads, texts) for one in flag.get("siblings") or ()}
    known = re.compile(rf'"(?P<name>{"|".join(map(re.escape, sorted(people)))})"')
    for number in range(wanted):
        copy, which = divmod(number, len(texts))
        text = texts[which].decode()
        if copy:
            text = known.sub(rf'"\g<name>-{copy:03d}"', text)
        flag: dict[str, Any] = json.loads(text)
        if copy:
            flag["flag_id"] = f"{flag['flag_id'][:7]}{number + 1:06d}"
            raised = dt.date.fromisoformat(flag["as_of"]) - dt.timedelta(days=copy % SPREAD)
            flag["first_raised"] = raised.isoformat()
        yield flag


def _entry(flag: dict[str, Any]) -> Any:
    days = {name: dt.date.fromisoformat(flag[name]) for name in ("first_raised", "last_matched")}
    same = ("flag_id", "person_id", "level", "status", "standing", "raised_by")
    return SimpleNamespace(**{name: flag[name] for name in same}, **days)


def _of_copies(old: Path, copies: int, without: set[str]) -> bytes:
    """What is kept of all copies but a few, sorted by person as the night writes it."""
    table = chronologies.everybody(old)
    parts = [table, *(_renamed(table, ("person_id",), f"-{n:03d}") for n in range(1, copies))]
    every = pa.concat_tables(parts)
    left_out = pc.is_in(every["person_id"], pa.array(sorted(without), pa.string()))
    every = every.filter(pc.invert(left_out))
    return chronologies.table_bytes(every.sort_by("person_id").combine_chunks())


def _renamed(table: pa.Table, columns: tuple[str, ...], ending: str) -> pa.Table:
    for name in columns:
        place = table.schema.get_field_index(name)
        plain = table[name].cast(pa.string())
        table = table.set_column(place, name, pc.binary_join_element_wise(plain, ending, ""))
    return table


def more_children(workspace: Workspace, wanted: int) -> None:
    """Append copies of everybody in the history, until so many children are in it."""
    history = HistoryStore(workspace.history)
    own = {name: conform(history.read(name), SCHEMAS[name]) for name in NAMES}
    people = own["person"]
    young = pc.greater(people["birth_on"], AS_OF.replace(year=AS_OF.year - 18))
    born = pc.count_distinct(people.filter(young)["person_id"]).as_py()
    copies = list(range(1, -(-wanted // born)))
    for number in range(BATCHES):
        chosen = copies[number::BATCHES]
        if not chosen:
            continue
        tables = {
            name: pa.concat_tables([_renamed(own[name], NAMES[name], f"-{n:03d}") for n in chosen])
            for name in NAMES
        }
        history.append_batch(f"copies-{number}", "2026-03-31", tables)


def keep_aside(workspace: Workspace) -> None:
    """What the night keeps of everyone who ever had a flag, as far as the history holds them."""
    store = open_store(workspace, create=False)
    people = publishing.state(store, AS_OF).ever
    store.close()
    near_them = HistoryStore(workspace.history).near(sorted(people))
    aside.keep(workspace, near_them, people, AS_OF)


def more_reviews(store: Store, wanted: int) -> None:
    """Reviews by four workers, a verdict on each reason; one in twenty is unsure."""
    from riskflag.casework.worklist import worklist_page

    decisions = (
        *("nothing_further", "already_in_hand", "refer") * 6,
        "talk_to_colleague",
        "unsure",
    )
    page = 0
    done = 0
    while done < wanted:
        page += 1
        for line in worklist_page(store, page=page, size=200).lines:
            if done == wanted:
                return
            decision = decisions[done % len(decisions)]
            verdicts = tuple(
                _verdict(reason["reason_id"], done + place)
                for place, reason in enumerate(line.flag["reasons"])
            )
            record_review(
                store,
                NewReview(
                    flag_id=line.flag_id,
                    reviewer=f"duty worker {1 + done % 4}",
                    role="caseworker",
                    decision=decision,
                    why="A made-up reason, for measuring only.",
                    worth_bringing=("new_to_me", "knew_most", "no")[done % 3],
                    opened_at=moment(),
                    verdicts=verdicts,
                    expected=shown(store, line.flag_id),
                ),
            )
            done += 1


def _verdict(reason_id: str, number: int) -> ReasonVerdict:
    kinds = (*("important", "known", "not_relevant") * 5, "wrong")
    kind = cast(VerdictWord, kinds[number % len(kinds)])
    return ReasonVerdict(reason_id, kind, "wrong_date" if kind == "wrong" else None)
