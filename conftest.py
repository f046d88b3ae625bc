"""What several kinds of tests share: one small demo, and the runner of the examples in the docs."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import CodeBlockParser

ROOT = Path(__file__).resolve().parent
DEMO = [sys.executable, "-m", "riskflag", "demo", "--children", "800"]


def riskflag_environment() -> dict[str, str]:
    """The environment of a child process that runs the command line."""
    return {**os.environ, "PYTHONHASHSEED": "random", "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished small demo, made once for all test processes. Copy it before changing it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of this run; the parent of a run in one process outlives it
    folder, done = shared / "demo", shared / "demo.done"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            run = subprocess.run(
                [*DEMO, "--out", str(folder)],
                capture_output=True,
                text=True,
                env=riskflag_environment(),
                check=False,
            )
            assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
            (shared / "demo.txt").write_text(run.stdout)
            done.touch()
    return folder


@pytest.fixture
def demo_workspace(demo_folder: Path, tmp_path: Path) -> Path:
    """A private copy of the demo's workspace."""
    copy = tmp_path / "workspace"
    shutil.copytree(demo_folder / "workspace", copy)
    return copy


def run_console(example: Example) -> None:
    """Run each `$` line of a console example; the lines below it must appear in its output."""
    commands = [part for part in example.parsed.split("$ ") if part.strip()]
    assert commands, "a console example needs at least one line that starts with $"
    for part in commands:
        command, *expected = part.strip().splitlines()
        output = run_command(command, Path(example.namespace["page_folder"]))
        for line in expected:
            wanted = line.strip().strip(".")
            assert wanted in output, f"`{command}` did not print {line!r} but:\n{output}"


def run_command(command: str, folder: Path) -> str:
    """Run one documented command in the page's folder; `make` targets are resolved, not run."""
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        arguments, folder = ["make", "-n", *words[1:]], ROOT
    elif words[:2] == ["riskflag", "demo"]:
        arguments = [sys.executable, "-m", "riskflag", "demo", "--help"]
    elif words[0] == "riskflag":
        arguments = [sys.executable, "-m", *words]
    else:
        arguments = words
    run = subprocess.run(
        arguments,
        cwd=folder,
        capture_output=True,
        text=True,
        env=riskflag_environment(),
        check=False,
        timeout=300,
    )
    assert run.returncode in (0, 3, 10), f"`{command}` ended with {run.returncode}:\n{run.stderr}"
    return run.stdout + run.stderr


@pytest.fixture(scope="module")
def page_folder(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder a page's examples run in: a finished demo is there as demo/."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(demo_folder, folder / "demo")
    return folder


def run_python(example: Example) -> None:
    """Run a Python example with the page's folder as the current folder."""
    before = Path.cwd()
    os.chdir(example.namespace["page_folder"])
    try:
        PythonEvaluator()(example)
    finally:
        os.chdir(before)


pytest_collect_file = Sybil(
    parsers=[CodeBlockParser("console", run_console), CodeBlockParser("python", run_python)],
    patterns=["*.md"],
    excludes=["docs/_build/**", ".venv/**", "demo/**"],
    fixtures=["page_folder"],
).pytest()
