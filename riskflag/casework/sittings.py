"""Who is signed in to the web app: random tokens, each with two time limits, ended on the server.

The browser holds the token and the store its hash, so that signing out ends it everywhere, in
every process, and a copy of the store lets nobody in.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

import sqlalchemy as sa

from riskflag.casework.store import Store
from riskflag.casework.tables import Sitting
from riskflag.clock import moment

#: A sitting ends when nothing has been asked for in this time, ...
IDLE = dt.timedelta(hours=1)
#: ... and at the latest after this.
LONGEST = dt.timedelta(hours=10)
#: `seen` is brought up to date no more often than this: it costs a write.
NOTED_EVERY = dt.timedelta(minutes=1)
TOKEN_BYTES = 32

# Every page asks: made once, and of the table, for whole objects cost as much again.
_SITTING = Sitting.__table__.c
_OPEN = sa.select(_SITTING.user, _SITTING.seen, _SITTING.began).where(
    _SITTING.token_hash == sa.bindparam("token")
)


def begin(store: Store, user: str) -> str:
    """Open a sitting for a user and return its token; what has run out is forgotten on the way."""
    token, now = secrets.token_urlsafe(TOKEN_BYTES), moment()
    with store.writing() as session:
        session.execute(
            sa.delete(Sitting).where(
                sa.or_(Sitting.seen < now - IDLE, Sitting.began < now - LONGEST)
            )
        )
        session.add(Sitting(token_hash=_hash(token), user=user, began=now, seen=now))
    return token


def find(store: Store, token: str) -> str | None:
    """The user whose open sitting a token is, marked as seen; None when there is none."""
    now = moment()
    with store.reading() as session:
        found = session.connection().execute(_OPEN, {"token": _hash(token)}).first()
        if found is None or now - found.seen > IDLE or now - found.began > LONGEST:
            return None
        user: str = found.user
        stale = now - found.seen > NOTED_EVERY
    if stale:
        with store.writing() as session:
            session.execute(
                sa.update(Sitting).where(Sitting.token_hash == _hash(token)).values(seen=now)
            )
    return user


def end(store: Store, token: str) -> None:
    """Close a sitting at once."""
    with store.writing() as session:
        session.execute(sa.delete(Sitting).where(Sitting.token_hash == _hash(token)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
