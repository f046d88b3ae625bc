"""From a finished draft to a recorded review, and from a recorded review to words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskflag.casework import kept_reviews, policies, second_looks
from riskflag.casework.decisions import Answers
from riskflag.casework.kept_reviews import KeptReview, KeptVerdict
from riskflag.casework.policies import Decision
from riskflag.casework.reviews import NewReview, ReasonVerdict
from riskflag.errors import InputError
from riskflag.reports import words
from riskflag.reports.flag_page import short
from riskflag.reports.outline import outline
from riskflag.reports.records import numbered, record
from riskflag.reports.review_words import comes_back, copyable, decision, instant, label
from riskflag.web import desk
from riskflag.web.answers import Told, in_words
from riskflag.web.case import Case
from riskflag.web.drafting import Writing
from riskflag.web.forms_review import IF_NEW, Reason, quiet_reason


def new_review(case: Case, kept: Writing) -> NewReview:
    """The review that a complete draft stands for."""
    assert kept.opening is not None
    user, answers = desk.user(), kept.answers
    decided = desk.answers().of(answers["decision"])
    if decided is None:
        raise InputError("This decision is no longer on the form; open the review again.")
    return NewReview(
        flag_id=case.flag_id,
        reviewer=user.name,
        role=user.role,
        decision=decided.name,
        meaning=decided.meaning,
        decision_label=decided.label,
        why=answers["why"],
        worth_bringing=answers["worth_bringing"],
        opened_at=kept.opening.at,
        amends=kept.opening.amends,
        second_look_of=kept.opening.second_look_of,
        verdicts=verdicts(case, kept),
        comes_back=answers.get("comes_back") or "default",
        quiet_reason=quiet_reason(answers),
        discussed_with=answers.get("discussed_with") or "",
        first_thought=answers.get("first_thought") or None,
        sections_opened=_sections(case),
        expected=kept.opening.shown,
        review_id=kept.opening.review_id,
    )


def verdicts(case: Case, kept: Writing) -> tuple[ReasonVerdict, ...]:
    """The verdicts on the reasons that the flag has now."""
    given: Mapping[str, str] = kept.answers.get("verdicts", {})
    return tuple(
        _verdict(reason.reason_id, given[reason.reason_id], kept.problems)
        for reason in case.reasons
        if given.get(reason.reason_id)
    )


def _verdict(reason_id: str, verdict: Any, problems: Mapping[str, Any]) -> ReasonVerdict:
    told = problems.get(reason_id, {}) if verdict == "wrong" else {}
    return ReasonVerdict(
        reason_id,
        verdict,
        problem=told.get("problem") or None,
        note=told.get("note") or "",
        contact_key=told.get("contact_key") or None,
    )


#: A look in the audit chain and the section of the pages that it stands for.
SECTIONS = {
    "read_flag": "flag",
    "read_records": "records",
    "read_record": "record",
    "read_reviews": "reviews",
    "look_back": "lookback",
    "read_report": "report",
}


def _sections(case: Case) -> tuple[str, ...]:
    """The sections that this reviewer opened, by the audit chain, since the last review."""
    opened = kept_reviews.pages_opened(desk.store(), case.flag_id, desk.user().name)
    return tuple(name for look, name in SECTIONS.items() if look in opened)


@dataclass(frozen=True)
class Entry:
    """A recorded review in words, as timelines and conflict pages show it."""

    review_id: str
    kind: str
    who: str
    when: str
    iso: str
    decision: str
    why: str
    rows: tuple[Told, ...]
    shown: str
    opened: str
    own: bool


@dataclass(frozen=True)
class Names:
    """What a flag's page calls its reasons (by their ids) and its records (by their keys)."""

    headings: Mapping[str, str]
    records: Mapping[str, str]


def entry(review: KeptReview, names: Names) -> Entry:
    """One review in words; `names` are those of the flag's page."""
    return Entry(
        review_id=review.review_id,
        kind="Second look" if review.second_look_of else "Amendment" if review.amends else "Review",
        who=f"{review.reviewer} ({label('roles', review.role)})",
        when=instant(review.decided_at),
        iso=review.decided_at.isoformat(timespec="seconds"),
        decision=decision(review.decision, review.decision_label),
        why=review.why,
        rows=(
            Told("Decision", decision(review.decision, review.decision_label)),
            Told("Why", review.why),
            *_rows(review, names),
        ),
        shown=f"The flag as it stood on {words.day(review.as_of)}",
        opened=_opened(review),
        own=review.reviewer == desk.user().name,
    )


def _opened(review: KeptReview) -> str:
    """The pages about the child that the reviewer had opened, as far as it is known."""
    return "; ".join(label("sections", name) for name in review.sections_opened) or "Not recorded"


def _rows(review: KeptReview, names: Names) -> tuple[Told, ...]:
    rows = []
    if review.first_thought:
        rows.append(Told("First thought", label("first_thought", review.first_thought)))
    for verdict in review.verdicts:
        heading = names.headings.get(verdict.reason_id, words.plain(verdict.reason_id))
        rows.append(Told(f"Pattern: {heading}", said_of(verdict, names)))
    rows.append(Told("Worth bringing", label("worth", review.worth_bringing)))
    rows.append(Told("Comes back", _back(review)))
    if review.quiet_reason:
        rows.append(Told("Why it should stay quiet", review.quiet_reason))
    rows.append(Told("Discussed with", review.discussed_with or "Nobody named"))
    return tuple(rows)


def _back(review: KeptReview) -> str:
    """When the flag comes back or is due again, with the day that was promised."""
    told = comes_back(review.comes_back or "default")
    if review.back_on is None:
        return told
    latest = "at the latest on " if review.comes_back == IF_NEW else ""
    return f"{told}: {latest}{words.day(review.back_on)}"


def said_of(verdict: KeptVerdict, names: Names) -> str:
    """A verdict in words, with what was wrong and with which record."""
    parts = [label("verdicts", verdict.verdict)]
    if verdict.problem:
        parts.append(label("problems", verdict.problem))
    if verdict.contact_key and verdict.contact_key in names.records:
        parts.append(names.records[verdict.contact_key])
    if verdict.note:
        parts.append(verdict.note)
    return "\n".join(parts)


def names_of(reasons: Sequence[Reason]) -> Names:
    """The names of a flag's reasons and of the records behind them."""
    return Names(
        {reason.reason_id: reason.heading for reason in reasons},
        dict(record for reason in reasons for record in reason.records),
    )


def names_on(flag: Mapping[str, Any]) -> Names:
    """The same of a published flag, without making its page."""
    page = outline(flag)
    reasons = (*flag["reasons"], *flag.get("earlier_reasons", ()))
    behind = {key for reason in reasons for key in reason["contact_keys"]}
    known = (record(c, n) for n, c in numbered(flag["contacts"]) if c["contact_key"] in behind)
    return Names(
        {pattern.reason_id: pattern.heading for pattern in page.patterns},
        {one.key: in_words(one) for one in known},
    )


def newest(case: Case) -> Entry | None:
    """The last review of a flag in words, or None."""
    found = kept_reviews.reviews_of_flag(desk.store(), case.flag_id)
    return entry(found[0], names_of(case.reasons)) if found else None


def amended(case: Case, review_id: str | None) -> Entry | None:
    """The review of this flag that is being amended, in words; None when none is."""
    if not review_id:
        return None
    for review in kept_reviews.reviews_of_flag(desk.store(), case.flag_id):
        if review.review_id == review_id:
            return entry(review, names_of(case.reasons))
    raise InputError("There is no such review of this flag to amend; look at past reviews.")


def answers_of(case: Case, review_id: str | None) -> dict[str, Any]:
    """One's own review's answers, for a draft to begin with; the reasons are asked anew.

    Somebody else's answers are shown above the form and never filled in: nothing is suggested.
    """
    for review in kept_reviews.reviews_of_flag(desk.store(), case.flag_id):
        if review.review_id == review_id and review.reviewer == desk.user().name:
            return {
                "decision": review.decision,
                "worth_bringing": review.worth_bringing,
                "comes_back": review.comes_back,
                "quiet_reason": review.quiet_reason,
                "discussed_with": review.discussed_with,
                # What was reported as wrong stays reported; it is not reported a second time.
                "verdicts": {
                    one.reason_id: one.verdict for one in review.verdicts if one.verdict != "wrong"
                },
            }
    return {}


def owed(flag_id: str) -> str | None:
    """The review of this flag that the person signed in has been asked to look at again."""
    found = second_looks.due_of(
        desk.store(), flag_id, desk.user(), share=desk.workspace().config.second_look_share
    )
    return None if found is None else found.review_id


def first_of(case: Case, second: KeptReview) -> Entry | None:
    """The review that a second look was at, which may be read once the second is saved."""
    for review in kept_reviews.reviews_of_flag(desk.store(), case.flag_id):
        if review.review_id == second.second_look_of:
            return entry(review, names_of(case.reasons))
    return None


def own(flag_id: str, review_id: str | None) -> KeptReview | None:
    """A review of this flag by the person who is signed in, or None."""
    for review in kept_reviews.reviews_of_flag(desk.store(), flag_id):
        if review.review_id == review_id and review.reviewer == desk.user().name:
            return review
    return None


def usual_rule(case: Case) -> str:
    """When a closed flag of this level comes back by itself, in a sentence."""
    days = policies.QUIET_DAYS[case.level]
    return (
        "By the usual rule a closed flag comes back when something new is known, "
        f"or after {days} days."
    )


def what_will_happen(case: Case, kept: Writing) -> tuple[str, ...]:
    """What saving does, sentence by sentence."""
    lines = [_effect(desk.answers().of(kept.answers.get("decision")))]
    if any(verdict.verdict == "wrong" for verdict in verdicts(case, kept)):
        lines.append("What you called wrong goes to the data steward.")
    lines.append("Your review is kept as it is. It can be amended, never changed or removed.")
    lines.append("riskflag itself does nothing else: you take the next step.")
    return tuple(lines)


def keeps_open(offered: Answers) -> str:
    """Which decisions keep a flag open, in two sentences."""
    still = [one.label for one in offered.decisions if not policies.closes(one.meaning)]
    return f"These keep the flag open: {'; '.join(still)}. The others close it."


def _effect(chosen: Decision | None) -> str:
    if chosen is not None and chosen.meaning == policies.CANNOT_DECIDE:
        return "The flag stays open, and a senior practitioner takes a second look."
    if chosen is not None and policies.closes(chosen.meaning):
        return "The flag is closed and leaves the worklist."
    return "The flag stays open on the worklist."


def what_happened(case: Case, review: KeptReview) -> str:
    """What saving did to the flag."""
    if kept_reviews.is_open(desk.store(), case.flag_id):
        return "The flag stays open on the worklist. The next step is yours."
    return "The flag is closed and has left the worklist. The next step is yours."


def text_for_case_system(case: Case, review: KeptReview) -> str:
    """The review as plain text; the child by the initials and number that the reader may see."""
    told = entry(review, names_of(case.reasons))
    return copyable(
        [
            ("Flag", case.flag_id),
            ("Child", f"{case.page.display}, {case.page.age}"),
            ("Person number", str(case.flag["person_id"])),
            ("Why it came", case.page.why),
            (told.kind, told.when),
            ("By", told.who),
            *((row.term, row.answer) for row in told.rows),
            ("Records known before", case.page.as_of),
            ("Record hash", short(review.shown_hash)),
        ]
    )
