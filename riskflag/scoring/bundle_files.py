"""Reading and writing the files of a bundle: every byte compared, whole folders or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskflag.errors import IntegrityError, StorageError
from riskflag.scoring.bundle_parts import plain_json

AGAIN = "promote the run again or restore it from a backup."
#: No file of a bundle is larger; a larger one is refused before it is read.
MOST_BYTES = 64 * 1024 * 1024


def read_file(path: Path) -> bytes:
    """The bytes of a plain file; raises IntegrityError when it is a link, missing or too large."""
    if path.is_symlink() or not path.is_file():
        raise IntegrityError(f"{path} is missing; {AGAIN}")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise IntegrityError(f"{path} is larger than any file of a bundle; {AGAIN}")
        return path.read_bytes()
    except OSError:
        raise StorageError(f"{path} cannot be read; check its permissions.") from None


def read_json(data: bytes, name: str, path: Path) -> dict[str, Any]:
    """The JSON object in a file's bytes; raises IntegrityError for anything else."""
    try:
        return plain_json(data)
    except ValueError:
        raise IntegrityError(f"{path / name} cannot be read; {AGAIN}") from None


def write_whole(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files; it appears whole or not at all."""
    staging = target.parent / f".staging-{target.name}"
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        for name, data in files.items():
            write_synced(staging / name, data)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(staging, target)
        sync_folder(target.parent)
    except OSError:
        raise StorageError(f"{target} cannot be written; check space and permissions.") from None


def write_synced(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the folder's names."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
