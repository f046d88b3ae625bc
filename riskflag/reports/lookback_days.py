"""The days of a look-back on which the picture changed, each change in one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from riskflag.reports import words
from riskflag.reports.review_words import decision

Row = Mapping[str, Any]

#: Changes of single records: told on a day on which something else changed, and in the full list.
OF_RECORDS = frozenset({"record", "corrected", "ended", "withdrawn"})
#: So many records of one day are told one by one.
TOLD = 4

SENTENCES = {
    "flag": "Flag {flag_id} was raised.",
    "review": "A person decided on flag {flag_id}: {decision}.",
    "closed": "Flag {flag_id} was closed.",
    "rule_on": "From this night the rule “{title}” would have been met.",
    "rule_off": "From this night the rule “{title}” would no longer have been met.",
    "model_on": "From this night the model would have pointed to these records.",
    "model_off": "From this night the model would no longer have pointed to these records.",
    "theme_on": "The model's reasons would have held: {theme}.",
    "theme_off": "The model's reasons would no longer have held: {theme}.",
    "undecided_on": "The rule “{title}” could not be decided: data it needs was missing.",
    "undecided_off": "The rule “{title}” could be decided again.",
    "feed_off": "{agency} ({source}): its data was {state}{complete}.",
    "feed_on": "{agency} ({source}): its data was no longer {state}.",
    "silence": "For six months nobody had recorded the child's words or wishes.",
    "link": "A link became known: {link}.",
}
STANDING = "Already so on the first day. "
LINKS = {
    "mother": "the child's mother",
    "parent": "a parent",
    "household_adult": "an adult in the household",
    "sibling": "a brother or sister",
    "carer": "a carer",
}


class Change(NamedTuple):
    """One sentence; `kind` is pattern, record, missing, voice or done."""

    kind: str
    text: str


@dataclass(frozen=True)
class Step:
    """A day with its changes, and how many records that were seen first on it are not told."""

    date: str
    iso: str
    changes: tuple[Change, ...]
    more: int


def days_of(course: Row, numbers: Mapping[str, int]) -> tuple[Step, ...]:
    """The days on which a rule, the model, a feed, a link, the child's words or a flag changed.

    Records that were seen first on such a day are told with it; days with nothing but records are
    in the full list of records.
    """
    records = {record["contact_key"]: record for record in course["records"]}
    return tuple(
        _step(day, records, numbers)
        for day in course["steps"]
        if any(change["kind"] not in OF_RECORDS for change in day["changes"])
    )


def _step(day: Row, records: Mapping[str, Row], numbers: Mapping[str, int]) -> Step:
    about = [c for c in day["changes"] if c["kind"] in OF_RECORDS]
    others = [c for c in day["changes"] if c["kind"] not in OF_RECORDS]
    told = [Change("record", _record(c, records, numbers)) for c in about[:TOLD]]
    changes = (*_said(others), *told)
    return Step(words.day(day["day"]), day["day"], changes, len(about[TOLD:]))


KINDS = {
    **dict.fromkeys(("flag", "review", "closed"), "done"),
    **dict.fromkeys(("feed_off", "feed_on", "undecided_on", "undecided_off", "link"), "missing"),
    "silence": "voice",
}


def _said(changes: Sequence[Row]) -> list[Change]:
    return [Change(KINDS.get(c["kind"], "pattern"), _sentence(c)) for c in changes]


def _sentence(change: Row) -> str:
    values = dict(change)
    if "theme" in values:
        values["theme"] = words.theme(values["theme"])["heading"]
    if "decision" in values:
        values["decision"] = decision(values["decision"], values.get("label"))
    if "agency" in values:
        values["agency"] = words.agency(values["agency"])
        values["state"] = words.words()["states"].get(values["state"], values["state"])
        last = values.get("complete_to")
        values["complete"] = f", complete to {words.day(last)}" if last else ""
    if "link" in values:
        values["link"] = LINKS.get(values["link"], words.plain(values["link"]))
    text = SENTENCES[change["kind"]].format(**values)
    return f"{STANDING}{text}" if change.get("standing") else text


def _record(change: Row, records: Mapping[str, Row], numbers: Mapping[str, int]) -> str:
    """What a night saw first: a record, or what became of one."""
    key = change["contact_key"]
    record, number = records[key], numbers[key]
    what = f"record {number} ({words.agency(record['agency'])}, {words.day(record['occurred_on'])})"
    if change["kind"] == "record":
        said = words.said(record)
        return f"Seen first: {what}: {said}."
    verb = {"corrected": "was corrected", "ended": "had ended", "withdrawn": "was withdrawn"}
    return f"{words.sentence(what)} {verb[change['kind']]}."
