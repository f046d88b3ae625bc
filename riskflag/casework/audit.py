"""The audit chain: each entry commits to the one before it.

An entry is added in the same transaction as what it records. A person appears only as a keyed
pseudonym and the detail only as a keyed digest, so the chain can be kept and shown after a person's
records are erased. The chain itself shows any change in its middle; cutting its tail or writing
all of it anew shows against the anchors kept outside the database (`riskflag/nightly/anchors.py`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from riskflag.casework.tables import Audit
from riskflag.clock import moment

START = "0" * 64
#: What the hash of an entry is over, in this order.
HASHED = ("seq", "at", "actor", "action", "subject", "detail_digest", "prev")
# Made once: a page of the worklist adds forty entries.
_DETAIL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False)
_PARTS = json.JSONEncoder(ensure_ascii=False)
_LAST = sa.select(Audit.seq, Audit.hash).order_by(Audit.seq.desc()).limit(1)
_INSERT = sa.insert(Audit.__table__)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Head:
    """The last entry of the chain: its number and hash; `(0, START)` for an empty one."""

    seq: int
    hash: str


def pseudonym(key: bytes, identity: str) -> str:
    """A person's or flag's stand-in: the same every time, and nothing without the key."""
    return hmac.digest(key, b"subject|" + identity.encode(), "sha256").hex()


@dataclass(frozen=True)
class Said:
    """What an entry says, before it is chained: who did what, about whom, and the detail."""

    actor: str
    action: str
    subject: str | None
    detail: Mapping[str, Any]


def record(
    session: Session,
    key: bytes,
    *,
    actor: str,
    action: str,
    subject: str | None,
    detail: Mapping[str, Any],
) -> Head:
    """Append an entry within the caller's transaction (begun with the write lock held)."""
    return record_all(session, key, [Said(actor, action, subject, detail)])


def record_all(session: Session, key: bytes, entries: Sequence[Said]) -> Head:
    """Append entries in their order, within the caller's transaction as `record`."""
    last, rows = head(session), []
    for said in entries:
        entry = {
            "seq": last.seq + 1,
            "at": moment().isoformat(timespec="microseconds"),
            "actor": said.actor,
            "action": said.action,
            "subject": None if said.subject is None else pseudonym(key, said.subject),
            "detail_digest": digest(key, said.detail),
            "prev": last.hash,
        }
        last = Head(last.seq + 1, _hash([entry[name] for name in HASHED]))
        rows.append({**entry, "hash": last.hash})
    if rows:
        # To the table itself: a session would look at every entry on the way.
        session.connection().execute(_INSERT, rows)
    return last


def digest(key: bytes, detail: Mapping[str, Any]) -> str:
    """The keyed digest of an entry's detail."""
    text = _DETAIL.encode(detail)
    return hmac.digest(key, b"detail|" + text.encode(), "sha256").hex()


def entry_hash(entry: Audit) -> str:
    """SHA-256 over everything in the entry but the hash itself."""
    return _hash([getattr(entry, name) for name in HASHED])


def _hash(parts: Sequence[object]) -> str:
    """The hash of the values of HASHED, in their order."""
    return hashlib.sha256(_PARTS.encode(parts).encode()).hexdigest()


def head(session: Session) -> Head:
    """The end of the chain."""
    last = session.connection().execute(_LAST).first()
    return Head(0, START) if last is None else Head(last.seq, last.hash)


def first_bad(session: Session) -> int | None:
    """The number of the first entry that does not follow from the one before; None when all do."""
    expected, before = 1, START
    for entry in session.scalars(
        sa.select(Audit).order_by(Audit.seq).execution_options(yield_per=10_000)
    ):
        if entry.seq != expected or entry.prev != before or entry_hash(entry) != entry.hash:
            return expected
        expected, before = entry.seq + 1, entry.hash
    return None


def hash_at(session: Session, seq: int) -> str | None:
    """The hash of entry `seq`, or None when it is not there."""
    return START if seq == 0 else session.scalar(sa.select(Audit.hash).where(Audit.seq == seq))
