"""Answers typed but not yet given: kept for each person and flag until they are sent or dropped.

A draft is no review: it can be overwritten, nobody else sees it, and sending a review drops it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from riskflag.casework.store import Store
from riskflag.casework.tables import Draft as Row
from riskflag.casework.tables import Flag
from riskflag.clock import moment
from riskflag.errors import ConfigError, InputError

#: Far more than any form holds, in characters of JSON.
LARGEST = 200_000


@dataclass(frozen=True)
class Draft:
    """The answers as they were last kept, and when."""

    answers: dict[str, Any]
    saved_at: dt.datetime


def save_draft(store: Store, flag_id: str, user: str, answers: Mapping[str, Any]) -> None:
    """Keep a person's answers so far, in place of earlier ones.

    Raises InputError when there is no such flag and ConfigError when the answers are too long.
    """
    text = json.dumps(answers, sort_keys=True, allow_nan=False)
    if len(text) > LARGEST:
        raise ConfigError("The answers are too long to keep; shorten the texts.")
    with store.writing() as session:
        if session.get(Flag, flag_id) is None:
            raise InputError("There is no flag with this number; look at the worklist again.")
        session.merge(Row(flag_id=flag_id, user=user, answers=text, saved_at=moment()))


def draft_of(store: Store, flag_id: str, user: str) -> Draft | None:
    """A person's own draft about a flag, or None."""
    with store.reading() as session:
        found = session.get(Row, (flag_id, user))
        return None if found is None else Draft(json.loads(found.answers), found.saved_at)


def drop_draft(store: Store, flag_id: str, user: str) -> None:
    """Forget a person's draft about a flag, if there is one."""
    with store.writing() as session:
        session.execute(sa.delete(Row).where(Row.flag_id == flag_id, Row.user == user))
