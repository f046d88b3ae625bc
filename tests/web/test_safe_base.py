"""The safe base: headers on every response, forms only from our own pages, nothing kept."""

from __future__ import annotations

import re

import pytest

from riskflag.errors import InputError, StorageError
from tests.web.conftest import ROLES
from tests.web.route_table import ROUTES
from tests.web.test_routes import filled

WANTED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def faults(answer) -> list[str]:
    """What is missing of the headers that every response must carry."""
    found = [name for name, value in WANTED.items() if answer.headers.get(name) != value]
    policy = dict(
        part.strip().split(" ", 1)
        for part in answer.headers.get("Content-Security-Policy", "x y").split(";")
    )
    found += [name for name, value in POLICY.items() if policy.get(name) != value]
    kept = answer.headers.get("Cache-Control", "")
    ours = answer.request.path.startswith("/static/") and answer.status_code == 200
    if kept != "no-store" and not (ours and "immutable" in kept):
        found.append("Cache-Control")
    if "Server" in answer.headers and "waitress" in answer.headers["Server"].lower():
        found.append("Server")
    return found


def test_every_answer_carries_the_headers(signed_in, client, flag_ids):
    """Every page, static file, redirect, refusal and error, signed in or not."""
    for desk in (signed_in("manager"), signed_in("steward"), client):
        for (address, verb), _ in ROUTES.items():
            path = filled(address, flag_ids[0])
            answer = desk.client.open(path, method=verb, buffered=True)
            assert faults(answer) == [], f"{verb} {path}"
        for path in ("/nothing", "/flag/F-0000-000000", "/static/nothing.css"):
            assert faults(desk.get(path)) == [], path
        assert faults(desk.client.delete("/help")) == []
        assert faults(desk.client.post("/sign-in", data={"x": "y" * 300_000})) == []


def test_a_header_that_is_missing_is_found(client):
    """Negative control: each header taken away is noticed."""
    for name in [*WANTED, "Content-Security-Policy", "Cache-Control"]:
        answer = client.get("/help")
        assert faults(answer) == []
        del answer.headers[name]
        assert faults(answer), name


def test_the_cookie_is_for_this_site_and_not_for_scripts(client):
    """HttpOnly and SameSite on the one cookie; over https it is Secure and bound to the host."""
    cookie = client.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age" not in cookie, "the browser forgets it when it is closed"


def test_without_plain_http_the_cookie_is_secure_and_https_is_asked_for(web_workspace):
    """The app as it is when the development sign-in is off: nobody signs in, nothing over http."""
    from riskflag.web.app import create_app

    app = create_app(web_workspace, development_sign_in=False)
    try:
        browser = app.test_client()
        assert browser.get("/help").headers["Location"].startswith("https://")
        answer = browser.get("/sign-in", base_url="https://localhost")
        assert "No way to sign in is set up" in answer.text
        assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
        assert app.config["SESSION_COOKIE_NAME"].startswith("__Host-")
        assert app.config["SESSION_COOKIE_SECURE"] is True
    finally:
        app.extensions["riskflag_store"].close()


def rows(app) -> dict[str, int]:
    """How many rows each table of the store has, but for the audit chain: looks are added there."""
    import sqlalchemy as sa

    from riskflag.casework.tables import Base

    with app.extensions["riskflag_store"].reading() as session:
        return {
            name: session.scalar(sa.select(sa.func.count()).select_from(table))
            for name, table in Base.metadata.tables.items()
            if name != "audit"
        }


@pytest.mark.parametrize("sent", [{}, {"csrf_token": "made up"}])
@pytest.mark.parametrize("role", ROLES)
def test_a_form_without_its_token_changes_nothing_anywhere(signed_in, app, flag_ids, role, sent):
    """Every address that changes something, without and with a wrong token: refused.

    The pages of a review show the answers again, so that nothing typed is lost.
    """
    desk, before = signed_in(role), rows(app)
    addresses = [address for (address, verb) in ROUTES if verb == "POST"]
    assert len(addresses) >= 2
    for address in addresses:
        answer = desk.client.post(filled(address, flag_ids[0]), data=sent)
        if "/review" in address:
            assert answer.status_code in {303, 400, 403}, address
        else:
            assert answer.status_code == 400, address
            assert "may not have come from this site" in answer.text
    assert rows(app) == before
    assert desk.sitting() is not None, "a forged sign-out was taken"


def test_reading_changes_nothing_but_the_record_of_the_look(signed_in, app, flag_ids):
    """GET on every address, by every role: no row of any other table is added."""
    for role in ROLES:
        desk, before = signed_in(role), rows(app)
        for address, verb in ROUTES:
            if verb == "GET":
                desk.get(filled(address, flag_ids[0]))
        assert rows(app) == before, role


def test_a_change_by_a_form_with_its_token_is_seen(signed_in, app, flag_ids):
    """Negative control of the two tests above: a draft sent with its token is a row more."""
    from riskflag.casework.drafts import save_draft

    before = rows(app)
    save_draft(app.extensions["riskflag_store"], flag_ids[-1], "duty worker 2", {"why": "x"})
    assert rows(app) != before


def test_another_sites_name_for_this_machine_is_refused(client):
    """A page of another site whose name points here reads nothing (DNS rebinding)."""
    answer = client.get("/help", base_url="http://elsewhere.example:8080")
    assert answer.status_code == 400
    assert "Help" not in re.sub("<[^>]+>", "", answer.text)


def test_a_defect_tells_nothing_but_a_reference(signed_in, app, monkeypatch, caplog):
    """The text of an error may hold a value from the data: neither page nor log prints it."""

    def broken():
        raise ValueError("Secret Name")

    monkeypatch.setitem(app.view_functions, "about.help_page", needs_open(broken))
    answer = signed_in("caseworker").get("/help")
    assert answer.status_code == 500
    assert "Secret Name" not in answer.text + caplog.text
    reference = re.search(r"<strong>(\w{8})</strong>", answer.text)[1]
    assert reference in caplog.text
    assert "ValueError at test_safe_base.py" in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (InputError("There is no flag with this number."), 404, "There is no flag"),
        (StorageError("The disk in a secret place refused."), 503, "cannot be read just now"),
    ],
)
def test_our_own_errors_become_pages(signed_in, app, monkeypatch, error, status, told):
    """A sentence made for the reader is shown; one about disks and files is for the log alone."""

    def broken():
        raise error

    monkeypatch.setitem(app.view_functions, "about.help_page", needs_open(broken))
    answer = signed_in("caseworker").get("/help")
    assert answer.status_code == status
    assert told in answer.text
    assert "secret place" not in answer.text


def needs_open(view):
    from riskflag.web.gate import OPEN, needs

    return needs(OPEN)(view)
