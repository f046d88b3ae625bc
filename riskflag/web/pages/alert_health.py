"""Alert health: what came of the flags, by rule, theme, agency and group of children."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from riskflag.casework import health, publishing
from riskflag.casework.groups import AGE, AGES, groups_of
from riskflag.casework.health import AlertHealth, HealthLine
from riskflag.casework.small_numbers import FEWEST
from riskflag.clock import today
from riskflag.reports import words
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals import load_catalogue
from riskflag.web import desk, kept
from riskflag.web.bars import Bar, interval, interval_bar

blueprint = Blueprint("alert_health", __name__)

#: Periods that can be chosen, in months of about 30.4 days, and the one shown first.
PERIODS = {"3": 91, "6": 183, "12": 365}
FIRST = "12"
GROUPS = {"age": "By age", "sex": "By sex as recorded", "ethnicity": "By ethnic group as recorded"}
SEXES = {"F": "Girls", "M": "Boys", "U": "Not known", "X": "Another answer"}
HIDDEN = "hidden"


@dataclass(frozen=True)
class Row:
    """One rule, theme, agency or group; a number that is too small is told as hidden."""

    name: str
    flags: str
    first: str
    again: str
    reviewed: str
    worth: str
    bar: Bar | None


@dataclass(frozen=True)
class Table:
    """One table of the page with a finding in words."""

    anchor: str
    heading: str
    first_column: str
    rows: tuple[Row, ...]
    finding: str
    hidden: tuple[str, ...]


@blueprint.get("/alert-health")
@desk.needs("alert_health")
def alert_health() -> ResponseReturnValue:
    """The flags of a period and what reviewers said of them; no child and no reviewer is named."""
    months = request.args.get("months", FIRST)
    months = months if months in PERIODS else FIRST
    now = publishing.current(desk.store())
    until = now.as_of if now else today()
    since = until - dt.timedelta(days=PERIODS[months] - 1)
    # Only what may be shown is kept: counts without the small ones.
    found = kept.until_reviewed(f"health of {months} months", lambda: _health(since, until))
    whole = found.all
    return render_template(
        "alert_health.html",
        months=months,
        periods=list(PERIODS),
        since=words.day(since),
        until=words.day(until),
        fewest=FEWEST,
        whole=_row(whole, lambda _: "All flags"),
        any_flags=whole.flags != 0,
        tables=_tables(found),
        no_groups=not found.groups,
    )


def _health(since: dt.date, until: dt.date) -> AlertHealth:
    store = desk.store()
    groups = groups_of(desk.workspace().history, health.raised_on(store, since, until))
    return health.alert_health(store, since, until, groups)


def _tables(found: AlertHealth) -> list[Table]:
    titles = kept.for_publication("titles of rules", lambda _: _titles())
    agencies = sorted(found.agencies, key=lambda line: words.agency(line.name))
    tables = [
        _table("rules", "By rule", "Rule", found.rules, lambda n: titles.get(n, words.plain(n))),
        _table("themes", "By theme of the model", "Theme", found.themes, _theme),
        _table("agencies", "By agency behind the reasons", "Agency", agencies, words.agency),
    ]
    for kind, lines in found.groups.items():
        in_order = sorted(lines, key=_place) if kind == AGE else lines
        tables.append(_table(kind, GROUPS.get(kind, kind), "Group", in_order, _group))
    return tables


def _titles() -> dict[str, str]:
    place = desk.workspace()
    catalogue = load_catalogue(place.features_dir, place.vocabulary)
    return {rule.id: rule.title for rule in Rulebook.load(None, catalogue).rules}


def _place(line: HealthLine) -> int:
    """Where an age stands: the youngest first, what is not recorded last."""
    return AGES.index(line.name) if line.name in AGES else len(AGES)


def _group(name: str) -> str:
    return SEXES.get(name) or words.sentence(name)


def _theme(name: str) -> str:
    """A theme's heading; two that rest on the same records share one name with a plus."""
    return " and ".join(str(words.theme(one)["heading"]) for one in name.split("+"))


def _table(
    anchor: str,
    heading: str,
    first_column: str,
    lines: Sequence[HealthLine],
    called: Callable[[str], str],
) -> Table:
    rows = tuple(_row(line, called) for line in lines if line.flags is not None)
    small = tuple(called(line.name) for line in lines if line.flags is None)
    return Table(anchor, heading, first_column, rows, _finding(lines, called), small)


def _finding(lines: Sequence[HealthLine], called: Callable[[str], str]) -> str:
    """The widest difference that the numbers bear: two intervals that do not meet."""
    told = [line for line in lines if line.worth is not None]
    if len(told) < 2:
        return "There are too few reviews to compare."
    low = min(told, key=lambda line: line.worth.high if line.worth else 1.0)
    high = max(told, key=lambda line: line.worth.low if line.worth else 0.0)
    if low.worth and high.worth and low.worth.high < high.worth.low:
        return (
            f"“{called(low.name)}” was found worth bringing less often than "
            f"“{called(high.name)}”, by more than chance explains."
        )
    return "No difference here is larger than chance explains."


def _row(line: HealthLine, called: Callable[[str], str]) -> Row:
    return Row(
        called(line.name),
        _count(line.flags),
        _count(line.first),
        _count(line.again),
        _count(line.reviewed),
        interval(line.worth) if line.worth else HIDDEN if line.reviewed is None else "none yet",
        interval_bar(line.worth) if line.worth else None,
    )


def _count(count: int | None) -> str:
    return HIDDEN if count is None else f"{count:,}"
