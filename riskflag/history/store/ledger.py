"""The list of complete batches: a file belongs to the history only when a line here names it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from riskflag.errors import IntegrityError, StorageError

LEDGER = "batches.jsonl"


@dataclass(frozen=True)
class StoredFile:
    """A file of a batch: its path below the history, its SHA-256, its size and its rows."""

    path: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class DeliveredFile:
    """A file that an agency sent: which source took it, on what day, and what became of it.

    `cut` is the day the extract was made, blank when the file does not say; `news` whether its
    delivery said anything that was not known.
    """

    source: str
    path: str
    sha256: str
    landed: str
    rows: int
    status: str
    cut: str = ""
    news: bool = True


@dataclass(frozen=True)
class Batch:
    """One line of the ledger. `replaces`: paths of earlier files whose rows are in these."""

    batch_id: str
    landed: str
    files: tuple[StoredFile, ...]
    delivered: tuple[DeliveredFile, ...] = field(default=())
    replaces: tuple[str, ...] = field(default=())


def read_ledger(folder: Path) -> list[Batch]:
    """Every complete batch, oldest first. A line that a kill cut short is not a batch."""
    path = folder / LEDGER
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError):
        raise IntegrityError(f"{path} cannot be read; restore it from a backup.") from None
    complete = text[: text.rfind("\n") + 1].splitlines()
    return [_batch(line, path, number) for number, line in enumerate(complete, start=1)]


def live_files(batches: Iterable[Batch]) -> list[StoredFile]:
    """The files that hold the history: those of every batch that no later one has replaced."""
    listed = list(batches)
    gone = replaced(listed)
    return [file for batch in listed for file in batch.files if file.path not in gone]


def replaced(batches: Iterable[Batch]) -> set[str]:
    """The paths of files whose rows are in others by now."""
    return {path for batch in batches for path in batch.replaces}


def _batch(line: str, path: Path, number: int) -> Batch:
    try:
        said: dict[str, Any] = json.loads(line)
        return Batch(
            said["batch_id"],
            said["landed"],
            tuple(StoredFile(**item) for item in said["files"]),
            tuple(DeliveredFile(**item) for item in said["delivered"]),
            tuple(said.get("replaces", ())),
        )
    except (ValueError, KeyError, TypeError):
        raise IntegrityError(
            f"{path} line {number} is damaged; restore the history from a backup."
        ) from None


def append_ledger(folder: Path, batch: Batch) -> None:
    """Add a line: the one step that makes a batch part of the history.

    The whole list is written anew and renamed into place, so that a reader sees the old list or
    the new one.
    """
    lines = [json.dumps(asdict(item), sort_keys=True) for item in [*read_ledger(folder), batch]]
    write_atomic(folder / LEDGER, "".join(line + "\n" for line in lines).encode("utf-8"))


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one; StorageError when full."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
        sync_folders([path.parent])
    except OSError:
        beside.unlink(missing_ok=True)
        raise StorageError(f"{path} cannot be written; check space and permissions.") from None


def sync_folders(folders: Iterable[Path]) -> None:
    """Make renames in these folders survive a power cut."""
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
