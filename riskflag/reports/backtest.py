"""A back-test in words: one document for the page, the Markdown and the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskflag.reports import words
from riskflag.reports.documents import Document, Points, Section, Table, section
from riskflag.reports.render import page

SAME_VERSION = " Both bear the same version; give the changed one its own before it is used."
NOT_TOLD = "not told"
FEWER = (
    "Not told: fewer than 10 children, a change by fewer than 10, or a number from which one of "
    "these could be worked out."
)
CAVEATS = (
    "Every night was worked out from what was known before it. A record that came late counts only "
    "from when it came.",
    "Only rules that bring a child on their own are counted. The model is left out, and so are "
    "reviews and quiet times: with other flags, other reviews would have followed.",
    "In the first week every child that a rule brings counts as brought for the first time.",
    "That a rule would have brought a child does not say that anybody should have acted, or that "
    "acting would have changed what happened.",
)


def backtest_page(told: Mapping[str, Any]) -> str:
    """The back-test as one page that opens without a network."""
    return page(
        "document.html",
        doc=document(told),
        others=(),
        mark="Back-test of rules",
        authority=told["authority"],
        of=f"{words.day(told['from'])} to {words.day(told['to'])}",
        foot="Made by riskflag backtest. Counts of children only.",
    )


def document(told: Mapping[str, Any]) -> Document:
    """Everything the back-test found."""
    old, new = told["rulebooks"]["old"], told["rulebooks"]["new"]
    parts = [
        section("In short", Points(tuple(sentences(told)))),
        section("What changed in the rules", _rules(told["rules"])),
        section("Week by week", _weeks(told["weeks"])),
        section(
            "Children gained and lost",
            _by_rule("Gained by", told["gained_by"]),
            _by_rule("Lost with", told["lost_by"]),
        ),
        _outcomes(told["outcomes"]),
        section(
            "By group",
            FEWER,
            _groups(
                "Children brought over all nights",
                told["groups"],
                {"old": "now", "new": "changed"},
            ),
        ),
        section("How to read it", Points(CAVEATS)),
    ]
    return Document(
        "backtest",
        "What would this rulebook have done?",
        f"{new['title']} (version {new['version']}, {new['rules']} rules) beside {old['title']} "
        f"(version {old['version']}, {old['rules']} rules), on {told['nights']} nights from "
        f"{words.day(told['from'])} to {words.day(told['to'])}."
        + (SAME_VERSION if told["rules"] and old["version"] == new["version"] else ""),
        tuple(parts),
    )


def sentences(told: Mapping[str, Any]) -> list[str]:
    """The result in a few sentences."""
    found, weeks = told["children"], told["weeks"]
    whole = [week for week in weeks if week["nights"] == 7] or weeks
    average = {side: sum(w[side] for w in whole) / len(whole) for side in ("old", "new")}
    lines = [
        f"On an average week {average['new']:.0f} children would be brought, now "
        f"{average['old']:.0f}.",
        f"Over all nights {found['new']:,} children would be brought, now {found['old']:,}: "
        f"{found['both']:,} by both, {found['gained']:,} gained, {found['lost']:,} lost.",
    ]
    lines += _moved(found, "brought")
    if told["outcomes"] is not None:
        lines += _reached(told["outcomes"])
    return lines


def _moved(found: Mapping[str, Any], what: str) -> list[str]:
    lines = []
    for word in ("earlier", "later"):
        if found[word]:
            days = f"{found[f'{word}_days']:.0f}"
            lines.append(
                f"Of those by both, {found[word]:,} would be {what} {word}, by a median of {days} "
                f"{'day' if days == '1' else 'days'}."
            )
    return lines


def _reached(told: Mapping[str, Any]) -> list[str]:
    return [
        f"Of {told['children']:,} children with the outcome in these nights, {told['new']:,} would "
        f"be brought within {told['horizon_days']} days before it, now {told['old']:,}: "
        f"{told['only_new']:,} more are reached, {told['only_old']:,} are missed that are reached "
        "now.",
        *_moved(told, "reached"),
    ]


def _rules(rules: Sequence[Mapping[str, str]]) -> Table:
    keys = ("title", "rule", "change", "old", "new")
    rows = tuple(tuple(one[key] for key in keys) for one in rules)
    nothing = (("none", "", "the rules are the same", "", ""),)
    heads = ("rule", "id", "change", "asks now", "would ask")
    return Table("Rules that differ", heads, rows or nothing)


def _weeks(weeks: Sequence[Mapping[str, Any]]) -> Table:
    heads = ("week from", "nights", "now", "changed", "by both", "first now", "first changed")
    keys = ("nights", "old", "new", "both", "first_old", "first_new")
    rows = tuple((words.day(one["from"]), *(f"{one[key]:,}" for key in keys)) for one in weeks)
    return Table("Children brought in each week", heads, rows)


def _by_rule(caption: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    told = tuple((one["title"], one["rule"], f"{one['children']:,}") for one in rows)
    return Table(caption, ("rule", "id", "children"), told or (("no rule", "", "0"),))


def _outcomes(told: Mapping[str, Any] | None) -> Section:
    if told is None:
        return section(
            "Outcomes", "No outcome was given; name an experiment with --experiment to see them."
        )
    named = words.listed(words.type_label(name) for name in told["types"])
    rows = (
        ("had the outcome", f"{told['children']:,}"),
        ("brought before it, now", f"{told['old']:,}"),
        ("brought before it, with the changed rules", f"{told['new']:,}"),
        ("by both", f"{told['both']:,}"),
        ("only with the changed rules", f"{told['only_new']:,}"),
        ("only now: these would be missed", f"{told['only_old']:,}"),
        ("by both, earlier with the changed rules", f"{told['earlier']:,}"),
        ("by both, later with the changed rules", f"{told['later']:,}"),
    )
    return section(
        "Outcomes",
        f"The first of these in the time: {named}. Before it means within {told['horizon_days']} "
        "days.",
        Table("Children with the outcome", ("children who", "how many"), rows),
        FEWER,
        _groups(
            "The same by group",
            told["groups"],
            {"children": "had it", "old": "brought before it, now", "new": "with the change"},
        ),
    )


def _groups(caption: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> Table:
    """Counts by group; `columns` says which of them, and what each is called."""

    def shown(count: int | None) -> str:
        return NOT_TOLD if count is None else f"{count:,}"

    told = tuple((r["kind"], r["group"], *(shown(r[key]) for key in columns)) for r in rows)
    nothing = (("none", "", *("0" for _ in columns)),)
    return Table(caption, ("by", "group", *columns.values()), told or nothing)
