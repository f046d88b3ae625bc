"""The shorter forms: a steward's answer, and pausing or withdrawing riskflag."""

from __future__ import annotations

from flask_wtf import FlaskForm

from riskflag.casework.data_problems import OPEN
from riskflag.reports.review_words import choices
from riskflag.web.forms import at_least_words, radios, required, text_area

#: A reason or an answer has at least so many words.
FEWEST_WORDS = 3

ANSWERS = tuple(choice for choice in choices("problem_states") if choice[0] != OPEN)
REASON = "Enter a reason, in at least a sentence"
NOTE = "Enter what you found out, in at least a sentence"

PAUSE, WITHDRAW, RESUME = "pause", "withdraw", "resume"
STEPS = (
    (PAUSE, "Pause: raise no new flags"),
    (WITHDRAW, "Withdraw: run no further nights"),
    (RESUME, "Let it run again"),
)


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """What a steward found out about a data problem."""

    state = radios("How does it stand?", ANSWERS, missing="Select how it stands")
    note = text_area("What did you find out?", required(NOTE), at_least_words(FEWEST_WORDS, NOTE))


class PauseForm(FlaskForm):  # type: ignore[misc]
    """What the responsible owner wants to do, and why."""

    step = radios("What do you want to do?", STEPS, missing="Select what you want to do")
    reason = text_area("Why?", required(REASON), at_least_words(FEWEST_WORDS, REASON))
