"""A flag's look-back: its child's course day by day, for learning after something happened."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from riskflag.casework import past
from riskflag.casework.permissions import may
from riskflag.clock import parse_day
from riskflag.errors import RiskflagError
from riskflag.reports.lookback import lookback_page
from riskflag.web import desk
from riskflag.web.gate import needs

blueprint = Blueprint("lookback", __name__)


@blueprint.get("/flag/<flag_id>/lookback")
@needs("lookback")
def lookback(flag_id: str) -> ResponseReturnValue:
    """The look-back at the child of a flag; `from` and `to` narrow the days."""
    person = past.person_of(desk.store(), flag_id)
    if person is None:
        abort(404)
    desk.look(flag_id, "look_back")
    first, last = request.args.get("from", "").strip(), request.args.get("to", "").strip()
    try:
        view, mistake = lookback_page(_course(person, first, last)), ""
    except RiskflagError as error:
        # A wrong day is told beside the form; the whole course is there without days.
        view, mistake = None, str(error)
    page = render_template(
        "lookback.html",
        page=view,
        flag_id=flag_id,
        first=first,
        last=last,
        mistake=mistake,
        may_read=may(desk.user().role, "read_flags"),
    )
    return page, 200 if view is not None else 400


def _course(person: str, first: str, last: str) -> dict[str, object]:
    from riskflag.nightly.lookback import look_back_as_published
    from riskflag.nightly.lookback_material import Asked

    asked = Asked(
        person,
        parse_day(first, "first day") if first else None,
        parse_day(last, "last day") if last else None,
    )
    return look_back_as_published(desk.workspace(), desk.store(), asked)
