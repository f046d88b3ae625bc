"""Making the stored view of a history that memory need not hold.

First every row of a contact is dealt out, file after file, to the part of its person and to the
parts of children whom it reaches through a relationship; then each part is made a view of by the
same function that makes the view of a whole history. Ids that were ever one person lie in one part.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskflag.history.arrays import Ints, decoded, isin, one, spans
from riskflag.history.hashing import buckets
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.by_part import ByPart
from riskflag.history.store.ledger import StoredFile, live_files, write_atomic
from riskflag.history.store.matches import everyone_ever, tops
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.stored_view import CODED, PEOPLE, PLAIN, Part, Shelves, StoredView
from riskflag.history.store.view import History
from riskflag.history.threads import cores, in_threads, in_turn
from riskflag.progress import Progress, silent

KEY = "view.json"
#: What a view made by this program is like; another number is made anew.
FORMAT = 1
#: Bytes of memory that a contact takes while its part is being made, links included.
BYTES_A_CONTACT = 4_000
MOST_PARTS = 4_096
#: When more than this share of people would be in the newer part, all parts are made anew.
MOST_RENEWED = 0.2
#: The columns of stored tables that name people or things.
NAMED = {
    "contact": ("person_id", "contact_key"),
    "person": ("person_id",),
    "relationship": ("person_id", "related_id", "relationship_key"),
    "match": ("person_id", "other_id"),
}


def parts_for(contacts: int, memory: int, threads: int) -> int:
    """In how many parts so many contacts are worked on in so many bytes: a power of two."""
    parts = 1
    while parts < MOST_PARTS and contacts / parts * threads * BYTES_A_CONTACT > memory:
        parts *= 2
    return parts


def memory_for(store: HistoryStore, parts: int) -> int:
    """The bytes with which a view on all cores has so many parts (a power of two), or more."""
    return math.ceil(_contacts(live_files(store.batches())) / parts * cores() * BYTES_A_CONTACT)


def stored_view(
    store: HistoryStore,
    folder: Path,
    *,
    memory: int,
    anew: bool = False,
    progress: Progress = silent,
) -> Shelves:
    """The view of a store in `folder`, made there unless the one that is there is still right.

    `anew` makes all of it again, whatever is there.

    Raises IntegrityError when a file of the history is not the one in its ledger.
    """
    used = cores()
    key, held = _key(store, memory, used), None if anew else _held(folder)
    if held is not None and held["ledger"] == key["ledger"] and held["parts"] == key["parts"]:
        return Shelves(folder, held["newer"])
    if (
        held is not None
        and held["parts"] == key["parts"]
        and set(held["files"]) <= set(key["files"])
    ):
        found = _with_newer(store, folder, {**key, "files": held["files"]}, progress)
        if found is not None:
            return found
    staging = folder.with_name(f".{folder.name}")
    shutil.rmtree(staging, ignore_errors=True)
    for made in (staging.parent, staging):
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _Making(store, staging, key["parts"], used).run(progress)
        _tell(staging, key)
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Shelves(folder)


def held_or_viewed(
    store: HistoryStore,
    folder: Path,
    *,
    memory: int,
    anew: bool = False,
    progress: Progress = silent,
) -> History | Shelves:
    """The history of a store in memory where that suffices, else its stored view in `folder`."""
    if parts_for(_contacts(live_files(store.batches())), memory, 1) == 1:
        return store.load(progress=progress)
    return stored_view(store, folder, memory=memory, anew=anew, progress=progress)


def made_of(view: Shelves) -> str:
    """Tells one state of a view from any other."""
    return hashlib.sha256((view.folder / KEY).read_bytes()).hexdigest()


def _with_newer(
    store: HistoryStore, folder: Path, key: dict[str, Any], progress: Progress
) -> Shelves | None:
    """The view with a newer part for everyone whom files that came since can touch.

    None when these are so many that all is better made anew.
    """
    people = touched(store, Shelves(folder), frozenset(key["files"]))
    known = len(pc.unique(store.read("person", columns=["person_id"])["person_id"]))
    if len(people) > MOST_RENEWED * known:
        return None
    name = f"newer-{key['ledger'][:16]}"
    staging = folder / f".{name}"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        StoredView.write(staging, [_part_of(store.near(people, progress), people)])
        table = pa.table({"person_id": pa.array(people, pa.string())})
        pq.write_table(table, staging / f"{PEOPLE}.parquet", write_page_checksum=True)
        shutil.rmtree(folder / name, ignore_errors=True)
        staging.rename(folder / name)
        _tell(folder, {**key, "newer": name})
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    for old in [*folder.glob("newer-*"), *folder.glob(".newer-*")]:
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)
    return Shelves(folder, name)


def touched(store: HistoryStore, view: Shelves, files: frozenset[str]) -> list[str]:
    """Everyone whose rows of the view can be others now that there are more than these files.

    Those a new row is about, whoever lost a contact to somebody else, all who were ever one person
    with any of them, and the children whom their contacts reach.
    """
    new = [file for file in live_files(store.batches()) if file.path not in files]
    matches, related = store.read("match"), store.read("relationship")
    found: set[str] = set()
    for file in new:
        kind = file.path.split("/")[0]
        for piece in store.pieces(file, [*NAMED.get(kind, ()), "version"]):
            for name in NAMED.get(kind, ()):
                if name.endswith("_id"):
                    found |= set(decoded(piece[name]).drop_null().unique().to_pylist())
            again = piece.filter(pc.greater(piece["version"], 1)) if kind in NAMED else piece
            if kind == "contact" and again.num_rows:
                found |= view.holders(decoded(again["contact_key"]))
            if kind == "relationship" and again.num_rows:
                keys = decoded(again["relationship_key"])
                before = related.filter(pa.array(isin(related["relationship_key"], keys)))
                for name in ("person_id", "related_id"):
                    found |= set(decoded(before[name]).drop_null().unique().to_pylist())
    near = everyone_ever(matches, found)
    reached = related.filter(pa.array(isin(related["related_id"], near)))["person_id"]
    return everyone_ever(matches, {*near, *decoded(reached).drop_null().unique().to_pylist()})


def _part_of(history: History, people: Sequence[str]) -> Part:
    """These people of a history, with what tells of them elsewhere."""
    related = history.relationships
    theirs = isin(related.column("related_id"), people)
    theirs &= ~isin(related.column("person_id"), people)
    return Part(history.select(people), related.filter(pa.array(theirs)))


def _key(store: HistoryStore, memory: int, threads: int) -> dict[str, Any]:
    """What a view is made from: the files of the history, in how many parts; no newer part yet."""
    files = live_files(store.batches())
    told = json.dumps([[file.path, file.sha256] for file in files])
    return {
        "format": FORMAT,
        "ledger": hashlib.sha256(told.encode()).hexdigest(),
        "parts": parts_for(_contacts(files), memory, threads),
        "files": [file.path for file in files],
        "newer": None,
    }


def _contacts(files: Sequence[StoredFile]) -> int:
    return sum(file.rows for file in files if file.path.startswith("contact/"))


def _held(folder: Path) -> dict[str, Any] | None:
    """What the view that is there was made from; None when there is none to trust."""
    try:
        found: dict[str, Any] = json.loads((folder / KEY).read_bytes())
    except (OSError, ValueError):
        return None
    return found if found.get("format") == FORMAT else None


def _tell(folder: Path, key: dict[str, Any]) -> None:
    write_atomic(folder / KEY, json.dumps(key, sort_keys=True).encode())


@dataclass
class _Making:
    """One making of a view: where rows go, and what of the small tables each part needs."""

    store: HistoryStore
    folder: Path
    parts: int
    threads: int
    locks: list[threading.Lock] = field(default_factory=list)

    def run(self, progress: Progress) -> None:
        self._deal_out(progress)
        label = "Making the view"
        for done, _ in enumerate(in_turn(self._make, self.parts, threads=self.threads), start=1):
            progress(label, done, self.parts)
        shutil.rmtree(self._scratch, ignore_errors=True)

    @cached_property
    def _scratch(self) -> Path:
        folder = self.folder / "scratch"
        folder.mkdir()
        return folder

    @cached_property
    def matches(self) -> pa.Table:
        return self.store.read("match")

    @cached_property
    def top(self) -> dict[str, str]:
        """For each id that was ever joined to another, the one that stands for all of them."""
        return tops(self.matches)

    @cached_property
    def persons(self) -> ByPart:
        table = self.store.read("person")
        return ByPart(table, [self.home(table.column("person_id"))], self.parts)

    @cached_property
    def relationships(self) -> ByPart:
        table = self.store.read("relationship")
        homes = [self.home(table.column(name)) for name in ("person_id", "related_id")]
        return ByPart(table, homes, self.parts)

    @cached_property
    def coverage(self) -> pa.Table:
        return self.store.read("coverage")

    def home(self, ids: Any) -> Ints:
        """The part of each person id; of those that were ever one person the same. Null: -1."""
        encoded = one(ids)
        if not pa.types.is_dictionary(encoded.type):
            encoded = encoded.dictionary_encode()
        names = [self.top.get(name, name) for name in encoded.dictionary.to_pylist()]
        place = np.append(buckets(pa.array(names, pa.string()), self.parts).astype(np.int64), -1)
        return np.asarray(place[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)])

    @cached_property
    def reached(self) -> tuple[pa.Array, Ints, Ints]:
        """Whose contacts reach children of other parts: ids, and for each from where to where."""
        table = self.relationships.table
        pairs = {
            (related, int(part))
            for related, part in zip(
                table.column("related_id").to_pylist(), self.relationships.homes[0], strict=True
            )
            if related is not None and part >= 0
        }
        members: dict[str, list[str]] = {}
        for name, top in self.top.items():
            members.setdefault(top, []).append(name)
        wanted = sorted(
            {
                (name, part)
                for related, part in pairs
                for name in members.get(self.top.get(related, related), [related])
            }
        )
        names = pa.array([name for name, _ in wanted], pa.string())
        own = self.home(names)
        targets = np.array([part for _, part in wanted], np.int64)
        away = np.flatnonzero(own != targets)
        names, targets = names.take(pa.array(away)), targets[away]
        encoded = names.dictionary_encode()
        starts = np.searchsorted(
            np.asarray(encoded.indices), np.arange(len(encoded.dictionary) + 1)
        )
        return encoded.dictionary, starts.astype(np.int64), targets

    def _deal_out(self, progress: Progress) -> None:
        files = [f for f in live_files(self.store.batches()) if f.path.startswith("contact/")]
        _ = self.reached, self.coverage, self.persons
        self.locks = [threading.Lock() for _ in range(self.parts)]
        label = "Reading the history"
        progress(label, 0, len(files))
        with ExitStack() as stack:
            writers: dict[int, Any] = {}

            def deal(number: int) -> None:
                for chunk in self.store.pieces(files[number], COLUMNS):
                    self._deal(plain(chunk), writers, stack)

            in_threads(
                deal, [(n,) for n in range(len(files))], lambda d: progress(label, d, len(files))
            )

    def _deal(self, rows: pa.Table, writers: dict[int, Any], stack: ExitStack) -> None:
        """Add rows to the scratch files of every part that needs them."""
        encoded = one(rows.column("person_id")).dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        home = self.home(encoded)
        names, starts, targets = self.reached
        place = np.append(
            pc.index_in(encoded.dictionary, value_set=names).fill_null(-1).to_numpy(), -1
        )[codes]
        linked = np.flatnonzero(place >= 0)
        at, owner = spans(starts[place[linked]], starts[place[linked] + 1])
        mine = np.flatnonzero(home >= 0)
        row, part = np.append(mine, linked[owner]), np.append(home[mine], targets[at])
        order = np.argsort(part, kind="stable")
        batch = rows.take(pa.array(row[order])).combine_chunks()
        edges = np.searchsorted(part[order], np.arange(self.parts + 1))
        for number in np.flatnonzero(np.diff(edges)).tolist():
            with self.locks[number]:
                if number not in writers:
                    sink = pa.OSFile(str(self._scratch / f"{number}.arrow"), "wb")
                    stack.enter_context(sink)
                    options = pa.ipc.IpcWriteOptions(compression="lz4")
                    writer = pa.ipc.new_stream(sink, batch.schema, options=options)
                    writers[number] = stack.enter_context(writer)
                size = edges[number + 1] - edges[number]
                writers[number].write_table(batch.slice(edges[number], size))

    def _make(self, number: int) -> None:
        """One part's view, from the rows dealt out to it."""
        path = self._scratch / f"{number}.arrow"
        contacts = plain(CONTACT.empty_table())
        if path.exists():
            with pa.memory_map(str(path)) as source:
                contacts = pa.ipc.open_stream(source).read_all()
        related, persons = self.relationships.part(number), self.persons.part(number)
        contacts = pa.concat_tables([contacts, plain(self.store.moved_from(contacts))])
        near = [contacts["person_id"], related["person_id"], related["related_id"]]
        history = History.of(contacts, persons, related, self.coverage, self._matches(near))
        StoredView.write(self.folder / f"{number:04d}", [self._own(history, number)])
        path.unlink(missing_ok=True)

    def _matches(self, near: Sequence[Any]) -> pa.Table:
        """The decisions about anyone among these ids, or about who was ever joined to them."""
        if not self.top:
            return self.matches
        ids = {name for column in near for name in decoded(column).unique().to_pylist()}
        wanted = {self.top[name] for name in ids & set(self.top)}
        people = [name for name, top in self.top.items() if top in wanted]
        return self.matches.filter(pa.array(isin(self.matches.column("person_id"), people)))

    def _own(self, history: History, number: int) -> Part:
        """The people of a part, without those whose contacts only reach them."""
        related = decoded(history.relationships.column("person_id")).to_pylist()
        names = pa.array(sorted({*history.person_ids(), *related}), pa.string())
        return _part_of(history, names.filter(pa.array(self.home(names) == number)).to_pylist())


#: What a view is made of; the other columns tell how rows came to be.
COLUMNS = (*PLAIN, *CODED)


def plain(chunk: pa.Table) -> pa.Table:
    """Rows in the one form in which they are dealt out: COLUMNS, texts of few values encoded."""
    chunk = conform(chunk, CONTACT, coded=True).select(COLUMNS).combine_chunks()
    for place, entry in enumerate(chunk.schema):
        column = one(chunk.column(place))
        if entry.name in CODED and not pa.types.is_dictionary(entry.type):
            chunk = chunk.set_column(place, entry.name, column.dictionary_encode())
        elif entry.name in PLAIN and pa.types.is_dictionary(entry.type):
            chunk = chunk.set_column(place, entry.name, column.cast(pa.string()))
    return chunk
