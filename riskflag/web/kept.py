"""What is the same for every reader while one publication is current, kept in memory.

Only things that hold no child's data belong here; nothing of it is written to disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, TypeVar

from flask import current_app, g

from riskflag.casework import kept_reviews, publishing
from riskflag.nightly.folder import read_manifest
from riskflag.scoring.bundle import Bundle
from riskflag.web import desk

Thing = TypeVar("Thing")


class Kept:
    """One value for each name, made again when its key changes; of the newest names only."""

    MOST = 64

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, Any]] = {}
        self._lock = RLock()

    def get(self, name: str, key: str, make: Callable[[], Thing]) -> Thing:
        """The value under `name` if it was made for `key`, else a new one; made once at a time."""
        found = self._values.get(name)
        if found is None or found[0] != key:
            with self._lock:
                found = self._values.get(name)
                if found is None or found[0] != key:
                    self._values.pop(name, None)
                    found = self._values[name] = (key, make())
                    while len(self._values) > self.MOST:
                        self._values.pop(next(iter(self._values)))
        value: Thing = found[1]
        return value


def for_publication(
    name: str, make: Callable[[publishing.PublicationRecord | None], Thing]
) -> Thing:
    """A value made once for each publication; `make` is given None before the first night."""
    kept: Kept = current_app.extensions["riskflag_kept"]
    now = _current()
    return kept.get(name, now.run_key if now else "", lambda: make(now))


def until_reviewed(name: str, make: Callable[[], Thing]) -> Thing:
    """A value made anew with each publication and each further review, such as counts of them."""
    kept: Kept = current_app.extensions["riskflag_kept"]
    now = _current()
    key = f"{now.run_key if now else ''}|{kept_reviews.count(desk.store())}"
    return kept.get(name, key, make)


def _current() -> publishing.PublicationRecord | None:
    """The publication that this request shows; asked of the store once, so a page is of one."""
    if "publication" not in g:
        g.publication = publishing.current(desk.store())
    found: publishing.PublicationRecord | None = g.publication
    return found


def manifest() -> Mapping[str, Any]:
    """The manifest of the current publication, checked against the store; empty before any."""
    return for_publication("manifest", _manifest)


def _manifest(now: publishing.PublicationRecord | None) -> Mapping[str, Any]:
    if now is None:
        return {}
    return read_manifest(desk.workspace().publications / now.folder, now.manifest_hash)


def bundle(now: Mapping[str, Any]) -> Bundle | None:
    """The model bundle that a publication names, or None when it used none or it is gone."""
    name, digest = now.get("bundle"), (now.get("parts") or {}).get("bundle")
    folder = desk.workspace().bundles / str(name)
    return Bundle.load(folder, expected=digest) if name and digest and folder.is_dir() else None
