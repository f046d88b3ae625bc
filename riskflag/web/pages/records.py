"""All records of one child as one chronology: filtered, in either order, and as text to copy."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from riskflag.nightly.chronologies import flag_and_records
from riskflag.reports import flag_page
from riskflag.reports.links import Links
from riskflag.reports.person_records import WHOSE, Choice, all_records
from riskflag.web import desk
from riskflag.web.pages.flag import LISTED

blueprint = Blueprint("records", __name__)

LOOK = "read_records"
DAYS = (("since", "From", "first"), ("until", "To", "last"))


@blueprint.get("/flag/<flag_id>/records")
@desk.needs("read_flags")
def records(flag_id: str) -> ResponseReturnValue:
    """The chronology of the flag's child; the query chooses what of it, nothing is sent."""
    desk.look(flag_id, LOOK)
    flag, contacts = flag_and_records(desk.workspace(), desk.store(), flag_id)
    page = flag_page.view(flag, most=LISTED)
    choice, wrong = chosen(request.args)
    found = all_records(flag, contacts, page, choice)
    go = Links(flag_id)
    return render_template(
        "records.html",
        page=page,
        go=go,
        choice=choice,
        found=found,
        whose=tuple(WHOSE.items()),
        days=[(*day, request.args.get(day[0], "").strip(), wrong.get(day[0])) for day in DAYS],
        errors=[{"text": text, "href": f"#{name}"} for name, text in wrong.items()],
        other_order=address(go, replace(choice, oldest_first=not choice.oldest_first, page=1)),
        earlier=_page(go, choice, found.page - 1) if found.page > 1 else "",
        later=_page(go, choice, found.page + 1) if found.page < found.pages else "",
    )


def chosen(args: MultiDict[str, str]) -> tuple[Choice, dict[str, str]]:
    """The choice in a query, and what is wrong with its days by field name."""
    wrong: dict[str, str] = {}
    days = {}
    for name, _, place in DAYS:
        text = args.get(name, "").strip()
        days[name] = text if _is_day(text) else ""
        if text and not days[name]:
            wrong[name] = f"Enter the {place} day as year-month-day, such as 2026-03-27"
    number = args.get("page", "1")
    choice = Choice(
        agency=args.get("agency", ""),
        type=args.get("type", ""),
        whose=args.get("whose", "") if args.get("whose", "") in WHOSE else "",
        since=days["since"],
        until=days["until"],
        pattern=args.get("pattern", ""),
        oldest_first=args.get("order") == "oldest",
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1,
    )
    return choice, wrong


def address(go: Links, choice: Choice) -> str:
    """The address that shows a choice."""
    asked = {
        "agency": choice.agency,
        "type": choice.type,
        "whose": choice.whose,
        "since": choice.since,
        "until": choice.until,
        "pattern": choice.pattern,
        "order": "oldest" if choice.oldest_first else "",
        "page": str(choice.page) if choice.page > 1 else "",
    }
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{go.all_records}?{query}" if query else go.all_records


def _page(go: Links, choice: Choice, number: int) -> str:
    return address(go, replace(choice, page=number))


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
