"""What was usual among the children a flag's model was trained with, read from its bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskflag.scoring.bundle import Bundle
    from riskflag.workspace import Workspace

#: Bundles this process has checked and tried: they never change.
_KEPT: dict[tuple[Path, str], Bundle] = {}


def ranges_of(workspace: Workspace, flag: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The ranges of every signal at the child's age, by signal.

    Empty without a model, or when its bundle is no longer in the workspace. Raises IntegrityError
    when the bundle is not the one the flag was made with.
    """
    from riskflag.scoring.bundle import Bundle

    model, digest = flag.get("model"), flag["versions"].get("bundle")
    if not model or not digest:
        return {}
    path = workspace.bundles / Path(model["bundle"]).name
    if not path.is_dir():
        return {}
    if (path, digest) not in _KEPT:
        _KEPT[path, digest] = Bundle.load(path, expected=digest)
    return _KEPT[path, digest].ranges(flag["child"]["age_years"])
