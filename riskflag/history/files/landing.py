"""What lies in the landing folder, and which source takes it."""

from __future__ import annotations

import datetime as dt
import fnmatch
from dataclasses import dataclass, field
from pathlib import Path

from riskflag.errors import ConfigError, InputError
from riskflag.history.declared.source import Source
from riskflag.history.files.delivered import RejectedError
from riskflag.history.files.readers import form_of
from riskflag.history.files.sidecar import Listed, is_sidecar, lists_of


@dataclass(frozen=True)
class Landed:
    """A file that landed on a day and the source that takes it (None: nobody does).

    `listed` is what the lists of its folder say; a file that they name and that is not there has
    `missing`. `data` is a snapshot of a database that was only tried out and not written; `refusal`
    says why one could not be taken.
    """

    path: Path
    shown: str
    day: dt.date
    source: Source | None
    listed: Listed = field(default_factory=Listed)
    missing: bool = False
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
    beside = lists_of(folder)
    for item in sorted(folder.iterdir()):
        day = _folder_day(item)
        if day is not None and day > today:
            raise ConfigError(f"{item} is named after a day to come; correct the folder's name.")
        inside = sorted(item.iterdir()) if day is not None else [item]
        listed = beside if day is None else lists_of(item)
        for path in (path for path in inside if _delivered(path)):
            shown = str(path.relative_to(folder))
            takers: list[Source | None] = [*_takers(path, sources)]
            found.setdefault(day or today, []).extend(
                Landed(path, shown, day or today, taker, listed) for taker in takers or [None]
            )
        absent = [] if day is None else _absent(item, day, listed, sources)
        if absent:
            found.setdefault(absent[0].day, []).extend(absent)
    return dict(sorted(found.items()))


def _delivered(path: Path) -> bool:
    return not path.name.startswith(".") and not is_sidecar(path)


def _absent(
    folder: Path, day: dt.date, listed: Listed, sources: tuple[Source, ...]
) -> list[Landed]:
    """What a list names and a source would take, but is not there: the delivery is not whole."""
    return [
        Landed(folder / name, f"{folder.name}/{name}", day, taker, listed, missing=True)
        for name in sorted(listed.files)
        if not (folder / name).is_symlink() and not (folder / name).exists()
        for taker in _takers(folder / name, sources)
    ]


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
