"""Whole nights over authorities of several sizes: time, memory, cost per child, and the next night.

    python -m benchmarks.night --sizes S M L

Each step runs in a process of its own, one after another. `T` is a tenth of all children in England
(1.2 million), worked out in 8 GiB; from it follows what all of them would take.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import os
import platform
import resource
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.apart import apart
from benchmarks.made_up import AS_OF, SIZES, Size
from benchmarks.page import write_section
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace

TENTH = "T"
ALL = {**SIZES, TENTH: Size(1_200_000, 36_000_000)}
ENGLAND = 12_000_000
MEMORY = {"S": 0.5, "M": 2.0, "L": 4.0, TENTH: 8.0}
DAY = dt.timedelta(days=1)
#: Sizes from which all of England is reckoned, the larger last.
LARGE = ("L", TENTH)
#: So small an authority is worked out first that all that is to be compiled has been.
WARM, WARM_MEMORY = Size(2_000, 40_000), 0.1
#: One child in so many is touched before the second night.
TOUCHED = 100
#: What was measured of an authority, in its folder.
FIGURES = "figures.json"


@dataclass(frozen=True)
class Step:
    """What one step took: seconds on the clock and of all processors, peak memory in bytes.

    `load` is how many processes wanted a core in the minute before.
    """

    seconds: float
    processor: float
    peak: int
    load: float
    more: dict[str, Any]


def make_view(place: Workspace, memory: float, *, anew: bool) -> dict[str, Any]:
    """Make the view of the history, of all or of what was touched."""
    from riskflag.history.store.viewing import stored_view

    folder, size = place.work / "view", int(memory * 2**30)
    view = stored_view(HistoryStore(place.history), folder, memory=size, anew=anew)
    return {"parts": len(view), "renewed": len(view.renewed)}


def night(place: Workspace, memory: float, day: dt.date) -> dict[str, Any]:
    """One night with its pages."""
    from riskflag.nightly.inputs import How
    from riskflag.nightly.run import run_night
    from riskflag.reports.publish import write_pages

    # However small the authority, it is worked out from files, so that sizes can be compared.
    told = run_night(place, day, write_pages=write_pages, how=How(memory)).manifest["counts"]
    return {"flags": told["flags"], "children": told["children"]}


def touch(place: Workspace, children: int) -> None:
    """One new record about one child in TOUCHED."""
    rows = [
        {
            "contact_key": f"new-{number:028d}",
            "version": 1,
            "op": "assert",
            "person_id": f"child-{number:08d}",
            "agency": "hospital",
            "type": "ed.attendance",
            "occurred_on": AS_OF - DAY,
            "known_on": AS_OF,
            "known_basis": "landed",
            "source": "hospital",
            "record_id": str(number),
            "source_file": "second.csv",
            "source_line": 2,
            "issues": "",
        }
        for number in range(TOUCHED // 2, children, TOUCHED)
    ]
    table = conform(pa.Table.from_pylist(rows, CONTACT), CONTACT)
    HistoryStore(place.history).append_batch("second", AS_OF.isoformat(), {"contact": table})


def step(root: Path, name: str, memory: float) -> dict[str, Any]:
    """One step in this process; what is measured is told as plain JSON."""
    place, load = Workspace.open(root), os.getloadavg()[0]
    began = time.monotonic()
    if name in ("view", "renewed"):
        more = make_view(place, memory, anew=name == "view")
    else:
        more = night(place, memory, AS_OF if name == "night" else AS_OF + DAY)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "seconds": time.monotonic() - began,
        "processor": sum(one.ru_utime + one.ru_stime for one in used),
        "peak": used[0].ru_maxrss * 1024,
        "load": load,
        "more": more,
    }


def measured(root: Path, letter: str, size: Size, memory: float) -> dict[str, Step]:
    """Every step of one size by name, in the order in which they are taken.

    In a folder that is kept, steps that were taken there before are not taken again.
    """
    from benchmarks.night_world import make

    place = Workspace.open(root) if root.exists() else make(root, size, memory=memory)
    figures = root / FIGURES
    told = json.loads(figures.read_text()) if figures.exists() else {}
    for name in STEPS:
        if name not in told:
            if name == "renewed":
                touch(place, size.children)
            told[name] = apart(
                "benchmarks.night", "--step", name, "--root", root, "--memory", memory
            )
            figures.write_text(json.dumps(told))
            print(letter, name, told[name], flush=True)
    return {name: Step(**one) for name, one in told.items()}


def report(found: dict[str, dict[str, Step]]) -> str:
    """The section: one table for all sizes, and what follows from it."""
    lines = [HEAD.format(cores=os.cpu_count()), "", *_table(found), ""]
    per_child = {
        letter: 1e6 * (steps["view"].processor + steps["night"].processor) / _children(steps)
        for letter, steps in found.items()
    }
    told = ", ".join(f"{letter} {value:,.0f}" for letter, value in per_child.items())
    lines.append(f"Processor time per child, view and night, in microseconds: {told}.")
    lines += [_slopes(found)] if len(found) > 1 else []
    for letter, steps in found.items():
        lines.append(_second(letter, steps))
    large = [letter for letter in LARGE if letter in found]
    if large:
        lines.append(_england(large[-1], found[large[-1]]))
    lines += [
        "",
        f"`python -m benchmarks.night --sizes {' '.join(found)}`; lightgbm {version('lightgbm')}, "
        f"pyarrow {version('pyarrow')}, numba {version('numba')}, Python "
        f"{platform.python_version()}, {platform.machine()}.",
    ]
    return "\n".join(lines)


HEAD = """From the history's own files to a publication with pages: the history is made a view of
in parts (after a load only), then every child's signals (the shipped catalogue), rules and a model
of 300 trees, contributions, reasons, evidence and pages of the children who are flagged. Every
fifth child has a brother or sister. Before the second night one child in a hundred has a new
record. The machine has {cores} cores. The load is the mean of the minute before a step, of whatever
ran then; seconds depend on what others do meanwhile, processor time hardly. Memory is that of the
night's own process; while reasons, flags and pages of many children are made, a copy of it for each
core stands beside it, which shares what the night holds. Compiling, once on a machine, is not in
it."""

STEPS = {
    "view": "view of all",
    "night": "night",
    "renewed": "view of those touched",
    "second": "second night",
}


def _table(found: dict[str, dict[str, Step]]) -> list[str]:
    rows = ["| size | step | load before | seconds | processor time (s) | peak memory |"]
    rows.append("|---|---|---|---|---|---|")
    for letter, steps in found.items():
        size = ALL[letter]
        for name, one in steps.items():
            about = f"{letter}: {size.children:,} children, {size.contacts:,} contacts"
            rows.append(
                f"| {about if name == 'view' else ''} | {STEPS[name]}{_about(one)} "
                f"| {one.load:.1f} | {one.seconds:.1f} | {one.processor:.1f} "
                f"| {one.peak / 2**30:.2f} GiB |"
            )
    return rows


def _about(one: Step) -> str:
    more = one.more
    if "flags" in more:
        return f", {more['flags']:,} flags"
    return f" ({more['renewed']:,} people)" if more["renewed"] else f" ({more['parts']} parts)"


def _children(steps: dict[str, Step]) -> int:
    return int(steps["night"].more["children"])


def _slopes(found: dict[str, dict[str, Step]]) -> str:
    """What any night takes, and what each further child costs, from each two sizes that follow."""
    nights = [(name, _children(steps), steps["night"]) for name, steps in found.items()]
    slopes = [
        (f"{name} to {other}", (more.processor - less.processor) / (many - few))
        for (name, few, less), (other, many, more) in itertools.pairwise(nights)
    ]
    fixed = nights[0][2].processor - slopes[0][1] * nights[0][1]
    told = ", ".join(f"{pair} {1e6 * slope:,.0f}" for pair, slope in slopes)
    return (
        f"Of the night's processor time {fixed:.1f} s are there whatever its size; each further "
        f"child costs, in microseconds: {told} (of larger sizes more is recorded per child)."
    )


def _second(letter: str, steps: dict[str, Step]) -> str:
    """How the second night, with its view, compares with one made of all."""

    def whole(view: str, name: str) -> tuple[float, float]:
        used = steps[view], steps[name]
        return sum(one.seconds for one in used), sum(one.processor for one in used)

    full, second = whole("view", "night"), whole("renewed", "second")
    return (
        f"{letter}: with its view the second night took {second[0]:.1f} s, one made of all "
        f"{full[0]:.1f} s ({full[0] / second[0]:.1f} times as long; of processor time "
        f"{full[1] / second[1]:.1f} times as much)."
    )


def _england(letter: str, steps: dict[str, Step]) -> str:
    seconds = steps["view"].seconds + steps["night"].seconds
    times = ENGLAND / _children(steps)
    return (
        f"All of England (12 million children, 360 million contacts) would take {times:.0f} times "
        f"the {seconds / 60:.1f} minutes of {letter} on this machine, "
        f"{seconds * times / 3600:.1f} hours, were cost per child to stay as measured. What "
        "is held whole, people and relationships, grows with the children too: give it a machine "
        "with more memory, or Spark."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=list(ALL), default=["S", "M"])
    parser.add_argument("--keep", type=Path, help="keep the made-up authorities in this folder")
    parser.add_argument("--no-page", action="store_true", help="print only, write no page")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--memory", type=float, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.step:
        print(json.dumps(step(chosen.root, chosen.step, chosen.memory)))
        return
    with tempfile.TemporaryDirectory(prefix="riskflag-bench-") as scratch:
        folder = chosen.keep or Path(scratch)
        measured(Path(scratch) / "warm", "first", WARM, WARM_MEMORY)
        found = {
            letter: measured(folder / letter, letter, ALL[letter], MEMORY[letter])
            for letter in chosen.sizes
        }
    section = report(found)
    print(section)
    if not chosen.no_page:
        write_section("Whole nights", section)


if __name__ == "__main__":
    main()
