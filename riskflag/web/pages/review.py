"""Recording a review: the form, what is wrong, checking the answers, and the saved review.

Every step keeps a draft, so that nothing typed is lost: not by an interruption, not by a session
that ended, and not by another reviewer who was faster.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from riskflag.casework import reviews
from riskflag.casework.kept_reviews import is_open
from riskflag.errors import ConfigError, ConflictError, InputError
from riskflag.reports.review_words import instant, returns
from riskflag.web import desk, drafting, reviewed
from riskflag.web.answers import told, wrong
from riskflag.web.case import Case, case_of
from riskflag.web.drafting import Writing
from riskflag.web.forms import Empty, as_choices, complete, error_list, trusted
from riskflag.web.forms_review import (
    IF_NEW,
    ReviewForm,
    as_sent,
    complete_review,
    may_come_back,
    review_answers,
    review_form,
    wrong_answers,
    wrong_as_sent,
    wrong_form,
)

blueprint = Blueprint("review", __name__)

LOOK = "read_review"
UNTRUSTED = (
    "You had been signed out, or the page was too old. Your answers are still below. "
    "Read them once more and continue."
)
BACK_AGAIN = "You had been signed out. What you wrote was kept and is below."
TOO_LONG = (
    "This is too long to keep. Shorten the text before you leave the page: it is still below."
)
CHANGED = (
    "Since you began, {what}. Read it before you continue: your answers below are as you left them."
)


@blueprint.record_once
def _own_check_of_tokens(state: Any) -> None:
    """A form that lost its token is shown again with its answers, not thrown away.

    Each view below checks the token itself before it keeps or records anything.
    """
    state.app.extensions["csrf"].exempt(blueprint)


@blueprint.get("/flag/<flag_id>/review")
@desk.needs("review")
def form(flag_id: str) -> ResponseReturnValue:
    """The form, with this reviewer's draft in it."""
    case = case_of(flag_id)
    kept = _kept(case)
    about = _about(case, kept)
    now = reviews.shown(desk.store(), flag_id)
    if not any(about.values()) and not is_open(desk.store(), flag_id):
        return _already_reviewed(case)
    notices = _notices(kept, now)
    if about["amends"] and not kept.answers:
        kept = replace(kept, answers=reviewed.answers_of(case, about["amends"]))
    opening = drafting.opened(now, kept.opening, **about)
    asked = review_form(case.reasons, kept.answers, offered=desk.answers())
    if request.args.get("errors"):
        asked = _as_sent(case, kept)
        complete_review(asked, case.level)
    return _form_page(case, replace(kept, opening=opening), asked, notices)


@blueprint.post("/flag/<flag_id>/review")
@desk.needs("review")
def answer(flag_id: str) -> ResponseReturnValue:
    """Keep the answers; go on when they are complete, or show what is missing."""
    case = case_of(flag_id)
    asked = review_form(case.reasons, {}, offered=desk.answers())
    kept = _kept(case).with_answers(review_answers(asked))
    opening = drafting.unseal(flag_id, request.form.get("opening"))
    if opening is None or not trusted(asked):
        now = reviews.shown(desk.store(), flag_id)
        fresh = drafting.opened(now, kept.opening, **_about(case, kept))
        return _form_page(case, replace(kept, opening=fresh), asked, [UNTRUSTED]), 400
    kept = replace(kept, opening=opening)
    if not _keep(case, kept):
        return _form_page(case, kept, asked, [TOO_LONG]), 422
    if request.form.get("do") == "keep":
        return redirect(f"{case.url}/review/kept", code=303)
    if not complete_review(asked, case.level):
        return _form_page(case, kept, asked, []), 422
    step = "wrong" if wrong(case.reasons, kept.answers) else "check"
    return redirect(f"{case.url}/review/{step}", code=303)


@blueprint.post("/flag/<flag_id>/review/draft")
@desk.needs("review")
def autosave(flag_id: str) -> ResponseReturnValue:
    """Keep what is typed so far; for the script that saves between the steps."""
    case = case_of(flag_id)
    asked, kept = review_form(case.reasons, {}, offered=desk.answers()), _kept(case)
    opening = drafting.unseal(flag_id, request.form.get("opening"))
    if opening is None or not trusted(asked):
        return {"saved": False}, 400
    if request.form.get("step") == "wrong":
        blamed = wrong(case.reasons, kept.answers)
        told_wrong = wrong_answers(wrong_form(blamed, {}), blamed)
        kept = replace(kept, problems={**kept.problems, **told_wrong})
    else:
        kept = kept.with_answers(review_answers(asked))
    if not _keep(case, replace(kept, opening=opening)):
        return {"saved": False}, 422
    saved = drafting.writing(flag_id).saved_at
    return {"saved": True, "at": instant(saved) if saved else ""}


@blueprint.get("/flag/<flag_id>/review/kept")
@desk.needs("review")
def kept(flag_id: str) -> ResponseReturnValue:
    """The draft is kept: how to find it again."""
    found = drafting.writing(flag_id)
    if found.saved_at is None:
        return redirect(f"/flag/{flag_id}/review", code=303)
    return render_template(
        "review_kept.html",
        flag_id=flag_id,
        kept=f"on {instant(found.saved_at)}",
        form_url=f"/flag/{flag_id}/review",
    )


@blueprint.route("/flag/<flag_id>/review/wrong", methods=["GET", "POST"])
@desk.needs("review")
def say_wrong(flag_id: str) -> ResponseReturnValue:
    """What is wrong with each reason that was called wrong."""
    case = case_of(flag_id)
    kept = _kept(case)
    blamed = wrong(case.reasons, kept.answers)
    if kept.opening is None or not blamed:
        return redirect(f"{case.url}/review", code=303)
    asked = wrong_form(blamed, kept.problems)
    status = 200
    notices: list[str] = []
    if request.method == "POST":
        kept = replace(kept, problems={**kept.problems, **wrong_answers(asked, blamed)})
        if not trusted(asked):
            notices, status = [UNTRUSTED], 400
        elif not _keep(case, kept):
            notices, status = [TOO_LONG], 422
        else:
            if request.form.get("do") == "keep":
                return redirect(f"{case.url}/review/kept", code=303)
            if complete(asked):
                return redirect(f"{case.url}/review/check", code=303)
            status = 422
    return _wrong_page(case, kept, asked, notices), status


@blueprint.get("/flag/<flag_id>/review/check")
@desk.needs("review")
def check(flag_id: str) -> ResponseReturnValue:
    """All answers once more, each with a way back to change it."""
    case = case_of(flag_id)
    kept = _kept(case)
    to_do = _to_do(case, kept)
    if to_do is not None:
        return redirect(to_do, code=303)
    return _check_page(case, kept, Empty(), [])


@blueprint.post("/flag/<flag_id>/review/check")
@desk.needs("review")
def save(flag_id: str) -> ResponseReturnValue:
    """Record the review; a second press of the button finds it recorded already."""
    case = case_of(flag_id)
    kept, sent = _kept(case), Empty()
    if kept.opening is None:
        if reviewed.own(flag_id, request.form.get("review_id")):
            return redirect(_saved_url(case, request.form["review_id"]), code=303)
        return redirect(f"{case.url}/review", code=303)
    to_do = _to_do(case, kept)
    if to_do is not None:
        return redirect(to_do, code=303)
    if not trusted(sent):
        return _check_page(case, kept, sent, [UNTRUSTED]), 400
    if request.form.get("do") == "keep":
        return redirect(f"{case.url}/review/kept", code=303)
    try:
        review_id = reviews.record_review(desk.store(), reviewed.new_review(case, kept))
    except ConflictError as found:
        return _conflict_page(case, kept, str(found)), 409
    except ConfigError as refused:
        return _check_page(case, kept, sent, [str(refused)]), 422
    return redirect(_saved_url(case, review_id), code=303)


@blueprint.get("/flag/<flag_id>/review/saved")
@desk.needs("review")
def saved(flag_id: str) -> ResponseReturnValue:
    """The saved review, with its text for the case system."""
    case = case_of(flag_id)
    found = reviewed.own(flag_id, request.args.get("review"))
    if found is None:
        raise InputError("There is no review of yours with this number; look at past reviews.")
    text = reviewed.text_for_case_system(case, found)
    return _page(
        case,
        "review_saved.html",
        flag_id=flag_id,
        happened=reviewed.what_happened(case, found),
        copy=text,
        copy_rows=min(len(text.splitlines()) + 4, 30),
        reviews_url=f"{case.url}/reviews",
        amend_url=f"{case.url}/review?amend={found.review_id}",
        first=reviewed.first_of(case, found),
    )


def _page(case: Case, template: str, **values: Any) -> str:
    """A page about the child: a look (law 10). A step that only leads on shows nothing: none."""
    desk.look(case.flag_id, LOOK)
    return render_template(template, **values)


def _saved_url(case: Case, review_id: str) -> str:
    return f"{case.url}/review/saved?review={review_id}"


def _keep(case: Case, kept: Writing) -> bool:
    """Keep the draft; False when it is longer than a draft may be."""
    try:
        drafting.keep(case.flag_id, kept)
    except ConfigError:
        return False
    return True


def _about(case: Case, kept: Writing) -> dict[str, str | None]:
    """Which earlier review this one is about: one it amends, one it looks at again, or none.

    Who owes a second look gives it first, without having seen the review.
    """
    owed = reviewed.owed(case.flag_id)
    before = kept.opening
    if owed:
        return {"amends": None, "second_look_of": owed}
    amends = request.args.get("amend") or (before.amends if before else None)
    return {"amends": amends, "second_look_of": None}


def _to_do(case: Case, kept: Writing) -> str | None:
    """The page on which an unfinished draft goes on; None when every answer is there."""
    if kept.opening is None or not kept.answers:
        return f"{case.url}/review"
    if not complete_review(_as_sent(case, kept), case.level):
        return f"{case.url}/review?errors=1"
    blamed = wrong(case.reasons, kept.answers)
    if not complete(wrong_as_sent(blamed, kept.problems)):
        return f"{case.url}/review/wrong"
    return None


def _as_sent(case: Case, kept: Writing) -> ReviewForm:
    empty = review_form(case.reasons, {}, offered=desk.answers())
    sent = as_sent(empty.verdict_fields, kept.answers)
    return review_form(case.reasons, {}, offered=desk.answers(), sent=sent)


def _kept(case: Case) -> Writing:
    """The draft with what came in after the session had ended."""
    kept = drafting.writing(case.flag_id)
    if not kept.sent:
        return kept
    sent = MultiDict([(name, value) for name, values in kept.sent.items() for value in values])
    # A text field is always sent, so its absence says that another page was.
    if any(name.startswith("note_") for name in sent):
        blamed = wrong(case.reasons, kept.answers)
        told_wrong = wrong_answers(wrong_form(blamed, {}, sent=sent), blamed)
        return replace(kept, problems={**kept.problems, **told_wrong})
    if "why" not in sent:
        return kept
    late = review_answers(review_form(case.reasons, {}, offered=desk.answers(), sent=sent))
    return replace(kept, answers={**kept.answers, **late})


def _notices(kept: Writing, now: reviews.Shown) -> list[str]:
    """What the reviewer must know before going on with a draft."""
    found = [BACK_AGAIN] if kept.sent else []
    before = kept.opening
    if before is not None and before.last_review_id != now.last_review_id:
        found.append(CHANGED.format(what="somebody else has saved a review of this flag"))
    if before is not None and before.payload_hash != now.payload_hash:
        found.append(CHANGED.format(what="a new night has brought the flag up to date"))
    return found


def _form_page(
    case: Case, kept: Writing, asked: ReviewForm, notices: list[str], *, errors: bool = True
) -> str:
    opening = kept.opening
    assert opening is not None
    amended = reviewed.amended(case, opening.amends)
    offered = desk.answers()
    allowed = may_come_back(case.level, offered)
    times = returns(offered.return_weeks)
    asked.comes_back.choices = as_choices(time for time in times if time[0] in allowed)
    return _page(
        case,
        "review.html",
        page=case.page,
        reasons=case.reasons,
        form=asked,
        errors=error_list(asked) if errors else [],
        notices=notices,
        amended=amended,
        second=opening.second_look_of is not None,
        opening=drafting.seal(case.flag_id, opening),
        kept=instant(kept.saved_at) if kept.saved_at else "",
        may_quiet=IF_NEW in allowed,
        prompts=offered.why_prompts,
        quiet_reasons=offered.quiet_reasons,
        keeps_open=reviewed.keeps_open(offered),
        usual_rule=reviewed.usual_rule(case),
        flag_url=case.url,
        here=f"{case.url}/review",
        autosave_url=f"{case.url}/review/draft",
    )


def _wrong_page(case: Case, kept: Writing, asked: FlaskForm, notices: list[str]) -> str:
    assert kept.opening is not None
    return _page(
        case,
        "review_wrong.html",
        page=case.page,
        reasons=wrong(case.reasons, kept.answers),
        form=asked,
        errors=error_list(asked),
        notices=notices,
        opening=drafting.seal(case.flag_id, kept.opening),
        form_url=f"{case.url}/review",
        here=f"{case.url}/review/wrong",
        autosave_url=f"{case.url}/review/draft",
    )


def _check_page(case: Case, kept: Writing, sent: FlaskForm, told_wrong: list[str]) -> str:
    assert kept.opening is not None
    return _page(
        case,
        "review_check.html",
        page=case.page,
        rows=told(case.reasons, kept.answers, kept.problems, desk.answers()),
        errors=[{"text": text} for text in told_wrong],
        happens=reviewed.what_will_happen(case, kept),
        form=sent,
        review_id=kept.opening.review_id,
        form_url=f"{case.url}/review",
        wrong_url=f"{case.url}/review/wrong",
        here=f"{case.url}/review/check",
    )


def _conflict_page(case: Case, kept: Writing, said: str) -> str:
    """Somebody was faster: what they saved, what this reviewer wrote, and how to go on."""
    other = reviewed.newest(case)
    closed = not is_open(desk.store(), case.flag_id)
    return _page(
        case,
        "review_conflict.html",
        flag_id=case.flag_id,
        said=said,
        other=other,
        own=told(case.reasons, kept.answers, kept.problems, desk.answers()),
        flag_url=case.url,
        on_url=f"{case.url}/review" + (f"?amend={other.review_id}" if other and closed else ""),
    )


def _already_reviewed(case: Case) -> ResponseReturnValue:
    return _page(
        case,
        "review_closed.html",
        page=case.page,
        other=reviewed.newest(case),
        flag_url=case.url,
        reviews_url=f"{case.url}/reviews",
    )
