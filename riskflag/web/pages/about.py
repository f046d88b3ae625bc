"""Help, privacy and accessibility: in the same place on every page, for everybody."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from riskflag.web.gate import OPEN, needs

blueprint = Blueprint("about", __name__)


@blueprint.get("/help")
@needs(OPEN)
def help_page() -> ResponseReturnValue:
    """Where to turn to, and how to do the usual things."""
    return render_template("help.html")


@blueprint.get("/privacy")
@needs(OPEN)
def privacy() -> ResponseReturnValue:
    """What is kept about readers and about children."""
    return render_template("privacy.html")


@blueprint.get("/accessibility")
@needs(OPEN)
def accessibility() -> ResponseReturnValue:
    """The accessibility statement."""
    return render_template("accessibility.html")
