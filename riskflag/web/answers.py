"""From a flag to the questions about it, and from kept answers to what is checked and saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.casework.decisions import SHIPPED, Answers
from riskflag.reports.brief import Brief
from riskflag.reports.records import Record
from riskflag.reports.review_words import comes_back, label
from riskflag.web.forms_review import Reason, quiet_reason

#: A select cannot be read with more records than this; the rest can be told in the note.
RECORDS_LISTED = 60


@dataclass(frozen=True)
class Told:
    """One answer as it is shown for checking: `anchor` is where on the form it can be changed."""

    term: str
    answer: str
    anchor: str = ""
    step: str = "form"
    missing: bool = False


def reasons_of(flag: Mapping[str, Any], page: Brief) -> tuple[Reason, ...]:
    """The flag's reasons in the order of its page, each with its records in words."""
    by_id = {reason["reason_id"]: reason for reason in (*flag["reasons"], *flag["earlier_reasons"])}
    known = page.records.by_key
    made = []
    for card in page.patterns:
        keys = by_id[card.reason_id]["contact_keys"]
        records = sorted((known[key] for key in keys if key in known), key=lambda r: r.number)
        listed = tuple((r.key, in_words(r)) for r in records[:RECORDS_LISTED])
        made.append(Reason(card.reason_id, card.heading, card.evidence, card.anchor, listed))
    return tuple(made)


def in_words(one: Record) -> str:
    """A record as a question or an answer names it."""
    return f"Record {one.number}: {one.date}, {one.agency}: {one.said}"


def wrong(reasons: Sequence[Reason], answers: Mapping[str, Any]) -> tuple[Reason, ...]:
    """The reasons that the reviewer called wrong."""
    verdicts = answers.get("verdicts", {})
    return tuple(reason for reason in reasons if verdicts.get(reason.reason_id) == "wrong")


def told(
    reasons: Sequence[Reason],
    answers: Mapping[str, Any],
    problems: Mapping[str, Any],
    offered: Answers = SHIPPED,
) -> tuple[Told, ...]:
    """Every answer in the order of the form, in words; what was left out is told as left out."""
    decided = offered.of(answers.get("decision"))
    decision = Told(
        "Decision",
        decided.label if decided else label("decisions", answers.get("decision")),
        "decision",
        missing=decided is None,
    )
    return (*_about_the_flag(reasons, answers, problems, decision), *_about_after(answers))


def _about_the_flag(
    reasons: Sequence[Reason],
    answers: Mapping[str, Any],
    problems: Mapping[str, Any],
    decision: Told,
) -> Iterator[Told]:
    if answers.get("first_thought"):
        yield Told("First thought", label("first_thought", answers["first_thought"]))
    yield decision
    yield Told("Why", answers.get("why") or "", "why", missing=not answers.get("why"))
    for reason in reasons:
        verdict = answers.get("verdicts", {}).get(reason.reason_id)
        said = label("verdicts", verdict) if verdict else "No verdict"
        yield Told(f"Pattern: {reason.heading}", said, f"verdict_{reason.slug}")
        if verdict == "wrong":
            yield from _problem(reason, problems.get(reason.reason_id, {}))


def _about_after(answers: Mapping[str, Any]) -> Iterator[Told]:
    yield _answer("Worth bringing", "worth", answers.get("worth_bringing"), "worth_bringing")
    yield Told("Comes back", comes_back(answers.get("comes_back") or "default"), "comes_back")
    if quiet_reason(answers):
        yield Told("Why it should stay quiet", quiet_reason(answers), "quiet_reason")
    yield Told("Discussed with", answers.get("discussed_with") or "Nobody named", "discussed_with")


def _answer(term: str, kind: str, name: str | None, anchor: str) -> Told:
    return Told(term, label(kind, name), anchor, missing=not name)


def _problem(reason: Reason, problem: Mapping[str, Any]) -> Iterator[Told]:
    kind = problem.get("problem")
    parts = [label("problems", kind)]
    record = dict(reason.records).get(problem.get("contact_key") or "")
    parts += [text for text in (record, problem.get("note")) if text]
    term = f"What is wrong: {reason.heading}"
    yield Told(term, "\n".join(parts), f"problem_{reason.slug}", "wrong", missing=not kind)
