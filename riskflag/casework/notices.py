"""Who has read what riskflag is and is not, and when: asked at first use and then once a year.

A reading is an entry of the audit chain and nothing else, so it cannot be altered or made up later.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from riskflag.casework import audit
from riskflag.casework.store import Store
from riskflag.casework.tables import Audit
from riskflag.clock import moment

#: A reading counts for a year.
COUNTS_FOR = dt.timedelta(days=365)
READ = "read_notice"


def notice_is_due(store: Store, user: str) -> bool:
    """Whether this person has to read the notice, for the first time or again."""
    # Written out, so that SQLite finds the index that holds these entries alone.
    is_reading = Audit.action == sa.literal_column(f"'{READ}'")
    readings = sa.select(sa.func.max(Audit.at)).where(is_reading, Audit.actor == user)
    with store.reading() as session:
        last = session.scalar(readings)
    return last is None or moment() - dt.datetime.fromisoformat(last) > COUNTS_FOR


def record_reading(store: Store, user: str, role: str) -> None:
    """Record that this person has read the notice now."""
    with store.writing() as session:
        audit.record(
            session, store.key, actor=user, action=READ, subject=None, detail={"role": role}
        )
