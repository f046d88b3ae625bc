"""Flags in a store of its own, and reviews of them, for tests of the casework room."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

from riskflag.casework import publishing
from riskflag.casework.publishing import FlagRow, PublicationRecord, ReasonRow
from riskflag.casework.reviews import NewReview, record_review
from riskflag.casework.store import Store, open_store
from riskflag.casework.users import User
from riskflag.workspace import Workspace

DAY = dt.date(2026, 3, 10)
OPENED = dt.datetime(2026, 3, 10, 9, 0, tzinfo=dt.UTC)
F1 = "F-2026-000001"

WORKER = User("duty worker 1", "caseworker", "Front door")
OTHER = User("duty worker 2", "caseworker", "Front door")
SENIOR = User("senior 1", "senior", "Front door")
MANAGER = User("manager 1", "manager", "Front door")
STEWARD = User("steward 1", "steward", "Data")
OWNER = User("owner 1", "owner", "Board")


def number(place: int) -> str:
    return f"F-2026-{place:06d}"


def flag(serial: int = 1, **more: Any) -> FlagRow:
    """A flag of its own child with two reasons; the second is a theme of the model."""
    row = FlagRow(
        flag_id=number(serial),
        person_id=f"C-{serial}",
        level="soon",
        status="new",
        standing="present",
        raised_by="both",
        first_raised=DAY,
        last_matched=DAY,
        payload_hash=f"hash {serial}",
        reasons=(
            ReasonRow("rule:repeat_ed", "rule", 1, (("k1", 1), ("k2", 1))),
            ReasonRow("model:health", "model", None, (("k3", 1),)),
        ),
        place=serial,
    )
    return dataclasses.replace(row, **more)


def publish(store: Store, key: str, flags: list[FlagRow], day: dt.date = DAY) -> None:
    record = PublicationRecord(key, day, 1, f"{day}-{key}", "cc", "mm", 0)
    publishing.publish(store, record, flags, reached=lambda step: None)


def opened(root: Path, flags: int = 1) -> Store:
    """A store with one publication of so many flags; without flags, no publication."""
    store = open_store(Workspace.create(root, "Test Borough"))
    if flags:
        publish(store, "one", [flag(serial) for serial in range(1, flags + 1)])
    return store


def review(decision: str = "nothing_further", **more: Any) -> NewReview:
    by = more.pop("by", WORKER)
    values = {
        "flag_id": F1,
        "reviewer": by.name,
        "role": by.role,
        "decision": decision,
        "why": "Spoke with the school.",
        "worth_bringing": "knew_most",
        "opened_at": OPENED,
    }
    return NewReview(**(values | more))


def decide(store: Store, decision: str = "nothing_further", **more: Any) -> str:
    return record_review(store, review(decision, **more))
