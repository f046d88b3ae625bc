"""Checking what nights and people left behind: history, store, audit, publications."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from riskflag.casework import audit, publishing
from riskflag.casework.store import Store, faults_of, open_store
from riskflag.errors import IntegrityError
from riskflag.nightly import anchors, folder
from riskflag.workspace import Workspace


@dataclass(frozen=True)
class Checked:
    """What was looked at and each fault as a sentence; no fault means all is as it was left."""

    publications: int
    entries: int
    anchors: int
    faults: tuple[str, ...]


def verify(workspace: Workspace) -> Checked:
    """Check the workspace's history, store, audit chain, anchors and publications; changes nothing.

    Raises ConfigError when there is no store yet.
    """
    store = open_store(workspace, create=False)
    try:
        known = publishing.publications(store)
        anchored = anchors.read(workspace.publications)
        with store.reading() as session:
            entries = audit.head(session).seq
        faults = [
            *faults_of(store),
            *_history_faults(workspace),
            *_chain_faults(store),
            *_anchor_faults(store, workspace.publications, {one.run_key for one in known}),
            *_publication_faults(workspace.publications, known),
            *_pointer_faults(store, workspace.publications),
        ]
        return Checked(len(known), entries, len(anchored), tuple(faults))
    finally:
        store.close()


def _history_faults(workspace: Workspace) -> list[str]:
    from riskflag.history.store.parquet_store import HistoryStore

    try:
        HistoryStore(workspace.history).verify()
    except IntegrityError as error:
        return [str(error)]
    return []


def _chain_faults(store: Store) -> list[str]:
    with store.reading() as session:
        bad = audit.first_bad(session)
    return [] if bad is None else [f"The audit chain is broken at entry {bad}."]


def _anchor_faults(store: Store, publications: Path, known: set[str]) -> list[str]:
    """Whether the chain still holds what it held at each publication."""
    faults, seen = [], set()
    with store.reading() as session:
        for number, (run_key, end) in enumerate(anchors.read(publications), start=1):
            seen.add(run_key)
            if audit.hash_at(session, end.seq) != end.hash:
                faults.append(
                    f"The audit chain is not the one that anchor {number} saw at entry {end.seq}: "
                    "its end was cut or it was written anew."
                )
            if run_key not in known:
                faults.append(f"The publication of anchor {number} is not in the store.")
    if known - seen:
        faults.append(
            f"{len(known - seen)} publications have no anchor; run `riskflag score` again for the "
            "current one and look for why others are missing."
        )
    return faults


def _publication_faults(publications: Path, known: list[publishing.PublicationRecord]) -> list[str]:
    faults = []
    for one in known:
        wrong = folder.faults(publications / one.folder, one.manifest_hash)
        if wrong:
            more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            faults.append(
                f"Publication {one.folder} is not as it was published: "
                f"{', '.join(wrong[:3])}{more}."
            )
    return faults


def _pointer_faults(store: Store, publications: Path) -> list[str]:
    current = publishing.current(store)
    if current is None or folder.current_name(publications) == current.folder:
        return []
    return [
        f"{folder.CURRENT} does not name the current publication {current.folder}; run the same "
        "`riskflag score` again to put it right."
    ]
