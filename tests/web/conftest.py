"""The app over a private copy of the small demo: in this process, or served on a free port."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from riskflag.cli.init import MADE_UP_USERS, write_users
from riskflag.web.app import create_app
from riskflag.workspace import Workspace
from tests.functional.browser import browser

#: One made-up user of each role.
USER_OF = {role: name for name, role, _ in reversed(MADE_UP_USERS)}
ROLES = tuple(USER_OF)


class FlagNumber(str):
    """A flag's number that also knows the key of one of its records."""

    record = ""


def token_in(html: str) -> str:
    """The CSRF token of a page's first form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, "the page has no form with a token"
    return found[1]


@dataclass
class Desk:
    """A test client that knows how to sign in, and how to send a page's own form."""

    client: object

    def get(self, path: str, **more):
        return self.client.get(path, buffered=True, **more)

    def post(self, path: str, data: dict | None = None, *, page: str = "/help", **more):
        """Send a form with the token that `page` shows."""
        token = token_in(self.client.get(page).text)
        return self.client.post(path, data={"csrf_token": token, **(data or {})}, **more)

    def sign_in(self, role: str):
        """Sign in as the made-up user of a role, who has read what riskflag is and is not."""
        answer = self.post("/sign-in", {"user": USER_OF[role]}, page="/sign-in")
        assert answer.status_code == 303, answer.text
        if self.sitting().notice_due:
            self.post("/before-you-start", page="/before-you-start")
        return self

    def sitting(self):
        """The server's side of who is signed in here, or None."""
        with self.client.session_transaction() as session:
            token = session.get("token", "")
        return self.client.application.extensions["riskflag_sessions"].find(token)


@pytest.fixture(scope="module")
def web_workspace(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the demo's workspace that one file of tests may change."""
    copy = tmp_path_factory.mktemp("web") / "workspace"
    shutil.copytree(demo_folder / "workspace", copy)
    write_users(copy / "users.toml")
    return Workspace.open(copy)


@pytest.fixture(scope="module")
def app(web_workspace: Workspace) -> Iterator[object]:
    """The app with the development sign-in."""
    made = create_app(web_workspace, development_sign_in=True)
    yield made
    made.extensions["riskflag_store"].close()


@pytest.fixture
def client(app) -> Desk:
    """A browser that nobody has signed in with."""
    return Desk(app.test_client())


@pytest.fixture
def signed_in(app) -> Callable[[str], Desk]:
    """`signed_in(role)`: a browser of its own with that role's user signed in."""
    return lambda role: Desk(app.test_client()).sign_in(role)


@pytest.fixture(scope="module")
def live_server(app) -> Iterator[str]:
    """The app on waitress at a free port; its address."""
    from waitress.server import create_server

    server = create_server(app, host="127.0.0.1", port=0, threads=4, ident=None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    server.task_dispatcher.shutdown()
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def running() -> Iterator[object]:
    """A headless Chromium, or a skip that says why."""
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def flag_ids(web_workspace: Workspace) -> list[str]:
    """The numbers of the flags of the current publication."""
    publications = web_workspace.publications
    folder = publications / (publications / "CURRENT").read_text(encoding="utf-8").strip()
    found: list[str] = []
    for flag in json.loads((folder / "flags.json").read_text()):
        found.append(FlagNumber(flag["flag_id"]))
        found[-1].record = flag["contacts"][0]["contact_key"]
    assert found, "the demo has no flags, so tests of their pages would pass on nothing"
    return found
