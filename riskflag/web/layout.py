"""What surrounds every page: who reads, where else to go, what is paused, where help is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request

from riskflag.casework import pause
from riskflag.casework.permissions import may
from riskflag.casework.store import Store
from riskflag.reports.review_words import instant
from riskflag.web import gate
from riskflag.workspace import Workspace


@dataclass(frozen=True)
class Place:
    """An entry of the navigation and the action a role needs to see it."""

    text: str
    path: str
    action: str


PLACES = (
    Place("My reviews", "/worklist", "read_flags"),
    Place("Second look", "/second-look", "second_look"),
    Place("Data problems", "/data-problems", "data_problems"),
    Place("Team", "/team", "team"),
    Place("Alert health", "/alert-health", "alert_health"),
    Place("Pause", "/pause", "pause"),
    Place("How this works", "/how-this-works", gate.SIGNED_IN),
)


def register(app: Flask) -> None:
    """Give every template the values of the layout."""
    app.context_processor(values)


def values() -> dict[str, Any]:
    """The layout's values for this request."""
    workspace: Workspace = current_app.extensions["riskflag_workspace"]
    now = gate.sitting()
    return {
        "authority": workspace.config.authority,
        "reader": now.user if now else None,
        "navigation": [
            {
                "text": place.text,
                "href": place.path,
                "active": request.path.startswith(place.path),
                "current": request.path == place.path,
            }
            for place in places()
        ],
        "made_up": current_app.config["DEVELOPMENT_SIGN_IN"],
        "stopped": stopped() if now else "",
    }


def stopped() -> str:
    """What every page says while riskflag is paused or withdrawn; empty while it runs."""
    store: Store = current_app.extensions["riskflag_store"]
    now = pause.state(store)
    if now.state == pause.RUNNING or now.at is None:
        return ""
    effect = "No new flags are raised." if now.state == pause.PAUSED else "No further nights run."
    return f"riskflag is {now.state} since {instant(now.at)}. {effect} The reason: {now.reason}"


def places() -> list[Place]:
    """The places of this reader's role that this app has."""
    now = gate.sitting()
    if now is None:
        return []
    role = now.user.role
    paths = {rule.rule for rule in current_app.url_map.iter_rules()}
    return [
        place
        for place in PLACES
        if place.path in paths and (place.action == gate.SIGNED_IN or may(role, place.action))
    ]


def first_page() -> str:
    """Where this reader starts."""
    found = places()
    return found[0].path if found else "/sign-in"
