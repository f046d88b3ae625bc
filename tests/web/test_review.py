"""Two reviewers, amendments and second looks: nothing lost, nothing overwritten, nobody led."""

from __future__ import annotations

import random
import re
import threading

import pytest
import sqlalchemy as sa

from riskflag.casework.drafts import draft_of, save_draft
from riskflag.casework.reviews import reviews_of
from riskflag.casework.tables import Audit
from tests.web.conftest import ROLES
from tests.web.reviewing import WHY, Reviewer, flags_of, hidden, names, said, sign_in_as

ME, COLLEAGUE = "duty worker 1", "duty worker 2"
SENIOR, MANAGER = "senior practitioner 1", "team manager 1"


@pytest.fixture(scope="module")
def unused(web_workspace):
    """Flags that no other test has touched."""
    return [flag["flag_id"] for flag in flags_of(web_workspace) if flag["level"] != "urgent"]


@pytest.fixture
def at_flag(app, unused):
    """`at_flag(name, ...)`: these people, all at one fresh flag."""

    def made(*people: str) -> list[Reviewer]:
        flag_id = unused.pop()
        return [Reviewer(sign_in_as(app, name), flag_id) for name in people]

    return made


@pytest.fixture
def store(app):
    return app.extensions["riskflag_store"]


def test_the_slower_of_two_sees_what_the_other_saved_and_keeps_their_own(at_flag, store):
    """Nothing is overwritten: the conflict page shows both, and the draft stays."""
    slow, fast = at_flag(ME, COLLEAGUE)
    slow.fill(why="My own long thought about it.", decision="refer")
    fast.save(why="I have rung the school today.")
    answer = slow.press_save()
    assert answer.status_code == 409
    text = said(answer.text)
    for told in ("I have rung the school today.", COLLEAGUE, "My own long thought about it."):
        assert told in text
    assert [review.reviewer for review in reviews_of(store, slow.flag_id)] == [COLLEAGUE]
    assert draft_of(store, slow.flag_id, ME) is not None


def test_the_slower_goes_on_from_the_conflict_and_saves(at_flag, store):
    """Following the page's link, the own text is there, and saving adds it after the other."""
    slow, fast = at_flag(ME, COLLEAGUE)
    slow.fill(why="My own long thought about it.", decision="nothing_further")
    fast.save(decision="refer")
    page = slow.press_save().text
    link = re.search(r'href="([^"]+)">Go on with your own review', page)[1]
    shown = slow.desk.get(link).text
    assert "My own long thought about it." in shown
    assert "somebody else has saved a review" in shown
    answer = slow.send(shown, decision="nothing_further", why=WHY, worth_bringing="no")
    assert answer.location == f"{slow.at}/check"
    assert slow.press_save().status_code == 303
    found = reviews_of(store, slow.flag_id)
    assert [review.reviewer for review in found] == [COLLEAGUE, ME]
    assert found[1].amends == found[0].review_id


def looks_at(store) -> int:
    """How many looks at the pages of a review the audit chain holds."""
    with store.reading() as session:
        return session.scalar(sa.select(sa.func.count()).where(Audit.action == "read_review"))


def test_each_page_of_a_review_is_a_look_and_a_step_that_leads_on_is_none(at_flag, store):
    """Law 10: the form, what is missing, the check, a conflict and the saved review are looks."""
    me, colleague = at_flag(ME, COLLEAGUE)
    before = looks_at(store)
    form = me.desk.get(me.at).text
    assert me.send(form).status_code == 422
    assert looks_at(store) == before + 2
    assert me.send(form, decision="refer", why=WHY, worth_bringing="no").status_code == 303
    assert looks_at(store) == before + 2
    check = me.desk.get(f"{me.at}/check").text
    assert looks_at(store) == before + 3
    colleague.save()
    before = looks_at(store)
    assert me.desk.client.post(f"{me.at}/check", data=hidden(check)).status_code == 409
    assert looks_at(store) == before + 1


@pytest.mark.parametrize("seed", range(8))
def test_no_interleaving_of_two_reviewers_loses_a_review(at_flag, store, seed):
    """In any order of their steps each ends with a saved review or with a kept draft."""
    people = at_flag(ME, COLLEAGUE)
    order, done = random.Random(seed), {}
    steps = [index for index in (0, 1) for _ in range(2)]
    order.shuffle(steps)
    for index in steps:
        person = people[index]
        if index not in done:
            done[index] = person.fill(why=f"Thought of person {index} alone.")
        else:
            done[index] = person.press_save()
    recorded = {review.why for review in reviews_of(store, people[0].flag_id)}
    for index, name in enumerate((ME, COLLEAGUE)):
        saved = f"Thought of person {index} alone." in recorded
        assert saved == (done[index].status_code == 303)
        assert saved != (draft_of(store, people[0].flag_id, name) is not None)
    assert recorded


def test_two_presses_at_the_same_moment_record_one_review(at_flag, store):
    """The button pressed in two windows at once, by threads of their own."""
    [me] = at_flag(ME)
    me.fill()
    data = {"do": "save", **hidden(me.desk.get(f"{me.at}/check").text)}
    windows = [sign_in_as(me.desk.client.application, ME) for _ in range(4)]
    for window in windows:
        data_of = {**data, **hidden(window.get(f"{me.at}/check").text)}
        window.data = data_of
    answers = []
    threads = [
        threading.Thread(
            target=lambda w=window: answers.append(w.client.post(f"{me.at}/check", data=w.data))
        )
        for window in windows
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reviews_of(store, me.flag_id)) == 1
    assert {answer.status_code for answer in answers} == {303}


def test_a_new_night_in_between_is_told_before_the_review_is_saved(at_flag, store):
    """A draft begun on an older page of the flag is not saved unread, and the form says why."""
    [me] = at_flag(ME)
    me.fill()
    kept = draft_of(store, me.flag_id, ME).answers
    save_draft(
        store, me.flag_id, ME, {**kept, "opening": {**kept["opening"], "payload_hash": "older"}}
    )
    answer = me.press_save()
    assert answer.status_code == 409
    assert "brought up to date since you opened it" in said(answer.text)
    assert reviews_of(store, me.flag_id) == []
    assert "a new night has brought the flag up to date" in said(me.open())
    me.save()
    assert len(reviews_of(store, me.flag_id)) == 1


def test_an_amendment_is_a_new_entry_and_the_earlier_one_stays(at_flag, store):
    """The earlier answers are filled in, the reason is asked anew, and both are shown."""
    [me] = at_flag(ME)
    me.save(decision="nothing_further", why="I thought all was in hand.", discussed_with="Manager")
    [first] = reviews_of(store, me.flag_id)
    page = me.open(f"?amend={first.review_id}")
    assert re.search(r'value="nothing_further" checked', page)
    assert 'value="Manager"' in page
    assert "I thought all was in hand." in said(page)
    assert not re.search(r"<textarea[^>]*>I thought", page)
    more = f"?amend={first.review_id}"
    me.save(more, decision="contact_family", why="The school rang: it is not.")
    kept = reviews_of(store, me.flag_id)
    assert [review.why for review in kept] == [
        "I thought all was in hand.",
        "The school rang: it is not.",
    ]
    timeline = said(me.desk.get(f"/flag/{me.flag_id}/reviews").text)
    assert timeline.index("The school rang") < timeline.index("I thought all was in hand.")
    assert "Amends the review of" in timeline
    assert "Open." in timeline


def test_a_colleagues_answers_are_shown_and_never_filled_in(at_flag, store):
    """Amending somebody else's review begins with an empty form: nothing is suggested."""
    me, colleague = at_flag(ME, COLLEAGUE)
    me.save(decision="nothing_further", why="I thought all was in hand.")
    [first] = reviews_of(store, me.flag_id)
    page = colleague.open(f"?amend={first.review_id}")
    assert "I thought all was in hand." in said(page)
    assert " checked" not in page


def test_past_reviews_say_what_was_opened_before_deciding(at_flag):
    """The proof that a person looked stands with the review."""
    [me] = at_flag(ME)
    me.desk.get(f"/flag/{me.flag_id}")
    me.save()
    text = said(me.desk.get(f"/flag/{me.flag_id}/reviews").text)
    assert "Opened before deciding The flag's page" in text


def test_a_flag_that_was_closed_meanwhile_can_only_be_amended(at_flag):
    """Who opens the form of a closed flag is told who closed it, and offered to amend."""
    me, colleague = at_flag(ME, COLLEAGUE)
    me.save(decision="refer")
    page = said(colleague.open())
    assert "has been reviewed" in page
    assert ME in page


def test_who_owes_a_second_look_never_sees_the_first_review_before_their_own(at_flag, store):
    """*Cannot decide* comes to a senior: blind in the list, the form and past reviews."""
    me, senior = at_flag(ME, SENIOR)
    me.save(decision="unsure", why="Nobody has seen the child this month.")
    assert me.flag_id in senior.desk.get("/second-look").text
    [first] = reviews_of(store, me.flag_id)
    for address in ("/second-look", me.at, f"/flag/{me.flag_id}/reviews", f"/flag/{me.flag_id}"):
        page = senior.desk.get(address).text
        assert "Nobody has seen the child" not in page, address
        assert ME not in page, address
        assert "annot decide (say" not in page or address == me.at
    tried = senior.desk.get(f"{me.at}?amend={first.review_id}").text
    assert "Nobody has seen the child" not in tried
    assert "Your second look" in said(tried)
    saved = said(senior.save(decision="refer", why="The records alone are enough for me."))
    assert "Second look saved" in saved
    assert "Nobody has seen the child this month." in saved
    second = reviews_of(store, me.flag_id)[-1]
    assert second.second_look_of == first.review_id
    both = said(senior.desk.get(f"/flag/{me.flag_id}/reviews").text)
    assert "Nobody has seen the child" in both
    assert me.flag_id not in senior.desk.get("/second-look").text


def test_the_flag_itself_leads_to_what_is_to_do(at_flag):
    """A draft is gone on with; a closed flag offers a second look to who owes one."""
    me, senior = at_flag(ME, SENIOR)
    address = f"/flag/{me.flag_id}"
    assert "Record your review" in said(me.desk.get(address).text)
    me.send(me.open(), why="Half a thought", do="keep")
    assert "Go on with your draft" in said(me.desk.get(address).text)
    assert "Go on with your draft" not in said(senior.desk.get(address).text)
    me.save(decision="unsure")
    assert "Take your second look" in said(senior.desk.get(address).text)


def test_nobody_looks_again_at_their_own_review(app, at_flag):
    """A senior's own *cannot decide* waits for another senior or a manager."""
    senior, manager = at_flag(SENIOR, MANAGER)
    senior.save(decision="unsure")
    assert senior.flag_id not in senior.desk.get("/second-look").text
    assert senior.flag_id in manager.desk.get("/second-look").text


def test_past_reviews_tell_what_became_of_a_reported_problem(app, at_flag):
    """The steward's answer stands on the timeline of whoever reported it."""
    [me] = at_flag(ME)
    field = names(me.open(), "verdict_")[0]
    me.fill(**{field: "wrong"})
    page = me.desk.get(f"{me.at}/wrong").text
    me.send(page, "/wrong", **{names(page, "problem_")[0]: "duplicate"})
    me.press_save()
    past = f"/flag/{me.flag_id}/reviews"
    assert "Waiting for an answer" in said(me.desk.get(past).text)
    steward = sign_in_as(app, "data steward 1")
    listed = steward.get("/data-problems").text
    number = re.search(rf"{me.flag_id}.*?/data-problems/(\d+)", listed, re.DOTALL)[1]
    steward.post(
        f"/data-problems/{number}",
        {"state": "corrected", "note": "The school will send it again."},
        page=f"/data-problems/{number}",
    )
    after = said(me.desk.get(past).text)
    assert "The agency will correct it" in after
    assert "The school will send it again." in after


@pytest.mark.parametrize("role", [role for role in ROLES if role not in ("caseworker",)])
def test_only_those_who_review_can_open_the_form(app, signed_in, flag_ids, role):
    """A steward, an analyst, governance and the owner cannot; the others can."""
    status = signed_in(role).get(f"/flag/{flag_ids[0]}/review").status_code
    assert (status == 200) == (role in ("senior", "manager"))
