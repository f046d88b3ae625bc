"""Forms that come back from paper and stand-alone computers: their codes, and where they wait.

A form's code is a short keyed digest of what its reader was shown: the flag, the exact content it
was made from, and the newest review of that time. Only the workspace that printed the form can make
it, so a code that fits says which page the form belongs to, and no other code fits.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from riskflag.casework import audit
from riskflag.casework.publishing import Held, held_versions
from riskflag.casework.reviews import NewReview, Shown, record_review
from riskflag.casework.store import Store
from riskflag.casework.tables import Flag, Review
from riskflag.errors import InputError, StorageError
from riskflag.workspace import Workspace

#: Without I, L, O and U, which are easily misread or misheard.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH, GROUP = 12, 4
#: What a hand writes for a sign of the alphabet.
ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})
#: The sections that a reader of paper is noted to have opened.
ON_PAPER = "offline_form"


@dataclass(frozen=True)
class Printed:
    """What a form was made from: where its flag's content is, and what its reader was shown."""

    held: Held
    shown: Shown


def form_code(store: Store, flag_id: str, shown: Shown) -> str:
    """The code of a form: twelve signs in groups of four."""
    text = f"offline form|{flag_id}|{shown.payload_hash}|{shown.last_review_id or '-'}"
    number = int.from_bytes(hmac.new(store.key, text.encode(), hashlib.sha256).digest(), "big")
    signs = "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(CODE_LENGTH))
    return "-".join(signs[start : start + GROUP] for start in range(0, CODE_LENGTH, GROUP))


def plain_code(written: str) -> str:
    """A code as it may have been typed or read from paper, in its own signs."""
    signs = "".join(sign for sign in written.upper() if sign.isalnum()).translate(ALIKE)
    return "-".join(signs[start : start + GROUP] for start in range(0, len(signs), GROUP))


def printed(store: Store, flag_id: str, code: str) -> Printed | None:
    """What the form with this code was made from; None when no form of this flag has it."""
    with store.reading() as session:
        reviews = session.scalars(
            sa.select(Review.review_id).where(Review.flag_id == flag_id).order_by(Review.number)
        ).all()
    for held in held_versions(store, flag_id):
        for last in (None, *reviews):
            shown = Shown(held.payload_hash, last)
            if hmac.compare_digest(form_code(store, flag_id, shown), code):
                return Printed(held, shown)
    return None


def review_number(store: Store, flag_id: str, code: str, reviewer: str) -> str:
    """The number under which a form of one reviewer is recorded, however often it comes."""
    text = f"offline review|{flag_id}|{code}|{reviewer.casefold()}"
    return hmac.new(store.key, text.encode(), hashlib.sha256).hexdigest()[:32]


def is_recorded(store: Store, review_id: str) -> bool:
    """Whether a review with this number is there."""
    with store.reading() as session:
        return session.get(Review, review_id) is not None


def record_form(store: Store, review: NewReview, *, actor: str) -> bool:
    """Record a form's review; False when the same form was recorded before.

    The review is its reviewer's; a second entry of the audit chain says who took the form in.
    """
    known = review.review_id is not None and is_recorded(store, review.review_id)
    review_id = record_review(store, review)
    if not known:
        with store.writing() as session:
            flag = session.get_one(Flag, review.flag_id)
            detail = {"review": review_id}
            audit.record(
                session,
                store.key,
                actor=actor,
                action="import_form",
                subject=flag.person_id,
                detail=detail,
            )
    return not known


def newest_hash(store: Store, flag_id: str) -> str:
    """The payload hash of the flag's newest version."""
    return held_versions(store, flag_id)[-1].payload_hash


# ---------------------------------------------------------------- forms that wait for a person


def waiting_folder(workspace: Workspace) -> Path:
    """Where forms lie whose flag changed before they came back."""
    return workspace.root / "reviews" / "waiting"


def settled_folder(workspace: Workspace) -> Path:
    """Where forms lie that a person has dealt with."""
    return workspace.root / "reviews" / "settled"


def keep(workspace: Workspace, flag_id: str, content: bytes) -> Path:
    """Keep a form that could not be recorded, byte for byte; the same form is kept once."""
    folder = waiting_folder(workspace)
    name = f"{flag_id}-{hashlib.sha256(content).hexdigest()[:12]}.review.txt"
    target, staged = folder / name, folder / f".{name}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged.touch(mode=0o600)
        with staged.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(staged, target)
    except OSError:
        raise StorageError(f"{folder} cannot be written; check space and permissions.") from None
    return target


def waiting(workspace: Workspace) -> list[Path]:
    """The forms that wait, by name."""
    folder = waiting_folder(workspace)
    return sorted(folder.glob("*.review.txt")) if folder.is_dir() else []


def settle(workspace: Workspace, store: Store, name: str, *, actor: str, note: str) -> Path:
    """Put a waiting form aside for good, with who did it and why in the audit chain.

    Raises InputError when no such form waits.
    """
    source = waiting_folder(workspace) / Path(name).name
    if not source.is_file() or not note.strip():
        raise InputError(
            "No form of this name waits, or the note is empty; `riskflag reviews waiting` lists "
            "the names, and --note says what became of the answers."
        )
    flag_id = source.name.rsplit("-", 1)[0]
    target = settled_folder(workspace) / source.name
    with store.writing() as session:
        flag = session.get(Flag, flag_id)
        detail = {"flag": flag_id, "form": source.name, "note": note}
        subject = None if flag is None else flag.person_id
        audit.record(
            session, store.key, actor=actor, action="settle_form", subject=subject, detail=detail
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.replace(source, target)
    except OSError:
        raise StorageError(f"{target.parent} cannot be written; check permissions.") from None
    return target
