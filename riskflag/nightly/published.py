"""One flag, or one page of the worklist, out of a publication of any size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskflag.casework import publishing
from riskflag.casework.publishing import FlagRow, Held
from riskflag.casework.store import Store
from riskflag.casework.worklist import (
    Filters,
    Listed,
    Orders,
    WorklistPage,
    agencies_waiting,
    count_waiting,
    reasons_waiting,
    teams_waiting,
    worklist_page,
)
from riskflag.errors import InputError, IntegrityError
from riskflag.nightly import folder, listing
from riskflag.workspace import Workspace

__all__ = [
    "Filters",
    "Listed",
    "Orders",
    "WorklistPage",
    "agencies_waiting",
    "complete",
    "count_waiting",
    "held_flag",
    "published_flag",
    "reasons_waiting",
    "teams_waiting",
    "version_of",
    "worklist_page",
]


def published_flag(workspace: Workspace, store: Store, flag_id: str) -> dict[str, Any]:
    """The newest published FLAG JSON of one flag.

    Only its own bytes are read, and checked against the hash in the store; a publication stored by
    an older program is read and checked whole. Raises InputError when there is no such flag and
    IntegrityError when the bytes are not those that were published.
    """
    return version_of(workspace, flag_id, held_flag(store, flag_id))


def held_flag(store: Store, flag_id: str) -> Held:
    """Where the newest version of a flag is; InputError when there is no such flag."""
    held = publishing.held(store, flag_id)
    if held is None:
        raise InputError("There is no flag with this number; look it up on the worklist.")
    return held


def version_of(workspace: Workspace, flag_id: str, held: Held) -> dict[str, Any]:
    """The FLAG JSON of one published version of a flag, checked as `published_flag` does."""
    where = workspace.publications / held.record.folder
    if held.starts is None or held.length is None:
        flags = folder.read_flags(where, held.record.content_hash)
        return next(flag for flag in flags if flag["flag_id"] == flag_id)
    flag: dict[str, Any] = json.loads(_line(where / folder.FLAGS, held, held.starts, held.length))
    return flag


def complete(workspace: Workspace, store: Store) -> bool:
    """Give a current publication that an older program stored what lists read; True if it lacked.

    Raises IntegrityError when its flags.json is not the one that was published.
    """
    if not publishing.lacks_places(store):
        return False
    record = publishing.current(store)
    assert record is not None
    where = workspace.publications / record.folder
    content = folder.flag_lines(where, record.content_hash)
    flags = [json.loads(line) for line in content]
    short = [listing.listed(flag) for flag in flags]
    rows = listing.with_places([_bare_row(flag) for flag in flags], short, map(len, content))
    publishing.fill_in_places(store, rows)
    return True


def _line(path: Path, held: Held, starts: int, length: int) -> bytes:
    try:
        with path.open("rb") as handle:
            handle.seek(starts)
            line = handle.read(length)
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing; {folder.RESTORE}") from None
    if hashlib.sha256(line).hexdigest() != held.payload_hash:
        raise IntegrityError(f"{path} is not the one that was published; {folder.RESTORE}")
    return line


def _bare_row(flag: Mapping[str, Any]) -> FlagRow:
    """A row for its number only: filling in touches nothing else."""
    import datetime as dt

    day = dt.date.fromisoformat(flag["first_raised"])
    return FlagRow(
        flag_id=flag["flag_id"],
        person_id=flag["person_id"],
        level=flag["level"],
        status=flag["status"],
        standing=flag["standing"],
        raised_by=flag["raised_by"],
        first_raised=day,
        last_matched=day,
        payload_hash="",
        reasons=(),
    )
