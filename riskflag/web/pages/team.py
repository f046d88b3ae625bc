"""The team's work: what waits, what arrives against what can be read, and what was decided.

About the work, never about one worker: no reviewer is named and no agreement is counted.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from riskflag.casework import health, overview
from riskflag.casework.decisions import Answers
from riskflag.casework.overview import NothingFurther, Waiting
from riskflag.clock import LONDON, today
from riskflag.reports import words
from riskflag.reports.review_words import decision
from riskflag.web import desk, kept
from riskflag.web.bars import Bar, Level, bar, level_bar
from riskflag.web.teams import teams

blueprint = Blueprint("team", __name__)

#: So many weeks are looked back over.
WEEKS = 8
LOOK = "read_reasons"


@dataclass(frozen=True)
class WaitingRow:
    """What waits of one level."""

    level: str
    flags: int
    unread: int
    overdue: int
    ages: tuple[int, ...]
    oldest: str


@dataclass(frozen=True)
class Week:
    """One week's new flags against what the team can read in a week."""

    name: str
    flags: int
    bar: Level


@dataclass(frozen=True)
class Decided:
    """How often one decision was taken."""

    decision: str
    count: int
    bar: Bar | None


@dataclass(frozen=True)
class Why:
    """A reason for nothing further, in a reviewer's words."""

    flag_id: str
    day: str
    why: str


@blueprint.get("/team")
@desk.needs("team")
def team() -> ResponseReturnValue:
    """The overview of the last weeks."""
    store, user = desk.store(), desk.user()
    share = desk.workspace().config.second_look_share
    since = today() - dt.timedelta(weeks=WEEKS)
    whose = teams()
    now = kept.until_reviewed(
        f"team {whose.asked} since {since} at {share}",
        lambda: overview.overview(store, since, share=share, team=whose.filter),
    )
    # A reviewer's words are about a child: for those who read flags, and each look is recorded.
    may_read = user.may("read_flags")
    told = overview.whys(store, now.nothing_further) if may_read else ()
    desk.looks(list(dict.fromkeys(one.flag_id for one in told)), LOOK)
    return render_template(
        "team.html",
        as_of=words.day(now.as_of) if now.as_of else "",
        since=words.day(now.since),
        waiting=[_waiting(one) for one in now.waiting],
        ages=[name for _, name in overview.AGES],
        weeks=kept.for_publication(
            f"weeks of flags {whose.asked}", lambda _: _weeks(now.as_of, whose.filter)
        ),
        capacity=desk.workspace().config.capacity_per_week,
        decisions=_decisions(now.decisions, desk.answers()),
        decided=sum(one.reviews for one in now.decisions),
        second_looks=now.second_looks,
        median_days=_days(now.median_days_to_review),
        may_read_why=may_read,
        whys=[_why(one) for one in told],
        whose=whose,
    )


def _waiting(one: Waiting) -> WaitingRow:
    return WaitingRow(
        str(words.words()["levels"][one.level]["label"]),
        one.flags,
        one.unread,
        one.overdue,
        tuple(count for _, count in one.by_age),
        "none" if one.oldest_days is None else _in_days(one.oldest_days),
    )


def _weeks(as_of: dt.date | None, team: str | None) -> list[Week]:
    """New flags by week, the newest first; the last week ends with the day of the publication.

    What can be read in a week is set for all teams together, and stands beside each alike.
    """
    if as_of is None:
        return []
    capacity = desk.workspace().config.capacity_per_week
    since = as_of - dt.timedelta(weeks=WEEKS) + dt.timedelta(days=1)
    raised = health.raised_on(desk.store(), since, as_of, team=team)
    counts = Counter((as_of - day).days // 7 for day in raised.values())
    most = max([capacity, *counts.values()])
    found = []
    for back in range(WEEKS):
        ends = as_of - dt.timedelta(weeks=back)
        begins = ends - dt.timedelta(days=6)
        name = words.period(begins.isoformat(), ends.isoformat())
        name = name.removeprefix("between ").replace(" and ", " to ")
        found.append(Week(name, counts[back], level_bar(counts[back], most, mark=capacity)))
    return found


def _decisions(found: tuple[overview.Decided, ...], offered: Answers) -> list[Decided]:
    """The decisions on the form in its order, then those recorded under another label."""
    counts = Counter({one.label: 0 for one in offered.decisions})
    for one in found:
        counts[decision(one.name, one.label)] += one.reviews
    whole = sum(counts.values())
    return [
        Decided(name, count, bar(count / whole) if whole else None)
        for name, count in counts.items()
    ]


def _in_days(days: int) -> str:
    return f"{days} {'day' if days == 1 else 'days'}"


def _days(median: float | None) -> str:
    if median is None:
        return "No review yet."
    days = f"{words.number(median)} {'day' if median == 1 else 'days'}"
    return f"Half of the flags had their first review within {days} of being raised."


def _why(one: NothingFurther) -> Why:
    return Why(one.flag_id, words.day(one.decided_at.astimezone(LONDON).date()), one.why)
