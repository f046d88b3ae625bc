"""What every response carries and every form must show: headers, cookies, tokens, limits."""

from __future__ import annotations

import hashlib
import hmac

from flask import Flask, Response, request
from flask_talisman import Talisman
from flask_wtf import CSRFProtect

#: No inline script, no inline style, nothing from anywhere else.
CONTENT_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": ["'self'", "data:"],
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
PERMISSIONS = dict.fromkeys(
    ("camera", "microphone", "geolocation", "payment", "browsing-topics"), "()"
)
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
LARGEST_FORM = 256 * 1024
MOST_FIELDS = 500
ONE_YEAR = 31_536_000


def protect(app: Flask, key: bytes, *, plain_http: bool) -> None:
    """Put the safe base under an app. `plain_http` is for a loopback address alone."""
    app.config.update(
        SECRET_KEY=hmac.new(key, b"web cookie", hashlib.sha256).digest(),
        SESSION_COOKIE_NAME="riskflag" if plain_http else "__Host-riskflag",
        SESSION_COOKIE_SECURE=not plain_http,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        # A token lives as long as its session: reading and writing have no time limit of their own.
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=MOST_FIELDS,
    )
    if plain_http:
        # Another site's name that is made to point here must not reach the pages.
        app.config["TRUSTED_HOSTS"] = list(LOOPBACK)
    CSRFProtect(app)
    Talisman(
        app,
        force_https=not plain_http,
        strict_transport_security=not plain_http,
        strict_transport_security_max_age=ONE_YEAR,
        session_cookie_secure=not plain_http,
        content_security_policy=CONTENT_POLICY,
        permissions_policy=PERMISSIONS,
        frame_options="DENY",
        # A path holds a flag's number at most, and it never leaves this site.
        referrer_policy="same-origin",
        x_xss_protection=False,
    )
    app.after_request(_keep_nothing)


def _keep_nothing(response: Response) -> Response:
    """Pages are kept nowhere; files of this package, named with their digest, for a year."""
    kept = "v" in request.args or "6.3.0" in request.path
    if request.endpoint == "static" and kept and response.status_code == 200:
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable"
    else:
        response.headers["Cache-Control"] = "no-store"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
