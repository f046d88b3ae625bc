"""Who is signed in: random tokens, kept in the server's memory, each with two time limits.

The browser's cookie holds such a token, so signing out, or a restart of the server, ends it
everywhere. What a person was writing is not lost: see `riskflag/web/gate.py`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from riskflag.casework.users import User

IDLE_SECONDS = 60 * 60
LONGEST_SECONDS = 10 * 60 * 60
TOKEN_BYTES = 32


@dataclass
class Sitting:
    """One person's time at the desk: since when, and when something was last asked for.

    While `notice_due` holds, every page leads to what riskflag is and is not.
    """

    user: User
    began: float
    seen: float
    notice_due: bool = False


class Sessions:
    """The sittings that are open now; safe to use from several threads."""

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._open: dict[str, Sitting] = {}
        self._lock = Lock()
        self._tick = tick

    def begin(self, user: User, *, notice_due: bool = False) -> str:
        """Open a sitting and return its token; what has run out is forgotten on the way."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._tick()
        with self._lock:
            self._open = {t: s for t, s in self._open.items() if not _over(s, now)}
            self._open[token] = Sitting(user, now, now, notice_due)
        return token

    def find(self, token: str) -> Sitting | None:
        """The open sitting of a token, marked as seen now; None when it has ended."""
        now = self._tick()
        with self._lock:
            sitting = self._open.get(token)
            if sitting is None or _over(sitting, now):
                self._open.pop(token, None)
                return None
            sitting.seen = now
            return sitting

    def end(self, token: str) -> None:
        """Close a sitting at once."""
        with self._lock:
            self._open.pop(token, None)


def _over(sitting: Sitting, now: float) -> bool:
    return now - sitting.seen > IDLE_SECONDS or now - sitting.began > LONGEST_SECONDS
