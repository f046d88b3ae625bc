"""Second looks: which reviews wait for one, without a word of what the first reviewer said."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from riskflag.casework import second_looks
from riskflag.clock import LONDON
from riskflag.reports import words
from riskflag.web import desk
from riskflag.web.paging import part_of

blueprint = Blueprint("second_look", __name__)


@dataclass(frozen=True)
class Row:
    """One second look that waits. Why it was chosen is not told: that would tell the decision."""

    flag_id: str
    since: str


@blueprint.get("/second-look")
@desk.needs("second_look")
def queue() -> ResponseReturnValue:
    """The list, the longest waiting first; it names no child."""
    share = desk.workspace().config.second_look_share
    waiting = second_looks.due(desk.store(), desk.user(), share=share)
    part = part_of(waiting, request.args.get("page"))
    rows = tuple(
        Row(one.flag_id, words.day(one.reviewed_at.astimezone(LONDON).date())) for one in part.rows
    )
    return render_template("second_look.html", part=part.of(rows))
