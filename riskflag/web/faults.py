"""What a person sees when something is not there, not allowed or not working: plain words only."""

from __future__ import annotations

import logging
import secrets
import traceback
from pathlib import Path

from flask import Flask, render_template
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from riskflag.errors import ConflictError, InputError, RiskflagError, StorageError

LOG = logging.getLogger("riskflag.web")

#: What each status means to a person: heading, and what to do next.
SAID = {
    400: ("The page could not be read", "Go back, load the page again and repeat the step."),
    403: (
        "You cannot open this page",
        "Your role does not include it. Ask your manager if you need it for your work.",
    ),
    404: (
        "There is nothing here",
        "The address may be mistyped, or the flag may have been reviewed. Start from My reviews.",
    ),
    405: ("The page could not be read", "Go back, load the page again and repeat the step."),
    409: (
        "Somebody else was here first",
        "Go back to the flag and read what is new before you save again.",
    ),
    413: ("That was too long", "Shorten the text and save again."),
    500: (
        "Something went wrong here",
        "It is not your doing. Nothing was half-saved. Try again in a minute.",
    ),
    503: ("The records cannot be read just now", "Nothing was saved. Try again in a minute."),
}


def register(app: Flask) -> None:
    """Give the app its error pages."""
    app.register_error_handler(CSRFError, _untrusted)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(RiskflagError, _told)
    app.register_error_handler(Exception, _defect)


def page(status: int, told: str = "", reference: str = "") -> ResponseReturnValue:
    """The error page of a status; `told` is one of our own sentences, never a library's."""
    if request_ctx.url_adapter is None:
        # Asked for under a name that is not ours: no page of ours, only the refusal.
        return "This address is not served here.\n", 400, {"Content-Type": "text/plain"}
    heading, advice = SAID.get(status, SAID[500 if status >= 500 else 400])
    html = render_template(
        "fault.html", heading=heading, advice=advice, told=told, reference=reference
    )
    return html, status


def _untrusted(error: CSRFError) -> ResponseReturnValue:
    return page(
        400, "The form was not taken, because it may not have come from this site's own page."
    )


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is not None and 300 <= error.code < 400:
        return error.get_response()
    return page(error.code or 500)


def _told(error: RiskflagError) -> ResponseReturnValue:
    """An error with a sentence of its own; the ones about files and disks are for the log alone."""
    if isinstance(error, ConflictError):
        return page(409, str(error))
    if isinstance(error, InputError):
        return page(404, str(error))
    reference = secrets.token_hex(4)
    LOG.error("%s: %s", reference, error)
    return page(503 if isinstance(error, StorageError) else 500, reference=reference)


def _defect(error: Exception) -> ResponseReturnValue:
    """A defect is told by its place and never by its text, which may hold a value from the data."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    reference = secrets.token_hex(4)
    LOG.error(
        "%s: %s at %s line %s",
        reference,
        type(error).__name__,
        Path(frame.filename).name,
        frame.lineno,
    )
    return page(500, reference=reference)
