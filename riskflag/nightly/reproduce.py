"""Making a published night again, from the history and what its manifest names, to compare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskflag.casework import audit, publishing
from riskflag.casework.publishing import PublicationRecord
from riskflag.casework.store import Store, open_store
from riskflag.errors import InputError, IntegrityError
from riskflag.nightly import folder, state_file
from riskflag.nightly.build import build
from riskflag.nightly.inputs import Inputs, load
from riskflag.nightly.run import previous_flags
from riskflag.progress import Progress, silent
from riskflag.workspace import Workspace

#: What each part of the run key is called in a message.
PARTS = {
    "bundle": "the model bundle",
    "code": "the version of riskflag",
    "history": "the history visible on that day",
    "rulebook": "the rulebook",
    "settings": "the workspace's settings",
    "signals": "the signals",
}


@dataclass(frozen=True)
class PublishedFlag:
    """A flag as its newest publication holds it, and where that is."""

    flag: Mapping[str, Any]
    folder: Path
    record: PublicationRecord


@dataclass(frozen=True)
class Reproduced:
    """A flag made again: whether it and its whole publication have the same bytes as before."""

    published: PublishedFlag
    flag: Mapping[str, Any] | None
    same_flag: bool
    same_publication: bool


def published_flag(workspace: Workspace, flag_id: str) -> PublishedFlag:
    """The newest published form of a flag, checked against the recorded hash.

    Raises InputError when no publication holds it.
    """
    store = open_store(workspace, create=False)
    try:
        return _find(workspace, store, flag_id)
    finally:
        store.close()


def look_at_flag(workspace: Workspace, flag_id: str, *, actor: str, action: str) -> PublishedFlag:
    """As `published_flag`, after writing into the audit chain who looks and what for."""
    store = open_store(workspace, create=False)
    try:
        found = _find(workspace, store, flag_id)
        with store.writing() as session:
            audit.record(
                session,
                store.key,
                actor=actor,
                action=action,
                subject=str(found.flag["person_id"]),
                detail={"flag": flag_id, "publication": found.record.run_key},
            )
        return found
    finally:
        store.close()


def reproduce(
    workspace: Workspace, found: PublishedFlag, *, progress: Progress = silent
) -> Reproduced:
    """Make the night of a published flag again and compare byte for byte.

    Raises IntegrityError, naming the part, when something the night was made of is not the same.
    """
    told = folder.read_manifest(found.folder, found.record.manifest_hash)
    inputs = _inputs(workspace, found, told, progress)
    _refuse_other_parts(inputs, told)
    state = state_file.from_json(_state_as_published(found.folder, told))
    built = build(inputs, state, lambda: previous_flags(workspace, state), progress=progress)
    content = folder.sha256(folder.flags_pieces(built.lines))
    again = next((one for one in built.flags if one["flag_id"] == found.flag["flag_id"]), None)
    return Reproduced(
        found,
        again,
        same_flag=again is not None
        and folder.flags_bytes([again]) == folder.flags_bytes([dict(found.flag)]),
        same_publication=content == found.record.content_hash,
    )


def _find(workspace: Workspace, store: Store, flag_id: str) -> PublishedFlag:
    record = publishing.publication_of(store, flag_id)
    if record is None:
        raise InputError("There is no flag with this number; look it up on the worklist.")
    where = workspace.publications / record.folder
    flags = folder.read_flags(where, record.content_hash)
    flag = next(flag for flag in flags if flag["flag_id"] == flag_id)
    return PublishedFlag(flag, where, record)


def _state_as_published(where: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """The state file's content; raises IntegrityError unless its hash is the manifest's."""
    path = where / folder.STATE
    if folder.file_sha256(path) != told["files"][folder.STATE]["sha256"]:
        raise IntegrityError(f"{path} is not the one that was published; {folder.RESTORE}")
    state: dict[str, Any] = json.loads(path.read_bytes())
    return state


def _inputs(
    workspace: Workspace, found: PublishedFlag, told: Mapping[str, Any], progress: Progress
) -> Inputs:
    """The inputs of that night: the bundle it used, which may not be the current one."""
    from dataclasses import replace

    from riskflag.scoring.bundle import Bundle

    inputs = load(workspace, found.record.as_of, rules_only=True, progress=progress)
    inputs = replace(inputs, paused="paused" in told["parts"])
    if told["bundle"] is None:
        return inputs
    path = workspace.bundles / Path(told["bundle"]).name
    bundle = Bundle.load(path, expected=told["parts"]["bundle"])
    return replace(inputs, bundle=bundle, catalogue=inputs.catalogue.with_more(bundle.carried))


def _refuse_other_parts(inputs: Inputs, told: Mapping[str, Any]) -> None:
    other = [words for part, words in PARTS.items() if inputs.parts[part] != told["parts"][part]]
    if other:
        raise IntegrityError(
            f"That night cannot be made again, because this differs now: {', '.join(other)}. "
            "Restore what it was made of and try again."
        )
