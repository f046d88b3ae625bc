"""The app's pages under load: 20 users at once, over 20,000 flags and 200,000 children.

Makes the store out of a small demo (benchmarks/web_store.py), starts `riskflag serve` as its own
process and lets 20 signed-in users ask for one kind of page at a time, each user for the next as
soon as the last has come. An empty page stands beside them: the same app, layout and gate, and no
data. Prints p50, p95 and the largest time in milliseconds, and the memory of the server.

    python -m benchmarks.web --flags 20000 --children 200000
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode

import psutil

from riskflag.cli.init import MADE_UP_USERS, write_users
from riskflag.workspace import Workspace

TARGET_MS = 200
USER_OF = {role: name for name, role, _ in reversed(MADE_UP_USERS)}


@dataclass(frozen=True)
class Kind:
    """A kind of page: what it is called, who asks for it, and its addresses in turn."""

    name: str
    role: str
    paths: Sequence[str]


@dataclass(frozen=True)
class Measured:
    """The times of one kind, in milliseconds, sorted, and how large its answers were."""

    name: str
    times: list[float]
    size: int

    def at(self, share: float) -> float:
        return self.times[min(len(self.times) - 1, int(share * len(self.times)))]


class Reader:
    """One signed-in user with one connection that stays open."""

    def __init__(self, port: int, user: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookie = ""
        self.send("/sign-in", {"user": user})
        self.send("/before-you-start", {}, page="/before-you-start")

    def get(self, path: str) -> tuple[int, bytes]:
        self.connection.request("GET", path, headers={"Cookie": self.cookie})
        return self._answer()

    def send(self, path: str, fields: dict[str, str], *, page: str = "/sign-in") -> int:
        _, html = self.get(page)
        token = re.search(rb'name="csrf_token" value="([^"]+)"', html)
        assert token, f"{page} has no form"
        body = urlencode({**fields, "csrf_token": token[1].decode()})
        kind = "application/x-www-form-urlencoded"
        headers = {"Cookie": self.cookie, "Content-Type": kind}
        self.connection.request("POST", path, body, headers)
        return self._answer()[0]

    def _answer(self) -> tuple[int, bytes]:
        response = self.connection.getresponse()
        body = response.read()
        for name, value in response.getheaders():
            if name == "Set-Cookie":
                self.cookie = value.split(";")[0]
        return response.status, body


@contextlib.contextmanager
def serving(workspace: Path, processes: int) -> Iterator[tuple[int, psutil.Process]]:
    """`riskflag serve` on a free port, as a program of its own."""
    command = [sys.executable, "-m", "riskflag", "serve", "--workspace", str(workspace)]
    command += ["--port", "0", "--development-sign-in", "--processes", str(processes)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = re.search(r"http://127.0.0.1:(\d+)/", process.stdout.readline())
        assert address, "the server said no address"
        yield int(address[1]), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def memory(process: psutil.Process) -> int:
    """Bytes that a program and its children hold for themselves."""
    every = [process, *process.children(recursive=True)]
    return sum(one.memory_full_info().uss for one in every)


def measure(port: int, kind: Kind, *, users: int, requests: int, pause: float) -> Measured:
    """`users` at once, each asking for `requests` pages of one kind."""
    times: list[float] = []
    sizes: list[int] = []
    lock, start = threading.Lock(), threading.Barrier(users)
    names = [name for name, role, _ in MADE_UP_USERS if role == kind.role]
    wrong: list[str] = []

    def ask(number: int) -> None:
        reader = Reader(port, names[number % len(names)])
        chance = random.Random(number)
        reader.get(kind.paths[0])
        start.wait()
        mine = []
        for _ in range(requests):
            time.sleep(pause * chance.random() * 2)
            path = chance.choice(kind.paths)
            began = time.perf_counter()
            status, body = reader.get(path)
            mine.append((time.perf_counter() - began) * 1000)
            if status != 200:
                wrong.append(f"{path} {status}")
        with lock:
            times.extend(mine)
            sizes.append(len(body))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, f"{len(wrong)} answers were not pages, for example {wrong[0]}"
    return Measured(kind.name, sorted(times), round(statistics.mean(sizes)))


def kinds(workspace: Workspace, *, some: int) -> list[Kind]:
    """Every kind of page with addresses drawn from the whole publication."""
    from riskflag.casework.store import open_store
    from riskflag.nightly.published import published_flag, worklist_page

    store = open_store(workspace, create=False)
    last = worklist_page(store).pages
    chance = random.Random(1)
    pages = sorted({chance.randint(1, last) for _ in range(some)})
    flags = [line for page in pages for line in worklist_page(store, page=page).lines]
    flags = chance.sample(flags, min(some, len(flags)))
    ids = [line.flag_id for line in flags]
    records = []
    for flag_id in ids:
        found = published_flag(workspace, store, flag_id)
        records.append(f"/flag/{flag_id}/record/{chance.choice(found['contacts'])['contact_key']}")
    store.close()
    filters = ("agency=police", "reason=rule%3Arepeat_domestic_abuse", "only=new&only=unread")
    return [
        Kind("empty page", "caseworker", ["/help"]),
        Kind("worklist, first page", "caseworker", ["/worklist"]),
        Kind("worklist, any page", "caseworker", [f"/worklist?page={page}" for page in pages]),
        Kind("worklist, filtered", "caseworker", [f"/worklist?{one}" for one in filters]),
        Kind("flag", "caseworker", [f"/flag/{one}" for one in ids]),
        Kind("all records", "caseworker", [f"/flag/{one}/records" for one in ids]),
        Kind("one record", "caseworker", records),
        Kind("review form", "caseworker", [f"/flag/{one}/review" for one in ids]),
        Kind("past reviews", "caseworker", [f"/flag/{one}/reviews" for one in ids]),
        Kind("second look", "senior", ["/second-look"]),
        Kind("data problems", "steward", ["/data-problems"]),
        Kind("team overview", "manager", ["/team"]),
        Kind("alert health", "manager", ["/alert-health"]),
        Kind("report of contributions", "analyst", [f"/flag/{one}/report" for one in ids]),
        Kind("look-back", "manager", [f"/flag/{one}/lookback" for one in ids[:20]]),
        Kind("pause", "owner", ["/pause"]),
        Kind("how this works", "caseworker", ["/how-this-works"]),
    ]


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
        "| page | KB | p50 ms | p95 ms | largest ms | p95, times the empty page |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for one in results:
        lines.append(
            f"| {one.name} | {one.size / 1024:.0f} | {one.at(0.5):.0f} | {one.at(0.95):.0f} "
            f"| {one.times[-1]:.0f} | {one.at(0.95) / empty:.1f} |"
        )
    return lines


def machine(options: argparse.Namespace) -> str:
    """What the figures were measured on and with."""
    parts = ("flask", "jinja2", "waitress", "sqlalchemy", "pyarrow")
    versions = ", ".join(f"{name} {version(name)}" for name in parts)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{options.flags:,} flags, {options.children:,} children, {options.reviews:,} reviews; "
        f"{options.processes} processes, {options.users} users at once, "
        f"pause {options.pause:g} s; {os.cpu_count()} cores, load before "
        f"{load}; Python {platform.python_version()}, {versions}."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a page is over the target at the 95th percentile."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--flags", type=int, default=20_000)
    parser.add_argument("--children", type=int, default=200_000)
    parser.add_argument("--reviews", type=int, default=2_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--requests", type=int, default=25, help="of each user and kind")
    parser.add_argument("--processes", type=int, default=4, help="of the server")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between pages, mean")
    parser.add_argument("--demo", type=Path, help="a finished demo's folder; made when left out")
    parser.add_argument("--workspace", type=Path, help="a large workspace made before")
    parser.add_argument("--keep", type=Path, help="where to keep the large workspace")
    parser.add_argument("--only", help="kinds whose name holds this word")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        made = options.workspace or large_workspace(options, Path(scratch))
        if options.keep:
            shutil.move(made, options.keep)
            made = options.keep
        workspace = Workspace.open(made)
        chosen = there(workspace, kinds(workspace, some=60))
        if options.only:
            chosen = [chosen[0], *(kind for kind in chosen[1:] if options.only in kind.name)]
        print(machine(options), flush=True)
        results = []
        with serving(made, options.processes) as (port, process):
            before = memory(process)
            for kind in chosen:
                results.append(
                    measure(
                        port,
                        kind,
                        users=options.users,
                        requests=options.requests,
                        pause=options.pause,
                    )
                )
                print(told(results)[-1], flush=True)
            after = memory(process)
    print("\n".join(["", *told(results)]))
    print(f"\nMemory of the server: {before >> 20} MB at the start, {after >> 20} MB at the end.")
    if options.json:
        figures = {one.name: {"p50": one.at(0.5), "p95": one.at(0.95)} for one in results}
        options.json.write_text(json.dumps(figures, indent=1))
    slow = [one.name for one in results if one.at(0.95) > TARGET_MS]
    print(f"Over {TARGET_MS} ms at p95: {', '.join(slow) or 'none'}.")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
