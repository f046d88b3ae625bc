"""The way from signing in to a saved review in a real browser, by keyboard and without script."""

from __future__ import annotations

import contextlib

import pytest

from riskflag.casework.reviews import reviews_of
from tests.functional.test_pages_in_browser import violations
from tests.web.reviewing import WHY, Reviewer, flags_of, sign_in_as

ME, COLLEAGUE = "duty worker 1", "duty worker 2"


@pytest.fixture(scope="module")
def unused(web_workspace):
    """Flags that no other test has touched."""
    return [flag["flag_id"] for flag in flags_of(web_workspace) if flag["level"] != "urgent"]


@pytest.fixture
def window(running, live_server):
    """`window(name)`: a browser window in which this person has signed in, as a person would."""

    @contextlib.contextmanager
    def opened(name: str = ME, *, width: int = 1280, **more):
        context = running.new_context(viewport={"width": width, "height": 900}, **more)
        page = context.new_page()
        page.goto(f"{live_server}/sign-in")
        page.get_by_label(name, exact=True).check()
        page.get_by_role("button", name="Sign in").click()
        if "/before-you-start" in page.url:
            page.get_by_role("button", name="I have read this").click()
        try:
            yield page
        finally:
            context.close()

    return opened


def focus(page) -> dict[str, str]:
    """What has the keyboard's focus."""
    return page.evaluate(
        "() => { const e = document.activeElement; return {tag: e.tagName, name: e.name || '',"
        " text: (e.innerText || e.value || '').trim(), href: e.getAttribute('href') || ''}; }"
    )


def tab_to(page, wanted, *, most: int = 400) -> None:
    """Press Tab until the focus is on what is wanted; every stop must show where it is."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted(focus(page)):
            return
    raise AssertionError(f"the keyboard does not reach it; the last stop was {focus(page)}")


def press(page, text: str) -> None:
    """Go to a link or button by keyboard and press it."""
    tab_to(page, lambda at: at["tag"] in ("A", "BUTTON") and at["text"].startswith(text))
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False], ids=["with script", "without script"])
def test_a_review_is_recorded_by_keyboard_alone(window, live_server, app, unused, scripts):
    """Worklist, flag, form, check, saved: no mouse, with script and without."""
    flag_id = unused.pop()
    with window(java_script_enabled=scripts) as page:
        page.goto(f"{live_server}/flag/{flag_id}")
        press(page, "Record your review")
        tab_to(page, lambda at: at["name"] == "decision")
        page.keyboard.press("Space")
        tab_to(page, lambda at: at["name"] == "why")
        page.keyboard.type(WHY)
        tab_to(page, lambda at: at["name"].startswith("verdict_"))
        page.keyboard.press("Space")
        tab_to(page, lambda at: at["name"] == "worth_bringing")
        page.keyboard.press("ArrowDown")
        press(page, "Continue")
        assert page.url.endswith("/review/check")
        assert WHY in page.inner_text("main")
        press(page, "Save my review")
        assert "/review/saved" in page.url
        assert "Review saved" in page.inner_text("h1")
        assert f"Flag: {flag_id}" in page.get_by_label("Text for your case system").input_value()
    [review] = reviews_of(app.extensions["riskflag_store"], flag_id)
    assert review.why == WHY
    assert {"flag"} <= set(review.sections_opened)


def test_the_worklist_leads_to_a_flag_and_on_to_its_form(window, live_server):
    """The way a day begins: the first flag of the list, then its review."""
    with window() as page:
        page.goto(f"{live_server}/worklist")
        page.locator("main a[href^='/flag/']").first.click()
        page.get_by_role("button", name="Record your review").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Your review"


@pytest.mark.parametrize("width", [1280, 320])
def test_every_step_and_every_error_is_accessible(window, live_server, unused, width):
    """Zero axe violations on the form, its errors, what is wrong, checking, draft and saved."""
    flag_id = unused.pop()
    with window(width=width) as page:
        at = f"{live_server}/flag/{flag_id}/review"
        page.goto(at)
        looked = [violations(page)]
        page.get_by_role("button", name="Continue").click()
        assert page.title().startswith("Error: ")
        looked.append(violations(page))
        page.get_by_label("Why?").fill(WHY)
        page.get_by_label("Nothing further from this now").check()
        page.get_by_label("Yes, I knew most of it").check()
        page.locator("input[name^=verdict_][value=wrong]").first.check()
        page.get_by_role("button", name="Continue").click()
        looked.append(violations(page))
        page.get_by_role("button", name="Continue").click()
        assert page.title().startswith("Error: ")
        looked.append(violations(page))
        page.get_by_label("The date is wrong").check()
        page.get_by_role("button", name="Save and come back later").click()
        looked.append(violations(page))
        page.goto(f"{at}/check")
        looked.append(violations(page))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("button", name="Save my review").click()
        looked.append(violations(page))
        page.goto(at)
        looked.append(violations(page))
        page.goto(f"{live_server}/flag/{flag_id}/reviews")
        looked.append(violations(page))
    assert looked == [[]] * 9


def test_the_conflict_page_is_accessible_and_complete(window, live_server, app, unused):
    """The slower reviewer reads both texts in a browser, and the page breaks no rule."""
    flag_id = unused.pop()
    with window(width=320) as page:
        page.goto(f"{live_server}/flag/{flag_id}/review")
        page.get_by_label("Why?").fill("My own long thought about it.")
        page.get_by_label("Contact the family or child").check()
        page.get_by_label("Yes, it was new to me").check()
        page.get_by_role("button", name="Continue").click()
        Reviewer(sign_in_as(app, COLLEAGUE), flag_id).save(why="I have rung the school today.")
        page.get_by_role("button", name="Save my review").click()
        text = page.inner_text("main")
        assert "I have rung the school today." in text
        assert "My own long thought about it." in text
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_an_error_in_the_summary_leads_to_its_field(window, live_server, unused):
    """The summary has the focus when the page opens, and its links move it to the field."""
    with window() as page:
        page.goto(f"{live_server}/flag/{unused[-1]}/review")
        page.get_by_role("button", name="Continue").click()
        assert "There is a problem" in focus(page)["text"]
        page.get_by_role("link", name="Enter why you decided this").click()
        assert focus(page)["name"] == "why"


def test_what_is_typed_is_kept_without_pressing_anything(window, live_server, unused):
    """With script the draft is kept a little after typing, and the page says so."""
    flag_id = unused.pop()
    with window() as page:
        page.goto(f"{live_server}/flag/{flag_id}/review")
        with page.expect_response("**/review/draft") as kept:
            page.get_by_label("Why?").fill("Typed and left alone.")
        assert kept.value.json()["saved"] is True
        page.get_by_text("Draft kept on").wait_for()
        page.goto(f"{live_server}/flag/{flag_id}/review")
        assert page.get_by_label("Why?").input_value() == "Typed and left alone."


def test_the_other_forms_are_accessible_in_their_error_states(window, live_server, app, unused):
    """A steward's and the owner's form with everything missing, and the owner's question."""
    me = Reviewer(sign_in_as(app, ME), unused.pop())
    from tests.web.reviewing import names

    me.fill(**{names(me.open(), "verdict_")[0]: "wrong"})
    page = me.desk.get(f"{me.at}/wrong").text
    me.send(page, "/wrong", **{names(page, "problem_")[0]: "misread"})
    assert me.press_save().status_code == 303
    with window("data steward 1") as page:
        page.goto(f"{live_server}/data-problems")
        assert violations(page) == []
        page.get_by_role("link", name="Open problem").first.click()
        page.get_by_role("button", name="Save the answer").click()
        assert page.title().startswith("Error: ")
        assert violations(page) == []
    with window("responsible owner 1") as page:
        page.goto(f"{live_server}/pause")
        page.get_by_role("button", name="Continue").click()
        assert page.title().startswith("Error: ")
        assert violations(page) == []
        page.get_by_label("Pause: raise no new flags").check()
        page.get_by_label("Why?").fill("A feed sends everything twice.")
        page.get_by_role("button", name="Continue").click()
        assert violations(page) == []
