"""The line of one process's requests: they are answered one after another, as they came.

Python has one thread at work at a time. Requests that share it all take as long as all of them
together, and a long page several times its own length; in a line each takes its own and that of
those before it. Who waits for the disk stands aside meanwhile, and who takes very long holds up
nobody: after a moment the next goes on beside it.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Seconds of one request after which the next no longer waits for it.
MOMENT = 0.5


def _closed() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(order=True)
class _Place:
    """One request's place in the line; `come` opens when its turn has come."""

    number: int
    come: threading.Lock = field(default_factory=_closed, compare=False)


class Line:
    """An app whose requests take turns; any number of threads may ask it."""

    def __init__(self, app: WSGIApplication, moment: float = MOMENT) -> None:
        self._app, self._moment = app, moment
        self._numbers = itertools.count()
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._at_work: _Place | None = None
        self._waiting: list[_Place] = []

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse, /
    ) -> Iterable[bytes]:
        """Answer a request when its turn has come."""
        mine = self._of_thread.place = _Place(next(self._numbers))
        self._take(mine)
        try:
            return self._app(environ, start_response)
        finally:
            self._of_thread.place = None
            self._give(mine)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Let others go on while this thread's request waits; then it is before all who came later.

        Outside of a request nothing happens.
        """
        mine: _Place | None = getattr(self._of_thread, "place", None)
        if mine is None:
            yield
            return
        self._give(mine)
        try:
            yield
        finally:
            self._take(mine)

    def _take(self, mine: _Place) -> None:
        with self._lock:
            before = self._at_work
            if before is None:
                self._at_work = mine
                return
            heapq.heappush(self._waiting, mine)
        while not mine.come.acquire(timeout=self._moment):
            with self._lock:
                if mine.come.acquire(blocking=False):
                    return
                if self._at_work is before and self._waiting[0] is mine:
                    self._at_work = heapq.heappop(self._waiting)  # `before` has lost its turn
                    return
                before = self._at_work

    def _give(self, mine: _Place) -> None:
        with self._lock:
            if self._at_work is not mine:
                return  # it had lost its turn
            self._at_work = heapq.heappop(self._waiting) if self._waiting else None
            if self._at_work is not None:
                self._at_work.come.release()
