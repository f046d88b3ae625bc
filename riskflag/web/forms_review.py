"""The review form: its questions, and one question for each reason of the flag.

Nothing is preset and nothing is suggested. A field's name is made from the reason's own name, so
that a kept draft still fits when the order of reasons changes from one night to the next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectField
from wtforms.fields import Field

from riskflag.reports.review_words import choices
from riskflag.web.forms import at_least_words, one_of, radios, required, text_area, text_line

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


class FirstThoughtForm(FlaskForm):
    """One question before the patterns are read."""

    first_thought = radios(
        "From the records alone, does anything need doing?",
        choices("first_thought"),
        missing="Select yes, no or not sure",
    )


class ReviewForm(FlaskForm):
    """The questions that every review asks; `review_form` adds one for each reason."""

    decision = radios(
        "What did you decide?", choices("decisions"), missing="Select what you decided"
    )
    why = text_area("Why?", required(WHY), at_least_words(FEWEST_WORDS, WHY))
    worth_bringing = radios(
        "Was it worth bringing to you?",
        choices("worth"),
        missing="Select whether it was worth bringing to you",
    )
    comes_back = radios(
        "When should this come back?",
        choices("comes_back"),
        missing="Select when this should come back",
        optional=True,
    )
    quiet_reason = text_line("Why should it stay quiet?")
    discussed_with = text_line("Who did you discuss this with? (optional)")

    #: Field name of the verdict on each reason, set by `review_form`.
    verdict_fields: Mapping[str, str] = {}  # noqa: RUF012


def review_form(reasons: Sequence[Reason], answers: Mapping[str, Any]) -> ReviewForm:
    """The form for these reasons, filled with kept answers unless it was just sent."""
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
    made = type("FlagReviewForm", (ReviewForm,), {**fields, "verdict_fields": names})
    verdicts = answers.get("verdicts", {})
    kept = {field: verdicts.get(reason_id, "") for reason_id, field in names.items()}
    form: ReviewForm = made(data={**answers, **kept})
    return form


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


def wrong_form(reasons: Sequence[Reason], problems: Mapping[str, Mapping[str, Any]]) -> FlaskForm:
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
            choices=listed,
            validate_choice=False,
            validators=[one_of("Select a record from the list", [key for key, _ in listed])],
        )
        fields[f"note_{reason.slug}"] = text_area("What should the data steward know? (optional)")
        told = problems.get(reason.reason_id, {})
        kept[f"problem_{reason.slug}"] = told.get("problem") or ""
        kept[f"record_{reason.slug}"] = told.get("contact_key") or NO_RECORD
        kept[f"note_{reason.slug}"] = told.get("note") or ""
    form: FlaskForm = type("WrongForm", (FlaskForm,), fields)(data=kept)
    return form


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
