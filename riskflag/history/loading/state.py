"""What the history already holds, as far as a load needs it, kept up to date batch by batch."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from statistics import median

import pyarrow as pa

from riskflag.clock import NEVER
from riskflag.history.arrays import stacked
from riskflag.history.declared.source import Source
from riskflag.history.loading.identity import Identities
from riskflag.history.loading.known import Known
from riskflag.history.schema import MATCH, SCHEMAS, conform
from riskflag.history.store.ledger import Batch, DeliveredFile
from riskflag.history.store.matches import roots_on
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.progress import Progress, silent

_REMEMBERED_DELIVERIES = 28
#: Below so many rows a delivery's size says nothing.
_FEW_ROWS = 50


class State:
    """The stored version rows (contacts apart, in `contacts`) and the ledger of deliveries.

    What does not fit into `memory` bytes is put aside in `folder`.
    """

    def __init__(
        self, store: HistoryStore, folder: Path, memory: int, progress: Progress = silent
    ) -> None:
        self.tables: dict[str, pa.Table] = {}
        for name in ("person", "identifier", "relationship"):
            stored = store.read(name, progress=progress)
            self.tables[name] = conform(stored, SCHEMAS[name], coded=True)
        self.contacts = Known(store, folder, memory, progress)
        self.roots = roots_on(conform(store.read("match"), MATCH), NEVER - 1)
        self.delivered: list[DeliveredFile] = []
        self.batch_ids: set[str] = set()
        for batch in store.batches():
            self.note(batch)

    def note(self, batch: Batch) -> None:
        """Remember a complete batch's deliveries."""
        self.delivered += batch.delivered
        self.batch_ids.add(batch.batch_id)

    def add(self, name: str, table: pa.Table) -> None:
        """Add version rows."""
        if table.num_rows:
            known, fresh = self.tables[name], conform(table, SCHEMAS[name], coded=True)
            self.tables[name] = stacked([known, fresh]) if known.num_rows else fresh

    def unlinked(self) -> int:
        """Contacts that nobody is known for yet."""
        return sum(table.num_rows for table in self.contacts.waiting())

    def identities(self) -> Identities:
        """Whose each identifier is, by all that is known."""
        return Identities.of(self.tables["identifier"], self.roots)

    def knows(self, source: Source, sha256: str, landed: dt.date) -> bool:
        """Whether these bytes were loaded for this source before and say nothing new.

        An extract of everything that equals the last one says that nothing changed since, and an
        empty file that nothing happened: both are news on a later day. An older extract that comes
        again is not.
        """
        same = self.loaded_before(source, sha256)
        if not same or any(item.landed == landed.isoformat() for item in same):
            return bool(same)
        unchanged = max(item.landed for item in same) == self.last_day(source)
        snapshot = source.delivery.scope != "delta"
        return not (same[-1].rows == 0 or (snapshot and unchanged))

    def loaded_before(self, source: Source, sha256: str) -> list[DeliveredFile]:
        """The deliveries of these very bytes, oldest first."""
        return [item for item in self._loaded(source) if item.sha256 == sha256]

    def last_cut(self, source: Source, landed: dt.date) -> str | None:
        """The newest day on which a delivery of another landing day was made, as far as known."""
        cuts = {
            item.cut
            for item in self._loaded(source)
            if item.cut and item.landed != landed.isoformat()
        }
        return max(cuts, default=None)

    def news_day(self, source: Source) -> str | None:
        """The newest landing day on which a source said something that was not known."""
        return max((item.landed for item in self._loaded(source) if item.news), default=None)

    def _loaded(self, source: Source | None) -> list[DeliveredFile]:
        return [
            item
            for item in self.delivered
            if (source is None or item.source == source.name) and item.status == "loaded"
        ]

    def first_day(self, source: Source) -> str | None:
        """The landing day of a source's first load, None when there was none."""
        return min(self._days(source), default=None)

    def last_day(self, source: Source | None = None) -> str | None:
        """The newest landing day of a source, or of all."""
        return max(self._days(source), default=None)

    def _days(self, source: Source | None) -> set[str]:
        return {item.landed for item in self._loaded(source)}

    def new_batch_id(self, landed: dt.date, content: str) -> str:
        """A name for a batch: its day and a hash of its files, told apart from earlier tries."""
        plain = f"{landed}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
        tries = sum(name == plain or name.startswith(f"{plain}-") for name in self.batch_ids)
        return plain if tries == 0 else f"{plain}-{tries + 1}"

    def noted(self, entries: list[DeliveredFile]) -> bool:
        """Whether each of these files was refused before, on the same day and with these bytes."""
        return all(item.status == "held" and item in self.delivered for item in entries)

    def usual_rows(self, source: Source) -> float | None:
        """The median size of the latest full or window deliveries; None when too little is known.

        The first load of a window source may hold years and is left out.
        """
        by_day: dict[str, int] = {}
        for item in self.delivered:
            if item.source == source.name and item.status == "loaded":
                by_day[item.landed] = by_day.get(item.landed, 0) + item.rows
        if source.delivery.scope == "window" and by_day:
            by_day.pop(min(by_day))
        sizes = [by_day[day] for day in sorted(by_day)][-_REMEMBERED_DELIVERIES:]
        if source.delivery.scope == "delta" or not sizes or median(sizes) < _FEW_ROWS:
            return None
        return median(sizes)
