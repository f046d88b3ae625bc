"""What several kinds of tests share: one small demo, and the runner of the examples in the docs."""

from __future__ import annotations

import atexit
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from psutil import virtual_memory
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import CodeBlockParser

ROOT = Path(__file__).resolve().parent
DEMO = [sys.executable, "-m", "riskflag", "demo", "--children", "800"]
MEMORY = Path("/dev/shm")
MAKING: list[subprocess.Popen[bytes]] = []


def keep_bytecode_for_this_run() -> None:
    """Where Python may not write bytecode beside the sources, a folder of this run's own.

    Otherwise each of some hundred child processes would compile all that it imports anew.
    """
    if sys.dont_write_bytecode:
        folder = tempfile.mkdtemp(prefix="riskflag-bytecode-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = folder
        sys.dont_write_bytecode = False


keep_bytecode_for_this_run()


def pytest_configure(config: pytest.Config) -> None:
    """Where memory has room, the tests' files lie in it: a disk's pace is none of their claims.

    A whole run needs under 2 GiB there, and what passed is removed at once.
    """
    room = min(shutil.disk_usage(MEMORY).free if MEMORY.is_dir() else 0, virtual_memory().available)
    if not config.option.basetemp and room > 6 << 30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def riskflag_environment() -> dict[str, str]:
    """The environment of a child process that runs the command line."""
    return {**os.environ, "PYTHONHASHSEED": "random", "COLUMNS": "200", "NO_COLOR": "1"}


def begin_demo(shared: Path) -> None:
    """Make the demo in `shared` unless that has begun; the process holds the lock until it ends."""
    said = shared / "demo.txt"
    with (shared / "demo.begun").open("w") as begun, (shared / "demo.lock").open("w") as lock:
        fcntl.flock(begun, fcntl.LOCK_EX)
        if said.exists():
            return
        fcntl.flock(lock, fcntl.LOCK_EX)
        with said.open("w") as output:
            MAKING.append(
                subprocess.Popen(
                    ["sh", "-c", '"$0" "$@" && touch "$DONE"', *DEMO, "--out", shared / "demo"],
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**riskflag_environment(), "DONE": str(shared / "demo.done")},
                    pass_fds=[lock.fileno()],
                )
            )


def shared_folder(config: pytest.Config) -> Path:
    """The folder of this test run that all its processes have in common."""
    own = config._tmp_path_factory.getbasetemp()
    return own.parent if hasattr(config, "workerinput") else own


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin the demo beside the first tests, so that no worker stands idle while it is made."""
    wanted = any("demo_folder" in getattr(item, "fixturenames", ()) for item in session.items)
    if wanted and hasattr(session.config, "workerinput"):
        begin_demo(shared_folder(session.config))


def pytest_sessionfinish() -> None:
    """Leave no process behind; another worker may still wait for what this one began."""
    for process in MAKING:
        process.wait()


@pytest.fixture(scope="session")
def demo_folder(pytestconfig: pytest.Config) -> Path:
    """A finished small demo, made once for all test processes. Copy it before changing it."""
    shared = shared_folder(pytestconfig)
    begin_demo(shared)
    with (shared / "demo.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    assert (shared / "demo.done").exists(), (shared / "demo.txt").read_text()[-8000:]
    return shared / "demo"


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
