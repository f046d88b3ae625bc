"""Where the optional public data sets are; a test that needs one skips, saying so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_data(name: str) -> Path:
    """The folder of a public data set, or a skip with the reason when it is not on this machine."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RISKFLAG_SHARED_DATA", default)) / name
    if not folder.is_dir():
        pytest.skip(f"public data set {name} is not here; set RISKFLAG_SHARED_DATA to its parent")
    return folder
