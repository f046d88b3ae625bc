"""Serving the app: one listening socket, several processes, each with several threads.

Python answers one request at a time in each process, so pages come faster with one process for
each core. They share the store and nothing else. The first process answers nobody: it is the door
of the others (riskflag.web.door).
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from riskflag.errors import ConfigError, RiskflagError, StorageError
from riskflag.nightly import folder
from riskflag.web.app import create_app
from riskflag.web.door import Door, Inbox, OneByOne
from riskflag.workspace import Workspace

#: Requests that one process has in hand at the same time, of which mostly one is at work
#: (riskflag.web.line); further ones wait until one is answered.
THREADS = 8
LARGEST_REQUEST = 1_000_000
#: Things made and not yet gone, after which memory is cleared: a page makes many that last no
#: longer than it, and looking them through every 700 took a twentieth of its time.
CLEARED_EVERY = 20_000


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises ConfigError when it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError:
        found.close()
        raise ConfigError(
            f"Port {port} of {host} cannot be used; another program may hold it. Give another "
            "with --port."
        ) from None
    return found


def serve(
    workspace: Workspace, sock: socket.socket, *, processes: int, ready: Callable[[], None]
) -> None:
    """Serve with the development sign-in until Ctrl-C or SIGTERM; `ready` is called before.

    Raises what is wrong with the workspace before anything is served, and StorageError when a
    process ended by itself; then all of them are ended.
    """
    check = create_app(workspace, development_sign_in=True)
    check.extensions["riskflag_store"].close()
    for name in (signal.SIGTERM, signal.SIGINT):  # a parent may have had one of them ignored
        signal.signal(name, signal.default_int_handler)
    sock.listen(256)
    if processes == 1:
        ready()
        _answer(workspace, sock)
        return
    _prepare(workspace)
    children, inboxes = [], []
    for _ in range(processes):
        ours, theirs = socket.socketpair()
        inboxes.append(ours)
        children.append(_child(workspace, Inbox(theirs, sock), inboxes))
        theirs.close()
    try:
        ready()
        Door.of(sock, inboxes).open()
    except KeyboardInterrupt:
        return
    else:
        raise StorageError("A process of the server ended by itself; start it again.")
    finally:
        _end(children, inboxes)


def _prepare(workspace: Workspace) -> None:
    """Load what is large before the processes part: they share it, and no reader waits for it.

    What is wrong with it is told by the page that needs it; the others do without.
    """
    from riskflag.nightly.lookback import prepare

    if folder.current_name(workspace.publications) is not None:
        with contextlib.suppress(RiskflagError):
            prepare(workspace)
    gc.collect()
    gc.freeze()


def _child(workspace: Workspace, inbox: Inbox, inboxes: Sequence[socket.socket]) -> int:
    """Start a process that answers requests; returns its id. The child itself never returns.

    It ends with this one, however that goes: only this one keeps the far end of its inbox.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        inbox.close()
        return process
    code = 1
    try:
        for one in inboxes:
            one.close()
        _answer(workspace, inbox)
        code = 0
    finally:
        os._exit(code)


def _answer(workspace: Workspace, sock: socket.socket) -> None:
    app = create_app(workspace, development_sign_in=True)
    # A line of readers who wait a moment is no fault to be told.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    settings = Adjustments(
        threads=THREADS,
        ident=None,
        clear_untrusted_proxy_headers=True,
        max_request_body_size=LARGEST_REQUEST,
    )
    about = (socket.AF_INET, socket.SOCK_STREAM, 0, sock.getsockname())
    kind = OneByOne if isinstance(sock, Inbox) else TcpWSGIServer
    server = kind(app, _sock=sock, adj=settings, bind_socket=False, sockinfo=about)
    # What stays for good is not looked through again at every clearing of memory.
    gc.collect()
    gc.freeze()
    gc.set_threshold(CLEARED_EVERY)
    try:
        server.run()  # returns on Ctrl-C
    finally:
        server.close()
        app.extensions["riskflag_store"].close()


def _end(children: list[int], inboxes: Sequence[socket.socket]) -> None:
    """Ask each child to stop as on Ctrl-C and wait for it; one that is gone already is passed.

    A child that is still starting may lose the signal: its inbox, closed, ends it all the same.
    """
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)
    for inbox in inboxes:
        inbox.close()
    for child in children:
        try:
            os.waitpid(child, 0)
        except ChildProcessError:
            continue
