"""The report of contributions in the app: for analysts and governance, never for casework."""

from __future__ import annotations

import json
import re

import pytest
import sqlalchemy as sa

from riskflag.casework.tables import Audit
from tests.functional.test_pages_in_browser import violations


@pytest.fixture(scope="module")
def scored(web_workspace) -> list[dict]:
    """The flags that a model scored."""
    publications = web_workspace.publications
    folder = publications / (publications / "CURRENT").read_text(encoding="utf-8").strip()
    flags = json.loads((folder / "flags.json").read_text(encoding="utf-8"))
    found = [flag for flag in flags if flag["model"] and flag["stability"]]
    assert found, "no flag was raised by the model"
    return found


def actions(app) -> list[str]:
    with app.extensions["riskflag_store"].reading() as session:
        return list(session.scalars(sa.select(Audit.action).order_by(Audit.seq)))


@pytest.mark.parametrize("role", ["analyst", "governance"])
def test_analysts_and_governance_read_it_and_the_look_is_recorded(app, signed_in, scored, role):
    """Every contribution with its range, how steady it is, and no name of a child."""
    flag = scored[0]
    reader = signed_in(role)
    before = len(actions(app))
    answer = reader.get(f"/flag/{flag['flag_id']}/report")
    assert answer.status_code == 200
    assert actions(app)[before:] == ["read_report"]
    assert "Adds up:" in answer.text
    assert f"{len(flag['model']['contributions'])} signals" in answer.text
    assert flag["person_id"] not in answer.text
    told = flag["stability"]
    assert f"in {told['same_main_theme']} of {told['refits']} refits" in answer.text
    assert "Each feed hidden in turn" in answer.text


def test_what_the_model_did_not_see_is_told_in_words(signed_in, scored):
    """An agency that sends nothing has no feed to name: no name of the code stands in its place."""
    flag = next(one for one in scored if any(not feed["source"] for feed in one["not_seen"]))
    html = signed_in("analyst").get(f"/flag/{flag['flag_id']}/report").text
    told = re.search(r"What the model did not see</h2>(.*?)</section>", html, re.DOTALL)[1]
    assert ": sends no data</li>" in told
    assert not re.search(r"\b(None|NEVER)\b", told)


@pytest.mark.parametrize("role", ["caseworker", "senior", "manager", "steward", "owner"])
def test_casework_and_others_do_not(signed_in, scored, role):
    """403: raw scores are not for deciding about a child."""
    assert signed_in(role).get(f"/flag/{scored[0]['flag_id']}/report").status_code == 403


def test_every_signal_has_the_range_of_the_training_cohort(signed_in, scored, web_workspace):
    """As the bundle holds it for the child's age: what one, five and nine in ten lay below."""
    flag = scored[0]
    html = signed_in("analyst").get(f"/flag/{flag['flag_id']}/report").text
    folder = web_workspace.bundles / flag["model"]["bundle"]
    reference = json.loads((folder / "reference.json").read_text())["signals"]
    age, checked = flag["child"]["age_years"], 0
    for name, bands in reference.items():
        band = next((b for b in bands if b["from_age"] <= age < b["to_age"]), None)
        if band is None:
            continue
        row = re.search(rf"<code>{name}</code>.*?</tr>", html, re.DOTALL)[0]
        cells = re.findall(r'<td class="num">([^<]+)', row)
        for place, key in ((1, "p10"), (2, "p50"), (3, "p90")):
            assert float(cells[place].replace(",", "")) == round(band[key], 2), (name, key)
        checked += 1
    assert checked > 50


def test_without_a_model_the_page_says_so(signed_in, scored, monkeypatch):
    """A flag of rules alone has no report; one sentence, not an error."""
    bare = {**scored[0], "model": None, "stability": None}
    monkeypatch.setattr("riskflag.web.pages.report.published_flag", lambda *_: bare)
    answer = signed_in("analyst").get(f"/flag/{bare['flag_id']}/report")
    assert answer.status_code == 200
    assert "No model scored this child" in answer.text


def test_in_a_browser_nothing_is_broken(running, live_server, scored):
    """axe-core finds nothing at 1280 and 320 pixels, and the page is no wider than the window."""
    for width in (1280, 320):
        context = running.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.goto(f"{live_server}/sign-in?next=/flag/{scored[0]['flag_id']}/report")
        page.get_by_label("analyst 1", exact=True).check()
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("text=From base to raw score")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()
