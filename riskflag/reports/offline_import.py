"""Taking a filled form in: which page it is of, what it says, and whether it may be recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from riskflag.casework import imports
from riskflag.casework.forms import NewReview, ReasonVerdict, Shown
from riskflag.casework.store import Store
from riskflag.casework.users import User, load_users
from riskflag.clock import LONDON, today
from riskflag.errors import ConfigError, ConflictError, InputError, RiskflagError, StorageError
from riskflag.nightly.joined import reason_ids
from riskflag.nightly.published import published_flag, version_of
from riskflag.reports.offline import Form, offline_form
from riskflag.reports.offline_read import Answers, answers, named, text_of
from riskflag.scoring.flags import RANK
from riskflag.workspace import Workspace

Outcome = Literal["recorded", "already", "waiting", "refused"]


@dataclass(frozen=True)
class Taken:
    """What became of one form: `told` is one sentence for the person who brought it."""

    file: Path
    outcome: Outcome
    told: str
    flag_id: str = ""


def take_in(workspace: Workspace, store: Store, file: Path, *, actor: str) -> Taken:
    """Record a filled form, or say why not; the same form again changes nothing.

    A form whose flag has changed since is kept for a person (outcome *waiting*): nothing that
    somebody wrote is lost. A form that is not as it was handed out is refused. Raises StorageError.
    """
    try:
        content = file.read_bytes()
    except OSError:
        raise StorageError(f"{file} cannot be read; check its name and permissions.") from None
    flag_id = ""
    try:
        text = text_of(content, file.name)
        head = named(text, file.name)
        flag_id = head.said["flag_id"]
        review = _review(workspace, store, text, head)
        return _recorded(store, review, file, actor)
    except ConflictError as error:
        kept = imports.keep(workspace, flag_id, content)
        told = f"{error} The form is kept as {kept.name}; `riskflag reviews waiting` lists it."
        return Taken(file, "waiting", f"{file.name}: {told}", flag_id)
    except StorageError:
        raise
    except RiskflagError as error:
        sentence = str(error)
        told = sentence if sentence.startswith(file.name) else f"{file.name}: {sentence}"
        return Taken(file, "refused", told, flag_id)


def _recorded(store: Store, review: NewReview, file: Path, actor: str) -> Taken:
    new = imports.record_form(store, review, actor=actor)
    outcome: Outcome = "recorded" if new else "already"
    word = "recorded" if new else "was recorded before; nothing was changed"
    return Taken(file, outcome, f"{file.name}: {review.flag_id} {word}.", review.flag_id)


def form_of(workspace: Workspace, store: Store, flag_id: str, code: str = "") -> Form:
    """The form of a flag: as it is now, or as the page with this code showed it.

    Raises InputError when there is no such flag, or no form of it with this code.
    """
    from riskflag.casework.reviews import shown

    if code:
        found = imports.printed(store, flag_id, imports.plain_code(code))
        if found is None:
            raise InputError(NO_SUCH_FORM)
        flag = version_of(workspace, flag_id, found.held)
        return offline_form(flag, imports.form_code(store, flag_id, found.shown))
    flag = published_flag(workspace, store, flag_id)
    return offline_form(flag, imports.form_code(store, flag_id, shown(store, flag_id)))


NO_SUCH_FORM = (
    "no form of this flag with this code was made in this workspace; compare both with the "
    "printed page, or ask for a new form."
)


def _review(workspace: Workspace, store: Store, text: str, head: Answers) -> NewReview:
    """The review that a form asks for; raises ConflictError when its flag has changed since."""
    flag_id, code = head.said["flag_id"], imports.plain_code(head.said["code"])
    found = imports.printed(store, flag_id, code)
    if found is None:
        raise head.wrong("code", NO_SUCH_FORM)
    made_from = version_of(workspace, flag_id, found.held)
    form = offline_form(made_from, code)
    told = answers(text, form, head.name)
    reviewer = _reviewer(workspace, told)
    review_id = imports.review_number(store, flag_id, code, reviewer.name)
    now = published_flag(workspace, store, flag_id)
    expected: Shown | None = None
    if not imports.is_recorded(store, review_id):
        _refuse_if_news(made_from, now)
        expected = Shown(imports.newest_hash(store, flag_id), found.shown.last_review_id)
    return _new_review(told, form, reviewer, review_id=review_id, expected=expected)


def _new_review(
    told: Answers, form: Form, reviewer: User, *, review_id: str, expected: Shown | None
) -> NewReview:
    day = told.day("day")
    if not dt.date.fromisoformat(form.as_of) <= day <= today():
        raise told.wrong(
            "day", "this day is before the page was made or still to come; correct it."
        )
    if len(told.said["why"].split()) < FEWEST_WORDS:
        raise told.wrong("why", "a review needs a reason in words; write at least one sentence.")
    comes_back = told.one_of("comes_back", form.comes_back, needed=False) or "default"
    decision = told.one_of("decision", form.decisions)
    assert decision is not None
    label = next(one.label for one in form.decisions if one.name == decision)
    try:
        return NewReview(
            form.flag_id,
            reviewer.name,
            reviewer.role,
            decision,
            told.said["why"],
            told.one_of("worth", form.worth),  # type: ignore[arg-type]
            dt.datetime.combine(day, dt.time(), LONDON),
            verdicts=_verdicts(told, form),
            comes_back=comes_back,
            quiet_reason=told.said["quiet_reason"].replace("\n", " "),
            discussed_with=told.said["discussed_with"],
            sections_opened=(imports.ON_PAPER, f"flag_of_{form.as_of}"),
            expected=expected,
            review_id=review_id,
            meaning=form.meanings[decision],
            decision_label=label,
        )
    except ConfigError as error:
        raise told.wrong("comes_back", str(error)) from None


#: A reason in words has at least so many of them.
FEWEST_WORDS = 3


def _verdicts(told: Answers, form: Form) -> tuple[ReasonVerdict, ...]:
    found = []
    for pattern in form.patterns:
        number = pattern.number
        verdict = told.one_of(f"verdict {number}", form.verdicts, needed=False)
        problem = told.one_of(f"problem {number}", form.problems, needed=False)
        note = told.said[f"note {number}"]
        if verdict == "wrong" and problem is None:
            raise told.wrong(f"problem {number}", "what is wrong? Write one letter and try again.")
        if verdict != "wrong" and (problem or note):
            raise told.wrong(
                f"verdict {number}", "something is called wrong here; write W, or clear the rest."
            )
        if verdict is not None:
            found.append(ReasonVerdict(pattern.reason_id, verdict, problem, note))  # type: ignore[arg-type]
    return tuple(found)


def _reviewer(workspace: Workspace, told: Answers) -> User:
    """The person who decided: someone of users.toml who may review."""
    written = " ".join(told.said["reviewer"].split()).casefold()
    users = {user.name.casefold(): user for user in load_users(workspace)}
    if written not in users:
        raise told.wrong(
            "reviewer", "nobody of this name is in users.toml; write the name as it stands there."
        )
    if not users[written].may("review"):
        raise told.wrong("reviewer", "this person's role does not review flags.")
    return users[written]


def _refuse_if_news(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise ConflictError when the flag has changed since in a way that its reader should know.

    A further reason, a more pressing level, or a new or corrected record behind a reason. A night
    that brought none of these leaves a form as good as it was.
    """
    more = reason_ids(now["reasons"]) - reason_ids([*before["reasons"], *before["earlier_reasons"]])
    known = {(c["contact_key"], c["version"]) for c in before["contacts"]}
    behind = {(c["contact_key"], c["version"]) for c in now["contacts"] if c["in_pattern"]}
    pressing = RANK[now["level"]] < RANK[before["level"]]
    if more or pressing or behind - known:
        raise ConflictError(
            "Since this form was made, something new has come to the flag, so it was not recorded. "
            "Read the flag again and decide on what is there now."
        )
