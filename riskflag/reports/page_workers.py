"""The pages of a large publication, written by several processes.

Each reads its own lines of the publication's flags.json: what passes between processes are paths
and counts. A process whose parent is gone stops at the next flag.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from riskflag.errors import StorageError
from riskflag.progress import Progress, silent
from riskflag.reports.pages import write_flag_pages

#: From so many flags on, starting further processes pays.
MANY = 400


def write_in_processes(
    flags: Path, total: int, *, processes: int, progress: Progress = silent
) -> None:
    """Write the pages of every flag in the file `flags` into its folder.

    Raises StorageError when a process ends before its work is done; the others are ended too.
    """
    command = [sys.executable, "-P", "-m", "riskflag.reports.page_workers", str(flags)]
    running = [
        subprocess.Popen(
            [*command, str(share), str(processes), str(os.getpid())],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for share in range(processes)
    ]
    try:
        _watch(running, total, progress)
        if any(one.wait() for one in running):
            raise StorageError(
                "The pages could not be written; check space and permissions, then run again."
            )
    finally:
        for one in running:
            one.kill()
            one.communicate()


def _watch(running: list[subprocess.Popen[str]], total: int, progress: Progress) -> None:
    """Tell the progress until every process has closed its output."""
    done, lock = [0], threading.Lock()

    def read(one: subprocess.Popen[str]) -> None:
        for _ in one.stdout or ():
            with lock:
                done[0] += 1

    readers = [threading.Thread(target=read, args=(one,), daemon=True) for one in running]
    for reader in readers:
        reader.start()
    for reader in readers:
        while reader.is_alive():
            reader.join(0.2)
            progress("Writing pages", done[0], total)


def share_of(flags: Path, share: int, of: int) -> Iterator[tuple[dict[str, Any], str]]:
    """Every `of`th flag of the file, from number `share` on, and the hash of its JSON."""
    with flags.open("rb") as lines:
        for number, line in enumerate(line for line in lines if line.startswith(b"{")):
            if number % of == share:
                told = line.rstrip(b",\n")
                yield json.loads(told), hashlib.sha256(told).hexdigest()


def main(flags: str, share: str, of: str, parent: str) -> None:
    """Write the pages of one share of the flags; a line of output for each."""
    path = Path(flags)
    for flag, digest in share_of(path, int(share), int(of)):
        if os.getppid() != int(parent):
            return
        write_flag_pages(flag, path.parent, digest=digest)
        sys.stdout.write("\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
