"""My reviews: who waits, since when and why; filtered as a reader chooses, never by a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from riskflag.nightly.published import (
    Filters,
    agencies_waiting,
    reasons_waiting,
    worklist_page,
)
from riskflag.reports import words
from riskflag.reports.waiting import waiting
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals import load_catalogue
from riskflag.web import desk, kept
from riskflag.web.teams import ALL, Teams, teams

blueprint = Blueprint("worklist", __name__)

#: The look that is recorded for each child of the page, before it is made.
LOOK = "list_flag"
WAITED = {"7": "A week or more", "14": "Two weeks or more", "28": "Four weeks or more"}
LEVELS = ("urgent", "soon", "routine")


@dataclass(frozen=True)
class Chosen:
    """One filter in force: what it is called, and the address of the list without it."""

    text: str
    without: str


@blueprint.get("/worklist")
@desk.needs("read_flags")
def page() -> ResponseReturnValue:
    """One page of waiting flags; everything in the address is optional."""
    choices = kept.for_publication("choices", lambda _: _choices())
    whose = teams()
    asked = _asked(choices, whose)
    filters, number = _filters(asked, whose), _number(request.args.get("page"))
    orders = current_app.extensions["riskflag_orders"]
    found = worklist_page(desk.store(), filters, number, orders=orders)
    desk.looks([one.flag_id for one in found.lines], LOOK)
    settings = desk.workspace().config
    return render_template(
        "worklist.html",
        page=waiting(found, kept.manifest(), capacity=settings.capacity_per_week),
        choices=choices,
        asked=asked,
        chosen=_chosen(asked, {**choices, "team": whose.choices}, whose),
        clear=_address({"team": [] if whose.usual == ALL else [ALL]}),
        whose=whose,
        whose_links=[(_address({**asked, "team": [value]}), text) for value, text in whose.others],
        address=lambda number: _address(asked, page=number),
        numbers=_numbers(asked, found.page, found.pages),
    )


def _choices() -> dict[str, dict[str, str]]:
    """What can be filtered by: for each field its values with their words. No child's data."""
    place = desk.workspace()
    catalogue = load_catalogue(place.features_dir, place.vocabulary)
    titles = {rule.id: rule.title for rule in Rulebook.load(None, catalogue).rules}
    agencies = {name: words.agency(name) for name in agencies_waiting(desk.store())}
    reasons = {name: _reason(name, titles) for name in reasons_waiting(desk.store())}
    return {
        "level": {name: words.words()["levels"][name]["label"] for name in LEVELS},
        "agency": dict(sorted(agencies.items(), key=lambda pair: pair[1])),
        "reason": dict(sorted(reasons.items(), key=lambda pair: pair[1])),
        "waited": WAITED,
        "only": {"new": "New, or with new records", "unread": "Not read by anybody yet"},
    }


def _reason(reason_id: str, titles: Mapping[str, str]) -> str:
    kind, _, name = reason_id.partition(":")
    if kind == "rule":
        return titles.get(name, words.sentence(words.plain(name)))
    return f"{words.theme(name)['heading']} (pattern)"


def _asked(choices: Mapping[str, Mapping[str, str]], whose: Teams) -> dict[str, list[str]]:
    """The filters of the address that are on offer; anything else is left out."""
    asked = {
        field: [value for value in request.args.getlist(field)[:2] if value in values]
        for field, values in choices.items()
    }
    return {**asked, "team": [] if whose.asked == whose.usual else [whose.asked]}


def _filters(asked: Mapping[str, list[str]], whose: Teams) -> Filters:
    one = {field: values[0] if values else None for field, values in asked.items()}
    return Filters(
        level=one["level"],
        agency=one["agency"],
        reason=one["reason"],
        waited=int(one["waited"]) if one["waited"] else None,
        new="new" in asked["only"],
        unread="unread" in asked["only"],
        team=whose.filter,
    )


def _chosen(
    asked: Mapping[str, list[str]], choices: Mapping[str, Mapping[str, str]], whose: Teams
) -> list[Chosen]:
    """The filters in force; without a team stands for all teams, whatever is usual."""
    return [
        Chosen(choices[field][value], _address(_less(asked, field, value, whose)))
        for field, values in asked.items()
        for value in values
        if value != ALL
    ]


def _less(
    asked: Mapping[str, list[str]], field: str, value: str, whose: Teams
) -> dict[str, list[str]]:
    left = [other for other in asked[field] if other != value]
    return {**asked, field: [ALL] if field == "team" and whose.usual != ALL else left}


def _address(asked: Mapping[str, list[str]], **more: Any) -> str:
    query = urlencode([*((f, v) for f, values in asked.items() for v in values), *more.items()])
    return f"/worklist?{query}" if query else "/worklist"


def _number(text: str | None) -> int:
    """A page number from an address; the first page for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else 1


def _numbers(asked: Mapping[str, list[str]], now: int, last: int) -> list[dict[str, Any]]:
    """Pages to go to: the first, those around this one, the last; dots for the ones between."""
    near = sorted({1, now - 1, now, now + 1, last} & set(range(1, last + 1)))
    items: list[dict[str, Any]] = []
    for before, number in zip([0, *near], near, strict=False):
        if number - before > 1:
            items.append({"ellipsis": True})
        href = _address(asked, page=number)
        items.append({"number": number, "current": number == now, "href": href})
    return items
