"""Signing in and out. The development sign-in lets anybody at this machine choose a user."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from riskflag.casework.users import User, load_users
from riskflag.web import desk, gate, layout
from riskflag.web.gate import OPEN, needs

blueprint = Blueprint("sign_in", __name__)

#: Roles as people call them.
ROLE_NAMES = {
    "caseworker": "caseworker",
    "senior": "senior practitioner",
    "manager": "manager",
    "steward": "data steward",
    "analyst": "analyst",
    "governance": "governance lead",
    "owner": "responsible owner",
}


@blueprint.get("/sign-in")
@needs(OPEN)
def sign_in() -> ResponseReturnValue:
    """Choose who you are; who is signed in already goes on."""
    if gate.sitting() is not None:
        return redirect(layout.first_page(), code=303)
    return _form(request.args.get("next"))


@blueprint.post("/sign-in")
@needs(OPEN)
def choose() -> ResponseReturnValue:
    """Sign in as the chosen user, when this way of signing in is switched on."""
    if not current_app.config["DEVELOPMENT_SIGN_IN"]:
        return _form(None), 403
    chosen = {one.name: one for one in _users()}.get(request.form.get("user", ""))
    if chosen is None:
        return _form(request.form.get("next"), mistake="Choose who you are"), 400
    gate.begin(chosen)
    return redirect(gate.inside(request.form.get("next")), code=303)


@blueprint.post("/sign-out")
@needs(OPEN)
def sign_out() -> ResponseReturnValue:
    """End the sitting here and on the server."""
    gate.end()
    return redirect("/sign-in", code=303)


def _users() -> tuple[User, ...]:
    return load_users(desk.workspace())


def _form(back: str | None, mistake: str = "") -> str:
    switched_on = current_app.config["DEVELOPMENT_SIGN_IN"]
    people = [
        {
            "value": one.name,
            "text": one.name,
            "hint": {"text": f"{ROLE_NAMES[one.role]}, {one.team}"},
        }
        for one in (_users() if switched_on else ())
    ]
    return render_template(
        "sign_in.html", people=people, next=back or "", mistake=mistake, switched_on=switched_on
    )
