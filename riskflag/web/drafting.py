"""What one reviewer is writing about one flag, between the first word and the saved review.

A form carries a sealed note of its opening: when it was opened, what was shown, and the number the
review will have. A second press of the same button therefore records nothing twice, and a review
that came in between is noticed.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from riskflag.casework import drafts
from riskflag.casework.reviews import Shown
from riskflag.clock import moment
from riskflag.web import desk

SEAL = "review form"


@dataclass(frozen=True)
class Opening:
    """When a form was opened, what it showed, and the number its review will have."""

    opened_at: str
    payload_hash: str
    last_review_id: str | None
    review_id: str
    amends: str | None = None
    second_look_of: str | None = None

    @property
    def shown(self) -> Shown:
        """What the reviewer saw, as the store checks it."""
        return Shown(self.payload_hash, self.last_review_id)

    @property
    def at(self) -> dt.datetime:
        """When the form was first opened."""
        return dt.datetime.fromisoformat(self.opened_at)


@dataclass(frozen=True)
class Writing:
    """The answers so far. `sent` holds fields that came in when nobody was signed in any more."""

    opening: Opening | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sent: Mapping[str, list[str]] = field(default_factory=dict)
    saved_at: dt.datetime | None = None

    def with_answers(self, answers: Mapping[str, Any]) -> Writing:
        """The same with newer answers; those that the form did not ask stay."""
        return replace(self, answers={**self.answers, **answers}, sent={})


def opened(
    now: Shown,
    before: Opening | None,
    *,
    amends: str | None = None,
    second_look_of: str | None = None,
) -> Opening:
    """The opening of a form that shows `now`; a draft keeps its first moment and its number."""
    if before is None:
        before = Opening(moment().isoformat(), "", None, secrets.token_hex(16))
    return replace(
        before,
        payload_hash=now.payload_hash,
        last_review_id=now.last_review_id,
        amends=amends,
        second_look_of=second_look_of,
    )


def seal(flag_id: str, opening: Opening) -> str:
    """The opening as a form's hidden field; it holds for one flag and one reviewer."""
    return str(_serializer(flag_id).dumps(asdict(opening)))


def unseal(flag_id: str, text: str | None) -> Opening | None:
    """The opening of a form that was sent, or None when it is not one of ours."""
    try:
        return Opening(**_serializer(flag_id).loads(text or ""))
    except BadSignature:
        return None


def _serializer(flag_id: str) -> URLSafeSerializer:
    salt = f"{SEAL}|{flag_id}|{desk.user().name}"
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=salt)


def writing(flag_id: str) -> Writing:
    """The draft of who is signed in about a flag; an empty one when nothing was kept."""
    found = drafts.draft_of(desk.store(), flag_id, desk.user().name)
    if found is None:
        return Writing()
    kept = found.answers
    return Writing(
        opening=Opening(**kept["opening"]) if kept.get("opening") else None,
        answers=kept.get("answers") or {},
        problems=kept.get("problems") or {},
        sent=kept.get("sent") or {},
        saved_at=found.saved_at,
    )


def keep(flag_id: str, now: Writing) -> None:
    """Keep a draft in place of the earlier one."""
    drafts.save_draft(
        desk.store(),
        flag_id,
        desk.user().name,
        {
            "opening": asdict(now.opening) if now.opening else None,
            "answers": dict(now.answers),
            "problems": {name: dict(told) for name, told in now.problems.items()},
        },
    )
