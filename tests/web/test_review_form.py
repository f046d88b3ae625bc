"""The review form: nothing preset, everything missing told at once, nothing typed lost."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from riskflag.casework.drafts import draft_of
from riskflag.casework.reviews import reviews_of
from riskflag.reports.lint import banned_words, long_sentences, visible_text
from tests.web.reviewing import WHY, Reviewer, errors, flags_of, names, said, sign_in_as

ME, COLLEAGUE = "duty worker 1", "duty worker 2"


@pytest.fixture(scope="module")
def levels(web_workspace):
    """Unused flags by level; a test takes one that no other test has touched."""
    found: dict[str, list[str]] = {}
    for flag in flags_of(web_workspace):
        found.setdefault(flag["level"], []).append(flag["flag_id"])
    return found


@pytest.fixture
def reviewer(app, levels):
    """`reviewer()`: a caseworker at a flag of their own."""

    def made(level: str | None = None, name: str = ME, flag_id: str | None = None) -> Reviewer:
        pool = levels.get(level, []) if level else max(levels.values(), key=len)
        assert pool or flag_id, f"the demo has no {level} flag left"
        return Reviewer(sign_in_as(app, name), flag_id or pool.pop())

    return made


@pytest.fixture
def store(app):
    return app.extensions["riskflag_store"]


def test_nothing_is_preset_and_nothing_is_suggested(reviewer):
    """No answer is chosen beforehand, and every reason of the flag has its own question."""
    page = reviewer().open()
    form = page[page.index('<form method="post" action="/flag/') :]
    assert 'type="radio"' in form
    assert " checked" not in form
    assert names(page, "verdict_")


def test_the_form_says_no_banned_word_and_no_long_sentence(reviewer):
    """What a reviewer reads keeps to the words of all pages."""
    text = visible_text(reviewer().open())
    assert banned_words("\n".join(text)) == []
    assert long_sentences(text, 35) == []


def test_all_that_is_missing_is_told_at_once_and_nothing_is_recorded(reviewer, store):
    """Each error names its field, stands in the summary and at the field, and answers stay."""
    me = reviewer()
    answer = me.send(me.open(), decision="refer", discussed_with="Team manager")
    assert answer.status_code == 422
    told = dict(errors(answer.text))
    assert set(told) == {"why", "worth_bringing"}
    for field in told:
        assert f'id="{field}-error"' in answer.text
    assert re.search(r'value="refer" checked', answer.text)
    assert 'value="Team manager"' in answer.text
    assert "<title>Error: " in answer.text
    assert reviews_of(store, me.flag_id) == []


def test_errors_are_listed_in_the_order_of_the_page(reviewer):
    """Whoever goes down the list goes down the page."""
    me = reviewer()
    verdict = names(me.open(), "verdict_")[0]
    page = me.fill(comes_back="if_new", decision="", why="", worth_bringing="", **{verdict: "?"})
    listed = [anchor for anchor, _ in errors(page.text)]
    assert listed == ["decision", "why", verdict, "worth_bringing", "quiet_reason"]
    places = [page.text.index(f' id="{anchor}"') for anchor in listed]
    assert places == sorted(places)


def test_a_hint_that_names_an_answer_names_one_of_the_form(reviewer):
    """What stands in quotation marks beside the question is offered above it."""
    page = reviewer().open()
    [named] = re.findall(r"come back “([^”]+)”", page)
    assert f" {named.capitalize()} " in said(page)


@pytest.mark.parametrize("why", ["", "   ", "yes", "ok then"])
def test_a_reason_needs_at_least_a_sentence(reviewer, why):
    """A blank, a word or two are no reason."""
    assert "why" in dict(errors(reviewer().fill(why=why).text))


def test_an_answer_that_is_not_on_the_form_is_refused(reviewer, store):
    """A made-up decision, verdict or record reaches no review."""
    me = reviewer()
    field = names(me.open(), "verdict_")[0]
    answer = me.fill(decision="close_the_case", **{field: "guilty"})
    assert {"decision", field} <= set(dict(errors(answer.text)))
    assert reviews_of(store, me.flag_id) == []


def test_a_review_is_checked_and_then_saved_once(reviewer, store):
    """Every answer is shown with a way to change it; pressing twice records one review."""
    me = reviewer()
    assert me.fill(discussed_with="Senior practitioner").location == f"{me.at}/check"
    page = me.desk.get(f"{me.at}/check").text
    for text in (WHY, "Talk to a colleague", "Yes, it was new to me", "Senior practitioner"):
        assert text in page
    for anchor in ("decision", "why", "worth_bringing", "comes_back", "discussed_with"):
        assert f'href="{me.at}#{anchor}"' in page
        assert f'id="{anchor}"' in me.open()
    from tests.web.reviewing import hidden

    data = {"do": "save", **hidden(page)}
    answers = [me.desk.client.post(f"{me.at}/check", data=data) for _ in range(3)]
    assert len({answer.location for answer in answers}) == 1
    [review] = reviews_of(store, me.flag_id)
    assert (review.why, review.reviewer, review.discussed_with) == (WHY, ME, "Senior practitioner")
    assert me.desk.get(answers[0].location).status_code == 200


def test_the_text_for_the_case_system_is_plain_and_whole(reviewer):
    """It can be copied in one piece: the flag, the child by initials, who, what and why."""
    me = reviewer()
    page = me.save(why="First line here.\nSecond line & more.")
    text = re.search(r"<textarea[^>]*readonly[^>]*>(.*?)</textarea>", page, re.DOTALL)[1]
    assert f"Flag: {me.flag_id}" in text
    assert "Why: First line here.\n  Second line &amp; more." in text
    assert f"By: {ME} (caseworker)" in text
    assert me.flag_id in re.search(r"<title>(.*?)</title>", page)[1]
    initials = re.search(r"Child: (\S+),", text)[1]
    assert initials not in re.search(r"<title>(.*?)</title>", page)[1]


def test_a_pattern_called_wrong_asks_what_is_wrong(reviewer, store):
    """The second page asks the kind, the record and a note, and keeps them with the review."""
    me = reviewer()
    field = names(me.open(), "verdict_")[0]
    assert me.fill(**{field: "wrong"}).location == f"{me.at}/wrong"
    assert me.desk.get(f"{me.at}/check").location == f"{me.at}/wrong"
    page = me.desk.get(f"{me.at}/wrong").text
    kind = names(page, "problem_")[0]
    answer = me.send(page, "/wrong")
    assert [anchor for anchor, _ in errors(answer.text)] == [kind]
    note = kind.replace("problem_", "note_")
    assert me.send(page, "/wrong", **{kind: "duplicate", note: "Same day"}).status_code == 303
    assert me.press_save().status_code == 303
    [review] = reviews_of(store, me.flag_id)
    from riskflag.casework.reviews import verdicts_of

    [verdict] = verdicts_of(store, review.review_id)
    assert (verdict.verdict, verdict.problem, verdict.note) == ("wrong", "duplicate", "Same day")


def test_something_else_that_is_wrong_needs_words(reviewer):
    """*Something else* alone tells a data steward nothing."""
    me = reviewer()
    field = names(me.open(), "verdict_")[0]
    me.fill(**{field: "wrong"})
    page = me.desk.get(f"{me.at}/wrong").text
    kind = names(page, "problem_")[0]
    note = kind.replace("problem_", "note_")
    assert note in dict(errors(me.send(page, "/wrong", **{kind: "other"}).text))


def test_staying_quiet_needs_a_reason_and_a_closing_decision(reviewer):
    """Only if something is new: with a reason in words, and not for a flag that stays open."""
    me = reviewer()
    asked = {"decision": "nothing_further", "comes_back": "if_new"}
    assert "quiet_reason" in dict(errors(me.fill(**asked).text))
    open_still = me.fill(decision="unsure", comes_back="if_new", quiet_reason="Known to us")
    assert "comes_back" in dict(errors(open_still.text))
    assert me.fill(**asked, quiet_reason="Known to us").location == f"{me.at}/check"


def test_an_urgent_flag_cannot_be_kept_quiet(reviewer):
    """The page does not offer it, and sending it all the same is refused."""
    me = reviewer("urgent")
    page = me.open()
    assert 'value="if_new"' not in page
    assert 'value="8_weeks"' not in page
    assert 'value="2_weeks"' in page
    for choice in ("if_new", "8_weeks"):
        answer = me.fill(decision="nothing_further", comes_back=choice, quiet_reason="Because")
        assert "comes_back" in dict(errors(answer.text))


def test_a_draft_is_kept_and_seen_by_nobody_else(reviewer, store):
    """*Save and come back later* keeps an unfinished form; a colleague's form is empty."""
    me = reviewer()
    answer = me.send(me.open(), why="Half a thought", do="keep")
    assert answer.location == f"{me.at}/kept"
    assert "no decision is recorded" in said(me.desk.get(answer.location).text)
    assert "Half a thought" in me.open()
    assert reviews_of(store, me.flag_id) == []
    assert "Half a thought" not in reviewer(name=COLLEAGUE, flag_id=me.flag_id).open()


def test_a_text_that_is_too_long_is_shown_again_and_not_cut(reviewer, store):
    """Neither the form nor a draft takes it; the page says so and still holds every word."""
    me = reviewer()
    long = "A long story. " * 800
    answer = me.fill(why=long)
    assert "Shorten this answer to 10,000 characters or fewer" in answer.text
    assert answer.text.count("A long story.") == 800
    assert draft_of(store, me.flag_id, ME) is not None
    longer = "A long story. " * 15_000
    answer = me.fill(why=longer)
    assert "too long to keep" in said(answer.text)
    assert answer.text.count("A long story.") == 15_000
    assert reviews_of(store, me.flag_id) == []


def test_the_draft_is_gone_once_the_review_is_saved(reviewer, store):
    """A saved review leaves no second copy of what was typed."""
    me = reviewer()
    me.save()
    assert draft_of(store, me.flag_id, ME) is None


def test_the_script_keeps_a_draft_between_the_steps(reviewer):
    """What autosave sends is there when the form is opened again."""
    me = reviewer()
    answer = me.send(me.open(), "/draft", why="Typed a moment ago")
    assert answer.json["saved"] is True
    assert "Typed a moment ago" in me.open()


def test_what_was_typed_when_the_session_ended_is_there_after_signing_in(app, reviewer):
    """The form is sent with no session: after signing in the text stands in the form again."""
    me = reviewer()
    page = me.open()
    sessions = app.extensions["riskflag_sessions"]
    with me.desk.client.session_transaction() as session:
        sessions.end(session["token"])
    answer = me.send(page, why="Typed for an hour")
    assert answer.status_code == 303
    assert "/sign-in" in answer.location
    me.desk.sign_in("caseworker")
    shown = me.open()
    assert "Typed for an hour" in shown
    assert "You had been signed out" in shown


@pytest.mark.parametrize("step", ["/wrong", "/check"])
def test_a_session_that_ends_at_a_later_step_loses_nothing_either(app, reviewer, step):
    """What was answered before stands in the form, with what the later page sent."""
    me = reviewer()
    field = names(me.open(), "verdict_")[0]
    me.fill(**{field: "wrong"})
    page = me.desk.get(f"{me.at}/wrong").text
    kind = names(page, "problem_")[0]
    sent = {kind: "misread", kind.replace("problem_", "note_"): "Typed for an hour"}
    if step == "/check":
        me.send(page, "/wrong", **sent)
        page = me.desk.get(f"{me.at}/check").text
    with me.desk.client.session_transaction() as session:
        app.extensions["riskflag_sessions"].end(session["token"])
    assert "/sign-in" in me.send(page, step, **sent).location
    me.desk.sign_in("caseworker")
    shown = me.open()
    assert WHY in shown
    again = me.send(shown, decision="refer", why=WHY, worth_bringing="no", **{field: "wrong"})
    assert again.location == f"{me.at}/wrong"
    assert "Typed for an hour" in me.desk.get(f"{me.at}/wrong").text


def test_signing_in_leads_back_to_the_very_page(app, reviewer):
    """A link to amend a review survives the sign-in in between."""
    me = reviewer()
    me.desk.post("/sign-out")
    answer = me.desk.get(f"{me.at}?amend=abc")
    assert answer.location.endswith("amend%3Dabc") or answer.location.endswith("amend=abc")


def test_a_form_with_a_stale_token_is_shown_again_with_its_text(reviewer, store):
    """Nothing is kept or recorded without the page's own token, and nothing typed is lost."""
    me = reviewer()
    answer = me.send(me.open(), csrf_token="stale", why="Typed for an hour", decision="refer")
    assert answer.status_code == 400
    assert "Typed for an hour" in answer.text
    assert draft_of(store, me.flag_id, ME) is None
    again = me.send(answer.text, decision="refer", why=WHY, worth_bringing="no")
    assert again.location == f"{me.at}/check"


def test_a_form_opened_by_somebody_else_is_not_taken(reviewer, store):
    """The sealed note of one reviewer's form holds for nobody else and for no other flag."""
    me, other = reviewer(), reviewer(name=COLLEAGUE)
    from tests.web.reviewing import hidden

    stolen = hidden(other.open())["opening"]
    answer = me.send(me.open(), opening=stolen, why="Typed", decision="refer")
    assert answer.status_code == 400
    assert draft_of(store, me.flag_id, ME) is None


def test_what_was_opened_before_deciding_is_recorded(reviewer, store):
    """The review names the sections that the reviewer had looked at, by the audit chain."""
    me = reviewer()
    me.save()
    [review] = reviews_of(store, me.flag_id)
    assert "flag" not in review.sections_opened
    other = reviewer()
    assert other.desk.get(f"/flag/{other.flag_id}").status_code == 200
    other.save()
    [review] = reviews_of(store, other.flag_id)
    assert "flag" in review.sections_opened


def test_fields_that_are_not_on_the_form_change_nothing(reviewer, store):
    """A made-up reviewer, role, number or moment beside the answers is not taken up."""
    me = reviewer()
    more = {"reviewer": COLLEAGUE, "role": "owner", "status": "closed", "closed_by": "me"}
    more |= {"opened_at": "1999-01-01", "decided_at": "1999-01-01", "sections_opened": "records"}
    me.save(**more)
    [review] = reviews_of(store, me.flag_id)
    assert (review.reviewer, review.role) == (ME, "caseworker")
    assert review.decided_at.year > 1999
    assert review.opened_at.year > 1999
    assert review.sections_opened == ()


def test_the_day_that_was_promised_is_told(reviewer):
    """In two weeks is a day, and stands with the saved review."""
    from riskflag.clock import today
    from riskflag.reports import words

    me = reviewer()
    page = me.save(decision="nothing_further", comes_back="2_weeks")
    assert f"In 2 weeks: {words.day(today() + dt.timedelta(days=14))}" in page


def test_text_is_shown_as_text(reviewer):
    """Markup in an answer is never markup on a page."""
    me = reviewer()
    nasty = "A reason with <script>alert(1)</script> and <b>bold</b> in it."
    page = me.save(why=nasty)
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    reviews = me.desk.get(f"/flag/{me.flag_id}/reviews").text
    assert "<script>alert" not in reviews
