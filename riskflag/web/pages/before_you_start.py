"""What this is and is not: once at first use, then once a year; the reading is recorded."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from riskflag.casework.notices import record_reading
from riskflag.web import desk, gate
from riskflag.web.gate import SIGNED_IN, needs

blueprint = Blueprint("before_you_start", __name__)


@blueprint.get("/before-you-start")
@needs(SIGNED_IN)
def page() -> ResponseReturnValue:
    """The notice, with one button to go on."""
    return render_template("before_you_start.html", next=gate.inside(request.args.get("next")))


@blueprint.post("/before-you-start")
@needs(SIGNED_IN)
def go_on() -> ResponseReturnValue:
    """Record the reading and go on to where the reader was going."""
    user = desk.user()
    record_reading(desk.store(), user.name, user.role)
    return redirect(gate.inside(request.form.get("next")), code=303)
