"""The night: everything from the lock to the new current publication.

Whatever ends it, readers see the previous publication or the new one, whole. Every durable step is
named (`steps.reached`); a run that was ended at any of them is put right by running again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from riskflag.casework import audit, pause, publishing
from riskflag.casework.publishing import FlagRow, PublicationRecord, State
from riskflag.casework.store import Store, open_store
from riskflag.errors import (
    ALREADY_PUBLISHED,
    PUBLISHED,
    PUBLISHED_DEGRADED,
    ConfigError,
    ConflictError,
    HeldError,
)
from riskflag.history.store.stored_view import Shelves
from riskflag.nightly import anchors, folder, listing, published, steps
from riskflag.nightly.build import Built, build
from riskflag.nightly.flag_lines import FlagsById
from riskflag.nightly.inputs import AS_SET, How, Inputs, hold_if_essential_is_lost, load
from riskflag.nightly.manifest import degraded, manifest
from riskflag.nightly.shares import seldom_tidied
from riskflag.nightly.staging import PublishedFlags, Staging, WritePages, no_pages
from riskflag.progress import Progress, silent
from riskflag.workspace import Workspace

#: How often a night is made when reviews come in its way.
ATTEMPTS = 3


@dataclass(frozen=True)
class NightResult:
    """How a night ended: its exit code, folder, manifest and seconds taken.

    `parts` is in how many parts it was worked out, `renewed` of how many people the view of the
    history was made anew; None when it was made anew of all, or the history was in memory.
    """

    exit_code: int
    folder: Path
    manifest: Mapping[str, Any]
    seconds: float
    parts: int = 1
    renewed: int | None = None


def run_night(
    workspace: Workspace,
    as_of: dt.date,
    *,
    write_pages: WritePages = no_pages,
    rules_only: bool = False,
    how: How = AS_SET,
    progress: Progress = silent,
) -> NightResult:
    """Score one night and publish it.

    The result's exit code is 0, 10 (published, with something missing) or 3 (this very night was
    published before: nothing is changed). Raises HeldError (20), InputError (30), ConfigError and
    IntegrityError (40), StorageError (50) and LockedError (60); the previous publication then
    stays.
    """
    started = time.monotonic()
    try:
        with workspace.lock(), seldom_tidied():
            store = open_store(workspace)
            try:
                paused = _paused(store)
                inputs = load(workspace, as_of, rules_only=rules_only, how=how, progress=progress)
                inputs = replace(inputs, paused=paused)
                night = _Night(workspace, store, inputs, write_pages, progress)
                code, record = night.run()
            finally:
                store.close()
    except (OSError, sqlite3.OperationalError) as error:
        raise folder.storage_error(error) from None
    target = workspace.publications / record.folder
    told = folder.read_manifest(target, record.manifest_hash)
    seconds, view = time.monotonic() - started, inputs.view
    newer = view.renewed if isinstance(view, Shelves) and view.newer else None
    renewed = None if newer is None else len(newer)
    return NightResult(code, target, told, seconds, len(view), renewed)


@dataclass(frozen=True)
class _Night:
    workspace: Workspace
    store: Store
    inputs: Inputs
    write_pages: WritePages
    progress: Progress

    def run(self) -> tuple[int, PublicationRecord]:
        """Publish, or find that this night was published already."""
        done = publishing.published(self.store, self.inputs.run_key)
        if done is not None:
            self._tidy()
            return ALREADY_PUBLISHED, done
        hold_if_essential_is_lost(self.inputs)
        for _ in range(ATTEMPTS - 1):
            # A review may open a flag again while the night is made; then it is made once more.
            with contextlib.suppress(ConflictError):
                return self._publish()
        return self._publish()

    def _publish(self) -> tuple[int, PublicationRecord]:
        state = publishing.state(self.store, self.inputs.as_of)
        _refuse_earlier_day(state, self.inputs.as_of)
        with Staging(
            self.workspace, self._name, state, self.inputs.as_of, self.write_pages
        ) as staging:
            with ThreadPoolExecutor(1) as beside:
                # A file of a GiB is read while others are assessed.
                reading = beside.submit(previous_flags, self.workspace, state)
                built = build(
                    self.inputs, state, reading.result, output=staging, progress=self.progress
                )
            record, rows = self._finish(staging, state, built)
            staging.keep_aside()
        end = publishing.publish(self.store, record, rows, reached=steps.reached)
        anchors.append(self.workspace.publications, record.run_key, end)
        folder.point_to(self.workspace.publications, record.folder)
        return record.exit_code, record

    @property
    def _name(self) -> str:
        return f"{self.inputs.as_of.isoformat()}-{self.inputs.run_key[:12]}"

    def _finish(
        self, staging: Staging, state: State, built: Built
    ) -> tuple[PublicationRecord, list[FlagRow]]:
        """Write the rest and give the folder its name; the flags with their places in it."""
        self.progress("Writing pages", 0, 1)
        content_hash = staging.finish(self._published(built))
        self.progress("Writing pages", 1, 1)
        told = folder.pretty_bytes(
            manifest(
                self.inputs,
                state,
                built,
                files=folder.listed(staging.path, staging.files),
                content_hash=content_hash,
            )
        )
        manifest_hash = folder.write(staging.path / folder.MANIFEST, told)
        target = self.workspace.publications / self._name
        folder.finish(staging.path, target, durable=staging.files)
        record = PublicationRecord(
            run_key=self.inputs.run_key,
            as_of=self.inputs.as_of,
            generation=_generation(state, self.inputs.as_of),
            folder=self._name,
            content_hash=content_hash,
            manifest_hash=manifest_hash,
            exit_code=PUBLISHED_DEGRADED if degraded(self.inputs, built) else PUBLISHED,
        )
        short = [flag.short for flag in built.written]
        return record, listing.with_places(built.rows, short, [one.size for one in built.written])

    def _published(self, built: Built) -> PublishedFlags:
        settings = self.inputs.settings
        return PublishedFlags(
            authority=settings.authority,
            as_of=self.inputs.as_of,
            run_key=self.inputs.run_key,
            capacity_per_week=settings.capacity_per_week,
            flags=built.flags,
            short=[flag.short for flag in built.written],
            held_back=built.lives.held_back if self.inputs.paused else None,
        )

    def _tidy(self) -> None:
        """Finish what an ended run may have left undone after its publication was current."""
        current = publishing.current(self.store)
        if current is None:
            return
        published.complete(self.workspace, self.store)
        anchored = {key for key, _ in anchors.read(self.workspace.publications)}
        if current.run_key not in anchored:
            with self.store.reading() as session:
                end = audit.head(session)
            anchors.append(self.workspace.publications, current.run_key, end)
        folder.point_to(self.workspace.publications, current.folder)


def previous_flags(workspace: Workspace, state: State) -> FlagsById:
    """The flags of the publication before by id, checked against its recorded hash.

    An open flag that it does not hold, because it was closed then, comes from the newest that does.
    """
    if state.previous is None:
        return FlagsById({})

    def held(record: PublicationRecord) -> FlagsById:
        return FlagsById.of(workspace.publications / record.folder, record.content_hash)

    opened_again = {flag.flag_id: flag.elsewhere for flag in state.open_flags if flag.elsewhere}
    places = dict(held(state.previous).places)
    for record in dict.fromkeys(opened_again.values()):
        found = held(record).places
        wanted = {name for name, where in opened_again.items() if where == record}
        places |= {name: found[name] for name in wanted & found.keys()}
    return FlagsById(places)


def _paused(store: Store) -> bool:
    """Whether nights raise no new flags now; HeldError when there are to be no nights at all."""
    standing = pause.state(store).state
    if standing == pause.WITHDRAWN:
        raise HeldError(
            "riskflag was withdrawn from use here, so there is no night; the previous publication "
            "stays and can be read and decided. The responsible owner can resume it on the page "
            "Pause."
        )
    return standing == pause.PAUSED


def _generation(state: State, as_of: dt.date) -> int:
    """The first publication of a day is its generation 1; a later one replaces it for readers."""
    if state.previous is None or state.previous.as_of != as_of:
        return 1
    return state.previous.generation + 1


def _refuse_earlier_day(state: State, as_of: dt.date) -> None:
    """A night before the current one would lose the flags raised since."""
    if state.previous is not None and as_of < state.previous.as_of:
        raise ConfigError(
            f"The current publication is for {state.previous.as_of.isoformat()}, a later day; "
            "give that day or a later one with --as-of. (Use another workspace to try the past.)"
        )
