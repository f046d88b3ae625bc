"""The report of contributions of one flag, for analysts and governance; never for casework."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from riskflag.casework.permissions import may
from riskflag.nightly.published import published_flag
from riskflag.nightly.ranges import ranges_of
from riskflag.reports.analyst import analyst_report
from riskflag.web import desk
from riskflag.web.gate import needs

blueprint = Blueprint("report", __name__)


@blueprint.get("/flag/<flag_id>/report")
@needs("shap")
def report(flag_id: str) -> ResponseReturnValue:
    """Every contribution with its range, the sum, how steady it is, and what was not seen."""
    desk.look(flag_id, "read_report")
    flag = published_flag(desk.workspace(), desk.store(), flag_id)
    return render_template(
        "report.html",
        flag_id=flag_id,
        page=analyst_report(flag, ranges_of(desk.workspace(), flag)),
        may_look_back=may(desk.user().role, "lookback"),
    )
