"""The line of requests: one at a time as they came, and nobody waits for one that takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from threading import Event
from typing import Any

import pytest

from riskflag.web import line as line_module
from riskflag.web.line import Line

NEVER, SOON, PATIENCE = 3600.0, 0.001, 30.0


class Asked:
    """Readers who ask for pages, each page going on until it is told to end."""

    def __init__(self, moment: float, work: Callable[[Asked, str], None] | None = None) -> None:
        self.begun: Queue[str] = Queue()
        self.go: dict[str, Event] = {}
        self.line = Line(self._page, moment)
        self._work, self._threads = work or Asked.wait, ThreadPoolExecutor(8)

    def _page(self, environ: dict[str, Any], respond: Any) -> Iterable[bytes]:
        self.begun.put(environ["name"])
        self._work(self, environ["name"])
        return [environ["name"].encode()]

    def wait(self, name: str) -> None:
        """Go on until the test lets this page end."""
        assert self.go[name].wait(PATIENCE)

    def ask(self, name: str) -> Future[Any]:
        """Ask for a page in a thread of its own."""
        self.go.setdefault(name, Event())
        return self._threads.submit(self.line, {"name": name}, None)

    def next(self) -> str:
        """The name of the next page that was begun."""
        return self.begun.get(timeout=PATIENCE)


@pytest.fixture
def joined(monkeypatch) -> Queue[int]:
    """Tells of each request that begins to wait."""
    told: Queue[int] = Queue()
    push = line_module.heapq.heappush

    def heappush(heap: list[Any], one: Any) -> None:
        push(heap, one)
        told.put(one.number)

    monkeypatch.setattr(line_module.heapq, "heappush", heappush)
    return told


def test_requests_are_answered_one_at_a_time_in_the_order_in_which_they_came(joined):
    """Three wait for the first; each begins when the one before has ended, and not earlier."""
    asked = Asked(NEVER)
    answers = [asked.ask("a")]
    assert asked.next() == "a"
    for name in ("b", "c", "d"):
        answers.append(asked.ask(name))
        joined.get(timeout=PATIENCE)
    for before, name in ("ab", "bc", "cd"):
        assert asked.begun.empty()
        asked.go[before].set()
        assert asked.next() == name
    asked.go["d"].set()
    assert [b"".join(one.result(PATIENCE)) for one in answers] == [b"a", b"b", b"c", b"d"]


def test_a_request_that_takes_long_holds_up_nobody():
    """Others are answered while it goes on, one at a time; in the end it is answered too."""
    asked = Asked(SOON)
    slow = asked.ask("slow")
    assert asked.next() == "slow"
    for name in ("b", "c"):
        quick = asked.ask(name)
        assert asked.next() == name
        asked.go[name].set()
        quick.result(PATIENCE)
    assert not slow.done()
    asked.go["slow"].set()
    assert slow.result(PATIENCE) == [b"slow"]


def test_who_stands_aside_lets_others_go_on_and_comes_back_before_those_who_came_later(joined):
    """Two came after the one that waits for the disk: one goes on, the other waits for both."""

    def work(asked: Asked, name: str) -> None:
        if name == "a":
            with asked.line.aside():
                asked.wait("a")
            asked.begun.put("a again")
        asked.wait(f"{name} ends")

    asked = Asked(NEVER, work)
    asked.go.update({f"{name} ends": Event() for name in "abc"})
    answers = [asked.ask("a")]
    assert asked.next() == "a"
    answers.append(asked.ask("b"))
    assert asked.next() == "b"
    answers.append(asked.ask("c"))
    joined.get(timeout=PATIENCE)
    asked.go["a"].set()
    joined.get(timeout=PATIENCE)
    for before, name in (("b", "a again"), ("a", "c")):
        assert asked.begun.empty()
        asked.go[f"{before} ends"].set()
        assert asked.next() == name
    asked.go["c ends"].set()
    assert [one.result(PATIENCE) for one in answers] == [[b"a"], [b"b"], [b"c"]]


def test_a_request_that_fails_leaves_the_line():
    """The next is answered; without a request, standing aside means nothing."""

    def work(asked: Asked, name: str) -> None:
        if name == "broken":
            raise ValueError(name)

    asked = Asked(NEVER, work)
    with pytest.raises(ValueError, match="broken"):
        asked.ask("broken").result(PATIENCE)
    assert asked.ask("whole").result(PATIENCE) == [b"whole"]
    with asked.line.aside():
        assert asked.ask("beside").result(PATIENCE) == [b"beside"]
