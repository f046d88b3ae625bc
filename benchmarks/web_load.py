"""Users who read pages: signed in, each with a connection of their own, and the server they ask."""

from __future__ import annotations

import contextlib
import html as html_text
import http.client
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import psutil

from riskflag.cli.init import MADE_UP_USERS

#: A hidden field of a form, and what it holds; the page's own form is the last to have a token.
HIDDEN = re.compile(
    r'name="(csrf_token|opening|review_id)"[^>]*? value="([^"]+)"',
)


@dataclass(frozen=True)
class Form:
    """A form that is filled in and ready to be sent."""

    path: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Kind:
    """A kind of page: what it is called, who asks for it, and its addresses in turn.

    Of work that leaves something behind, `ready` makes ready, before the clock runs, the form that
    is sent or the page that is asked for next; then every address is one user's, and used once.
    """

    name: str
    role: str
    paths: Sequence[str]
    ready: Callable[[Reader, str], Form | str] | None = None


@dataclass(frozen=True)
class Measured:
    """The times of one kind, in milliseconds, sorted, and how large its answers were.

    `cpu` is the server's processor time for one page, in milliseconds: unlike the others, it hardly
    depends on what else the machine is doing.
    """

    kind: Kind
    times: list[float]
    size: int
    cpu: float

    def at(self, share: float) -> float:
        """The time that so great a share of the pages took at most."""
        return self.times[min(len(self.times) - 1, int(share * len(self.times)))]


@dataclass(frozen=True)
class Memory:
    """What a server's processes hold, in bytes.

    `own` is theirs alone; `fair` adds of every page that is shared, such as a file that several of
    them read, its part; `resident` counts such a page once for each.
    """

    own: int
    fair: int
    resident: int

    @classmethod
    def of(cls, process: psutil.Process) -> Memory:
        """Of a program and its children."""
        found = [one.memory_full_info() for one in _family(process)]
        return cls(*(sum(getattr(one, name) for one in found) for name in ("uss", "pss", "rss")))


class Reader:
    """One signed-in user with one connection that stays open."""

    def __init__(self, port: int, user: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self.cookie = ""
        #: Where the last answer that was no page sent the reader.
        self.location = ""
        self.send("/sign-in", {"user": user})
        self.send("/before-you-start", {}, page="/before-you-start")

    def get(self, path: str) -> tuple[int, bytes]:
        """The status and the body of a page."""
        try:
            return self._asked(path)
        except (http.client.RemoteDisconnected, ConnectionError):
            # The server may close a connection that was idle; like a browser, ask on a new one.
            self.connection.close()
            return self._asked(path)

    def _asked(self, path: str) -> tuple[int, bytes]:
        self.connection.request("GET", path, headers={"Cookie": self.cookie})
        return self._answer()

    def send(self, path: str, fields: dict[str, str], *, page: str = "/sign-in") -> int:
        """Send a form with the token that `page` shows."""
        return self.post(self.form(page, path, fields))[0]

    def form(self, page: str, path: str, fields: dict[str, str]) -> Form:
        """The form of a page with its hidden fields and these answers."""
        _, html = self.get(page)
        hidden = {one: html_text.unescape(told) for one, told in HIDDEN.findall(html.decode())}
        assert "csrf_token" in hidden, f"{page} has no form"
        return Form(path, {**hidden, **fields})

    def post(self, form: Form) -> tuple[int, bytes]:
        """Send a form; the status and the body of the answer."""
        kind = "application/x-www-form-urlencoded"
        headers = {"Cookie": self.cookie, "Content-Type": kind}
        self.connection.request("POST", form.path, urlencode(form.fields), headers)
        return self._answer()

    def _answer(self) -> tuple[int, bytes]:
        response = self.connection.getresponse()
        body = response.read()
        for name, value in response.getheaders():
            if name == "Set-Cookie":
                self.cookie = value.split(";")[0]
            if name == "Location":
                self.location = value
        return response.status, body


@dataclass
class _Told:
    """What came back to all users together."""

    times: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    used: list[float] = field(default_factory=list)


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


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def busy(process: psutil.Process) -> float:
    """Seconds of processor time that a program and its children have used."""
    return sum(sum(one.cpu_times()[:2]) for one in _family(process))


def measure(
    served: tuple[int, psutil.Process],
    kind: Kind,
    others: Sequence[Kind] = (),
    *,
    users: int,
    requests: int,
    pause: float = 0.0,
) -> Measured:
    """`users` at once, each asking for `requests` pages of one kind, or of the others by chance.

    `pause` is how long a user reads before asking for the next page: seconds, on average.
    """
    port, process = served
    told = _Told()
    start = threading.Barrier(users, lambda: told.used.append(busy(process)))

    def ask(number: int) -> None:
        chance = random.Random(number)
        readers = {one.role: _reader(port, one.role, number) for one in (kind, *others)}
        readers[kind.role].get(kind.paths[0])
        start.wait()
        for turn in range(requests):
            time.sleep(pause * chance.random() * 2)
            chosen = chance.choice(others) if others else kind
            path = (
                chosen.paths[number * requests + turn]
                if kind.ready
                else chance.choice(chosen.paths)
            )
            reader = readers[chosen.role]
            asked = chosen.ready(reader, path) if chosen.ready else path
            began = time.perf_counter()
            status, body = reader.post(asked) if isinstance(asked, Form) else reader.get(asked)
            told.times.append((time.perf_counter() - began) * 1000)
            told.sizes.append(len(body))
            if status != (303 if isinstance(asked, Form) else 200):
                told.wrong.append(f"{path} {status}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not told.wrong, f"{len(told.wrong)} answers were no pages, such as {told.wrong[0]}"
    assert len(told.times) == users * requests, "a user had no answer"
    cpu = (busy(process) - told.used[0]) * 1000 / len(told.times)
    return Measured(kind, sorted(told.times), round(statistics.mean(told.sizes)), cpu)


def _reader(port: int, role: str, number: int) -> Reader:
    names = [name for name, its_role, _ in MADE_UP_USERS if its_role == role]
    return Reader(port, names[number % len(names)])
