"""The door of a server of several processes: one line for all, and each request to who has room."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

import pytest

from riskflag.web import door as doors
from riskflag.web.door import IN_HAND, Door, Inbox


class World:
    """A door before processes that this test plays, and browsers that it plays too."""

    def __init__(self, processes: int) -> None:
        self.sock = socket.create_server(("127.0.0.1", 0))
        pairs = [socket.socketpair() for _ in range(processes)]
        self.inboxes = [Inbox(theirs, self.sock) for _, theirs in pairs]
        for inbox, (_, theirs) in zip(self.inboxes, pairs, strict=True):
            theirs.close()
            inbox.settimeout(10)
        self.ours = [ours for ours, _ in pairs]
        self.thread = threading.Thread(target=Door.of(self.sock, self.ours).open)
        self.thread.start()

    def browser(self, says: bytes = b"") -> socket.socket:
        """A browser that connects and says something."""
        made = socket.create_connection(self.sock.getsockname(), timeout=10)
        made.sendall(says)
        return made

    def take(self, process: int) -> tuple[socket.socket, bytes]:
        """The next connection of a process, and what its browser says."""
        connection, _ = self.inboxes[process].accept()
        connection.settimeout(10)
        return connection, connection.recv(100)

    def nothing(self, process: int) -> bool:
        """Whether a process has nothing handed over by now."""
        self.inboxes[process].settimeout(0.05)
        try:
            self.inboxes[process].accept()
        except TimeoutError:
            return True
        finally:
            self.inboxes[process].settimeout(10)
        return False

    def close(self) -> None:
        for inbox in self.inboxes:
            inbox.close()
        self.thread.join(10)
        for one in (self.sock, *self.ours):
            one.close()
        assert not self.thread.is_alive(), "the door stays open though the processes have ended"


@pytest.fixture
def world():
    with contextlib.ExitStack() as ends:

        def made(processes: int) -> World:
            one = World(processes)
            ends.callback(one.close)
            return one

        yield made


def test_who_answers_first_gets_the_next(world, monkeypatch):
    """One process keeps its long pages; all others go to the process that is quick."""
    monkeypatch.setattr(doors, "MOMENT", 60.0)
    here = world(2)
    with contextlib.ExitStack() as kept:
        for number in range(10):
            kept.enter_context(here.browser(b"%d" % number))
        slow = [here.take(0) for _ in range(IN_HAND)]
        said = [text for _, text in slow]
        for _ in range(10 - IN_HAND):
            quick, text = here.take(1)
            said.append(text)
            here.inboxes[1].answered(quick.number)
            quick.close()
        assert here.nothing(0)
        for connection, _ in slow:
            connection.close()
    assert sorted(said) == [b"%d" % number for number in range(10)]


def test_first_come_first_served(world, monkeypatch):
    """Who waits longest is the next, whoever answers."""
    monkeypatch.setattr(doors, "MOMENT", 60.0)
    here = world(1)
    browsers = []
    for number in range(6):
        browsers.append(here.browser(b"%d" % number))
    said = []
    for _ in browsers:
        connection, text = here.take(0)
        said.append(text)
        here.inboxes[0].answered(connection.number)
        connection.close()
    for browser in browsers:
        browser.close()
    # Those handed over at once were in the line together; the others came in their order.
    assert said == sorted(said)


def test_a_browser_that_says_nothing_is_nobody_s_work(world):
    """Browsers open connections that they may need; none of them takes the place of a reader."""
    here = world(1)
    silent = [here.browser() for _ in range(5 * IN_HAND)]
    with here.browser(b"a page, please"):
        connection, text = here.take(0)
        assert text == b"a page, please"
        assert here.nothing(0)
        connection.close()
    for browser in silent:
        browser.close()


def test_who_takes_long_or_speaks_slowly_keeps_nobody_out(world):
    """After a moment the next is let in though nothing has been answered."""
    here = world(1)
    browsers = [here.browser(b"GET") for _ in range(3 * IN_HAND)]
    taken = [here.take(0)[0] for _ in browsers]
    assert len({one.number for one in taken}) == 3 * IN_HAND
    for one in (*taken, *browsers):
        one.close()


def test_of_too_many_silent_connections_the_longest_silent_is_closed(world, monkeypatch):
    """They cannot use up what the machine allows; readers come in all the same."""
    monkeypatch.setattr(doors, "MOST", 4)
    here = world(1)
    silent = [here.browser() for _ in range(4)]
    with here.browser(b"a page, please"):
        connection, text = here.take(0)
        assert text == b"a page, please"
        assert silent[0].recv(1) == b""
        silent[1].sendall(b"still here")
        still, text = here.take(0)
        assert text == b"still here"
        still.close()
        connection.close()
    for browser in silent:
        browser.close()


def test_when_as_many_wait_as_may_the_others_are_turned_away(world, monkeypatch):
    """At once, and not after a long wait; those who wait are let in when there is room."""
    monkeypatch.setattr(doors, "MOMENT", 60.0)
    monkeypatch.setattr(doors, "MOST", 2)
    here = world(1)
    with contextlib.ExitStack() as kept, selectors.DefaultSelector() as ended:
        taken = []
        for _ in range(IN_HAND):
            kept.enter_context(here.browser(b"GET"))
            taken.append(here.take(0)[0])
        for _ in range(6):
            ended.register(kept.enter_context(here.browser(b"GET")), selectors.EVENT_READ)
        for _ in range(4):
            (turned_away, _), *_ = ended.select(10)
            ended.unregister(turned_away.fileobj)
        here.inboxes[0].answered(taken[0].number)
        here.inboxes[0].answered(taken[1].number)
        for connection in (*taken, here.take(0)[0], here.take(0)[0]):
            connection.close()


def test_the_door_closes_when_a_process_has_ended(world):
    """The server is told, and ends the others."""
    here = world(3)
    here.inboxes[1].close()
    here.thread.join(10)
    assert not here.thread.is_alive()
