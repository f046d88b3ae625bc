"""The days of a look-back on which something changed, and what; quiet days are left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

Row = dict[str, Any]

#: In which order the changes of one day are told.
ORDER = (
    *("flag", "review", "closed", "rule_on", "model_on", "theme_on", "record", "corrected"),
    *("ended", "withdrawn", "link", "rule_off", "model_off", "theme_off", "undecided_on"),
    *("undecided_off", "feed_off", "feed_on", "silence"),
)


def steps(parts: Mapping[str, Any]) -> list[Row]:
    """The changes of each day, oldest day first; `parts` are those of a look-back.

    What already stood on the first day is no change of that day: it is told there as `standing`.
    """
    by_day: dict[str, list[Row]] = {}
    for day, change in _changes(parts):
        if parts["from"] <= day <= parts["to"]:
            by_day.setdefault(day, []).append(change)
    rank = {kind: place for place, kind in enumerate(ORDER)}
    return [
        {"day": day, "changes": sorted(by_day[day], key=lambda c: rank[c["kind"]])}
        for day in sorted(by_day)
    ]


def _changes(parts: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    yield from _of_records(parts["records"])
    for rule in parts["rules"]:
        about = {"rule": rule["id"], "title": rule["title"]}
        for spell in rule["spells"]:
            yield from _spell(spell, "rule", about)
        for spell in rule["undecided"]:
            yield from _spell(spell, "undecided", about)
    if parts["model"] is not None:
        for spell in parts["model"]["spells"]:
            yield from _spell(spell, "model", {})
        for theme in parts["model"]["themes"]:
            for spell in theme["spells"]:
                yield from _spell(spell, "theme", {"theme": theme["theme"]})
    for feed in parts["feeds"]:
        about = {key: feed[key] for key in ("agency", "source", "state", "complete_to")}
        # A feed that stops is off: the first day of its gap is when it goes.
        yield feed["from"], {"kind": "feed_off", "standing": feed["from_start"], **about}
        if not feed["to_end"]:
            yield _after(feed["to"]), {"kind": "feed_on", **about}
    for silence in parts["voice"]["silences"]:
        yield silence["told_from"], {"kind": "silence", "since": silence["from"]}
    for link in parts["links"]:
        yield link["from"], {"kind": "link", "link": link["kind"]}
    yield from _of_flags(parts["flags"])


def _of_records(records: list[Row]) -> Iterator[tuple[str, Row]]:
    for record in records:
        about = {"contact_key": record["contact_key"]}
        yield record["counts_from"], {"kind": "record", "days": record["days_to_know"], **about}
        for change in record["changes"]:
            yield change["from"], {"kind": change["kind"], **about}


def _of_flags(flags: list[Row]) -> Iterator[tuple[str, Row]]:
    for flag in flags:
        about = {"flag_id": flag["flag_id"]}
        yield flag["first_raised"], {"kind": "flag", **about}
        for review in flag["reviews"]:
            told = {name: review[name] for name in ("decision", "label")}
            yield review["on"], {"kind": "review", **told, **about}
        if flag["closed_on"]:
            yield flag["closed_on"], {"kind": "closed", **about}


def _spell(spell: Row, kind: str, about: Row) -> Iterator[tuple[str, Row]]:
    yield spell["from"], {"kind": f"{kind}_on", "standing": spell["from_start"], **about}
    if not spell["to_end"]:
        yield _after(spell["to"]), {"kind": f"{kind}_off", **about}


def _after(day: str) -> str:
    return (dt.date.fromisoformat(day) + dt.timedelta(days=1)).isoformat()
