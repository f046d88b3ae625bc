"""Signing in and out, and the two time limits of a sitting."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from riskflag.casework import sittings
from riskflag.casework.tables import Sitting
from tests.web.conftest import USER_OF

SECOND = dt.timedelta(seconds=1)


def test_a_worker_signs_in_and_their_name_stands_on_every_page(client):
    """Choosing a user leads into the app, and the page says who is signed in."""
    client.sign_in("caseworker")
    assert USER_OF["caseworker"] in client.get("/help").text


def test_nobody_is_signed_in_without_choosing(client):
    """An empty choice is told in words, and no name that is not in users.toml is taken."""
    for user in ("", "somebody else"):
        answer = client.post("/sign-in", {"user": user}, page="/sign-in")
        assert answer.status_code == 400
        assert "Choose who you are" in answer.text


def test_signing_out_ends_the_sitting_on_the_server_too(app, client):
    """A copy of the cookie is worth nothing after signing out."""
    client.sign_in("caseworker")
    with client.client.session_transaction() as session:
        token = session["token"]
    assert app.extensions["riskflag_sessions"].find(token)
    client.post("/sign-out")
    assert app.extensions["riskflag_sessions"].find(token) is None


def test_signing_in_gives_a_new_token_each_time(signed_in):
    """Nobody can be handed a session that somebody else knows."""
    tokens = set()
    for _ in range(3):
        with signed_in("caseworker").client.session_transaction() as session:
            tokens.add(session["token"])
    assert len(tokens) == 3


def test_a_sitting_ends_when_idle_and_at_the_latest_after_a_working_day(app, monkeypatch):
    """Time is told by a clock of the test's own."""
    store, start = app.extensions["riskflag_store"], sittings.moment()
    now = [start]
    monkeypatch.setattr(sittings, "moment", lambda: now[0])
    idle = sittings.begin(store, "duty worker 1")
    now[0] += sittings.IDLE + SECOND
    assert sittings.find(store, idle) is None
    busy, began = sittings.begin(store, "duty worker 1"), now[0]
    while now[0] - began < sittings.LONGEST - 20 * 60 * SECOND:
        now[0] += 10 * 60 * SECOND
        assert sittings.find(store, busy) == "duty worker 1"
    now[0] += 20 * 60 * SECOND + SECOND
    assert sittings.find(store, busy) is None


def test_the_store_holds_no_token(app):
    """A copy of the store lets nobody in."""
    store = app.extensions["riskflag_store"]
    token = sittings.begin(store, "duty worker 1")
    with store.reading() as session:
        kept = session.scalars(sa.select(Sitting.token_hash)).all()
    assert kept
    assert token not in kept


def test_a_user_who_is_taken_out_or_given_another_role_is_so_at_once(app, web_workspace, signed_in):
    """users.toml is read again when it was written: no sign-out is needed."""
    path = web_workspace.root / "users.toml"
    before = path.read_text()
    desk = signed_in("steward")
    assert desk.get("/worklist").status_code == 403
    try:
        path.write_text(before.replace('role = "steward"', 'role = "caseworker"'))
        assert desk.get("/worklist").status_code == 200
        path.write_text(before.replace("data steward 1", "data steward 2"))
        assert desk.get("/worklist").headers["Location"].startswith("/sign-in")
    finally:
        path.write_text(before)


def test_going_on_after_signing_in_stays_on_this_site(client):
    """An address of another site is not followed; a page of this one is."""
    for bad in ("//elsewhere.example/x", "https://elsewhere.example", "/\\elsewhere.example", "x"):
        answer = client.post("/sign-in", {"user": USER_OF["senior"], "next": bad}, page="/sign-in")
        assert answer.headers["Location"] == "/"
        client.post("/sign-out")
    answer = client.post("/sign-in", {"user": USER_OF["senior"], "next": "/help"}, page="/sign-in")
    assert answer.headers["Location"] == "/help"


def test_the_first_page_of_a_new_user_says_what_this_is_and_is_not(app, client):
    """Every page waits until it has been read; the reading is recorded, and asked for once."""
    sign_in = {"user": "locality worker 1"}
    client.post("/sign-in", sign_in, page="/sign-in")
    answer = client.get("/worklist?page=2")
    assert answer.headers["Location"].startswith("/before-you-start?next=/worklist")
    notice = client.get(answer.headers["Location"])
    assert "What this is, and what it is not" in notice.text
    assert "has not been found safe" in notice.text
    answer = client.post("/before-you-start", {"next": "/help"}, page="/before-you-start")
    assert answer.headers["Location"] == "/help"
    client.post("/sign-out")
    client.post("/sign-in", sign_in, page="/sign-in")
    assert not client.sitting().notice_due


def test_the_notice_comes_again_after_a_year(app, client, monkeypatch):
    """Read a year and a day ago: to be read again."""
    from riskflag.casework import notices

    client.sign_in("senior")
    store, later = app.extensions["riskflag_store"], notices.moment() + notices.COUNTS_FOR
    assert not notices.notice_is_due(store, USER_OF["senior"])
    monkeypatch.setattr(notices, "moment", lambda: later + dt.timedelta(days=1))
    assert notices.notice_is_due(store, USER_OF["senior"])
