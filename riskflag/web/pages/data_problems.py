"""Data problems: what reviewers called wrong, the steward's answers, and the way back to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from riskflag.casework import data_problems
from riskflag.casework.data_problems import DataProblem
from riskflag.errors import ConfigError, RiskflagError
from riskflag.nightly.chronologies import flag_and_records
from riskflag.reports import flag_page, words
from riskflag.reports.records import record
from riskflag.reports.review_words import instant, label
from riskflag.web import desk
from riskflag.web.answers import Told
from riskflag.web.forms import complete, error_list
from riskflag.web.forms_desk import AnswerForm
from riskflag.web.paging import Part, part_of

blueprint = Blueprint("data_problems", __name__)

LOOK = "read_problem"
NO_PATTERN = "None: the request is about one record"
UNKNOWN = "The page of this flag is no longer kept."


@dataclass(frozen=True)
class Row:
    """One problem in the list: what is wrong, not with whom."""

    number: int
    reported: str
    kind: str
    flag_id: str
    state: str


@dataclass(frozen=True)
class Group:
    """Problems that wait, or that were answered."""

    heading: str
    part: Part[Row]
    empty: str
    address: str


@dataclass(frozen=True)
class Answer:
    """A step that was taken, in words."""

    state: str
    note: str
    who: str
    when: str


@dataclass(frozen=True)
class Problem:
    """One problem with the record it is about, as the steward needs it to ask the agency."""

    number: int
    flag_id: str
    kind: str
    rows: tuple[Told, ...]
    steps: tuple[Answer, ...]


@blueprint.get("/data-problems")
@desk.needs("data_problems")
def queue() -> ResponseReturnValue:
    """What waits for an answer, and what was answered lately; no child is named here."""
    store, asked = desk.store(), request.args
    waiting = part_of(data_problems.open_problems(store), asked.get("waiting"))
    answered = part_of(data_problems.answered_problems(store), asked.get("settled"))
    groups = (
        Group(
            f"Waiting for an answer: {waiting.total}",
            waiting.of(_rows(waiting.rows)),
            "Nothing is waiting. What reviewers call wrong will be listed here.",
            "/data-problems?waiting=",
        ),
        Group(
            "Answered lately",
            answered.of(_rows(answered.rows)),
            "Nothing yet.",
            "/data-problems?settled=",
        ),
    )
    done = "Your answer is saved. The reviewer sees it under past reviews."
    return render_template(
        "data_problems.html", groups=groups, done=done if request.args.get("answered") else ""
    )


@blueprint.route("/data-problems/<int:problem_id>", methods=["GET", "POST"])
@desk.needs("data_problems")
def problem(problem_id: int) -> ResponseReturnValue:
    """One problem, and the form for its answer."""
    found = data_problems.problem(desk.store(), problem_id)
    desk.look(found.flag_id, LOOK)
    form, told = AnswerForm(), ""
    if request.method == "POST" and complete(form):
        try:
            data_problems.answer(
                desk.store(), problem_id, desk.user(), form.state.data, form.note.data
            )
            return redirect("/data-problems?answered=1", code=303)
        except ConfigError as refused:
            told = str(refused)
    errors = [*error_list(form), *([{"text": told, "href": "#note"}] if told else [])]
    html = render_template("data_problem.html", problem=_problem(found), form=form, errors=errors)
    return html, 422 if errors else 200


def _rows(found: Sequence[DataProblem]) -> tuple[Row, ...]:
    return tuple(
        Row(
            one.problem_id,
            instant(one.reported_at),
            label("problems", one.problem),
            one.flag_id,
            label("problem_states", one.state),
        )
        for one in found
    )


def _problem(found: DataProblem) -> Problem:
    heading, record = _about(found)
    rows = [
        Told("Pattern", heading),
        Told("Record", record),
        Told("The reviewer's note", found.note or "None given"),
        Told("Reported", f"{instant(found.reported_at)} by {found.reported_by}"),
        Told("State", label("problem_states", found.state)),
    ]
    steps = tuple(
        Answer(label("problem_states", one.state), one.note, one.user, instant(one.at))
        for one in found.steps
    )
    return Problem(
        found.problem_id, found.flag_id, label("problems", found.problem), tuple(rows), steps
    )


def _about(found: DataProblem) -> tuple[str, str]:
    """The pattern's name, and the record with the file and line that the agency sent."""
    try:
        flag, contacts = flag_and_records(desk.workspace(), desk.store(), found.flag_id)
    except RiskflagError:
        return words.plain(found.reason_id), UNKNOWN
    page = flag_page.view(flag)
    headings = {card.reason_id: card.heading for card in page.patterns}
    heading = headings.get(found.reason_id, words.plain(found.reason_id)) or NO_PATTERN
    if not found.contact_key:
        return heading, "The reviewer named no single record."
    sent = next((c for c in contacts if c["contact_key"] == found.contact_key), None)
    if sent is None:
        return heading, "The record is no longer among those of this child."
    one = record(sent, 1)
    number = f"\nThe agency's own number: {sent['record_id']}" if sent.get("record_id") else ""
    return heading, f"{one.date}, {one.agency}: {one.said}\nFrom {one.where}{number}"
