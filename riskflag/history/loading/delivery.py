"""One source's files of one day, from bytes to candidates whose rows no longer contradict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.arrays import Ints, Mask, numbers, one
from riskflag.history.declared.dates import OK, Days
from riskflag.history.declared.source import Source
from riskflag.history.declared.source_check import checked_columns
from riskflag.history.files.delivered import FileContent, RejectedError
from riskflag.history.files.file_faults import check_whole, turned_round
from riskflag.history.files.file_rows import FileRows, Part, row_number
from riskflag.history.files.raw_file import RawFile, UnclearError, What
from riskflag.history.files.readers import check_totals, parts_of
from riskflag.history.files.sheet import Sheet
from riskflag.history.files.sidecar import Described, check_rows
from riskflag.history.loading.adapt import COMPARED, Landing, adapt_contacts, named_apart
from riskflag.history.loading.adapt_people import (
    adapt_identifiers,
    adapt_persons,
    adapt_relationships,
)
from riskflag.history.loading.known import Known
from riskflag.history.loading.snapshot import (
    ACCEPTED,
    DUPLICATE,
    NOTHING,
    SUPERSEDED,
    Choice,
    choose,
    places,
)
from riskflag.history.loading.text_forms import odd_texts
from riskflag.history.store.shelf import Chunk, Shelf, by_subject, everything, ranges
from riskflag.history.threads import in_threads, streamed

TABLES = ("contact", "person", "identifier", "relationship")
_ROWS = pa.schema([pa.field("row", pa.int64()), pa.field("file", pa.int64())])
#: What tells of a contact, known or not, which it is and when it occurred.
_DATED = frozenset({"contact_key", "keyless", "occurred_on", "source", "version", "known_on"})
Made = dict[str, list[Chunk]]


@dataclass
class DeliveredSheet:
    """A file of the delivery: its sheet, or why it was refused; and what became of its rows."""

    name: str
    path: str
    sha256: str
    sheet: FileRows | None = None
    refused: RejectedError | None = None
    status: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))
    contacts: int = 0
    cut: int | None = None


class Delivered:
    """All files of one source that landed on one day, in `parts` that are worked on one by one."""

    def __init__(
        self, source: Source, landing: Landing, folder: Path | None = None, parts: int = 1
    ) -> None:
        self.source = source
        self.landing = landing
        self.files: list[DeliveredSheet] = []
        self.parts = parts
        self.folder = folder
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        """Drop all candidates."""
        self._shelves = {
            name: Shelf(
                by_subject, self.folder, self.parts, COMPARED if name == "contact" else frozenset()
            )
            for name in TABLES
        }
        self._rows: dict[str, pa.Table | None] = {}
        self._chosen: dict[str, Choice] = {}
        #: The parts in which no key of a table comes twice, by its name and first code.
        self._single: set[tuple[str, int]] = set()
        self._placed: tuple[object, Ints] | None = None

    def refuse(self, path: Path, shown: str, sha256: str, refusal: RejectedError) -> None:
        """Note a file that could not even be opened, or is not what its sender described."""
        self.files.append(DeliveredSheet(path.name, shown, sha256, refused=refusal))

    def add(
        self, path: Path, shown: str, content: FileContent, *, said: Sequence[Described] = ()
    ) -> None:
        """Read and adapt one file; a file that cannot be taken is kept as refused.

        `said` is what its sender says of it beside the file.
        """
        item = DeliveredSheet(path.name, shown, content.sha256)
        self.files.append(item)
        about = What(shown, self.source.files, self.source.columns(), checked_columns(self.source))
        try:
            try:
                sheet, made = self._read(content, about)
            except UnclearError:
                sheet, made = self._read(content, about, strict=True)
            check_rows(shown, said, sheet.rows)
            check_whole(sheet, shown)
            item.cut = _cut_day(sheet, shown)
        except RejectedError as refusal:
            item.refused = refusal
            return
        item.sheet = sheet
        for name, chunks in made.items():
            self._shelves[name].chunks += chunks

    def _read(
        self, content: FileContent, about: What, *, strict: bool = False
    ) -> tuple[FileRows, Made]:
        """The rows of a file and the candidates made of them, read and adapted part by part."""
        kept, number = Shelf(by_subject, self.folder), len(self.files) - 1

        def work(place: int, read: Callable[[], RawFile]) -> tuple[Part, Made]:
            sheet = Sheet(read(), self.source)
            made = self._adapt(sheet, number, place)
            return Part.of(sheet, kept), {
                name: [self._shelves[name].chunk(table) for table in tables]
                for name, tables in made.items()
            }

        found = list(streamed(work, enumerate(parts_of(content, about, strict=strict))))
        check_totals(about, [part.raw for part, _ in found])
        made: Made = {name: [one for _, some in found for one in some[name]] for name in TABLES}
        return FileRows(self.source, [part for part, _ in found], kept), made

    def _adapt(self, sheet: Sheet, number: int, part: int) -> dict[str, list[pa.Table]]:
        """The candidates of a part of a file."""
        for column in sheet.raw.table.column_names:
            texts = sheet.raw.table.column(column)
            if pa.types.is_string(texts.type):
                for warning, odd in odd_texts(one(texts)).items():
                    sheet.warn(np.flatnonzero(odd), warning)
        made = {
            "contact": adapt_contacts(sheet, self.landing, number),
            "person": adapt_persons(sheet, self.landing),
            "identifier": adapt_identifiers(sheet, self.landing),
            "relationship": adapt_relationships(sheet, self.landing, number),
        }
        return {
            name: [_in_file(table, number, part) for table in tables]
            for name, tables in made.items()
        }

    def refuse_all(self, reason: str, message: str) -> None:
        """Hold the whole delivery: no file of it counts."""
        for item in self.files:
            item.refused = item.refused or RejectedError(reason, message)
        self._forget()

    def turned_dates(self, known: Known) -> tuple[int, int]:
        """How many records are known already, and of how many day and month changed places."""
        found = in_threads(self._turned, [(known, *codes) for codes in ranges(self.parts)])
        return sum(here for here, _ in found), sum(turned for _, turned in found)

    def _turned(self, known: Known, first: int, last: int) -> tuple[int, int]:
        current = known.current(self.source.name, first, last, _DATED.__contains__)
        few = _DATED.__contains__
        made = self._shelves["contact"].read(first, last, few) if current.num_rows else None
        if made is None or bool(pc.any(made["keyless"]).as_py()):
            return 0, 0
        place = places(made["contact_key"], current["contact_key"])
        if self.parts == 1:
            self._placed = known.state, place
        here = np.flatnonzero(place >= 0)
        before = numbers(current["occurred_on"], 0)[place[here]]
        now = numbers(made["occurred_on"], 0)[here]
        moved = np.flatnonzero(now != before)
        return len(here), int((turned_round(before[moved]) == now[moved]).sum())

    @property
    def rows(self) -> int:
        """Rows of the files that could be read."""
        return sum(item.sheet.rows for item in self.files if item.sheet is not None)

    @property
    def complete(self) -> bool:
        """Whether every row of the delivery names its record, so that absence means something."""
        for item in self.files:
            if item.refused is not None or item.sheet is None or item.sheet.bad:
                return False
            absent = item.sheet.absent
            nameless = any(set(e.record_id) <= absent for e in self.source.contact)
            if item.sheet.marks.reason.any() and nameless:
                return False
        return True

    def settle(self) -> None:
        """Quarantine rows that contradict each other."""
        while self._mark_conflicts("contact") or self._mark_conflicts("relationship"):
            pass
        for item in self.files:
            if item.sheet is not None:
                item.status = np.zeros(len(item.sheet.marks.reason), np.int8)

    def candidates(self, name: str, first: int, last: int) -> pa.Table | None:
        """What the rows of a part name, those at fault too: what a row named is not gone.

        Of the contacts of a delivery in several parts only the columns COMPARED; see `further`.
        """
        if name in self._rows:
            return self._rows[name]
        contact = name == "contact"
        wanted = COMPARED.__contains__ if contact and self.parts > 1 else everything
        table = self._shelves[name].read(first, last, wanted)
        if table is not None and contact:
            table = named_apart(table)
        if self.parts == 1:
            self._rows[name] = table
        return table

    def further(self, first: int, last: int) -> pa.Table:
        """The columns of a part's candidate contacts that `candidates` leaves out."""
        found = self._shelves["contact"].read(first, last, lambda name: name not in COMPARED)
        assert found is not None
        return found

    def choice(self, name: str, first: int, sound: pa.Table) -> Choice:
        """Which of the sound candidates of a part count; `first` is its first code."""
        if (name, first) in self._single:
            nothing = np.zeros(0, np.int64)
            return Choice(np.arange(sound.num_rows), nothing, nothing, nothing)
        return self._chosen.get(name) or choose(sound, f"{name}_key")

    def kept(self, table: pa.Table) -> Mask:
        """Which candidates' rows are not quarantined."""
        rows, files = table.column("row").to_numpy(), table.column("file").to_numpy()
        kept = np.ones(table.num_rows, np.bool_)
        for number, item in enumerate(self.files):
            if item.sheet is not None and item.sheet.marks.reason.any():
                mine = files == number
                kept[mine] = item.sheet.marks.reason[item.sheet.places(rows[mine])] == 0
        return kept

    def _mark_conflicts(self, name: str) -> bool:
        """Quarantine rows of which candidates contradict each other; whether there were any."""
        found = in_threads(self._conflicts, [(name, *codes) for codes in ranges(self.parts)])
        for table in found:
            rows, files = table.column("row").to_numpy(), table.column("file").to_numpy()
            for number, item in enumerate(self.files):
                mine = rows[files == number]
                if item.sheet is not None and len(mine):
                    self._chosen.clear()
                    self._single.clear()
                    item.sheet.marks.mark(item.sheet.places(mine), "conflicting_rows")
        return any(table.num_rows for table in found)

    def _conflicts(self, name: str, first: int, last: int) -> pa.Table:
        """Row and file of the candidates of a part that contradict each other.

        Without any in a delivery of one part the choice is known, and kept.
        """
        table = self.candidates(name, first, last)
        self._chosen.pop(name, None)
        self._single.discard((name, first))
        if table is None or table.num_rows == 0:
            return _ROWS.empty_table()
        kept = self.kept(table)
        sound = table if kept.all() else table.filter(pa.array(kept))
        choice = choose(sound, f"{name}_key")
        if len(choice.winner) == sound.num_rows:
            self._single.add((name, first))
        if self.parts == 1 and len(choice.conflict) == 0:
            self._chosen[name] = choice
        return sound.select(_ROWS.names).take(pa.array(choice.conflict))

    def placed(self, known: Known) -> Ints | None:
        """Where each candidate contact stands in what is known, if that was found out before."""
        return self._placed[1] if self._placed and self._placed[0] is known.state else None

    def note(self, table: pa.Table, places: Ints, status: np.ndarray | int) -> None:
        """Record what became of candidates; a row keeps the highest of its products."""
        rows = table.column("row").to_numpy()[places]
        files = table.column("file").to_numpy()[places]
        value = np.broadcast_to(np.asarray(status, np.int8), rows.shape)
        for number, item in enumerate(self.files):
            mine = files == number
            if item.sheet is not None and mine.any():
                with self._lock:
                    np.maximum.at(item.status, item.sheet.places(rows[mine]), value[mine])


def _in_file(table: pa.Table, number: int, part: int) -> pa.Table:
    """Candidates with the number of their file, and of their row in all of it."""
    if "file" not in table.column_names:
        file = pa.repeat(pa.scalar(number, pa.int64()), table.num_rows)
        table = table.append_column("file", file)
    if part == 0:
        return table
    rows = pa.array(table.column("row").to_numpy() + row_number(part), pa.int64())
    return table.set_column(table.schema.get_field_index("row"), "row", rows)


def _cut_day(file: FileRows, name: str) -> int | None:
    """The day an extract was made: the latest its rows name. None when its source has no column."""
    generated = file.source.delivery.generated
    if generated is None or len(file.marks.reason) == 0:
        return None
    latest: list[int] = []
    for first, sheet in file.sheets():
        days = sheet.days(generated, np.arange(sheet.raw.table.num_rows))
        file.marks.mark(first + np.flatnonzero(sheet.marks.reason), "bad_date", generated.column)
        for warning, rows in sheet.marks.warned.items():
            file.marks.warn(first + np.flatnonzero(rows), warning)
        latest += _highest(days)
    if not latest:
        raise RejectedError(
            "no_cut_day", f"{name} does not say on which day it was made; ask for a new extract."
        )
    return max(latest)


def _highest(days: Days) -> list[int]:
    stated = days.day[days.state == OK]
    return [int(stated.max())] if len(stated) else []


def row_counts(item: DeliveredSheet) -> dict[str, int]:
    """Law 1 for one loaded file: each row counted exactly once."""
    assert item.sheet is not None
    marks = item.sheet.marks
    sound = marks.reason == 0
    status = np.where(item.status == NOTHING, ACCEPTED, item.status)
    return {
        "rows": item.sheet.rows,
        "accepted": int((sound & (status == ACCEPTED)).sum()),
        "duplicate": int((sound & (status == DUPLICATE)).sum()),
        "superseded": int((sound & (status == SUPERSEDED)).sum()),
        "quarantined": int((~sound).sum()) + len(item.sheet.bad),
        "not_selected": int((sound & ~marks.selected).sum()),
    }
