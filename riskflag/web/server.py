"""Serving the app: one listening socket, several processes, each with several threads.

Python answers one request at a time in each process, so pages come faster with one process for
each core. They share the store and nothing else.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

from waitress.server import create_server

from riskflag.errors import ConfigError, RiskflagError, StorageError
from riskflag.nightly import folder
from riskflag.web.app import create_app
from riskflag.workspace import Workspace

#: Requests answered at the same time by one process; further ones wait in line.
THREADS = 8
LARGEST_REQUEST = 1_000_000


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
    alive = os.pipe()
    children = [_child(workspace, sock, alive) for _ in range(processes)]
    try:
        ready()
        os.wait()
    except KeyboardInterrupt:
        return
    else:
        raise StorageError("A process of the server ended by itself; start it again.")
    finally:
        _end(children)


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


def _child(workspace: Workspace, sock: socket.socket, alive: tuple[int, int]) -> int:
    """Start a process that answers requests; returns its id. The child itself never returns.

    It ends with this one, however that goes: only this one keeps the far end of the pipe `alive`.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.close(alive[1])
        threading.Thread(target=_end_with, args=(alive[0],), daemon=True).start()
        _answer(workspace, sock)
        code = 0
    finally:
        os._exit(code)


def _end_with(alive: int) -> None:
    """Stop this process, as a signal would, once nobody holds the far end of the pipe."""
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _answer(workspace: Workspace, sock: socket.socket) -> None:
    app = create_app(workspace, development_sign_in=True)
    # A line of readers who wait a moment is no fault to be told.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(
        app,
        sockets=[sock],
        threads=THREADS,
        ident=None,
        clear_untrusted_proxy_headers=True,
        max_request_body_size=LARGEST_REQUEST,
    )
    # What stays for good is not looked through again at every clearing of memory.
    gc.collect()
    gc.freeze()
    try:
        server.run()  # returns on Ctrl-C
    finally:
        server.close()
        app.extensions["riskflag_store"].close()


def _end(children: list[int]) -> None:
    """Ask each child to stop as on Ctrl-C and wait for it; one that is gone already is passed."""
    for child in children:
        try:
            os.kill(child, signal.SIGTERM)
        except ProcessLookupError:
            continue
    for child in children:
        try:
            os.waitpid(child, 0)
        except ChildProcessError:
            continue
