"""`riskflag serve`: on this machine alone, in several processes, ended cleanly."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import psutil
import pytest

from conftest import riskflag_environment
from riskflag.cli.serve import is_loopback, refuse_strangers
from riskflag.errors import ConfigError


def started(workspace, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "riskflag", "serve", "--workspace", str(workspace.root)]
    return subprocess.Popen(
        [*command, "--port", "0", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=riskflag_environment(),
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_its_address_answers_and_stops_without_leaving_anything(web_workspace, how):
    """Two processes, one address; Ctrl-C or a service manager's signal ends both."""
    server = started(web_workspace, "--development-sign-in", "--processes", "2")
    try:
        address = re.match(r"(http://127\.0\.0\.1:\d+/) ", server.stdout.readline())[1]
        children = psutil.Process(server.pid).children()
        assert len(children) == 2
        with urllib.request.urlopen(f"{address}sign-in", timeout=30) as answer:
            assert "Who are you?" in answer.read().decode()
            assert "Server" not in answer.headers
        server.send_signal(how)
        told, complaint = server.communicate(timeout=30)
        assert (told, complaint, server.returncode) == ("Stopped.\n", "", 0)
        assert not any(child.is_running() for child in children)
    finally:
        server.kill()
        server.wait()


def test_every_process_answers_and_who_speaks_slowly_holds_up_nobody(web_workspace):
    """Twenty browsers that have said half of a request; then nine that ask for pages."""
    server = started(web_workspace, "--development-sign-in", "--processes", "3")
    with server, contextlib.ExitStack() as open_ones:
        open_ones.callback(server.kill)
        port = int(re.search(r":(\d+)/ ", server.stdout.readline())[1])
        for _ in range(20):
            slow = open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.sendall(b"GET /sign-in HTTP/1.1\r\nHost:")
        browsers = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(9)]
        for _ in range(3):
            for browser in browsers:
                open_ones.callback(browser.close)
                browser.request("GET", "/sign-in")
            for browser in browsers:
                answer = browser.getresponse()
                assert (answer.status, answer.headers["Connection"]) == (200, "close")
                assert b"Who are you?" in answer.read()
        children = psutil.Process(server.pid).children()
        assert [child.is_running() for child in children] == [True, True, True]


def test_a_process_that_dies_ends_the_others_and_is_told(web_workspace):
    """No half of a server goes on unseen: a service manager starts it again whole."""
    server = started(web_workspace, "--development-sign-in", "--processes", "2")
    try:
        server.stdout.readline()
        children = psutil.Process(server.pid).children()
        os.kill(children[0].pid, signal.SIGKILL)
        _, complaint = server.communicate(timeout=30)
        assert server.returncode == 50
        assert "ended by itself; start it again." in complaint
        assert not any(child.is_running() for child in children)
    finally:
        server.kill()
        server.wait()


DEAF = """
import os, signal, socket
from riskflag.web import door, server
ours, theirs = socket.socketpair()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if not child:
    ours.close()
    try:
        door.Inbox(theirs, theirs).accept()
    except KeyboardInterrupt:
        os._exit(0)
theirs.close()
server._end([child], [ours])
"""


def test_a_process_that_lost_its_signal_ends_all_the_same():
    """One that is still starting may not hear it; nobody waits for it for ever."""
    subprocess.run([sys.executable, "-c", DEAF], check=True, timeout=60)


def test_when_the_first_process_is_killed_the_others_end_too(web_workspace):
    """Nothing goes on answering, or holding the store, that no service manager knows of."""
    server = started(web_workspace, "--development-sign-in", "--processes", "2")
    children = []
    try:
        server.stdout.readline()
        children = psutil.Process(server.pid).children()
        server.kill()
        server.communicate(timeout=30)
        _, left = psutil.wait_procs(children, timeout=30)
        assert (len(children), left) == (2, [])
    finally:
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        server.kill()
        server.wait()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ([], "No sign-in is set up"),
        (["--development-sign-in", "--host", "0.0.0.0"], "works on this machine alone"),
    ],
)
def test_it_refuses_to_show_records_to_people_nobody_has_checked(web_workspace, more, told):
    """One sentence, the code of a wrong option, and no socket."""
    server = started(web_workspace, *more)
    out, complaint = server.communicate(timeout=60)
    assert (server.returncode, out) == (40, "")
    assert complaint.count("\n") == 1
    assert told in complaint


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("riskflag.example", False),
    ],
)
def test_only_a_loopback_address_counts_as_this_machine(host, loopback):
    """A name that may point anywhere is not taken for this machine."""
    assert is_loopback(host) is loopback
    if not loopback:
        with pytest.raises(ConfigError):
            refuse_strangers(host, development_sign_in=True)
