"""What lies in the landing folder, and which source takes it."""

from __future__ import annotations

import datetime as dt
import fnmatch
import json
from dataclasses import dataclass
from pathlib import Path

from riskflag.errors import ConfigError, InputError
from riskflag.history.readers import RejectedError, form_of
from riskflag.history.source import Source

_SIDECARS = (".sha256", ".manifest.json")


@dataclass(frozen=True)
class Landed:
    """A file that landed on a day and the source that takes it (None: nobody does).

    `data` is a snapshot of a database that was only tried out and not written; `refusal` says why
    one could not be taken.
    """

    path: Path
    shown: str
    day: dt.date
    source: Source | None
    data: bytes | None = None
    refusal: RejectedError | None = None


def landed_files(
    folder: Path, sources: tuple[Source, ...], today: dt.date
) -> dict[dt.date, list[Landed]]:
    """The files of each landing day in day and name order.

    Folders named like 2026-03-31 hold what landed that day; files beside them landed `today`.
    Raises InputError when there is no landing folder, ConfigError when two sources take one file.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist; put the agencies' files there.")
    found: dict[dt.date, list[Landed]] = {}
    for item in sorted(folder.iterdir()):
        day = _folder_day(item)
        if day is not None and day > today:
            raise ConfigError(f"{item} is named after a day to come; correct the folder's name.")
        inside = sorted(item.iterdir()) if day is not None else [item]
        for path in inside:
            if not path.name.startswith(".") and not path.name.endswith(_SIDECARS):
                shown = str(path.relative_to(folder))
                takers: list[Source | None] = [*_takers(path, sources)]
                found.setdefault(day or today, []).extend(
                    Landed(path, shown, day or today, taker) for taker in takers or [None]
                )
    return dict(sorted(found.items()))


def _folder_day(item: Path) -> dt.date | None:
    if item.is_symlink() or not item.is_dir():
        return None
    try:
        return dt.date.fromisoformat(item.name)
    except ValueError:
        return None


def _takers(path: Path, sources: tuple[Source, ...]) -> list[Source]:
    """The sources that take a file: one, or several that each read another part of it."""
    takers = [
        source
        for source in sources
        if any(fnmatch.fnmatchcase(path.name, pattern) for pattern in source.patterns)
    ]
    forms = {form_of(path.name, source.files) for source in takers}
    parts = {source.files.part for source in takers}
    apart = len(forms) == 1 and "" not in parts and len(parts) == len(takers)
    if len(takers) > 1 and not apart:
        names = " and ".join(source.name for source in takers[:2])
        raise ConfigError(
            f"The sources {names} both take {path.name}; make their file patterns differ."
        )
    return takers


def check_sidecar(path: Path, sha256: str, size: int) -> None:
    """Refuse a file that differs from its sender's checksum (.sha256, .manifest.json)."""
    sums = path.with_name(path.name + ".sha256")
    manifest = path.with_name(path.name + ".manifest.json")
    said: dict[str, object] = {}
    try:
        if manifest.is_file():
            said = dict(json.loads(manifest.read_text(encoding="utf-8")))
        elif sums.is_file():
            said = {"sha256": sums.read_text(encoding="utf-8").split()[0]}
    except (ValueError, IndexError, TypeError, OSError):
        raise RejectedError(
            "sidecar", f"The checksum file of {path.name} cannot be read; ask for it again."
        ) from None
    wrong = said.get("sha256", sha256) != sha256 or said.get("bytes", size) != size
    if wrong:
        raise RejectedError(
            "sidecar", f"{path.name} is not the file its sender described; ask for it again."
        )
