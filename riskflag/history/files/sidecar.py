"""What a sender says about its files: checksums and counts beside them, lists of a delivery.

Beside a file may lie NAME.sha256 or NAME.manifest.json; in a landing day's folder a SHA256SUMS or a
manifest.json may list several files. Whatever is said must hold.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskflag.history.files.delivered import RejectedError, read_bytes

SUFFIXES = (".sha256", ".manifest.json")
LISTS = ("SHA256SUMS", "manifest.json")
_SUM = re.compile(r"([0-9a-fA-F]{64})(?:[ \t]+\*?(.*))?")
_LARGEST = 1 << 24
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Described:
    """What is said of one file; None where nothing is said."""

    sha256: str | None = None
    size: int | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Listed:
    """What a folder's lists say of its files by name; `fault` when a list cannot be trusted."""

    files: dict[str, list[Described]] = field(default_factory=dict)
    fault: RejectedError | None = None


def is_sidecar(path: Path) -> bool:
    """Whether a name is that of a checksum file or list, not of a delivery."""
    return path.name.endswith(SUFFIXES) or path.name in LISTS


def lists_of(folder: Path) -> Listed:
    """The lists that lie in a landing day's folder."""
    files: dict[str, list[Described]] = {}
    for name in LISTS:
        path = folder / name
        if not path.is_symlink() and not path.exists():
            continue
        try:
            found = _sums(path) if name == LISTS[0] else _manifest(path)
        except RejectedError as fault:
            return Listed(fault=fault)
        for file, said in found:
            files.setdefault(file, []).append(said)
    return Listed(files)


def descriptions(path: Path, listed: Listed) -> list[Described]:
    """All that is said of a file; RejectedError when any of it cannot be read."""
    if listed.fault is not None:
        raise listed.fault
    found = list(listed.files.get(path.name, []))
    sums, manifest = (path.with_name(path.name + suffix) for suffix in SUFFIXES)
    if sums.is_symlink() or sums.exists():
        own = [said for name, said in _sums(sums, path.name) if name == path.name]
        if not own:
            raise _unreadable(sums)
        found += own
    if manifest.is_symlink() or manifest.exists():
        found.append(_described(_json(manifest), manifest))
    return found


def check_bytes(path: Path, said: Sequence[Described], sha256: str, size: int) -> None:
    """RejectedError when a file's bytes are not those that its sender described."""
    for one in said:
        other_sum = one.sha256 is not None and not hmac.compare_digest(one.sha256.lower(), sha256)
        if other_sum or one.size not in (None, size):
            raise RejectedError(
                "sidecar", f"{path.name} is not the file its sender described; ask for it again."
            )


def check_rows(name: str, said: Sequence[Described], rows: int) -> None:
    """RejectedError when a file has another number of rows than its sender described."""
    for one in said:
        if one.rows not in (None, rows):
            raise RejectedError(
                "sidecar_rows",
                f"{name} has {rows:,} rows where its sender described {one.rows:,}; "
                "ask for it again.",
            )


def _sums(path: Path, only: str | None = None) -> list[tuple[str, Described]]:
    """The lines of a checksum file; a sum without a name is that of the file `only`."""
    found = []
    for line in _text(path).splitlines():
        if not line.strip():
            continue
        match = _SUM.fullmatch(line.strip())
        name = (match[2] or only) if match else None
        if match is None or not name or not _plain(name):
            raise _unreadable(path)
        found.append((name, Described(sha256=match[1])))
    if not found:
        raise _unreadable(path)
    return found


def _manifest(path: Path) -> list[tuple[str, Described]]:
    said = _json(path).get("files")
    if not isinstance(said, list) or not said:
        raise _unreadable(path)
    found = []
    for item in said:
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not _plain(name):
            raise _unreadable(path)
        found.append((name, _described(item, path)))
    return found


def _described(said: dict[str, Any], path: Path) -> Described:
    """A description that says nothing to check, or says it in another form, is none."""
    sha256, size, rows = (said.get(name) for name in ("sha256", "bytes", "rows"))
    numbers = all(n is None or (isinstance(n, int) and n is not True) for n in (size, rows))
    plain = sha256 is None or (isinstance(sha256, str) and _SHA256.fullmatch(sha256))
    if not plain or not numbers or (sha256, size, rows) == (None, None, None):
        raise _unreadable(path)
    return Described(sha256, size, rows)


def _plain(name: str) -> bool:
    return name not in (".", "..") and not any(mark in name for mark in "/\\\0")


def _json(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(_text(path))
    except (ValueError, RecursionError):
        raise _unreadable(path) from None
    if not isinstance(said, dict):
        raise _unreadable(path)
    return said


def _text(path: Path) -> str:
    try:
        return read_bytes(path, _LARGEST).decode("utf-8-sig")
    except (RejectedError, UnicodeDecodeError):
        raise _unreadable(path) from None


def _unreadable(path: Path) -> RejectedError:
    return RejectedError(
        "sidecar", f"The checksum file {path.name} cannot be read; ask for it again."
    )
