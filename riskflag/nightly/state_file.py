"""What a night took from the store, as a file of its publication, so that it can be repeated."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from riskflag.casework.policies import ClosedFlag
from riskflag.casework.publishing import OpenFlag, PublicationRecord, State
from riskflag.casework.worked import Worked


def to_json(state: State) -> dict[str, Any]:
    """The state as plain JSON."""
    plain: dict[str, Any] = _plain(asdict(state))
    return plain


def from_json(data: dict[str, Any]) -> State:
    """Read back what `to_json` gave."""
    previous = data["previous"]
    return State(
        previous=None if previous is None else PublicationRecord(**_dated(previous)),
        open_flags=tuple(_open_flag(flag) for flag in data["open_flags"]),
        closed_flags=tuple(
            ClosedFlag(**{**_dated(flag), "reason_ids": frozenset(flag["reason_ids"])})
            for flag in data["closed_flags"]
        ),
        last_serial=data["last_serial"],
        raised_by_model=data["raised_by_model"],
        worked=tuple(Worked(**_dated(one)) for one in data.get("worked", ())),
    )


def _open_flag(data: dict[str, Any]) -> OpenFlag:
    elsewhere = data.get("elsewhere")
    record = None if elsewhere is None else PublicationRecord(**_dated(elsewhere))
    return OpenFlag(**{**_dated(data), "elsewhere": record})


_DAYS = (
    *("as_of", "first_raised", "last_matched", "previous_as_of"),
    *("closed_on", "shown_as_of", "back_on", "first_day", "last_day"),
)


def _dated(data: dict[str, Any]) -> dict[str, Any]:
    return {
        name: dt.date.fromisoformat(value) if name in _DAYS and value is not None else value
        for name, value in data.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, dt.date) else value
