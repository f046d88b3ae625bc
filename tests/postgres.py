"""A throw-away PostgreSQL of the test's own: a socket in a temporary folder, no port."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _program(name: str) -> str | None:
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(places[0]) if places else shutil.which(name)


def _as_somebody() -> tuple[list[str], int | None]:
    """How a command is run by somebody who is not root (postgres refuses root), and who."""
    if os.getuid() != 0:
        return [], None
    nobody = pwd.getpwnam("nobody")
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("PostgreSQL refuses to run as root and setpriv is not here")
    ids = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    return [setpriv, *ids], nobody.pw_uid


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a running empty server; a skip with the reason where there is none."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("PostgreSQL is not installed (initdb, pg_ctl); apt-get install postgresql")
    prefix, owner = _as_somebody()
    folder = Path(tempfile.mkdtemp(prefix="rfpg", dir="/tmp"))
    if owner is not None:
        os.chown(folder, owner, -1)
    data = folder / "data"

    def run(*command: str) -> None:
        done = subprocess.run(
            [*prefix, *command], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        run(initdb, "-D", str(data), "-U", "reader", "--auth=trust", "-N", "-E", "UTF8")
        options = f"-c listen_addresses='' -k {folder} -c fsync=off"
        start = [pg_ctl, "start", "-w", "-D", str(data), "-l", str(folder / "log"), "-o", options]
        run(*start)
        try:
            yield f"postgresql+psycopg://reader@/postgres?host={folder}"
        finally:
            run(pg_ctl, "stop", "-D", str(data), "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
