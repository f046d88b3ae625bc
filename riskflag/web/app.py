"""The caseworker app: one file per page, each a blueprint of its own name."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from pathlib import Path

import govuk_frontend_jinja  # type: ignore[import-untyped]
from flask import Flask, Response, abort, redirect, url_for
from flask.typing import ResponseReturnValue
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader

from riskflag.casework.looks import LookBook
from riskflag.casework.store import open_store, taking_turns
from riskflag.nightly import published
from riskflag.reports import render
from riskflag.web import components, faults, gate, guard, layout
from riskflag.web.kept import Kept
from riskflag.web.line import Line
from riskflag.web.sessions import Sessions
from riskflag.workspace import Workspace

#: Each is riskflag/web/pages/NAME.py with `blueprint = Blueprint("NAME", __name__)`.
PAGES = (
    "sign_in",
    "before_you_start",
    "worklist",
    "flag",
    "records",
    "record",
    "about",
    "how_this_works",
    "lookback",
    "report",
    "first_thought",
    "review",
    "reviews",
    "alert_health",
    "team",
    "pause",
    "data_problems",
    "second_look",
)

HERE = Path(__file__).parent
GOVUK = Path(govuk_frontend_jinja.__file__).parent / "templates"


def create_app(workspace: Workspace, *, development_sign_in: bool) -> Flask:
    """The app over one workspace's store and publications.

    `development_sign_in` lets anybody at this machine choose one of the users of users.toml, over
    plain http on a loopback address; without it nobody can sign in. Raises ConfigError and
    IntegrityError when the store or users.toml are not as they should be.
    """
    app = Flask("riskflag.web", root_path=str(HERE))
    store = taking_turns(open_store(workspace, create=False), workspace.root / ".turns.lock")
    published.complete(workspace, store)
    app.extensions["riskflag_store"] = store
    app.extensions["riskflag_workspace"] = workspace
    app.extensions["riskflag_sessions"] = Sessions(workspace, store)
    app.extensions["riskflag_kept"] = Kept()
    app.extensions["riskflag_orders"] = published.Orders()
    app.extensions["riskflag_looks"] = LookBook(store)
    line = app.extensions["riskflag_line"] = Line(app.wsgi_app)
    app.wsgi_app = line  # type: ignore[assignment, method-assign]
    app.config["DEVELOPMENT_SIGN_IN"] = development_sign_in
    guard.protect(app, store.key, plain_http=development_sign_in)
    faults.register(app)
    gate.register(app)
    _templates(app)
    layout.register(app)
    app.add_url_rule("/", "home", _home)
    app.add_url_rule("/look/<names>.css", "look", _look)
    for name in PAGES:
        app.register_blueprint(import_module(f"riskflag.web.pages.{name}").blueprint)
    return app


def _templates(app: Flask) -> None:
    """The web's own templates, then the reports', then the macros of GOV.UK Frontend."""
    reports = FileSystemLoader(render.TEMPLATES)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.jinja_loader = ChoiceLoader(
        [
            FileSystemLoader(HERE / "templates"),
            PrefixLoader({"reports": reports, "govuk_frontend_jinja": FileSystemLoader(GOVUK)}),
            reports,  # a template of the reports finds its own parts
        ]
    )
    components.register(app.jinja_env)
    app.jinja_env.filters.update(render.filters())
    app.jinja_env.globals["style"] = render.style
    app.jinja_env.globals["static"] = _static


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]


def _static(name: str) -> str:
    """The address of a static file, with its digest so that a browser may keep it."""
    return url_for("static", filename=name, v=_digest(name))


@gate.needs(gate.OPEN)
def _home() -> ResponseReturnValue:
    """The first page: the worklist for those who read flags, how this works for the others."""
    return redirect(layout.first_page(), code=303)


@gate.needs(gate.OPEN)
def _look(names: str) -> ResponseReturnValue:
    """Style sheets of the reports under an address, since pages hold no inline style.

    `names` are joined by a plus: `/look/style+flag.css`.
    """
    chosen = names.split("+")
    known = {file.stem for file in render.TEMPLATES.glob("*.css")}
    if not set(chosen) <= known:
        abort(404)
    return Response(str(render.style(*chosen)), mimetype="text/css")
