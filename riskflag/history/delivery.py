"""One source's files of one day, from bytes to candidates whose rows no longer contradict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.history.adapt import Landing, adapt_contacts, named_apart
from riskflag.history.adapt_people import (
    adapt_identifiers,
    adapt_persons,
    adapt_relationships,
)
from riskflag.history.arrays import Ints, numbers, one, stacked
from riskflag.history.dates import OK
from riskflag.history.file_faults import check_whole, turned_round
from riskflag.history.readers import BadRow, RawFile, RejectedError, read_rows
from riskflag.history.sheet import REASONS, Sheet
from riskflag.history.sidecar import Described, check_rows
from riskflag.history.snapshot import (
    ACCEPTED,
    DUPLICATE,
    NOTHING,
    SUPERSEDED,
    Choice,
    choose,
    latest,
    places,
)
from riskflag.history.source import Source
from riskflag.history.source_check import checked_columns
from riskflag.history.text_forms import odd_texts
from riskflag.history.threads import in_threads

#: Rows are looked at in parts of so many, side by side.
PART_ROWS = 1 << 18
TABLES = ("contact", "person", "identifier", "relationship")


@dataclass
class DeliveredSheet:
    """A file of the delivery: its sheet, or why it was refused; and what became of its rows."""

    name: str
    path: str
    sha256: str
    sheet: Sheet | None = None
    refused: RejectedError | None = None
    status: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))
    contacts: int = 0
    cut: int | None = None


class Delivered:
    """All files of one source that landed on one day."""

    def __init__(self, source: Source, landing: Landing) -> None:
        self.source = source
        self.landing = landing
        self.files: list[DeliveredSheet] = []
        self.seen: dict[str, pa.ChunkedArray | None] = {}
        self.chosen: dict[str, Choice] = {}
        #: Where each candidate contact's key stands in the contacts known, and in which table.
        self.placed: Ints | None = None
        self.placed_in: pa.Table | None = None
        self._tables: dict[str, list[pa.Table]] = {name: [] for name in TABLES}

    def refuse(self, path: Path, shown: str, sha256: str, refusal: RejectedError) -> None:
        """Note a file that could not even be opened, or is not what its sender described."""
        self.files.append(DeliveredSheet(path.name, shown, sha256, refused=refusal))

    def add(
        self, path: Path, shown: str, data: bytes, sha256: str, *, said: Sequence[Described] = ()
    ) -> None:
        """Read and adapt one file; a file that cannot be taken is kept as refused.

        `said` is what its sender says of it beside the file.
        """
        item = DeliveredSheet(path.name, shown, sha256)
        self.files.append(item)
        try:
            files, needed = self.source.files, self.source.columns()
            raw = read_rows(data, shown, files, needed, checked_columns(self.source))
            check_rows(shown, said, raw.rows)
            parts = self._adapted(raw, len(self.files) - 1)
            sheet = Sheet.of_parts(raw, [part for part, _ in parts])
            check_whole(sheet, shown)
            item.cut = _cut_day(sheet, shown)
        except RejectedError as refusal:
            item.refused = refusal
            return
        item.sheet = sheet
        for _, made in parts:
            for name, tables in made.items():
                self._tables[name] += tables

    def _adapted(self, raw: RawFile, number: int) -> list[tuple[Sheet, dict[str, list[pa.Table]]]]:
        """The rows in parts, each with what it was made into."""

        def work(first: int, rows: int) -> tuple[Sheet, dict[str, list[pa.Table]]]:
            sheet = Sheet(raw.part(first, rows), self.source)
            return sheet, self._adapt(sheet, number, first)

        firsts = range(0, max(raw.table.num_rows, 1), PART_ROWS)
        return in_threads(work, [(first, PART_ROWS) for first in firsts])

    def _adapt(self, sheet: Sheet, number: int, first: int) -> dict[str, list[pa.Table]]:
        """The candidates of a part of a file that begins at row `first`."""
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
            name: [_in_file(table, number, first) for table in tables]
            for name, tables in made.items()
        }

    def refuse_all(self, reason: str, message: str) -> None:
        """Hold the whole delivery: no file of it counts."""
        for item in self.files:
            item.refused = item.refused or RejectedError(reason, message)
        self._tables = {name: [] for name in TABLES}

    def turned_dates(self, stored: pa.Table) -> tuple[int, int]:
        """How many records are known already, and of how many day and month changed places."""
        current = latest(stored, "contact_key", self.source.name)
        made = _joined(self._tables["contact"])
        if made is None or current.num_rows == 0 or bool(pc.any(made["keyless"]).as_py()):
            return 0, 0
        self.placed, self.placed_in = places(made["contact_key"], current["contact_key"]), stored
        here = np.flatnonzero(self.placed >= 0)
        before = numbers(current["occurred_on"], 0)[self.placed[here]]
        now = numbers(made["occurred_on"], 0)[here]
        moved = np.flatnonzero(now != before)
        return len(here), int((turned_round(before[moved]) == now[moved]).sum())

    @property
    def rows(self) -> int:
        """Rows of the files that could be read."""
        return sum(item.sheet.raw.rows for item in self.files if item.sheet is not None)

    @property
    def complete(self) -> bool:
        """Whether every row of the delivery names its record, so that absence means something."""
        for item in self.files:
            if item.refused is not None or item.sheet is None or item.sheet.raw.bad:
                return False
            absent = item.sheet.raw.absent
            nameless = any(set(e.record_id) <= absent for e in self.source.contact)
            if item.sheet.reason.any() and nameless:
                return False
        return True

    def settle(self) -> dict[str, pa.Table | None]:
        """The candidates of rows that are not quarantined, conflicts quarantined first.

        Also remembers the keys of all rows, faulty or not: what a row named is not gone.
        """
        tables = {name: _joined(parts) for name, parts in self._tables.items()}
        contacts, relations = tables["contact"], tables["relationship"]
        if contacts is not None:
            contacts = tables["contact"] = named_apart(contacts)
        self.seen = {
            "contact": None if contacts is None else contacts.column("contact_key"),
            "relationship": None if relations is None else relations.column("relationship_key"),
        }
        while self._mark_conflicts(contacts, "contact") or self._mark_conflicts(
            relations, "relationship"
        ):
            pass
        for item in self.files:
            if item.sheet is not None:
                item.status = np.zeros(len(item.sheet.reason), np.int8)
        return {name: self._sound(table) for name, table in tables.items()}

    def _mark_conflicts(self, table: pa.Table | None, name: str) -> bool:
        """Quarantine rows that contradict each other; whether there were any.

        Without any the choice among the rows that are sound is known, and kept in `chosen`.
        """
        sound = self._sound(table)
        if sound is None or sound.num_rows == 0:
            self.chosen.pop(name, None)
            return False
        self.chosen[name] = choose(sound, f"{name}_key")
        conflict = self.chosen[name].conflict
        if len(conflict) == 0:
            return False
        self.chosen.clear()
        rows = sound.column("row").to_numpy()[conflict]
        files = sound.column("file").to_numpy()[conflict]
        for number, item in enumerate(self.files):
            if item.sheet is not None:
                item.sheet.mark(rows[files == number], "conflicting_rows")
        return True

    def _sound(self, table: pa.Table | None) -> pa.Table | None:
        """The candidates whose rows are not quarantined."""
        if table is None:
            return None
        rows, files = table.column("row").to_numpy(), table.column("file").to_numpy()
        kept = np.ones(table.num_rows, np.bool_)
        for number, item in enumerate(self.files):
            if item.sheet is not None and item.sheet.reason.any():
                mine = files == number
                kept[mine] = item.sheet.reason[rows[mine]] == 0
        return table if kept.all() else table.filter(pa.array(kept))

    def note(self, table: pa.Table, places: Ints, status: np.ndarray | int) -> None:
        """Record what became of candidates; a row keeps the highest of its products."""
        rows = table.column("row").to_numpy()[places]
        files = table.column("file").to_numpy()[places]
        value = np.broadcast_to(np.asarray(status, np.int8), rows.shape)
        for number, item in enumerate(self.files):
            mine = files == number
            if item.sheet is not None and mine.any():
                np.maximum.at(item.status, rows[mine], value[mine])


def _in_file(table: pa.Table, number: int, first: int) -> pa.Table:
    """Candidates with the number of their file and of their row in all of it."""
    if "file" not in table.column_names:
        file = pa.repeat(pa.scalar(number, pa.int64()), table.num_rows)
        table = table.append_column("file", file)
    if first == 0:
        return table
    rows = pa.array(table.column("row").to_numpy() + first, pa.int64())
    return table.set_column(table.schema.get_field_index("row"), "row", rows)


def _cut_day(sheet: Sheet, name: str) -> int | None:
    """The day an extract was made: the latest its rows name. None when its source has no column."""
    generated = sheet.source.delivery.generated
    if generated is None or sheet.raw.table.num_rows == 0:
        return None
    days = sheet.days(generated, np.arange(len(sheet.reason)))
    stated = days.day[days.state == OK]
    if len(stated) == 0:
        raise RejectedError(
            "no_cut_day", f"{name} does not say on which day it was made; ask for a new extract."
        )
    return int(stated.max())


def _joined(parts: Sequence[pa.Table]) -> pa.Table | None:
    return stacked(parts) if parts else None


def row_counts(item: DeliveredSheet) -> dict[str, int]:
    """Law 1 for one loaded file: each row counted exactly once."""
    assert item.sheet is not None
    sound = item.sheet.reason == 0
    status = np.where(item.status == NOTHING, ACCEPTED, item.status)
    return {
        "rows": item.sheet.raw.rows,
        "accepted": int((sound & (status == ACCEPTED)).sum()),
        "duplicate": int((sound & (status == DUPLICATE)).sum()),
        "superseded": int((sound & (status == SUPERSEDED)).sum()),
        "quarantined": int((~sound).sum()) + len(item.sheet.raw.bad),
        "not_selected": int((sound & ~item.sheet.selected).sum()),
    }


def reason_counts(item: DeliveredSheet) -> dict[str, int]:
    """Quarantined rows by reason code."""
    assert item.sheet is not None
    counts: dict[str, int] = {}
    for row in item.sheet.raw.bad:
        counts[row.reason] = counts.get(row.reason, 0) + 1
    for number in np.flatnonzero(np.bincount(item.sheet.reason, minlength=len(REASONS))):
        if number:
            name = REASONS[number]
            counts[name] = counts.get(name, 0) + int((item.sheet.reason == number).sum())
    return counts


def quarantine_table(item: DeliveredSheet) -> pa.Table | None:
    """The quarantined rows of a file: reason, file, line, column at fault, the row as read."""
    if item.sheet is None:
        return None
    raw: RawFile = item.sheet.raw
    rows = np.flatnonzero(item.sheet.reason)
    bad: list[BadRow] = raw.bad
    if len(rows) + len(bad) == 0:
        return None
    texts = [item.sheet.text(name, rows) for name in raw.table.column_names]
    reasons = [REASONS[number] for number in item.sheet.reason[rows]]
    places = [item.sheet.columns[number] for number in item.sheet.column[rows]]
    lines = [*(row.line for row in bad), *(int(line) for line in raw.lines[rows])]
    table: dict[str, list[Any]] = {
        "reason": [*(row.reason for row in bad), *reasons],
        "file": [item.name] * len(lines),
        "line": lines,
        "column": [*("" for _ in bad), *places],
        "row": [*(row.text for row in bad), *("" for _ in rows)],
    }
    table["row"] = [_inert(text) for text in table["row"]]
    for name, text in zip(raw.table.column_names, texts, strict=True):
        table[f"value: {name}"] = [*(None for _ in bad), *map(_inert, text.to_pylist())]
    return pa.table(table)


def _inert(text: str | None) -> str | None:
    """A cell that a spreadsheet shows as text: a formula in it must not run."""
    return f"'{text}" if text and text[0] in "=+-@\t\r\0" else text
