"""A first thought from the records alone, before the patterns are shown: off unless asked for.

Light cognitive forcing: whoever has said what they think reads a suggestion more critically.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from riskflag.casework.kept_reviews import is_open, reviews_of_flag
from riskflag.web import desk, drafting
from riskflag.web.case import case_of
from riskflag.web.forms import complete, error_list
from riskflag.web.forms_review import FirstThoughtForm
from riskflag.web.gate import sitting

blueprint = Blueprint("first_thought", __name__)

LOOK = "read_records_first"
FLAG_PAGE = "flag.flag"


@blueprint.before_app_request
def ask_first() -> ResponseReturnValue | None:
    """Ask before the flag's page where the authority wants it and the reader has not answered."""
    if request.endpoint != FLAG_PAGE or not desk.workspace().config.ask_first_thought:
        return None
    now, flag_id = sitting(), str((request.view_args or {}).get("flag_id"))
    if now is None or not now.user.may("review") or not is_open(desk.store(), flag_id):
        return None
    reviewed = any(one.reviewer == now.user.name for one in reviews_of_flag(desk.store(), flag_id))
    if reviewed or drafting.writing(flag_id).answers.get("first_thought"):
        return None
    return redirect(f"/flag/{flag_id}/first-thought", code=303)


@blueprint.route("/flag/<flag_id>/first-thought", methods=["GET", "POST"])
@desk.needs("review")
def first_thought(flag_id: str) -> ResponseReturnValue:
    """The records alone, and the one question; the answer goes into the draft."""
    case, form = case_of(flag_id), FirstThoughtForm()
    kept = drafting.writing(flag_id)
    if request.method == "POST" and complete(form):
        answers = {**kept.answers, "first_thought": form.first_thought.data}
        drafting.keep(flag_id, replace(kept, answers=answers))
        return redirect(case.url, code=303)
    errors = error_list(form) if request.method == "POST" else []
    desk.look(flag_id, LOOK)  # before it is shown (law 10); an answer only leads on
    html = render_template(
        "review_first.html",
        page=case.page,
        records=case.page.records.listed,
        form=form,
        errors=errors,
        here=f"{case.url}/first-thought",
    )
    return html, 422 if errors else 200
