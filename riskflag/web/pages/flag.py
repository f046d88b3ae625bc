"""One flag: why it came, its records, its patterns, what points the other way, and the review."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from riskflag.casework.kept_reviews import is_open
from riskflag.casework.permissions import may
from riskflag.nightly.published import published_flag
from riskflag.reports import flag_page
from riskflag.reports.links import Links
from riskflag.web import desk

blueprint = Blueprint("flag", __name__)

#: The look that is recorded before the page is made.
LOOK = "read_flag"
OLDEST = "oldest"
#: A page of the app has no size to keep to, so it lists more records than a file does.
LISTED = 1_000


@blueprint.get("/flag/<flag_id>")
@desk.needs("read_flags")
def flag(flag_id: str) -> ResponseReturnValue:
    """The flag as it was published last; records run newest first, or `?order=oldest`."""
    desk.look(flag_id, LOOK)
    oldest_first = request.args.get("order") == OLDEST
    page = flag_page.view(
        published_flag(desk.workspace(), desk.store(), flag_id),
        oldest_first=oldest_first,
        most=LISTED,
    )
    role = desk.user().role
    return render_template(
        "flag.html",
        page=page,
        go=Links(flag_id, oldest_first),
        may_review=may(role, "review"),
        still_open=is_open(desk.store(), flag_id),
        may_look_back=may(role, "lookback"),
    )
