"""What a look-back works with: the signals, rules and model, read once for many look-backs."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from riskflag.errors import ConfigError

if TYPE_CHECKING:
    from riskflag.scoring.bundle import Bundle
    from riskflag.scoring.rulebook import Rulebook
    from riskflag.signals.catalogue import Catalogue
    from riskflag.workspace import Workspace

Key = tuple[object, ...]

#: The current bundle and material of a workspace, each with what it was read from.
_BUNDLES: dict[Path, tuple[Key, Bundle | None]] = {}
_MATERIAL: dict[Path, tuple[Key, Material]] = {}


@dataclass(frozen=True)
class Asked:
    """What to look back at: a person, the days (None: all that is known), rules and model.

    `rulebook` is a file and `bundle` a folder name of the workspace; None is what is current.
    """

    person_id: str
    first: dt.date | None = None
    last: dt.date | None = None
    rulebook: Path | None = None
    bundle: str | None = None
    rules_only: bool = False

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ConfigError("The look-back ends before it begins; give --from the earlier day.")
        if self.rules_only and self.bundle is not None:
            raise ConfigError("Give --bundle or --rules-only, not both.")


@dataclass(frozen=True)
class Material:
    """The declarations a replay works with."""

    catalogue: Catalogue
    rulebook: Rulebook
    bundle: Bundle | None


def material_of(workspace: Workspace, asked: Asked) -> Material:
    """The rulebook and model that the question names, or the current ones.

    A process that has read the current ones once reads them again when a file has changed.
    """
    if asked.rulebook is not None or asked.bundle is not None or asked.rules_only:
        return _read_material(workspace, asked)
    key, found = _written(workspace), _MATERIAL.get(workspace.root)
    if found is None or found[0] != key:
        found = _MATERIAL[workspace.root] = (key, _read_material(workspace, asked))
    return found[1]


def _written(workspace: Workspace) -> Key:
    """When each file of the declarations and of the current model was written, and its size."""
    from riskflag.signals.catalogue import default_features_dir

    declared = workspace.features_dir or default_features_dir()
    # Asked at every look-back: names and texts, of which paths are made only where they are read.
    files = (os.path.join(declared, name) for name in os.listdir(declared) if "." in name)
    stats = ((path, _state(path)) for path in sorted([*files, str(workspace.vocabulary)]))
    return (_pointer(workspace.bundles), workspace.promotion_key, str(declared), *stats)


def _state(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def _read_material(workspace: Workspace, asked: Asked) -> Material:
    from riskflag.scoring.bundle import Bundle
    from riskflag.scoring.rulebook import Rulebook
    from riskflag.signals.catalogue import load_catalogue

    catalogue = load_catalogue(workspace.features_dir, workspace.vocabulary)
    rulebook = Rulebook.load(asked.rulebook or catalogue.rulebook_path, catalogue)
    bundle = None
    if asked.bundle is not None:
        folder = workspace.bundles / Path(asked.bundle).name
        if not folder.is_dir():
            raise ConfigError("There is no such bundle in this workspace; look into bundles/.")
        bundle = Bundle.load(folder, key=workspace.promotion_key)
    elif not asked.rules_only:
        bundle = _current(workspace)
    if bundle is not None:
        catalogue = catalogue.with_more(bundle.carried)
        bundle.check_signals({s.name: s.fingerprint for s in catalogue.signals})
    return Material(catalogue, rulebook, bundle)


def _current(workspace: Workspace) -> Bundle | None:
    """The promoted bundle; a process that has checked and tried it once need not do it again."""
    from riskflag.scoring.bundle import load_current

    bundles, signed_by = workspace.bundles, workspace.promotion_key
    key = (_pointer(bundles), signed_by)
    found = _BUNDLES.get(bundles)
    if found is None or found[0] != key:
        found = _BUNDLES[bundles] = (key, load_current(bundles, key=signed_by))
    return found[1]


def _pointer(bundles: Path) -> bytes:
    from riskflag.scoring.bundle import CURRENT

    pointer = bundles / CURRENT
    return pointer.read_bytes() if pointer.is_file() else b""
