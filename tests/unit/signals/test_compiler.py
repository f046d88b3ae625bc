"""Compiled code is kept on disk, never stale, also where the installation cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import riskflag
from riskflag.signals import compiler

PACKAGE = Path(riskflag.__file__).parent


@pytest.mark.parametrize("name", compiler.SOURCES)
def test_a_change_of_any_source_gives_another_place(tmp_path, name):
    """Compiled code of yesterday's clock is never used with today's clock."""
    for source in compiler.SOURCES:
        copy = tmp_path / source
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / source, copy)
    before = compiler.source_digest(tmp_path)
    assert before == compiler.source_digest(PACKAGE)

    with (tmp_path / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")

    assert compiler.source_digest(tmp_path) != before


def test_every_compiled_in_module_is_among_the_sources():
    """What the kernel imports from the package is what its place on disk is named after."""
    files = [PACKAGE / "signals" / name for name in ("kernel.py", "walks.py")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    imported = {line.split()[1] for line in lines if line.startswith("from riskflag")}

    rooms = {f"riskflag.signals.{name}" for name in ("compiler", "layout", "walks")}
    assert imported == {"riskflag", *rooms}
    assert "from riskflag import clock" in lines
    compiled_in = {"clock.py", *(f"signals/{name}.py" for name in ("layout", "kernel", "walks"))}
    assert compiled_in <= set(compiler.SOURCES)


def test_the_first_writable_folder_is_used(tmp_path, monkeypatch):
    """A chosen folder comes first; one that cannot be written to is passed over."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    assert compiler._cache_folder.__wrapped__().parent == tmp_path / "chosen"

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(blocked))
    monkeypatch.setattr(compiler, "__file__", str(blocked / "compiler.py"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert compiler._cache_folder.__wrapped__().parent == tmp_path / "home" / "riskflag"

    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    private = compiler._cache_folder.__wrapped__()
    assert private.stat().st_mode & 0o077 == 0
    private.rmdir()


def test_importing_signals_does_not_import_numba():
    """Only computing waits for numba; declaring and loading the catalogue do not."""
    code = "import sys, riskflag.signals as s; s.load_catalogue(); sys.exit('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False)

    assert done.returncode == 0
