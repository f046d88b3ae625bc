"""The review form: its questions, and one question for each reason of the flag.

Nothing is preset and nothing is suggested. A field's name is made from the reason's own name, so
that a kept draft still fits when the order of reasons changes from one night to the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Form, SelectField
from wtforms.fields import Field
from wtforms.validators import ValidationError

from riskflag.casework import policies
from riskflag.casework.decisions import SHIPPED, Answers
from riskflag.reports.review_words import choices, returns
from riskflag.web.forms import (
    Check,
    as_choices,
    at_least_words,
    complete,
    one_of,
    radios,
    required,
    text_area,
    text_line,
)

#: The answer that keeps a closed flag away until something is new.
IF_NEW = "if_new"
#: A reason in words has at least so many of them.
FEWEST_WORDS = 3
#: Answer to "which record?" when it is none of those listed.
NO_RECORD = ""

WHY = "Enter why you decided this, in at least a sentence"


@dataclass(frozen=True)
class Reason:
    """One reason of the flag as the form asks about it.

    `records` are pairs of a contact's key and how the page tells that record.
    """

    reason_id: str
    heading: str
    evidence: str
    anchor: str
    records: tuple[tuple[str, str], ...]

    @property
    def slug(self) -> str:
        """The reason's name as part of a field's name."""
        return re.sub(r"[^a-z0-9]+", "_", self.reason_id.lower())


#: The questions of a review about what comes after it, in the order of the page.
AFTERWARDS = ("comes_back", "quiet_reason", "discussed_with")


class FirstThoughtForm(FlaskForm):  # type: ignore[misc]
    """One question before the patterns are read."""

    first_thought = radios(
        "From the records alone, does anything need doing?",
        choices("first_thought"),
        missing="Select yes, no or not sure",
    )


class ReviewForm(FlaskForm):  # type: ignore[misc]
    """The questions that every review asks; `review_form` adds one for each reason."""

    decision = radios("What did you decide?", (), missing="Select what you decided")
    why = text_area("Why?", required(WHY), at_least_words(FEWEST_WORDS, WHY))
    worth_bringing = radios(
        "Was it worth bringing to you?",
        choices("worth"),
        missing="Select whether it was worth bringing to you",
    )
    comes_back = radios(
        "When should this come back?",
        (),
        missing="Select when this should come back",
        optional=True,
    )
    quiet_reason = text_line("Why should it stay quiet?")
    discussed_with = text_line("Who did you discuss this with? (optional)")

    #: Field name of the verdict on each reason, set by `review_form`.
    verdict_fields: Mapping[str, str] = {}
    #: What can be decided, set by `review_form`.
    offered: Answers = SHIPPED

    def __iter__(self) -> Iterator[Field]:
        """The fields in the order of the page, so that its errors are listed as they come."""
        asked = ("decision", "why", *self.verdict_fields.values(), "worth_bringing", *AFTERWARDS)
        place = {name: number for number, name in enumerate(asked)}
        return iter(sorted(super().__iter__(), key=lambda field: place.get(field.name, len(place))))


def review_form(
    reasons: Sequence[Reason],
    answers: Mapping[str, Any],
    *,
    offered: Answers = SHIPPED,
    sent: MultiDict[str, str] | None = None,
) -> ReviewForm:
    """The form for these reasons, filled with kept answers unless it was just sent.

    `offered` is the workspace's list of decisions and of times to come back.
    `sent` stands in for what this request sends, such as fields kept from an earlier one.
    """
    names = {reason.reason_id: f"verdict_{reason.slug}" for reason in reasons}
    fields: dict[str, Any] = {
        names[reason.reason_id]: radios(
            reason.heading,
            choices("verdicts"),
            missing="Select a verdict from the list",
            optional=True,
        )
        for reason in reasons
    }
    fields["decision"] = radios(
        "What did you decide?",
        tuple((one.name, one.label) for one in offered.decisions),
        missing="Select what you decided",
    )
    fields["comes_back"] = radios(
        "When should this come back?",
        returns(offered.return_weeks),
        missing="Select when this should come back",
        optional=True,
    )
    more_of = {"verdict_fields": names, "offered": offered}
    made = type("FlagReviewForm", (ReviewForm,), {**fields, **more_of})
    verdicts = answers.get("verdicts", {})
    kept = {field: verdicts.get(reason_id, "") for reason_id, field in names.items()}
    more = {} if sent is None else {"formdata": sent}
    form: ReviewForm = made(data={**answers, **kept}, **more)
    return form


def as_sent(form_of: Mapping[str, str], answers: Mapping[str, Any]) -> MultiDict[str, str]:
    """Kept answers as a browser would send them, to look for what is missing.

    `form_of` is the form's own map from reasons to field names.
    """
    fields = {name: str(told) for name, told in answers.items() if isinstance(told, str)}
    verdicts = answers.get("verdicts", {})
    fields |= {field: verdicts[name] for name, field in form_of.items() if verdicts.get(name)}
    return MultiDict(fields)


def complete_review(form: ReviewForm, level: str) -> bool:
    """Whether a review can be checked and saved; what is missing stands at its field."""
    done = complete(form)
    told = _not_quiet(form, level)
    if told:
        form.comes_back.errors, done = [told], False
    if form.comes_back.data == IF_NEW and not form.quiet_reason.data:
        form.quiet_reason.errors = ["Enter why it should stay quiet until something is new"]
        done = False
    return done


def _not_quiet(form: ReviewForm, level: str) -> str:
    """Why the flag may not stay away as chosen; empty when it may."""
    chosen = form.comes_back.data
    if chosen and chosen not in may_come_back(level, form.offered):
        return "An urgent flag cannot stay away for longer. Select another time"
    decision = form.offered.of(form.decision.data)
    if chosen == IF_NEW and decision and not policies.closes(decision.meaning):
        return "Your decision leaves the flag open. Select the usual rule or a time in weeks"
    return ""


def quiet_reason(answers: Mapping[str, Any]) -> str:
    """The reason for staying quiet; text left from another choice is kept but does not count."""
    return str(answers.get("quiet_reason") or "") if answers.get("comes_back") == IF_NEW else ""


def may_come_back(level: str, offered: Answers = SHIPPED) -> tuple[str, ...]:
    """The answers to when a flag of this level comes back, in the order of the form."""
    longest = policies.QUIET_DAYS[level]
    return tuple(
        name
        for name, _ in returns(offered.return_weeks)
        if level != policies.URGENT or (name != IF_NEW and 7 * policies.weeks(name) <= longest)
    )


def review_answers(form: ReviewForm) -> dict[str, Any]:
    """The answers as a draft keeps them, whether they are complete or not."""
    return {
        "decision": form.decision.data,
        "why": form.why.data,
        "worth_bringing": form.worth_bringing.data,
        "comes_back": form.comes_back.data,
        "quiet_reason": form.quiet_reason.data,
        "discussed_with": form.discussed_with.data,
        "verdicts": {
            reason_id: form[name].data
            for reason_id, name in form.verdict_fields.items()
            if form[name].data
        },
    }


def wrong_form(
    reasons: Sequence[Reason],
    problems: Mapping[str, Mapping[str, Any]],
    *,
    sent: MultiDict[str, str] | None = None,
) -> FlaskForm:
    """What is wrong with each of these reasons: the kind, which record, and a note."""
    fields: dict[str, Field] = {}
    kept: dict[str, Any] = {}
    for reason in reasons:
        fields[f"problem_{reason.slug}"] = radios(
            "What is wrong?", choices("problems"), missing=f"Select what is wrong: {reason.heading}"
        )
        listed = [(NO_RECORD, "None of these, or more than one"), *reason.records]
        fields[f"record_{reason.slug}"] = SelectField(
            "Which record? (optional)",
            choices=as_choices(listed),
            validate_choice=False,
            validators=[one_of("Select a record from the list", [key for key, _ in listed])],
        )
        fields[f"note_{reason.slug}"] = text_area(
            "What should the data steward know?", _needed_for_other(f"problem_{reason.slug}")
        )
        told = problems.get(reason.reason_id, {})
        kept[f"problem_{reason.slug}"] = told.get("problem") or ""
        kept[f"record_{reason.slug}"] = told.get("contact_key") or NO_RECORD
        kept[f"note_{reason.slug}"] = told.get("note") or ""
    more = {} if sent is None else {"formdata": sent}
    form: FlaskForm = type("WrongForm", (FlaskForm,), fields)(data=kept, **more)
    return form


def _needed_for_other(kind: str) -> Check:
    """A note is needed where the kind of problem says nothing by itself."""

    def check(form: Form, field: Field) -> None:
        if form[kind].data == "other" and not str(field.data or "").strip():
            raise ValidationError("Enter what is wrong")

    return check


def wrong_answers(form: FlaskForm, reasons: Sequence[Reason]) -> dict[str, dict[str, str]]:
    """What was said to be wrong, by reason, as a draft keeps it."""
    return {
        reason.reason_id: {
            "problem": form[f"problem_{reason.slug}"].data or "",
            "contact_key": form[f"record_{reason.slug}"].data or "",
            "note": form[f"note_{reason.slug}"].data or "",
        }
        for reason in reasons
    }


def wrong_as_sent(
    reasons: Sequence[Reason], problems: Mapping[str, Mapping[str, Any]]
) -> FlaskForm:
    """The same form as if the kept answers had just been sent, to look for what is missing."""
    fields: MultiDict[str, str] = MultiDict()
    for reason in reasons:
        told = problems.get(reason.reason_id, {})
        fields[f"problem_{reason.slug}"] = told.get("problem") or ""
        fields[f"record_{reason.slug}"] = told.get("contact_key") or NO_RECORD
        fields[f"note_{reason.slug}"] = told.get("note") or ""
    return wrong_form(reasons, {}, sent=fields)
