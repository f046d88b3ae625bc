"""Who is reading: the sitting of the browser's cookie, and the user as users.toml has them now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from riskflag.casework import sittings
from riskflag.casework.notices import notice_is_due
from riskflag.casework.store import Store
from riskflag.casework.users import USERS_NAME, User, load_users
from riskflag.clock import today
from riskflag.workspace import Workspace


@dataclass
class Reader:
    """Who is signed in. While `notice_due` holds, every page leads to what riskflag is."""

    user: User
    notice_due: bool


@dataclass
class Sessions:
    """The sittings of one store, and the users of its workspace.

    A user who is taken out of users.toml, or given another role, is so at the next request.
    """

    workspace: Workspace
    store: Store
    _users: dict[str, User] = field(default_factory=dict)
    _written: int = -1
    _have_read: dict[str, dt.date] = field(default_factory=dict)

    def begin(self, user: User) -> str:
        """Open a sitting and return its token."""
        return sittings.begin(self.store, user.name)

    def find(self, token: str) -> Reader | None:
        """The reader of a token; None when its sitting has ended or its user is gone."""
        name = sittings.find(self.store, token) if token else None
        user = self.users().get(name or "")
        return None if user is None else Reader(user, self._notice_due(user.name))

    def end(self, token: str) -> None:
        """Close a sitting at once, if the token has one."""
        if token:
            sittings.end(self.store, token)

    def users(self) -> dict[str, User]:
        """The users by name, read again when users.toml was written since."""
        written = _written(self.workspace.root / USERS_NAME)
        if written != self._written:
            self._users = {one.name: one for one in load_users(self.workspace)}
            self._written = written
        return self._users

    def _notice_due(self, name: str) -> bool:
        """Asked of the store until it has been read, and then once a day."""
        if self._have_read.get(name) != today():
            if notice_is_due(self.store, name):
                return True
            self._have_read[name] = today()
        return False


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
