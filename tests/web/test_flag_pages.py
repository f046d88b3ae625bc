"""The flag, all records of its child and one record: what is there, what never is, and how fast."""

from __future__ import annotations

import json
import re

import pytest

from riskflag.casework import audit, data_problems
from riskflag.nightly.chronologies import flag_and_records
from riskflag.reports.links import Links
from riskflag.reports.lint import banned_words, visible_text
from tests.functional.test_pages_in_browser import violations
from tests.web.reviewing import errors, said
from tests.web.test_in_browser import sign_in

SECTIONS = (
    *("why", "new", "records", "patterns", "other-way"),
    *("not-seen", "voice", "often", "review", "about"),
)


@pytest.fixture(scope="module")
def flags(web_workspace) -> list[dict]:
    """The flags of the current publication."""
    publications = web_workspace.publications
    folder = publications / (publications / "CURRENT").read_text(encoding="utf-8").strip()
    return json.loads((folder / "flags.json").read_text())


@pytest.fixture
def reader(signed_in):
    """A caseworker's browser."""
    return signed_in("caseworker")


@pytest.fixture
def child(app, web_workspace, flags):
    """A flag whose child has many records, with all of them."""
    flag = max(flags, key=lambda one: len(one["contacts"]))
    return flag_and_records(web_workspace, app.extensions["riskflag_store"], flag["flag_id"])


def rows(html: str) -> list[str]:
    """The records of the table on a page (gaps are not records)."""
    body = re.search(r"<tbody.*?</tbody>", html, re.DOTALL)
    if body is None:
        return []
    return re.findall(r'<tr role="row"(?: class="in")?>.*?</tr>', body[0], re.DOTALL)


def test_every_section_of_a_flag_is_there_in_its_order(reader, flags):
    """Identity first, then the ten sections, for every flag of the night."""
    assert len(flags) > 3
    for flag in flags:
        html = reader.get(f"/flag/{flag['flag_id']}").text
        assert tuple(re.findall(r'<section id="([\w-]+)"', html)) == SECTIONS
        assert html.index("who-bar") < html.index('id="why"')
        assert banned_words("\n".join(visible_text(html))) == []


def test_no_number_of_the_model_is_on_the_page(reader, flags):
    """No score, probability or contribution, in text or attributes; no percentage at all."""
    checked = 0
    for flag in flags:
        html = reader.get(f"/flag/{flag['flag_id']}").text
        model = flag["model"] or {}
        for name in ("raw", "base", "probability", "threshold"):
            if model.get(name):
                assert str(model[name]) not in html
                assert f"{model[name]:.2f}" not in re.sub(r'[xy12]+="[\d.]+%"', "", html)
                checked += 1
        # A rule's source may quote a published share; nothing else may look like one.
        told = re.sub(r'<p class="from">.*?</p>', "", html, flags=re.DOTALL)
        assert "%" not in "\n".join(visible_text(told))
    assert checked > 5


def test_each_pattern_leads_to_exactly_its_records(reader, flags):
    """One click: the list behind a pattern holds the contacts that it rests on and no others."""
    followed = 0
    for flag in flags[:12]:
        page = reader.get(f"/flag/{flag['flag_id']}").text
        for reason in flag["reasons"]:
            if not reason["contact_keys"]:
                continue
            address = Links(flag["flag_id"]).behind(reason["reason_id"])
            assert f'href="{address}"' in page
            listed = re.findall(r"/record/([0-9a-f]+)", reader.get(address).text)
            assert set(listed) == set(reason["contact_keys"])
            followed += 1
    assert followed > 10


def test_records_run_newest_or_oldest_first_and_keep_their_numbers(reader, child):
    """The number of a record is the same in both orders, so that a reference always holds."""
    flag, _ = child
    address = f"/flag/{flag['flag_id']}"
    newest, oldest = reader.get(address).text, reader.get(f"{address}?order=oldest").text

    def numbered(html: str) -> list[str]:
        return re.findall(r'<tr[^>]* id="r(\d+)"', html)

    assert numbered(newest) == numbered(oldest)[::-1]
    assert numbered(newest)[0] == "1"
    assert "Oldest first" in newest
    assert "Newest first" in oldest


def test_all_records_are_there_not_only_those_of_the_flag(reader, child):
    """Older ones too, page by page; each record once."""
    flag, contacts = child
    found: list[str] = []
    for page in range(1, 20):
        html = reader.get(f"/flag/{flag['flag_id']}/records?whose=all&page={page}").text
        found += re.findall(r"/record/([0-9a-f]+)", html)
        if 'rel="next"' not in html:
            break
    assert len(found) == len(set(found)) == len(contacts) > len(flag["contacts"])


@pytest.mark.parametrize("field", ["agency", "type"])
def test_a_filter_shows_what_fits_and_nothing_else(reader, child, field):
    """By agency and by kind; the number told is the number shown."""
    flag, contacts = child
    for value in sorted({contact[field] for contact in contacts}):
        address = f"/flag/{flag['flag_id']}/records?whose=all&{field}={value}"
        wanted = [c for c in contacts if c[field] == value]
        html = reader.get(address).text
        assert f"{len(wanted)} of {len(contacts)} records" in html
        assert len(rows(html)) == min(len(wanted), 100)


def test_a_period_has_both_its_days_and_a_wrong_day_is_told(reader, child):
    """Days are taken as written; what is no day is said to be none and left out."""
    flag, contacts = child
    days = sorted(contact["occurred_on"] for contact in contacts)
    first, last = days[len(days) // 4], days[len(days) // 2]
    address = f"/flag/{flag['flag_id']}/records?whose=all"
    html = reader.get(f"{address}&since={first}&until={last}").text
    wanted = sum(first <= day <= last for day in days)
    assert f"{wanted} of {len(contacts)} records" in html
    wrong = reader.get(f"{address}&since=27/03/2026&until=2026-02-30").text
    assert [anchor for anchor, _ in errors(wrong)] == ["since", "until"]
    assert "year-month-day" in wrong
    assert "<title>Error: " in wrong


def test_other_people_are_told_by_their_relation_only(reader, child, web_workspace):
    """Unasked, only what a pattern rests on; asked, never an id, a line or a place of theirs."""
    flag, contacts = child
    linked = [contact for contact in contacts if contact["link"] != "self"]
    assert linked, "the demo's largest flag has no linked record, so this would test nothing"
    unasked = reader.get(f"/flag/{flag['flag_id']}/records").text
    shown = set(re.findall(r"/record/([0-9a-f]+)", unasked))
    assert not {c["contact_key"] for c in linked if not c["in_pattern"]} & shown
    html = reader.get(f"/flag/{flag['flag_id']}/records?whose=linked").text
    assert "About a brother or sister" in html
    for contact in linked[:60]:
        one = reader.get(f"/flag/{flag['flag_id']}/record/{contact['contact_key']}").text
        assert contact["record_id"] not in one
        assert "are held back" in said(one)
        assert f"{contact['file']}, line" not in one
    for other in re.findall(r"\bC\d{6}\b", said(html) + said(unasked)):
        assert other == flag["person_id"]


def test_the_text_to_copy_has_a_line_for_every_chosen_record(reader, child):
    """All pages of it, in the order chosen, under two lines that say what it is."""
    flag, contacts = child
    own = [contact for contact in contacts if contact["link"] == "self"]
    html = reader.get(f"/flag/{flag['flag_id']}/records?whose=child&order=oldest").text
    text = re.search(r"<textarea.*?>(.*?)</textarea>", html, re.DOTALL)[1]
    head, lines = text.strip().split("\n\n", 1)
    assert flag["flag_id"] in head
    assert len(lines.split("\n")) == len(own)
    assert flag["child"]["display"] in head


def test_one_record_says_what_it_means_where_it_is_from_and_what_it_said_before(reader, child):
    """Every kind of record of the child: its definition, its file, its wordings with days."""
    flag, contacts = child
    kinds = {contact["type"]: contact for contact in contacts if contact["link"] == "self"}
    assert len(kinds) > 5
    for contact in kinds.values():
        one = reader.get(f"/flag/{flag['flag_id']}/record/{contact['contact_key']}").text
        text = said(one.replace("<wbr>", ""))
        assert contact["file"] in text
        assert contact["record_id"] in text
        assert "What this kind of record means" in text
        assert "Ask its data steward" not in text
        assert text.count("First wording") == 1


def test_a_record_of_another_child_is_not_found(reader, flags, app, web_workspace):
    """A flag opens the records of its own child and nobody else's."""
    store = app.extensions["riskflag_store"]
    first, second = (flag_and_records(web_workspace, store, f["flag_id"]) for f in flags[:2])
    mine = {contact["contact_key"] for contact in first[1]}
    other = next(c["contact_key"] for c in second[1] if c["contact_key"] not in mine)
    assert reader.get(f"/flag/{flags[0]['flag_id']}/record/{other}").status_code == 404
    assert reader.get(f"/flag/{flags[0]['flag_id']}/record/nothing").status_code == 404
    assert reader.get("/flag/F-2000-000001/records").status_code == 404


def test_each_look_is_in_the_chain_before_the_page(reader, app, child):
    """Law 10: the flag, its records and one record are looks of their own."""
    flag, contacts = child
    store = app.extensions["riskflag_store"]
    key = contacts[0]["contact_key"]
    for path, action in (
        ("", "read_flag"),
        ("/records", "read_records"),
        (f"/record/{key}", "read_record"),
    ):
        with store.reading() as session:
            before = audit.head(session).seq
        assert reader.get(f"/flag/{flag['flag_id']}{path}").status_code == 200
        with store.reading() as session:
            assert audit.head(session).seq == before + 1
            assert audit.first_bad(session) is None
            newest = session.connection().exec_driver_sql(
                "SELECT action FROM audit ORDER BY seq DESC LIMIT 1"
            )
            assert newest.scalar() == action


def test_a_correction_reaches_the_steward_and_the_answer_comes_back(reader, signed_in, app, child):
    """Asked twice it is one request; the answer stands on the record's page; nothing is altered."""
    flag, contacts = child
    path = f"/flag/{flag['flag_id']}/record/{contacts[-1]['contact_key']}"
    empty = reader.post(path, {"note": "late"}, page=path)
    assert empty.status_code == 422
    assert [anchor for anchor, _ in errors(empty.text)] == ["problem", "note"]
    sent = {"problem": "wrong_date", "note": "The visit was on the day after."}
    for _ in range(2):
        answer = reader.post(path, sent, page=path)
        assert answer.status_code == 303
    assert "with the data steward" in reader.get(answer.headers["Location"]).text
    store = app.extensions["riskflag_store"]
    (request,) = data_problems.problems_about(store, flag["flag_id"], contacts[-1]["contact_key"])
    assert request in data_problems.open_problems(store)
    steward = signed_in("steward")
    told = f"/data-problems/{request.problem_id}"
    assert "The visit was on the day after." in steward.get(told).text
    assert contacts[-1]["file"] in steward.get(told).text
    sent = {"state": "corrected", "note": "The agency sends it again."}
    assert steward.post(told, sent, page=told).status_code == 303
    assert "The agency sends it again." in reader.get(path).text
    assert not data_problems.problems_about(store, flag["flag_id"], contacts[0]["contact_key"])


@pytest.fixture(scope="module")
def small_child(app, web_workspace, flags):
    """A flag whose child has few records, another person's and a changed one among them."""
    store = app.extensions["riskflag_store"]
    for flag in sorted(flags, key=lambda one: len(one["contacts"])):
        _, contacts = flag_and_records(web_workspace, store, flag["flag_id"])
        if any(contact["link"] != "self" for contact in contacts):
            return flag, contacts
    pytest.fail("no flag of the demo has a linked record")


@pytest.mark.parametrize("width", [1280, 320])
def test_a_record_and_a_filtered_list_are_accessible(running, live_server, small_child, width):
    """Axe finds nothing; nothing is wider than the window; the correction's errors too."""
    flag, contacts = small_child
    changed = max(contacts, key=lambda contact: len(contact["versions"]))
    linked = next(contact for contact in contacts if contact["link"] != "self")
    context = running.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    sign_in(page, live_server, "caseworker")
    base = f"{live_server}/flag/{flag['flag_id']}"
    for path in (
        f"/record/{linked['contact_key']}",
        "/records?order=oldest&whose=linked&since=nonsense",
    ):
        page.goto(base + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{base}/record/{changed['contact_key']}")
    page.get_by_role("button", name="Ask for a correction").click()
    assert violations(page) == []
    context.close()


def test_about_this_flag_is_closed_on_screen_and_open_on_paper(running, live_server, child):
    """Versions are for who looks for them; a print holds them, and no navigation."""
    flag, _ = child
    context = running.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    sign_in(page, live_server, "caseworker")
    page.goto(f"{live_server}/flag/{flag['flag_id']}")
    shown = "document.querySelector('.about').checkVisibility()"
    assert not page.evaluate(shown)
    page.emulate_media(media="print")
    assert page.evaluate(shown)
    assert page.evaluate("document.querySelector('.toc').offsetHeight") == 0
    context.close()
