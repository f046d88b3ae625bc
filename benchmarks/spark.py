"""A night on Spark beside the same night on the local engine: time and memory of each process.

    python -m benchmarks.spark --sizes S M

Spark runs on this machine with as many workers as it has cores. Both engines publish the same
night; every file must be equal before a figure is told. The sizing advice of docs/spark.md rests
on these figures.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.made_up import AS_OF, SIZES
from benchmarks.page import write_section
from riskflag.workspace import Workspace

ROOT = Path(__file__).parents[1]
MEMORY = 2.0
#: How often processes are looked at, in seconds.
EVERY = 0.1
HEAD = """Made-up authorities with a model of 300 trees and one child in a hundred flagged. Spark
ran on this machine, in local mode with {cores} workers and {parts} parts; the local engine with
{memory:g} GiB set. Each night ran in a process of its own, one after another, without pages, which
the same code makes on the machine of the command. Both engines published the same files, byte for
byte. The *first* night works out the view of the history and sends its parts to Spark's files; the
*next* finds them there. The load average at the end was {load:.1f}.

| | seconds | this program's peak | Java's peak | largest worker's peak |
|---|---|---|---|---|"""
TAIL = """`python -m benchmarks.spark`, Python {python}, pyspark {pyspark}, {machine}."""


@dataclass
class Peaks:
    """The most memory (resident, bytes) that each kind of process held."""

    own: int = 0
    java: int = 0
    worker: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self, pid: int) -> None:
        """Look at a process and all it has started until `stop` is set."""
        while not self.stop.wait(EVERY):
            for one in _tree(pid):
                try:
                    status = Path(f"/proc/{one}/status").read_text()
                except OSError:
                    continue  # ended meanwhile
                told = dict(line.split(":", 1) for line in status.splitlines())
                held = int(told.get("VmRSS", "0 kB").split()[0]) * 1024
                if one == pid:
                    self.own = max(self.own, held)
                elif told["Name"].strip() == "java":
                    self.java = max(self.java, held)
                else:
                    self.worker = max(self.worker, held)


def _tree(pid: int) -> list[int]:
    """A process and all that come from it."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):  # it may end meanwhile
            for file in Path(f"/proc/{one}/task").glob("*/children"):
                found += [int(child) for child in file.read_text().split()]
    return found


def night(root: Path, day: int, *, spark: bool) -> dict[str, Any]:
    """One night, `day` days after the first, in this process."""
    from riskflag.nightly.inputs import How
    from riskflag.nightly.run import run_night

    began = time.monotonic()
    how = How(None if spark else MEMORY, spark=spark)
    done = run_night(Workspace.open(root), AS_OF + dt.timedelta(days=day), how=how)
    return {
        "seconds": time.monotonic() - began,
        "files": done.manifest["files"],
        "children": done.manifest["counts"]["children"],
    }


def measured(root: Path, day: int, *, spark: bool) -> tuple[dict[str, Any], Peaks]:
    """One night in a process of its own, and what it and its children held."""
    command = [sys.executable, "-m", "benchmarks.spark", "--night", str(root), str(day)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile("w+") as errors:
        running = subprocess.Popen(
            [*command, *(["--on-spark"] if spark else [])],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        peaks = Peaks()
        watcher = threading.Thread(target=peaks.watch, args=(running.pid,))
        watcher.start()
        out, _ = running.communicate()
        peaks.stop.set()
        watcher.join()
        if running.returncode:
            errors.seek(0)
            raise RuntimeError(f"the night failed:\n{errors.read()[-2000:]}")
    return json.loads(out.splitlines()[-1]), peaks


def compared(letter: str, folder: Path) -> list[str]:
    """The rows of one size; RuntimeError when the engines publish different files."""
    from benchmarks.night_world import make

    local = make(folder / letter, SIZES[letter], memory=MEMORY).root
    shutil.copytree(local, folder / f"{letter}-spark")
    rows = []
    for day, which in enumerate(("first", "next")):
        files = []
        for engine, root in (("local", local), ("Spark", folder / f"{letter}-spark")):
            told, peaks = measured(root, day, spark=engine == "Spark")
            files.append(told["files"])
            held = [peaks.own, peaks.java, peaks.worker][: 3 if engine == "Spark" else 1]
            cells = [f"{one / 2**20:,.0f} MiB" for one in held] + [""] * (3 - len(held))
            name = f"{told['children']:,} children, {engine}, {which}"
            rows.append(f"| {name} | {told['seconds']:.1f} | {' | '.join(cells)} |")
            print(rows[-1], flush=True)
        if files[0] != files[1]:
            raise RuntimeError("the engines did not publish the same files")
    shutil.rmtree(local)
    shutil.rmtree(folder / f"{letter}-spark")
    return rows


def main() -> None:
    """Measure and write the section, or take one night."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=["S", "M"])
    parser.add_argument("--no-page", action="store_true", help="print only, write no page")
    parser.add_argument("--night", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--on-spark", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.night is not None:
        print(json.dumps(night(Path(given.night[0]), int(given.night[1]), spark=given.on_spark)))
        return
    with tempfile.TemporaryDirectory(prefix="riskflag-") as folder:
        rows = [row for letter in given.sizes for row in compared(letter, Path(folder))]
    head = HEAD.format(cores=os.cpu_count(), parts=32, memory=MEMORY, load=os.getloadavg()[0])
    tail = TAIL.format(
        python=platform.python_version(), pyspark=version("pyspark"), machine=platform.machine()
    )
    body = "\n".join([head, *rows, "", tail])
    print(body)
    if not given.no_page:
        write_section("The night on Spark", body)


if __name__ == "__main__":
    main()
