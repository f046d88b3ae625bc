"""A step of a benchmark in a process of its own, so that no other's memory or time is in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def apart(module: str, *words: object, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """What `python -m MODULE WORDS` tells as JSON in its last line; RuntimeError when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **(environment or {}), "PYTHONPATH": str(ROOT)},
    )
    if done.returncode:
        raise RuntimeError(f"{module} {words[0]} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
