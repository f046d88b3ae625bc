"""The door of a server of several processes: one line for all of them.

A page may take ten times as long as another. Were readers given to processes for good, those behind
a long page would wait while another process has nothing to do. So each connection brings one
request; the first process, which answers nobody, waits until it begins to speak and hands it to
whichever of the others has the fewest requests in hand.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from riskflag.web.line import MOMENT

#: Requests that a process has in hand: the one at work and two more, so that it waits neither for
#: the disk nor for the door. What takes more than a moment no longer counts, nor what comes slowly.
IN_HAND = 3
#: Connections at the door at the same time. Of more, the longest silent one is closed; where all of
#: them wait in the line, who comes then is turned away.
MOST = 512
#: How the number of a request is told between the processes.
NUMBER = struct.Struct("=I")


class Handed(socket.socket):
    """A connection that was handed over, and the number of its request."""

    number = 0


class Inbox(socket.socket):
    """Where a process takes its connections from, as if it were the listening socket itself."""

    def __init__(self, end: socket.socket, listening: socket.socket) -> None:
        super().__init__(fileno=os.dup(end.fileno()))
        self._listening = listening

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection that was handed over; KeyboardInterrupt once nobody will."""
        told, handles, _, _ = socket.recv_fds(self, NUMBER.size, 1)
        if not told:
            raise KeyboardInterrupt
        connection = Handed(fileno=handles[0])
        (connection.number,) = NUMBER.unpack(told)
        return connection, connection.getpeername()

    def answered(self, number: int) -> None:
        """Tell the door that a request is out of hand."""
        with contextlib.suppress(OSError):  # the door has gone, and this process is about to end
            self.send(NUMBER.pack(number))

    def listen(self, backlog: int = 0, /) -> None:
        """Nothing to do: the first process listens."""

    def getsockname(self) -> Any:
        """The address that is listened on."""
        return self._listening.getsockname()


class OneRequest(HTTPChannel):  # type: ignore[misc]
    """A connection that brings one request: closed when it is answered, and the door told."""

    def __init__(self, server: Any, sock: Handed, *more: Any, **named: Any) -> None:
        self._inbox: Inbox = server.socket
        self._number: int | None = sock.number
        super().__init__(server, sock, *more, **named)

    def service(self) -> None:
        """Answer the request."""
        self.requests[0].headers["CONNECTION"] = "close"
        try:
            super().service()
        finally:
            self._tell()

    def handle_close(self) -> None:
        """Close, answered or not."""
        super().handle_close()
        self._tell()

    def _tell(self) -> None:
        number, self._number = self._number, None
        if number is not None:
            self._inbox.answered(number)


class OneByOne(TcpWSGIServer):  # type: ignore[misc]
    """A process that answers what the door hands over."""

    channel_class = OneRequest


@dataclass
class _Process:
    """One that answers: its inbox, and since when it has had which requests in hand."""

    inbox: socket.socket
    in_hand: dict[int, float] = field(default_factory=dict)

    def room(self, now: float) -> bool:
        """Whether it may take another; requests that have taken a moment are let out of sight."""
        for number, since in list(self.in_hand.items()):
            if now - since > MOMENT:
                del self.in_hand[number]
        return len(self.in_hand) < IN_HAND

    def told(self) -> bool:
        """Hear which requests are answered; False when the process has ended."""
        try:
            told = self.inbox.recv(1024 * NUMBER.size)
        except OSError:
            return False
        for (number,) in NUMBER.iter_unpack(told):
            self.in_hand.pop(number, None)
        return bool(told)


@dataclass
class Door:
    """Connections on their way from a listening socket to the processes that answer them."""

    sock: socket.socket
    processes: Sequence[_Process]
    _silent: dict[socket.socket, None] = field(default_factory=dict)
    _line: deque[socket.socket] = field(default_factory=deque)
    _handed: int = 0

    @classmethod
    def of(cls, sock: socket.socket, inboxes: Sequence[socket.socket]) -> Door:
        """A door before processes with these inboxes."""
        for one in (sock, *inboxes):
            one.setblocking(False)
        return cls(sock, [_Process(inbox) for inbox in inboxes])

    def open(self) -> None:
        """Let requests in; returns when one of the processes has ended."""
        with selectors.DefaultSelector() as events, contextlib.ExitStack() as left:
            left.callback(self._turn_away)
            events.register(self.sock, selectors.EVENT_READ)
            for one in self.processes:
                events.register(one.inbox, selectors.EVENT_READ, one)
            while self._heard(events):
                self._let_in()

    def _heard(self, events: selectors.BaseSelector) -> bool:
        """Wait until something happens and take it in; False when a process has ended."""
        # Who waits is let in at the latest when a moment has passed.
        for key, _ in events.select(MOMENT if self._line else None):
            if key.data is not None:
                if not key.data.told():
                    return False
            elif key.fileobj is self.sock:
                self._greet(events)
            else:
                self._queue(events, key.fileobj)
        return True

    def _turn_away(self) -> None:
        """Close the connections of all who have not been let in."""
        for connection in (*self._silent, *self._line):
            connection.close()

    def _greet(self, events: selectors.BaseSelector) -> None:
        """A new connection; it gets into the line when it begins to speak."""
        if len(self._silent) + len(self._line) >= MOST and self._silent:
            longest = next(iter(self._silent))
            del self._silent[longest]
            events.unregister(longest)
            longest.close()
        with contextlib.suppress(OSError):  # of a browser that has gone again
            connection, _ = self.sock.accept()
            if len(self._line) >= MOST:
                connection.close()
                return
            self._silent[connection] = None
            events.register(connection, selectors.EVENT_READ)

    def _queue(self, events: selectors.BaseSelector, connection: Any) -> None:
        if connection in self._silent:
            del self._silent[connection]
            events.unregister(connection)
            self._line.append(connection)

    def _let_in(self) -> None:
        """Hand over as many as there is room for, first come first."""
        now = time.monotonic()
        while self._line:
            free = [one for one in self.processes if one.room(now)]
            if not free:
                return
            self._handed = (self._handed + 1) % 2**32
            chosen = min(free, key=lambda one: (len(one.in_hand), max(one.in_hand, default=0)))
            with self._line.popleft() as connection, contextlib.suppress(OSError):
                socket.send_fds(chosen.inbox, [NUMBER.pack(self._handed)], [connection.fileno()])
                chosen.in_hand[self._handed] = now
