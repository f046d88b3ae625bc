"""Past reviews of a child: every flag, every review and amendment, and what became of problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from riskflag.casework import kept_reviews, second_looks
from riskflag.casework.kept_reviews import FlagCourse, KeptReview
from riskflag.errors import RiskflagError
from riskflag.nightly.published import published_flag
from riskflag.reports import flag_page, words
from riskflag.reports.review_words import instant, label
from riskflag.web import desk, reviewed
from riskflag.web.reviewed import Entry, Names

blueprint = Blueprint("reviews", __name__)

LOOK = "read_reviews"


@dataclass(frozen=True)
class Reported:
    """A data problem that a review reported, and how far it has come."""

    heading: str
    kind: str
    note: str
    state: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """A review on the timeline: itself, which review it belongs to, and problems reported in it."""

    entry: Entry
    about: str
    problems: tuple[Reported, ...]


@dataclass(frozen=True)
class Course:
    """One flag of the child with its reviews, newest first."""

    flag_id: str
    status: str
    why: str
    reviews: tuple[Told, ...]
    is_open: bool


@blueprint.get("/flag/<flag_id>/reviews")
@desk.needs("read_flags")
def reviews(flag_id: str) -> ResponseReturnValue:
    """All reviews of the child; kept back from who still owes a second look of their own."""
    desk.look(flag_id, LOOK)
    user = desk.user()
    share = desk.workspace().config.second_look_share
    found = kept_reviews.courses_of_child(desk.store(), flag_id)
    blind = [
        course.flag_id
        for course in found
        if second_looks.due_of(desk.store(), course.flag_id, user, share=share)
    ]
    return render_template(
        "reviews.html",
        flag_id=flag_id,
        courses=[_course(course) for course in found if course.flag_id not in blind],
        blind=blind,
        may_review=user.may("review"),
    )


def _course(course: FlagCourse) -> Course:
    why, names = _words_of(course.flag_id)
    entries = {review.review_id: review for review in course.reviews}
    closed = f"Closed on {instant(course.closed_at)}" if course.closed_at else "Open"
    return Course(
        flag_id=course.flag_id,
        status=closed,
        why=why,
        reviews=tuple(_told(review, entries, names) for review in course.reviews),
        is_open=course.status == "open",
    )


def _words_of(flag_id: str) -> tuple[str, Names]:
    """The flag's opening sentence and the names on its page; none when its page is gone."""
    try:
        flag = published_flag(desk.workspace(), desk.store(), flag_id)
    except RiskflagError:
        return "The page of this flag is no longer kept.", Names({}, {})
    return flag_page.why(flag), reviewed.names_on(flag)


def _told(review: KeptReview, others: Mapping[str, KeptReview], names: Names) -> Told:
    earlier = others.get(review.amends or review.second_look_of or "")
    about = ""
    if earlier is not None:
        verb = "Amends" if review.amends else "Second look at"
        about = f"{verb} the review of {instant(earlier.decided_at)} by {earlier.reviewer}"
    return Told(reviewed.entry(review, names), about, _problems(review, names))


def _problems(review: KeptReview, names: Names) -> tuple[Reported, ...]:
    return tuple(
        Reported(
            heading=names.headings.get(one.reason_id, words.plain(one.reason_id)),
            kind=label("problems", one.problem),
            note=one.note,
            state=label("problem_states", one.steps[-1].state if one.steps else "open"),
            answers=tuple(
                f"{label('problem_states', step.state)}, {instant(step.at)}: {step.note}"
                for step in one.steps
            ),
        )
        for one in review.verdicts
        if one.verdict == "wrong"
    )
