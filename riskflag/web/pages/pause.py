"""Pausing riskflag, withdrawing it and letting it run again: with a reason, after a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from riskflag.casework import pause
from riskflag.casework.pause import Step
from riskflag.casework.store import Store
from riskflag.casework.users import User
from riskflag.reports.review_words import instant, label
from riskflag.web import desk
from riskflag.web.forms import as_choices, complete, error_list
from riskflag.web.forms_desk import PAUSE, RESUME, STEPS, WITHDRAW, PauseForm

blueprint = Blueprint("pause", __name__)

LEADS = {
    pause.RUNNING: "riskflag is running. Each night may raise new flags.",
    pause.PAUSED: "riskflag is paused. No new flags are raised; what waits can still be reviewed.",
    pause.WITHDRAWN: "riskflag is withdrawn. No further nights run; what waits can be reviewed.",
}
DID = {
    pause.RUNNING: "Let it run again",
    pause.PAUSED: "Paused",
    pause.WITHDRAWN: "Withdrawn",
}
HINTS = {
    PAUSE: "Nights go on and keep waiting flags up to date. For a time of looking into something.",
    WITHDRAW: "Choose this when it should not be used any more, or not for a long time.",
    RESUME: "The next night raises every child who was held back.",
}


@dataclass(frozen=True)
class Doing:
    """One of the three steps: the question before it, what follows, and how it is done."""

    to: str
    question: str
    consequences: tuple[str, ...]
    button: str
    done: str
    act: Callable[[Store, User, str], Step]


DOINGS: Mapping[str, Doing] = {
    PAUSE: Doing(
        pause.PAUSED,
        "Do you want to pause riskflag?",
        (
            "From the next night on, no new flag is raised, for any child.",
            "Flags that wait stay on the worklist, are kept up to date and can be reviewed.",
            "Every page says that riskflag is paused, since when and why.",
            "Once it runs again, the first night raises every child it held back.",
            "While it is paused nobody is told of new patterns. Tell your teams today.",
        ),
        "Pause riskflag",
        "riskflag is paused. Tell your teams.",
        pause.pause,
    ),
    WITHDRAW: Doing(
        pause.WITHDRAWN,
        "Do you want to withdraw riskflag?",
        (
            "No further night runs until somebody lets it run again.",
            "Flags that wait can still be reviewed, but are not brought up to date.",
            "Every page says that riskflag is withdrawn, since when and why.",
            "Nothing is deleted: reviews, reasons and the audit chain stay.",
            "Publish the withdrawal where your authority publishes its algorithm records.",
        ),
        "Withdraw riskflag",
        "riskflag is withdrawn. Tell your teams and publish the withdrawal.",
        pause.withdraw,
    ),
    RESUME: Doing(
        pause.RUNNING,
        "Do you want to let riskflag run again?",
        (
            "The next night raises new flags again, also those that were held back meanwhile.",
            "There may be more flags than usual at first. Tell your teams beforehand.",
            "The notice on every page ends.",
        ),
        "Let it run again",
        "riskflag is running again. Tell your teams.",
        pause.resume,
    ),
}


@blueprint.route("/pause", methods=["GET", "POST"])
@desk.needs("pause")
def choose() -> ResponseReturnValue:
    """How it stands, what can be done, and what was done before."""
    now = pause.state(desk.store())
    form = PauseForm()
    possible = [one for one in STEPS if DOINGS[one[0]].to != now.state]
    form.step.choices = as_choices(possible)
    if request.method == "POST" and complete(form):
        if form.step.data in dict(possible):
            return _confirm(form)
        form.step.errors = ["Select one of these: the other has been done already"]
    html = render_template(
        "pause.html",
        form=form,
        errors=error_list(form) if request.method == "POST" else [],
        hints=HINTS,
        now=_in_words(now),
        steps=[_in_words(step) for step in pause.history(desk.store())],
        done=DOINGS[request.args["done"]].done if request.args.get("done") in DOINGS else "",
    )
    return html, 422 if request.method == "POST" else 200


@blueprint.post("/pause/confirm")
@desk.needs("pause")
def do() -> ResponseReturnValue:
    """Take the step that was read and confirmed."""
    form = PauseForm()
    if not complete(form):
        return redirect("/pause", code=303)
    DOINGS[form.step.data].act(desk.store(), desk.user(), form.reason.data)
    return redirect(f"/pause?done={form.step.data}", code=303)


def _confirm(form: PauseForm) -> str:
    doing = DOINGS[form.step.data]
    return render_template(
        "pause_confirm.html",
        form=form,
        step=form.step.data,
        reason=form.reason.data,
        question=doing.question,
        consequences=doing.consequences,
        button=doing.button,
        strong=form.step.data != RESUME,
    )


def _in_words(step: Step) -> dict[str, str]:
    return {
        "lead": LEADS[step.state],
        "what": DID[step.state],
        "who": f"{step.user} ({label('roles', step.role)})" if step.user else "",
        "since": instant(step.at) if step.at else "",
        "when": instant(step.at) if step.at else "",
        "reason": step.reason,
    }
