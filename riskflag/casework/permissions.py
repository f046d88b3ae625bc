"""May this person do this? Which role may do what, in one table.

The names of roles and actions are kept in `users.toml`, in reviews and in the audit chain, so a
name is never given another meaning. What is not in the table may not be done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["caseworker", "senior", "manager", "steward", "analyst", "governance", "owner"]
Action = Literal[
    "read_flags",
    "review",
    "second_look",
    "data_problems",
    "team",
    "alert_health",
    "shap",
    "lookback",
    "pause",
]

ROLES: tuple[str, ...] = get_args(Role)
ACTIONS: tuple[str, ...] = get_args(Action)

#: What each role may do. Nobody needs an entry here to read how riskflag works.
ALLOWED: Mapping[str, frozenset[str]] = {
    "caseworker": frozenset({"read_flags", "review"}),
    "senior": frozenset({"read_flags", "review", "second_look"}),
    "manager": frozenset(
        {"read_flags", "review", "second_look", "team", "alert_health", "lookback"}
    ),
    "steward": frozenset({"data_problems"}),
    "analyst": frozenset({"alert_health", "shap"}),
    "governance": frozenset({"team", "alert_health", "shap", "lookback"}),
    "owner": frozenset({"team", "alert_health", "pause"}),
}


def may(role: str, action: str) -> bool:
    """Whether a role may do an action; an unknown role or action may not be."""
    return action in ALLOWED.get(role, frozenset())
