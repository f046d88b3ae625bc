"""Compiling the kernel, with compiled code kept on disk.

Numba keeps compiled code beside the source and throws it away when *that file* changes. The kernel
also compiles in the clock and the layout, so a change there would go unnoticed: here the place on
disk is named after the text of all of them. An installation that cannot be written to uses the
user's cache folder, and a machine without one a private folder for this process alone.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

import riskflag

F = TypeVar("F", bound=Callable[..., object])
#: Everything that ends up in compiled code.
SOURCES = (
    "clock.py",
    "scoring/together.py",
    "signals/blocks.py",
    "signals/compiler.py",
    "signals/grid.py",
    "signals/kernel.py",
    "signals/layout.py",
    "signals/spread.py",
    "signals/walks.py",
)


#: The numpy error model: a division by zero is a value, as in the reference engine's own checks,
#: not an exception; no fast-math, so results are the same on any machine. Without numba's memory
#: manager: a kernel is given all its room, and counting references to some seventy arrays at every
#: use costs several times what the work itself does.
OPTIONS: Any = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}


def compiled(function: F) -> F:
    """Compile a function of plain numbers and arrays; it then runs without Python's lock.

    It cannot make an array, only work on those it is given.
    """
    with _cached_in(_cache_folder()):
        return cast(F, numba.njit(**OPTIONS)(function))


def inlined(function: F) -> F:
    """Compile a part of another compiled function into it.

    The arrays of the kernel travel in named tuples of some seventy words: handing these over at
    every call costs more than the work done there.
    """
    with _cached_in(_cache_folder()):
        return cast(F, numba.njit(inline="always", **OPTIONS)(function))


@contextmanager
def _cached_in(folder: Path) -> Iterator[None]:
    """Numba asks for its folder when a function is declared; others' functions keep theirs."""
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        settings.CACHE_DIR = before


@cache
def _cache_folder() -> Path:
    name = f"riskflag-kernel-{source_digest(Path(riskflag.__file__).parent)[:16]}"
    for parent in _candidates():
        if _writable(parent / name):
            return parent / name
    return Path(tempfile.mkdtemp(prefix=name))


def source_digest(package: Path) -> str:
    """SHA-256 over everything that ends up in compiled code, in hexadecimal."""
    digest = hashlib.sha256(numba.__version__.encode())
    for name in SOURCES:
        digest.update((package / name).read_bytes() + b"\0")
    return digest.hexdigest()


def _candidates() -> Iterator[Path]:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        yield Path(chosen)
    yield Path(__file__).parent / "__pycache__"
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    yield Path(home) / "riskflag"


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
