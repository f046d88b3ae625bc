"""From the landing folder to the history, one landing day after another."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from riskflag.clock import date_of, day_number, today
from riskflag.errors import ConfigError, InputError
from riskflag.history.declared.source import Source
from riskflag.history.declared.source_check import contact_types
from riskflag.history.declared.source_load import load_sources
from riskflag.history.files.delivered import FileContent, RejectedError
from riskflag.history.files.landing import Landed, landed_files
from riskflag.history.files.raw_file import What
from riskflag.history.files.readers import text_size
from riskflag.history.files.recognise import Proposal, propose_all
from riskflag.history.files.sidecar import Described, check_bytes
from riskflag.history.hashing import expect_many
from riskflag.history.loading.adapt import Landing
from riskflag.history.loading.day import Day
from riskflag.history.loading.delays import Delays
from riskflag.history.loading.delivery import (
    Delivered,
    DeliveredSheet,
    row_counts,
)
from riskflag.history.loading.extract import extract
from riskflag.history.loading.holding import described, hold_what_is_odd
from riskflag.history.loading.quarantine import first_places, quarantine_table, reason_counts
from riskflag.history.loading.report import FileReport, LoadReport, Unmapped
from riskflag.history.loading.saying import Saying, declared
from riskflag.history.loading.state import State
from riskflag.history.schema import COVERAGE, load_vocabulary
from riskflag.history.store.ledger import Batch, DeliveredFile, write_atomic
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.shelf import Shelf, parts_for
from riskflag.history.store.versions import asserted
from riskflag.history.threads import in_threads
from riskflag.progress import Progress, silent
from riskflag.workspace import Workspace

#: Why a file is held when it is perhaps another kind of file than its name says.
_NOT_AS_DECLARED = ("missing_column", "no_sheet", "other_root", "no_header")
STUCK = "the same extract keeps coming; ask the sender whether the export is stuck."
#: Below so many rows an extract may well stay the same.
_FEW_ROWS = 50


def ingest(
    workspace: Workspace,
    *,
    dry_run: bool = False,
    landed: dt.date | None = None,
    progress: Progress = silent,
) -> LoadReport:
    """Load everything in the landing folder that was not loaded before.

    `landed` is the day files directly in `landing/` count as landed (default: today). Each landing
    day becomes one batch, appended whole or not at all; a run that is stopped keeps the days that
    were complete and nothing else. With `dry_run` nothing is written. Raises InputError when
    there is nothing to read, ConfigError for a faulty source.
    """
    with nullcontext() if dry_run else workspace.lock():
        return _Load(workspace, dry_run, progress).run(landed or today())


@dataclass(frozen=True)
class _Fresh:
    """A file that was not loaded before: its content, or why it was refused."""

    item: Landed
    source: Source
    content: FileContent | None
    sha256: str
    refusal: RejectedError | None
    said: tuple[Described, ...] = ()


def _read(item: Landed) -> tuple[FileContent, tuple[Described, ...]] | RejectedError:
    """A file's bytes with what came beside it says of them, or why they cannot be had."""
    try:
        if item.refusal is not None:
            raise item.refusal
        said = tuple(described(item))
        if item.data is not None:
            return FileContent.of(item.data), said
        return FileContent.at(item.path), said
    except RejectedError as refusal:
        return refusal


class _Load:
    """One run of `ingest`."""

    def __init__(self, workspace: Workspace, dry_run: bool, progress: Progress) -> None:
        self.workspace, self.dry_run, self.progress = workspace, dry_run, progress
        self.vocabulary = load_vocabulary(workspace.root / "vocabulary.toml")
        self.sources = load_sources(workspace.sources_dir, self.vocabulary)
        if not self.sources and not dry_run:
            raise ConfigError(
                f"{workspace.sources_dir} declares no source; look at `riskflag sources`, "
                "then `riskflag sources --add NAME`."
            )
        self.store = HistoryStore(workspace.history)
        self.memory = int(workspace.config.ingest_memory_gib * 2**30)
        self.state = State(self.store, workspace.root, self.memory, progress)
        self.files: list[FileReport] = []
        self.unclaimed: list[str] = []
        self.notes: list[str] = []
        self.batches: list[str] = []
        self.proposals: list[Proposal] = []
        self.saying = Saying()
        self.unmapped: Counter[tuple[str, str, str]] = Counter()
        self.issues: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.late = Delays()

    def run(self, day: dt.date) -> LoadReport:
        read = extract(self.workspace, self.sources, dry_run=self.dry_run, progress=self.progress)
        found = landed_files(self.workspace.landing, self.sources, day)
        for item in read:
            found.setdefault(item.day, []).append(item)
        if not found:
            raise InputError(f"{self.workspace.landing} is empty; put the agencies' files there.")
        for date, items in sorted(found.items()):
            self._day(date, items)
        if self.dry_run:
            self._propose([item for items in found.values() for item in items])
        report = self._report()
        if self.batches and not self.dry_run:
            self.store.compact(self.progress)
            self.workspace.reports.mkdir(exist_ok=True, mode=0o700)
            target = self.workspace.reports / f"load-{self.batches[-1]}.json"
            write_atomic(target, report.to_json().encode("utf-8"))
        return report

    def _day(self, date: dt.date, items: list[Landed]) -> None:
        """Read one landing day's files and append its batch."""
        self.unclaimed += [item.shown for item in items if item.source is None]
        fresh = self._fresh(date, [item for item in items if item.source is not None])
        if not fresh:
            return
        names = sorted(f"{file.source.name} {file.sha256}" for file in fresh)
        batch_id = self.state.new_batch_id(date, " ".join(names))
        deliveries = self._deliveries(date, fresh, batch_id)
        spills = any(item.folder is not None for item in deliveries)
        folder = self.workspace.root if spills else None
        told = partial(self._told, deliveries)
        day = Day(self.state, self.store, date, batch_id, folder=folder, told=told)
        day.take_in(deliveries)
        day.rows["coverage"] = [self._coverage(item, day) for item in deliveries]
        tables = day.tables()
        self._account(deliveries, day, tables)
        delivered = [entry for item in deliveries for entry in _ledger_entries(item, day)]
        if self.state.noted(delivered):
            return
        if not self.dry_run:
            with self._quarantine(deliveries, batch_id):
                self.store.append_batch(
                    batch_id, date.isoformat(), tables, delivered, self.progress
                )
        self.state.note(Batch(batch_id, date.isoformat(), (), tuple(delivered)))
        self.batches.append(batch_id)

    def _propose(self, items: list[Landed]) -> None:
        """For each file that nobody takes, or not as it is, what it could be."""
        held = {f.name for f in self.files if f.reason in _NOT_AS_DECLARED}
        odd = {
            item.shown: item.path
            for item in items
            if item.data is None and (item.source is None or item.shown in held)
        }
        if odd:
            self.proposals += propose_all(odd, self.sources)

    def _fresh(self, date: dt.date, items: list[Landed]) -> list[_Fresh]:
        """The files whose bytes were not loaded before, read and with their hash."""
        fresh: list[_Fresh] = []
        each, label = [(item,) for item in items], "Reading files"
        found = in_threads(_read, each, lambda n: self.progress(label, n, len(each)))
        for item, read in zip(items, found, strict=True):
            assert item.source is not None
            sha256 = ""
            try:
                if isinstance(read, RejectedError):
                    raise read
                content, said = read
                sha256 = content.sha256
                if item.data is None:
                    check_bytes(item.path, said, sha256, content.size)
            except RejectedError as refusal:
                fresh.append(_Fresh(item, item.source, None, sha256, refusal))
                continue
            again = any(other.sha256 == sha256 and other.source is item.source for other in fresh)
            if again or self.state.knows(item.source, sha256, date):
                self._already_known(item)
            else:
                fresh.append(_Fresh(item, item.source, content, sha256, None, said))
        return self._news_only(fresh)

    def _news_only(self, fresh: list[_Fresh]) -> list[_Fresh]:
        """An extract that came before says nothing beside a new one of its source."""
        old = [self.state.loaded_before(file.source, file.sha256) for file in fresh]
        new = {file.source.name for file, known in zip(fresh, old, strict=True) if not known}
        kept = []
        for file, known in zip(fresh, old, strict=True):
            if known and file.refusal is None and file.source.name in new:
                self._already_known(file.item)
            else:
                kept.append(file)
        return kept

    def _already_known(self, item: Landed) -> None:
        assert item.source is not None
        day = item.day.isoformat()
        self.files.append(FileReport(item.shown, item.source.name, day, "known"))

    def _deliveries(self, date: dt.date, fresh: list[_Fresh], batch_id: str) -> list[Delivered]:
        by_source: dict[str, Delivered] = {}
        for number, file in enumerate(fresh):
            self.progress("Mapping rows", number, len(fresh))
            name = file.source.name
            if name not in by_source:
                first = self.state.first_day(file.source) in (None, date.isoformat())
                landing = Landing(day_number(date), first, batch_id, self.vocabulary)
                by_source[name] = Delivered(file.source, landing, *self._room(name, fresh))
            path, shown = file.item.path, file.item.shown
            if file.content is None:
                assert file.refusal is not None
                by_source[name].refuse(path, shown, file.sha256, file.refusal)
            else:
                by_source[name].add(path, shown, file.content, said=file.said)
        self.progress("Mapping rows", len(fresh), len(fresh))
        for delivery in by_source.values():
            hold_what_is_odd(delivery, self.state, date)
        return list(by_source.values())

    def _room(self, source: str, fresh: list[_Fresh]) -> tuple[Path | None, int]:
        """Where a delivery's rows are put aside if there are many, and in how many parts."""
        size = sum(
            text_size(f.content, What(f.item.shown, f.source.files, f.source.columns()))
            for f in fresh
            if f.content and f.source.name == source
        )
        parts = parts_for(size, self.memory)
        folder = self.workspace.root if parts > 1 else None
        if folder is not None:
            expect_many()
        return folder, max(parts, self.state.contacts.parts)

    def _coverage(self, item: Delivered, day: Day) -> pa.Table:
        """One row per contact type of the source."""
        loaded = any(file.refused is None for file in item.files)
        first, last = day.covered.get(item.source.name, (None, None))
        complete = day.date
        cuts = [file.cut for file in item.files if file.cut is not None]
        if cuts:
            complete = min(complete, date_of(max(cuts)))
        if item.source.delivery.complete_to == "last_occurred" and last is not None:
            complete = date_of(last)
        types = {t for e in item.source.contact for t in contact_types(item.source, e)}
        named: list[str | None] = [*sorted(types)]
        rules = item.source.delivery
        status = "held" if not loaded else "unchanged" if self._stuck(item, day) else "ok"
        if status == "unchanged":
            day.notes.add(f"{item.source.name}: {STUCK}")
        rows = [
            {
                "source": item.source.name,
                "agency": item.source.agency,
                "type": name,
                "says": None if name is None else " ".join(declared(item, name)),
                "covered_from": None if first is None else date_of(first),
                "complete_to": complete,
                "received_on": day.date,
                "rows": item.rows,
                "status": status,
                "fresh_days": rules.fresh_days,
                "tolerance_days": rules.tolerance_days,
                "first_load": item.landing.first_load and loaded,
                "batch_id": day.batch_id,
            }
            for name in named or [None]
        ]
        return pa.Table.from_pylist(rows, schema=COVERAGE)

    def _stuck(self, item: Delivered, day: Day) -> bool:
        """Whether an extract of everything says the same for longer than its source declares."""
        rules, news = item.source.delivery, self.state.news_day(item.source)
        dated = rules.generated is not None
        if item.source.name in day.news or news is None or dated or item.rows < _FEW_ROWS:
            return False
        days = (day.date - dt.date.fromisoformat(news)).days
        return rules.scope != "delta" and 0 < rules.unchanged_days < days

    def _account(
        self, items: list[Delivered], day: Day, tables: dict[str, pa.Table | Shelf]
    ) -> None:
        """Add a day's figures to the report."""
        for item in items:
            for file in item.files:
                self.files.append(_file_report(file, item.source, day.date))
                if file.sheet is not None:
                    for (column, code), rows in file.sheet.marks.unmapped.items():
                        self.unmapped[item.source.name, column, code] += rows
        self.issues.update(day.issues)
        self.notes += [f"{day.date}: {note}" for note in sorted(day.notes)]
        self.counts["linked_later"] += day.linked_later
        for name in ("person", "relationship"):
            if name in tables:
                self._count(name, tables[name])

    def _told(self, items: list[Delivered], contacts: pa.Table) -> None:
        """Add some of a day's contacts to the report."""
        self._count("contact", contacts)
        self.saying.count(items, contacts)
        self.late.count(contacts)

    def _count(self, name: str, table: pa.Table) -> None:
        says = asserted(table)
        self.counts[name] += int(says.sum())
        self.counts[f"{name}_withdrawn"] += int((~says).sum())

    @contextmanager
    def _quarantine(self, items: list[Delivered], batch_id: str) -> Iterator[None]:
        """Keep quarantined rows beside the batch; if the batch fails they go too."""
        folder = self.workspace.quarantine / batch_id
        try:
            for item in items:
                for file in item.files:
                    table = quarantine_table(file)
                    if table is not None:
                        folder.parent.mkdir(exist_ok=True, mode=0o700)
                        folder.mkdir(exist_ok=True)
                        sink = pa.BufferOutputStream()
                        pacsv.write_csv(table, sink)
                        target = folder / f"{item.source.name}-{file.name}.csv"
                        write_atomic(target, sink.getvalue().to_pybytes())
            yield
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _report(self) -> LoadReport:
        return LoadReport(
            files=tuple(self.files),
            unmapped=tuple(Unmapped(*key, rows) for key, rows in sorted(self.unmapped.items())),
            unsaid=self.saying.unsaid(),
            proposals=tuple(self.proposals),
            lateness=self.late.told(),
            issues=dict(self.issues),
            unclaimed=tuple(self.unclaimed),
            notes=tuple(self.notes),
            batches=tuple(self.batches),
            new_versions=self.counts["contact"],
            withdrawn=self.counts["contact_withdrawn"],
            linked_later=self.counts["linked_later"],
            unlinked=self.state.unlinked(),
            persons=self.counts["person"],
            relationships=self.counts["relationship"],
            dry_run=self.dry_run,
        )


def _file_report(file: DeliveredSheet, source: Source, date: dt.date) -> FileReport:
    head = (file.path, source.name, date.isoformat())
    if file.refused is not None or file.sheet is None:
        reason = file.refused.reason if file.refused is not None else ""
        return FileReport(*head, "held", reason=reason, message=str(file.refused))
    made: dict[str, Any] = {**row_counts(file), "contacts": file.contacts}
    made |= {"reasons": reason_counts(file), "warnings": file.sheet.marks.warnings}
    made["first"] = first_places(file)
    return FileReport(*head, "loaded", **made)


def _ledger_entries(item: Delivered, day: Day) -> list[DeliveredFile]:
    return [
        DeliveredFile(
            item.source.name,
            file.path,
            file.sha256,
            day.date.isoformat(),
            0 if file.sheet is None else file.sheet.rows,
            "held" if file.refused is not None else "loaded",
            "" if file.cut is None else date_of(file.cut).isoformat(),
            item.source.name in day.news,
        )
        for file in item.files
    ]
