"""One record: what it says, what its kind means, where it comes from, what it said before.

Who finds it wrong says so here; the data steward answers, and the agency corrects it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from riskflag.casework import corrections
from riskflag.casework.corrections import NewCorrection
from riskflag.casework.data_problems import problems_about
from riskflag.history.vocabulary import load_vocabulary
from riskflag.nightly.chronologies import flag_and_records
from riskflag.reports import flag_page
from riskflag.reports.links import Links
from riskflag.reports.record_page import record_page
from riskflag.reports.review_words import choices, instant, label
from riskflag.web import desk
from riskflag.web.forms import at_least_words, complete, error_list, radios, required, text_area

blueprint = Blueprint("record", __name__)

LOOK = "read_record"
WHAT = "Say what is wrong, in at least a few words"
FEWEST_WORDS = 3


class CorrectionForm(FlaskForm):  # type: ignore[misc]
    """What is wrong with a record, for the data steward and the agency."""

    problem = radios("What is wrong?", choices("problems"), missing="Select what is wrong")
    note = text_area("What should it say?", required(WHAT), at_least_words(FEWEST_WORDS, WHAT))


@blueprint.get("/flag/<flag_id>/record/<contact_ref>")
@desk.needs("read_flags")
def record(flag_id: str, contact_ref: str) -> ResponseReturnValue:
    """One record of the flag's child; `contact_ref` is its key."""
    return _page(flag_id, contact_ref, CorrectionForm())


@blueprint.post("/flag/<flag_id>/record/<contact_ref>")
@desk.needs("read_flags")
def ask(flag_id: str, contact_ref: str) -> ResponseReturnValue:
    """Ask for a correction; the same request sent twice is kept once."""
    asked = CorrectionForm()
    if not complete(asked):
        return _page(flag_id, contact_ref, asked), 422
    desk.look(flag_id, LOOK)
    _, contacts = flag_and_records(desk.workspace(), desk.store(), flag_id, only=contact_ref)
    contact = _of(contacts)
    corrections.ask(
        desk.store(),
        NewCorrection(flag_id, contact["contact_key"], asked.problem.data, asked.note.data),
        desk.user(),
    )
    return redirect(f"{Links(flag_id).record(contact_ref)}?asked=1#correction", code=303)


@lru_cache(maxsize=4)
def meanings(own: Path) -> Mapping[str, str]:
    """The definition of every contact type, those of the workspace's own vocabulary too."""
    return {name: kind.meaning for name, kind in load_vocabulary(own).types.items()}


def _page(flag_id: str, contact_ref: str, asked: CorrectionForm) -> str:
    desk.look(flag_id, LOOK)
    flag, contacts = flag_and_records(desk.workspace(), desk.store(), flag_id, only=contact_ref)
    contact = _of(contacts)
    page = flag_page.view(flag)
    meaning = meanings(desk.workspace().root / "vocabulary.toml").get(contact["type"], "")
    html: str = render_template(
        "record.html",
        page=page,
        go=Links(flag_id),
        one=record_page(contact, flag, page, meaning=meaning),
        form=asked,
        errors=error_list(asked),
        saved=bool(request.args.get("asked")),
        told=[_told(one) for one in problems_about(desk.store(), flag_id, contact_ref)],
    )
    return html


def _told(one: Any) -> dict[str, Any]:
    """A problem that was told before, with what became of it."""
    return {
        "what": label("problems", one.problem),
        "note": one.note,
        "who": one.reported_by,
        "when": instant(one.reported_at),
        "steps": [
            {
                "state": label("problem_states", step.state),
                "note": step.note,
                "who": step.user,
                "when": instant(step.at),
            }
            for step in one.steps
        ],
    }


def _of(contacts: list[dict[str, Any]]) -> dict[str, Any]:
    """The one contact that was asked for; 404 when this child has none with that key."""
    if not contacts:
        abort(404)
    return contacts[0]
