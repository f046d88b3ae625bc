"""A publication's files, written aside while its flags are made.

What can be written as soon as it is known who is shown is written by copies of the night's process
(riskflag.nightly.shares), beside those that make flags. The lines of flags.json are written as they
come, and pages are made durable meanwhile: the disk takes its time.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from riskflag.casework.publishing import State
from riskflag.nightly import aside, folder, near, state_file, steps
from riskflag.nightly.flag_lines import Files, Written
from riskflag.nightly.shares import beside
from riskflag.workspace import Workspace

if TYPE_CHECKING:
    from riskflag.history.store.view import History


@dataclass(frozen=True)
class PublishedFlags:
    """What a page writer is given: the night's flags in the order of the worklist.

    `flags` are read from their bytes when they are asked for; `short` is what lists show of each.
    `capacity_per_week` is how many flags a week the team set itself to read; `held_back` is how
    many children were not raised because riskflag is paused, None when it is not.
    """

    authority: str
    as_of: dt.date
    run_key: str
    capacity_per_week: int
    flags: Sequence[Mapping[str, Any]]
    short: Sequence[Mapping[str, Any]]
    held_back: int | None = None


#: Writes pages into a folder; it must write the same bytes for the same flags.
WritePages = Callable[[PublishedFlags, Path], None]


@runtime_checkable
class ByFlag(Protocol):
    """A page writer that can write each flag's pages while the flags are made, on all cores."""

    def begin(self, target: Path) -> None:
        """Make the folder ready."""

    def flag(self, flag: Mapping[str, Any], target: Path, *, digest: str) -> Files:
        """Write the pages of one flag, and tell them.

        `digest` is the SHA-256 of its line of flags.json.
        """

    def lists(self, published: PublishedFlags, target: Path) -> None:
        """Write what is about all flags."""


def no_pages(published: PublishedFlags, target: Path) -> None:
    """The page writer of a night without pages."""


@dataclass
class Staging:
    """The files of one publication as they are written; leaving it ends all copies and threads.

    `files` tells size and hash of those that need not be read again for it.
    """

    workspace: Workspace
    name: str
    state: State
    as_of: dt.date
    write_pages: WritePages
    files: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Staging:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def path(self) -> Path:
        """Where the files are."""
        return folder.staged(self.workspace.publications, self.name)

    def begin(self, near: History, people: Collection[str], *, processes: int) -> None:
        """Begin, or begin again, with nothing; `people` are shown, `near` is known of them."""
        self._open.close()
        self.files.clear()
        folder.begin(self.workspace.publications, self.name)
        if isinstance(self.write_pages, ByFlag):
            self.write_pages.begin(self.path)

        def keep() -> bytes:
            # One after the other: each takes some hundred MiB.
            records = _write_records(self.path, near, people, self.as_of)
            everyone = self.state.ever | set(people)
            return _bytes([records, aside.write(self.workspace, near, everyone, self.as_of)])

        # The copy comes before any thread: in it, a lock that a thread holds is never let go.
        self._kept = self._open.enter_context(beside(keep, processes=processes))
        self._flags = self._open.enter_context(folder.FlagsFile(self.path / folder.FLAGS))
        self._syncing = self._open.enter_context(folder.Syncing())

    def write(self, flag: Mapping[str, Any], digest: str) -> Files:
        """Write the pages of one flag, in whichever process, when they are written by flag."""
        if not isinstance(self.write_pages, ByFlag):
            return {}
        return self.write_pages.flag(flag, self.path, digest=digest)

    def take(self, written: Written, files: Files) -> None:
        """The next flag of the worklist with its pages, in the first process."""
        self._flags.add(written.line)
        self.files.update(files)
        for name in files:
            self._syncing.add(self.path / name)

    def finish(self, published: PublishedFlags) -> str:
        """Write all else but the manifest; the hash of flags.json."""
        content_hash = self._flags.finish()
        self.files[folder.FLAGS] = {"bytes": self._flags.size, "sha256": content_hash}
        records, self._aside = json.loads(self._kept())
        self.files.update(records)
        folder.write(self.path / folder.STATE, folder.pretty_bytes(state_file.to_json(self.state)))
        pages = self.write_pages
        write = pages.lists if isinstance(pages, ByFlag) else pages
        write(published, self.path)
        steps.reached("folder: pages")
        self._syncing.finish()
        return content_hash

    def keep_aside(self) -> None:
        """What was kept of everyone who ever had a flag is the newest from now on."""
        aside.point_to(self.workspace, self._aside)


def _write_records(path: Path, history: History, people: Collection[str], as_of: dt.date) -> Files:
    """Write what is known of the people shown; size and hash of each file."""
    kept = near.tables(history.select(sorted(people)), as_of)
    told = {}
    for name, data in near.file_bytes(kept):
        folder.write(path / name, data)
        told[name] = folder.told(data)
    return told


def _bytes(value: object) -> bytes:
    return json.dumps(value).encode()
