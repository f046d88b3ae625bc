"""Publication folders: written aside, made durable, then renamed; whole or not there."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from riskflag.errors import IntegrityError, StorageError
from riskflag.history.threads import in_threads
from riskflag.nightly import steps

FLAGS = "flags.json"
STATE = "state.json"
MANIFEST = "manifest.json"
CURRENT = "CURRENT"
STAGING = ".staging-"

#: So many bytes of a large file are read at a time.
AT_ONCE = 2**20
#: So many files are waited for at once while the disk takes them.
WAITING = 64
#: So many are hashed by one thread after another: handing each out takes as long as hashing it.
TOGETHER = 64

RESTORE = "restore the folder from its backup, or run `riskflag verify` to see what else differs."


def flag_line(flag: Mapping[str, Any]) -> bytes:
    """One flag as it stands in flags.json: the same bytes for the same flag."""
    return json.dumps(flag, sort_keys=True, allow_nan=False, ensure_ascii=False).encode()


def flags_pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """flags.json, a piece at a time: a list with one flag (`flag_line`) on each line."""
    before = b"[\n"
    for line in lines:
        yield before
        yield line
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


class FlagsFile:
    """flags.json as it is written, a line at a time; the same file as of `flags_pieces`."""

    def __init__(self, path: Path) -> None:
        self.size = 0
        self._path = path
        self._file = path.open("wb")
        self._digest = hashlib.sha256()

    def __enter__(self) -> FlagsFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, line: bytes) -> None:
        """Write the next line."""
        self._put(b",\n" if self.size else b"[\n")
        self._put(line)

    def finish(self) -> str:
        """Write the end and make the file durable; its SHA-256 in hexadecimal."""
        self._put(b"\n]\n" if self.size else b"[]\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        steps.reached(f"folder: {self._path.name}")
        return self._digest.hexdigest()

    def _put(self, piece: bytes) -> None:
        self.size += self._file.write(piece)
        self._digest.update(piece)


def flags_bytes(flags: Iterable[Mapping[str, Any]]) -> bytes:
    """All of flags.json."""
    return b"".join(flags_pieces(map(flag_line, flags)))


def pretty_bytes(value: object) -> bytes:
    """JSON for people: sorted keys, indented, one final newline."""
    text = json.dumps(value, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False)
    return (text + "\n").encode()


def sha256(data: bytes | Iterable[bytes]) -> str:
    """The SHA-256 of bytes, or of pieces put together, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in [data] if isinstance(data, bytes) else data:
        digest.update(piece)
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal; raises IntegrityError when it is not there."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing; {RESTORE}") from None


def begin(publications: Path, name: str) -> Path:
    """An empty staging folder for `name`, readable by its owner only; earlier ones are removed."""
    publications.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in publications.glob(f"{STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)
    staging = staged(publications, name)
    staging.mkdir(mode=0o700)
    steps.reached("folder: staging")
    return staging


def staged(publications: Path, name: str) -> Path:
    """Where `begin` makes the staging folder for `name`."""
    return publications / f"{STAGING}{name}"


def write(path: Path, data: bytes | Iterable[bytes]) -> str:
    """Write a file, whole or from pieces, and make it durable; its SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("wb") as handle:
        for piece in [data] if isinstance(data, bytes) else data:
            handle.write(piece)
            digest.update(piece)
        handle.flush()
        os.fsync(handle.fileno())
    steps.reached(f"folder: {path.name}")
    return digest.hexdigest()


def finish(staging: Path, target: Path, *, durable: Collection[str] = ()) -> None:
    """Make the staged files durable, but for those that are, and give the folder its name.

    A folder of that name that no publication in the store claims was left by a run that was
    ended; it is replaced.
    """
    held = list(files(staging))
    with Syncing() as syncing:
        for path in held:
            if path.relative_to(staging).as_posix() not in durable:
                syncing.add(path)
        syncing.finish()
    for folder in sorted({path.parent for path in held} | {staging}):
        _sync(folder)
    steps.reached("folder: synced")
    if target.exists():
        shutil.rmtree(target)
        steps.reached("folder: leftover removed")
    os.rename(staging, target)
    _sync(target.parent)
    steps.reached("folder: renamed")


def point_to(publications: Path, name: str) -> None:
    """Write the name of the current publication's folder, in one rename."""
    if current_name(publications) == name:
        return
    staged = publications / f".{CURRENT}.new"
    write(staged, f"{name}\n".encode())
    os.replace(staged, publications / CURRENT)
    _sync(publications)
    steps.reached("folder: current")


def current_name(publications: Path) -> str | None:
    """The name of the current publication's folder as the folder says, or None."""
    try:
        return (publications / CURRENT).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def newest_night(publications: Path) -> dt.date | None:
    """The latest as-of date of which there is a publication, None when there is none."""
    days = []
    for path in publications.glob("*-*-*-*"):
        with contextlib.suppress(ValueError):
            days.append(dt.date.fromisoformat(path.name[:10]))
    return max(days, default=None)


def files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in the order of their names."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_file():
            yield folder / entry.name
        elif entry.is_dir(follow_symlinks=False):
            yield from files(folder / entry.name)


def told(data: bytes) -> dict[str, Any]:
    """Size and hash of a file with this content, as a manifest has them."""
    return {"bytes": len(data), "sha256": sha256(data)}


def listed(
    folder: Path, known: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Mapping[str, Any]]:
    """Size and hash of every file of a folder but the manifest, by its path within the folder.

    Files whose size is as `known` are not read for their hash.
    """
    held = {path.relative_to(folder).as_posix(): path for path in files(folder)}
    held.pop(MANIFEST, None)
    sizes = {name: path.stat().st_size for name, path in held.items()}
    found = {
        name: one
        for name, one in (known or {}).items()
        if name in held and one["bytes"] == sizes[name]
    }
    read = [name for name in held if name not in found]
    shares = [(folder, read[first : first + TOGETHER]) for first in range(0, len(read), TOGETHER)]
    hashes = itertools.chain.from_iterable(in_threads(_hashes, shares))
    found |= {
        name: {"bytes": sizes[name], "sha256": digest}
        for name, digest in zip(read, hashes, strict=True)
    }
    return found


def _hashes(folder: Path, names: Iterable[str]) -> list[str]:
    return [file_sha256(folder / name) for name in names]


def read_manifest(folder: Path, expected: str) -> dict[str, Any]:
    """The manifest of a publication; raises IntegrityError unless its hash is the recorded one."""
    path = folder / MANIFEST
    if file_sha256(path) != expected:
        raise IntegrityError(f"{path} is not the one that was published; {RESTORE}")
    manifest: dict[str, Any] = json.loads(path.read_bytes())
    return manifest


def read_flags(folder: Path, expected: str) -> list[dict[str, Any]]:
    """The flags of a publication; raises IntegrityError unless their hash is the recorded one."""
    return [json.loads(line) for line in flag_lines(folder, expected)]


def flag_lines(folder: Path, expected: str) -> Iterator[bytes]:
    """The flags of a publication as they stand in its file, one by one; raises as `read_flags`."""
    path = folder / FLAGS
    if file_sha256(path) != expected:
        raise IntegrityError(f"{path} is not the one that was published; {RESTORE}")
    with path.open("rb") as handle:
        yield from (line.rstrip(b",\n") for line in handle if line.startswith(b"{"))


def checked_lines(folder: Path, expected: str) -> Iterator[tuple[int, bytes]]:
    """As `flag_lines`, each with its place in the file, which is read only once.

    It is after the last of them that they are known to be as they were published.
    """
    path, digest, starts = folder / FLAGS, hashlib.sha256(), 0
    try:
        with path.open("rb", buffering=AT_ONCE) as handle:
            for line in handle:
                digest.update(line)
                if line.startswith(b"{"):
                    yield starts, line.rstrip(b",\n")
                starts += len(line)
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing; {RESTORE}") from None
    if digest.hexdigest() != expected:
        raise IntegrityError(f"{path} is not the one that was published; {RESTORE}")


def first_flag_id(folder: Path) -> str | None:
    """The number of the first flag of the worklist; None when there is none."""
    with (folder / FLAGS).open(encoding="utf-8") as lines:
        next(lines)
        line = next(lines, "").rstrip(",\n")
    return None if line in ("", "]") else str(json.loads(line)["flag_id"])


def faults(folder: Path, manifest_hash: str) -> list[str]:
    """What of a published folder differs from its manifest, as the names of files."""
    try:
        recorded = read_manifest(folder, manifest_hash)["files"]
    except IntegrityError:
        return [MANIFEST]
    found = {path.relative_to(folder).as_posix() for path in files(folder)} - {MANIFEST}
    wrong = [name for name in recorded if name not in found]
    wrong += [name for name in found if name not in recorded]
    wrong += [
        name
        for name in found & set(recorded)
        if file_sha256(folder / name) != recorded[name]["sha256"]
    ]
    return sorted(wrong)


def storage_error(error: Exception) -> StorageError:
    """The one sentence for a disk that refuses; the path in an OSError is not repeated."""
    reason = getattr(error, "strerror", None) or "an input/output error"
    return StorageError(
        f"The publication could not be written ({reason.lower()}); the previous one stays. "
        "Put the cause right and run again."
    )


class Syncing:
    """Makes files durable meanwhile: from many threads the disk takes them together.

    One by one they would take most of a minute.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WAITING)
        self._given: list[Future[None]] = []

    def __enter__(self) -> Syncing:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, path: Path) -> None:
        """Make a file durable that was written."""
        self._given.append(self._pool.submit(_sync, path))

    def finish(self) -> None:
        """Wait for all that were given; raises what the disk said of any."""
        for given in self._given:
            given.result()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
