"""The app's pages under load: 20 users at once, over 20,000 flags and 200,000 children.

Makes the store out of a small demo (benchmarks/web_store.py), starts `riskflag serve` as its own
process and lets 20 signed-in users ask for one kind of page at a time, each user for the next as
soon as the last has come; then for all kinds by chance, reading for five seconds in between. An
empty page stands beside them: the same app, layout and gate, and no data. Prints times, processor
time for a page and the server's memory, and writes its section of docs/benchmarks.md.

    python -m benchmarks.web --flags 20000 --children 200000
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.page import write_section
from benchmarks.web_kinds import kinds
from benchmarks.web_load import Kind, Measured, Memory, measure, serving
from riskflag.cli.init import write_users
from riskflag.workspace import Workspace

TARGET_MS = 200
AT_A_HUMAN_PACE = Kind("all of these by chance, five seconds apart", "caseworker", ["/help"])
READING_SECONDS = 5.0


def there(workspace: Workspace, found: list[Kind]) -> list[Kind]:
    """The kinds that this version has pages for."""
    from riskflag.web.app import create_app

    app = create_app(workspace, development_sign_in=True)
    adapter = app.url_map.bind("localhost")
    kept = [kind for kind in found if adapter.test(kind.paths[0].split("?")[0])]
    app.extensions["riskflag_store"].close()
    return kept


def large_workspace(options: argparse.Namespace, scratch: Path) -> Path:
    """A copy of a demo's workspace, filled up."""
    from benchmarks.web_store import enlarge

    demo = options.demo
    if demo is None:
        demo = scratch / "demo"
        command = [sys.executable, "-m", "riskflag", "demo", "--children", "4000", "--out"]
        subprocess.run([*command, str(demo)], check=True, stdout=subprocess.DEVNULL)
    target = scratch / "workspace"
    shutil.copytree(demo / "workspace", target)
    write_users(target / "users.toml")
    began = time.perf_counter()
    enlarge(
        Workspace.open(target),
        flags=options.flags,
        children=options.children,
        reviews=options.reviews,
    )
    print(f"Made the store in {time.perf_counter() - began:.0f} s.", flush=True)
    return target


def told(results: list[Measured]) -> list[str]:
    """The table as lines of Markdown."""
    empty = results[0].at(0.95)
    lines = [
        "| page | kB | p50 (ms) | p95 (ms) | p99 (ms) | p95, times the empty page "
        "| processor time (ms) |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in results:
        lines.append(
            f"| {one.kind.name} | {one.size / 1000:.0f} | {one.at(0.5):.0f} | {one.at(0.95):.0f} "
            f"| {one.at(0.99):.0f} | {one.at(0.95) / empty:.1f} | {_cpu(one)} |"
        )
    return lines


def _cpu(one: Measured) -> str:
    """Of work that has to be made ready first, the processor's time is not known apart."""
    return "" if one.kind.ready else f"{one.cpu:.1f}"


def machine(options: argparse.Namespace) -> str:
    """What the figures were measured on and with."""
    parts = ("flask", "jinja2", "waitress", "sqlalchemy", "pyarrow")
    versions = ", ".join(f"{name} {version(name)}" for name in parts)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{options.flags:,} flags, {options.children:,} children and {options.reviews:,} reviews; "
        f"{options.users} users at once on {os.cpu_count()} cores, which they share with the "
        f"server's {options.processes} processes; load before {load}; "
        f"Python {platform.python_version()}, {versions}."
    )


def remembered(memory: Sequence[Memory]) -> list[str]:
    """The server's memory after each round of all pages as lines of Markdown."""
    lines = ["| after | own (MiB) | own and its part of what is shared (MiB) | resident (MiB) |"]
    lines.append("|---|---:|---:|---:|")
    for number, one in enumerate(memory):
        when = "the start" if number == 0 else "one round" if number == 1 else f"{number} rounds"
        sizes = (f"{size >> 20:,}" for size in (one.own, one.fair, one.resident))
        lines.append(f"| {when} | {' | '.join(sizes)} |")
    return lines


def run(options: argparse.Namespace, made: Path) -> tuple[list[Measured], list[Memory]]:
    """Measure every kind of page, and the memory before and after each round of all of them."""
    workspace = Workspace.open(made)
    size = {"users": options.users, "requests": options.requests}
    found = kinds(workspace, reviewed=2 * options.users * options.requests)
    chosen = there(workspace, found)
    if options.only:
        chosen = [chosen[0], *(kind for kind in chosen[1:] if options.only in kind.name)]
    reading = [kind for kind in chosen if not kind.ready]
    with serving(made, options.processes) as served:
        memory = [Memory.of(served[1])]
        results = []
        for kind in chosen:
            results.append(measure(served, kind, **size))
            print(told([results[0], results[-1]])[-1], flush=True)
        memory.append(Memory.of(served[1]))
        for _ in range(options.rounds - 1):
            for kind in reading:
                measure(served, kind, **size)
            memory.append(Memory.of(served[1]))
        calm = {**size, "pause": READING_SECONDS}
        results.append(measure(served, AT_A_HUMAN_PACE, reading, **calm))
    return results, memory


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a page is over the target at the 95th percentile."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--flags", type=int, default=20_000)
    parser.add_argument("--children", type=int, default=200_000)
    parser.add_argument("--reviews", type=int, default=2_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--requests", type=int, default=25, help="of each user and kind")
    parser.add_argument("--rounds", type=int, default=4, help="of all pages, for the memory")
    parser.add_argument("--processes", type=int, default=4, help="of the server")
    parser.add_argument("--demo", type=Path, help="a finished demo's folder; made when left out")
    parser.add_argument("--workspace", type=Path, help="a large workspace made before")
    parser.add_argument("--keep", type=Path, help="where to keep the large workspace")
    parser.add_argument("--only", help="kinds whose name holds this word; writes no page")
    parser.add_argument("--no-page", action="store_true", help="print only, write no page")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        made = options.workspace or large_workspace(options, Path(scratch))
        if options.keep:
            shutil.move(made, options.keep)
            made = options.keep
        about = machine(options)
        results, memory = run(options, made)
    text = section(about, results, memory)
    print(f"\n{text}")
    if not (options.no_page or options.only):
        write_section("Pages of the app", text)
    slow = [one for one in results if one.at(0.95) > TARGET_MS]
    return 1 if slow else 0


def section(about: str, results: list[Measured], memory: list[Memory]) -> str:
    """The section of the page of results."""
    slow = [r.kind.name for r in results if r.at(0.95) > TARGET_MS]
    over = f"over it: {', '.join(slow)}" if slow else "no page is over it"
    command = "python -m benchmarks.web"
    return "\n".join(
        [
            f"`{command}`: {about}",
            "",
            f"Asked for: {TARGET_MS} ms at the 95th percentile; {over}. Users ask for one kind of "
            "page at a time, without a pause, so that nearly all of the time is waiting for the "
            "others. Each flag is a copy of a real one of a demo of 4,000 children, with the whole "
            "history of its child.",
            "",
            *told(results),
            "",
            "Memory of the server's processes together:",
            "",
            *remembered(memory),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
