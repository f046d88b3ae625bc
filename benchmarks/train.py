"""Training over authorities of several sizes: time, peak memory, and what a million children take.

    python -m benchmarks.train --sizes S M L

`riskflag train` whole, 24 monthly as-of dates to learn from: rows, labels, signals, trees, the
simple ways to choose beside it, checks and report. It runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.apart import apart
from benchmarks.made_up import SIZES
from benchmarks.page import write_section
from riskflag.workspace import Workspace

MEMORY = {"S": 0.5, "M": 2.0, "L": 4.0}
MILLION = 1_000_000
ALLOWED = 8.0
CONFIG = """question = "Will a bullying report come within 30 days?"
[outcome]
types = ["school.bullying"]
horizon_days = 30
not_while = []
[windows]
train_months = 24
calibration_months = 6
test_months = 6
[model]
max_trees = 300
[promotion]
undecided_holds = true
"""


def made(root: Path, letter: str) -> Workspace:
    """The authority of the night's benchmark, and an experiment that asks for 24 as-of dates."""
    from benchmarks.night_world import make

    size = SIZES[letter]
    place = Workspace.open(root) if root.exists() else make(root, size, memory=MEMORY[letter])
    folder = root / "experiments" / "months"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(CONFIG)
    return place


def step(root: Path) -> dict[str, Any]:
    """One training in this process; what is measured is told as plain JSON."""
    from riskflag.training.record.track import Store
    from riskflag.training.run import train

    place = Workspace.open(root)
    began = time.monotonic()
    done = train(root / "experiments" / "months", place, threads=os.cpu_count() or 1)
    seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    files = Store(place.mlruns).files(Store(place.mlruns).find(done.run_id), "bundle")
    learnt = json.loads(files["performance.json"])["learnt_from"]
    return {
        "seconds": seconds,
        "processor": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * 1024,
        "signals": done.inputs,
        **{name: learnt[name] for name in ("rows", "outcomes", "rows_used", "trees")},
    }


def measured(root: Path, letter: str) -> dict[str, Any]:
    """What training took, in a process of its own."""
    made(root, letter)
    found = apart("benchmarks.train", "--step", root)
    print(letter, found, flush=True)
    return found


def report(found: dict[str, dict[str, Any]], load: float) -> str:
    """The section: a row for each size, and the slope."""
    lines = [HEAD.format(cores=os.cpu_count(), load=load), ""]
    lines += ["| size | rows | outcomes | rows learnt from | seconds | processor time (s) | peak |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for letter, one in found.items():
        size = SIZES[letter]
        lines.append(
            f"| {letter}: {size.children:,} children, {size.contacts:,} contacts | {one['rows']:,} "
            f"| {one['outcomes']:,} | {one['rows_used']:,} | {one['seconds']:.0f} "
            f"| {one['processor']:.0f} | {one['peak'] / 2**30:.2f} GiB |"
        )
    inputs = next(iter(found.values()))["signals"]
    lines += ["", f"{inputs} signals are inputs. {_slope(found)}", ""]
    return "\n".join([*lines, _versions(found)])


HEAD = """`riskflag train` whole: 24 monthly as-of dates to learn from, six to calibrate and six to
judge. The history is made a view of in parts where it is too large, then rows, labels and
signals part by part, trees, a logistic regression, the rules and counts beside the model, the leak
check, weekly lists, checks by group, five refits, report and record. The machine has {cores} cores;
its load before was {load:.1f}. Memory is the peak of the one process there is."""


def _slope(found: dict[str, dict[str, Any]]) -> str:
    """The peak of a million children: measured, or by the line through the two largest sizes."""
    largest = max(found, key=lambda letter: SIZES[letter].children)
    if SIZES[largest].children >= MILLION:
        peak = found[largest]["peak"] / 2**30
        return f"A million children took {peak:.2f} GiB; {ALLOWED:g} GiB were allowed."
    if len(found) < 2:
        return "One size tells no slope."
    two = sorted(found, key=lambda letter: SIZES[letter].children)[-2:]
    (small, low), (large, high) = ((SIZES[one].children, found[one]["peak"]) for one in two)
    each = (high - low) / (large - small)
    peak = (high + each * (MILLION - large)) / 2**30
    return (
        f"From {two[0]} to {two[1]} each child more takes {each:,.0f} bytes more: a million would "
        f"take {peak:.1f} GiB, were that to go on; {ALLOWED:g} GiB are allowed."
    )


def _versions(found: dict[str, dict[str, Any]]) -> str:
    return (
        f"`python -m benchmarks.train --sizes {' '.join(found)}`; lightgbm {version('lightgbm')}, "
        f"pyarrow {version('pyarrow')}, Python {platform.python_version()}, {platform.machine()}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=["S", "M"])
    parser.add_argument("--keep", type=Path, help="keep the made-up authorities in this folder")
    parser.add_argument("--no-page", action="store_true", help="print only, write no page")
    parser.add_argument("--step", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.step:
        print(json.dumps(step(chosen.step)))
        return
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="riskflag-bench-") as scratch:
        folder = chosen.keep or Path(scratch)
        found = {letter: measured(folder / letter, letter) for letter in chosen.sizes}
    section = report(found, load)
    print(section)
    if not chosen.no_page:
        write_section("Training", section)


if __name__ == "__main__":
    main()
