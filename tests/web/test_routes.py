"""Who may open what: every address of the app against every role, and against nobody."""

from __future__ import annotations

import pytest
from flask import Flask

from riskflag.web.gate import OPEN, declared, needs, register
from tests.web.conftest import ROLES
from tests.web.route_table import EVERYBODY, MAY, ROUTES, allowed

VERBS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def routes_of(app: Flask) -> dict[tuple[str, str], str | None]:
    """Address and method of every page of an app, with what it says it needs."""
    return {
        (rule.rule, verb): declared(app, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for verb in rule.methods & VERBS
    }


def filled(address: str, flag_id: str) -> str:
    """An address with a real flag in it; other parts are filled with something harmless."""
    for part, value in {
        "<flag_id>": flag_id,
        "<contact_ref>": "1",
        "<names>": "style",
        "<path:filename>": "web.css",
        "<int:problem_id>": "1",
    }.items():
        address = address.replace(part, value)
    assert "<" not in address, f"say in filled() what stands for the part in {address}"
    return address


def test_every_address_of_the_app_is_in_the_table(app):
    """A page that nobody thought about is found, and so is one that is gone."""
    assert routes_of(app) == ROUTES


def test_a_page_that_declares_nothing_is_found_and_shut(client):
    """Negative control: a planted page without a declaration differs from the table and is 403."""
    planted = Flask("planted")
    planted.secret_key = "x"
    planted.add_url_rule("/open", "open", needs(OPEN)(lambda: "open"))
    planted.add_url_rule("/planted", "planted", lambda: "secret")
    register(planted)
    assert routes_of(planted)["/planted", "GET"] is None
    assert routes_of(planted)["/open", "GET"] == EVERYBODY
    planted.extensions["riskflag_sessions"] = client.client.application.extensions[
        "riskflag_sessions"
    ]
    client.sign_in("manager")
    with client.client.session_transaction() as session:
        token = session["token"]
    browser = planted.test_client()
    with browser.session_transaction() as session:
        session["token"] = token
    assert browser.get("/open").text == "open"
    assert browser.get("/planted").status_code == 403


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_its_work_needs_and_nothing_else(signed_in, flag_ids, role):
    """For each address that shows something: shown, or 403 in plain words."""
    desk = signed_in(role)
    checked = 0
    for (address, verb), needed in ROUTES.items():
        if verb != "GET":
            continue
        answer = desk.get(filled(address, flag_ids[0]))
        if allowed(role, needed):
            assert answer.status_code in {200, 303, 404, 409}, f"{role} {address}"
        else:
            assert answer.status_code == 403, f"{role} {address}"
            assert "Your role does not include it" in answer.text
        checked += 1
    assert checked >= 7


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sends_only_the_forms_of_its_work(signed_in, flag_ids, role):
    """With a right token, every form that the role has no business with is refused."""
    desk = signed_in(role)
    for (address, verb), needed in ROUTES.items():
        if verb == "POST" and not allowed(role, needed):
            answer = desk.post(filled(address, flag_ids[0]))
            assert answer.status_code == 403, f"{role} {address}"


def test_nobody_gets_anything_without_signing_in(client, flag_ids):
    """Every page that is not for everybody leads to the sign-in page, and back afterwards."""
    client.get("/sign-in")
    for (address, verb), needed in ROUTES.items():
        if verb == "GET" and needed != EVERYBODY:
            answer = client.get(filled(address, flag_ids[0]))
            assert answer.status_code == 303, address
            assert answer.headers["Location"].startswith("/sign-in?next=")


def test_each_role_starts_at_a_page_it_may_open(signed_in):
    """Nobody is sent to a page that refuses them."""
    for role in ROLES:
        desk = signed_in(role)
        first = desk.get("/").headers["Location"]
        assert desk.get(first).status_code == 200, role


def test_the_table_of_roles_is_the_one_in_use():
    """What the code allows is what this table, written apart from it, allows."""
    from riskflag.casework.permissions import ALLOWED

    assert {role: set(actions) for role, actions in ALLOWED.items()} == MAY
