"""The history of everyone who ever had a flag, kept where one child's part of it is read at once.

A publication keeps the children whose flag waits, as that night knew them (riskflag.nightly.near).
Here lies what the whole history said of all who ever had a flag, also of days to come: a look-back
at a closed flag, or past the last night, need not read everybody's history. It is made by the
night, says for which state of the history it stands, and may be removed at any time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskflag.clock import day_number
from riskflag.errors import IntegrityError
from riskflag.history.store.ledger import LEDGER, write_atomic
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.nightly import folder, near

if TYPE_CHECKING:
    from riskflag.history.store.view import History
    from riskflag.workspace import Workspace

#: Which of the folders is the newest, and the hash of its manifest.
POINTER = "newest.json"
#: Somebody may still be reading the one before.
KEPT = 2


def keep(workspace: Workspace, history: History, people: Collection[str], as_of: dt.date) -> None:
    """Keep what `history` says of these people, whom a night of `as_of` or an earlier one showed.

    Nothing is cut away: a reader leaves out what was not known by the days that are asked about.
    """
    point_to(workspace, write(workspace, history, people, as_of))


def write(
    workspace: Workspace, history: History, people: Collection[str], as_of: dt.date
) -> dict[str, str] | None:
    """Write what `keep` keeps; what `point_to` is told of it, None when there is none."""
    home, ledger = _home(workspace), _ledger(workspace.history)
    if not ledger:
        return None  # the history is nowhere but in memory
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = home / f"{as_of.isoformat()}-{ledger[:12]}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700)
    chosen = sorted(people)
    tables = near.tables(history.select(chosen), dt.date.max)
    # Cut to these people, a history no longer holds the links of others that name them.
    tables[near.NAMED] = near.named(HistoryStore(workspace.history).naming(chosen))
    for name, data in near.file_bytes(tables):
        (target / name).write_bytes(data)
    told = folder.pretty_bytes(
        {"as_of": as_of.isoformat(), "ledger": ledger, "files": folder.listed(target)}
    )
    (target / folder.MANIFEST).write_bytes(told)
    return {"folder": target.name, "manifest": folder.sha256(told)}


def point_to(workspace: Workspace, written: dict[str, str] | None) -> None:
    """From now on readers find what was written."""
    if written is not None:
        home = _home(workspace)
        write_atomic(home / POINTER, json.dumps(written, sort_keys=True).encode())
        _tidy(home, home / written["folder"])


def _home(workspace: Workspace) -> Path:
    return workspace.work / "flagged"


def _tidy(home: Path, newest: Path) -> None:
    """Remove all but the newest folders."""
    older = [path for path in home.iterdir() if path.is_dir() and path != newest]
    older.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in older[KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def history_of(
    workspace: Workspace, person_id: str, last: int, *, as_published: bool
) -> History | None:
    """The history of one child for a look-back that ends with day number `last`, if it is kept.

    It must be of the very history that is there now; `as_published` it may also be of that which
    the night knew, for days up to that night. What is damaged counts as not kept.
    """
    home = _home(workspace)
    try:
        pointer = json.loads((home / POINTER).read_bytes())
        where, digest = home / Path(pointer["folder"]).name, str(pointer["manifest"])
        told = _manifest(where, digest)
        same = told["ledger"] == _ledger(workspace.history)
        if not same and not (as_published and last <= _day(told["as_of"])):
            return None
        return near.history_in(where, digest, person_id, last)
    except (OSError, ValueError, KeyError, IntegrityError):
        return None


@lru_cache(maxsize=4)
def _manifest(where: Path, digest: str) -> dict[str, Any]:
    return folder.read_manifest(where, digest)


def _day(text: str) -> int:
    return day_number(dt.date.fromisoformat(text))


def _ledger(history: Path) -> str:
    """The hash of the list of the history's files, which changes with every batch; "" if none."""
    path = history / LEDGER
    try:
        state = path.stat()
    except FileNotFoundError:
        return ""
    return _hash_of(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=4)
def _hash_of(path: Path, _size: int, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
