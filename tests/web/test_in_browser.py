"""Every page of the app in a real browser: accessible, narrow, forced colours, no script."""

from __future__ import annotations

import contextlib
import json

import pytest

from tests.functional.test_pages_in_browser import violations
from tests.web.conftest import ROLES, USER_OF
from tests.web.route_table import ROUTES, allowed
from tests.web.test_routes import filled

#: Addresses that are no page of their own.
NO_PAGE = {"/", "/static/<path:filename>", "/look/<names>.css", "/sign-in"}
ADDRESSES = sorted(address for address, verb in ROUTES if verb == "GET" and address not in NO_PAGE)


def one_of_many(address: str):
    """The pages of one flag take long and have quick browser tests of their own."""
    marks = [pytest.mark.long] if "<flag_id>" in address else []
    return pytest.param(address, marks=marks)


def reader_of(address: str) -> str:
    """A role that may open an address."""
    return next(role for role in ROLES if allowed(role, ROUTES[address, "GET"]))


def sign_in(page, server: str, role: str) -> None:
    """Sign in as a person would, and read what this is when it is asked."""
    page.goto(f"{server}/sign-in")
    page.get_by_label(USER_OF[role], exact=True).check()
    page.get_by_role("button", name="Sign in").click()
    if "/before-you-start" in page.url:
        page.get_by_role("button", name="I have read this").click()


@pytest.fixture(scope="module")
def cookies(running, live_server):
    """The cookies of one signed-in browser for each role."""
    kept = {}
    for role in ROLES:
        context = running.new_context()
        sign_in(context.new_page(), live_server, role)
        kept[role] = context.cookies()
        context.close()
    return kept


@pytest.fixture
def page_of(running, live_server, cookies, flag_ids):
    """`page_of(address, width=...)`: the page of an address, opened by a role that may see it."""

    @contextlib.contextmanager
    def opened(address: str, *, width: int = 1280, **more):
        context = running.new_context(viewport={"width": width, "height": 900}, **more)
        context.add_cookies(cookies[reader_of(address)])
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("requestfailed", lambda request: page.said.append(f"failed: {request.url}"))
        page.on(
            "request", lambda request: page.said.append(request.url.split("//")[1].split("/")[0])
        )
        try:
            answer = page.goto(live_server + filled(address, flag_ids[0]))
            if answer.status == 404:  # nothing of that number yet: the page that says so
                page.said = [said for said in page.said if "status of 404" not in said]
            yield page
        finally:
            context.close()

    return opened


def test_there_are_pages_to_look_at():
    """The tests below would pass on nothing otherwise."""
    assert len(ADDRESSES) >= 5


@pytest.fixture(scope="module")
def people(web_workspace) -> list[str]:
    """The ids and the displayed initials of all flagged children."""
    publications = web_workspace.publications
    folder = publications / (publications / "CURRENT").read_text(encoding="utf-8").strip()
    flags = json.loads((folder / "flags.json").read_text())
    assert flags
    return [name for flag in flags for name in (flag["person_id"], flag["child"]["display"])]


@pytest.mark.parametrize("width", [320, pytest.param(1280, marks=pytest.mark.long)])
@pytest.mark.parametrize("address", [one_of_many(address) for address in ADDRESSES])
def test_the_page_is_accessible_and_names_nobody_outside_itself(
    page_of, live_server, people, address, width
):
    """axe-core: no rule of WCAG 2.2 AA or best practice is broken.

    320 px are 400% of 1280: nothing is wider than the window. Nothing is asked of another host or
    refused by the content policy, and no child is named in the title or the address, which a
    browser keeps.
    """
    with page_of(address, width=width) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert set(page.said) == {live_server.split("//")[1]}
        outside = page.title() + page.url
        assert [name for name in people if name in outside] == []


@pytest.mark.long
@pytest.mark.parametrize("address", ADDRESSES)
def test_without_javascript_and_in_forced_colours_nothing_is_lost(page_of, address):
    """The same headings and forms with scripts off; in the reader's colours, buttons have edges."""
    seen = []
    for script in (True, False):
        with page_of(address, java_script_enabled=script, forced_colors="active") as page:
            forms = page.locator("main form").count()
            seen.append((page.locator("h1").all_inner_texts(), forms))
            if script:
                faults = page.evaluate(
                    """() => [...document.querySelectorAll('button, .govuk-button')]
                    .filter(b => b.offsetWidth > 0 && !b.closest('.rf-bar'))
                    .filter(b => parseFloat(getComputedStyle(b).borderTopWidth) < 1)
                    .map(b => b.outerHTML.slice(0, 90))"""
                )
                assert faults == []
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 1


@pytest.mark.parametrize("path", ["/nothing", "/sign-in", "/flag/F-0000-000000"])
def test_refusals_and_the_sign_in_page_are_accessible_too(running, live_server, cookies, path):
    """Pages that nobody plans to see get no less care."""
    context = running.new_context(viewport={"width": 320, "height": 900})
    if path != "/sign-in":
        context.add_cookies(cookies["caseworker"])
    page = context.new_page()
    page.goto(live_server + path)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()


def test_by_keyboard_a_reader_signs_in_and_the_first_stop_skips_to_the_content(
    running, live_server
):
    """Tab to the skip link, then to the choices; arrows choose, Enter signs in."""
    context = running.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{live_server}/sign-in")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "user"
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    assert "Sign out" in page.inner_text("header")
    context.close()
