"""Who may open which page: every page declares it, and a page that does not is shut.

The declaration is an attribute of the view function, so that a test can walk the route table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from riskflag.casework.permissions import may
from riskflag.casework.store import Store
from riskflag.casework.users import User
from riskflag.web.sessions import Reader, Sessions

View = TypeVar("View", bound=Callable[..., Any])

NEEDS = "riskflag_needs"
#: For everybody, signed in or not.
OPEN = "open"
#: For every role, once signed in.
SIGNED_IN = "signed_in"
#: The page that stands before all others until it has been read.
NOTICE = "before_you_start"
#: The fields that are not a person's words.
NOT_WORDS = frozenset({"csrf_token"})


def needs(action: str) -> Callable[[View], View]:
    """Declare that a page is for roles that may do `action`; put it nearest to the function."""

    def declare(view: View) -> View:
        setattr(view, NEEDS, action)
        return view

    return declare


def declared(app: Flask, endpoint: str) -> str | None:
    """What an endpoint needs, or None when it does not say."""
    if endpoint == "static":
        return OPEN
    return getattr(app.view_functions.get(endpoint), NEEDS, None)


def register(app: Flask) -> None:
    """Put the gate before every page of the app."""
    app.before_request(_check)


def sitting() -> Reader | None:
    """The sitting of this request's cookie, looked up once."""
    if "sitting" not in g:
        sessions: Sessions = current_app.extensions["riskflag_sessions"]
        g.sitting = sessions.find(session.get("token", ""))
    found: Reader | None = g.sitting
    return found


def begin(user: User) -> None:
    """Sign a person in with a new token, whatever the browser held before."""
    sessions: Sessions = current_app.extensions["riskflag_sessions"]
    sessions.end(session.get("token", ""))
    session.clear()
    session["token"] = sessions.begin(user)
    session["name"] = user.name
    g.pop("sitting", None)


def end() -> None:
    """Sign the person out, in the browser and on the server."""
    sessions: Sessions = current_app.extensions["riskflag_sessions"]
    sessions.end(session.get("token", ""))
    session.clear()
    g.pop("sitting", None)


def inside(address: str | None) -> str:
    """A path of this site to go on to; anything else becomes the first page."""
    parts = urlsplit(address or "")
    path = address or ""
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if ours and not parts.netloc and not parts.scheme else url_for("home")


def _check() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    needed = declared(current_app, request.endpoint)
    if needed == OPEN:
        return None
    now = sitting()
    if now is None:
        return _ask_to_sign_in()
    if now.notice_due and request.blueprint != NOTICE:
        return _interrupt(f"{NOTICE}.page")
    if needed is None or (needed != SIGNED_IN and not may(now.user.role, needed)):
        abort(403)
    return None


def _ask_to_sign_in() -> ResponseReturnValue:
    return _interrupt("sign_in.sign_in")


def _interrupt(endpoint: str) -> ResponseReturnValue:
    """Go to another page first and come back; what was being written is kept as a draft."""
    back = request.full_path.rstrip("?")
    if request.method == "POST":
        kept = _keep_draft()
        back = kept or url_for("home")
    return redirect(url_for(endpoint, next=back), code=303)


def _keep_draft() -> str | None:
    """Keep the answers sent for a flag under the name that the signed cookie holds.

    Returns the page that will show them again, or None when there was nothing to keep.
    """
    name, flag_id = session.get("name"), (request.view_args or {}).get("flag_id")
    if not name or not flag_id:
        return None
    from riskflag.casework.drafts import draft_of, save_draft

    store: Store = current_app.extensions["riskflag_store"]
    # Beside what was kept before, so that nothing typed earlier is overwritten unread.
    before = draft_of(store, str(flag_id), str(name))
    sent = {k: request.form.getlist(k) for k in request.form if k not in NOT_WORDS}
    kept = {**(before.answers if before else {}), "sent": sent}
    save_draft(store, str(flag_id), str(name), kept)
    return f"/flag/{flag_id}/review"
