"""Pages made one after another, in the order in which readers asked for them.

Python makes one page at a time anyway; made by turns of milliseconds, all of them come late. But
nobody waits long for a page that takes seconds: after a moment the next is made beside it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from threading import Event, Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Seconds that a request waits for its turn before it goes on beside the one that has it.
PATIENCE = 0.25


class Line:
    """Who has the turn and who waits for it; unlike a lock's, its order is that of coming."""

    def __init__(self) -> None:
        self._list, self._taken = Lock(), False
        self._waiting: deque[Event] = deque()

    def take(self, patience: float) -> bool:
        """Wait for the turn, at most so many seconds; whether it is ours to give on."""
        mine = Event()
        with self._list:
            if not self._taken:
                self._taken = True
                return True
            self._waiting.append(mine)
        if mine.wait(patience):
            return True
        with self._list:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it came at the last moment

    def give(self) -> None:
        """Give the turn to whoever waits longest."""
        with self._list:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False


class InTurn:
    """An app whose pages are made one after another."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app, self._line = app, Line()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a request when its turn has come; its page is whole when this returns."""
        mine = self._line.take(PATIENCE)
        try:
            return self._app(environ, start)
        finally:
            if mine:
                self._line.give()
