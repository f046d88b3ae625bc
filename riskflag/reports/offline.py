"""The review form that works without the app: on paper, and as a plain text file.

Both ask the same questions with the same letters, so that an answer ticked by hand can be typed
into the text file as it stands. The file needs no program but a text editor: letters go between
brackets, words below a question. Source of the questions: `words.toml`, part `review`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from riskflag.casework.decisions import SHIPPED
from riskflag.reports import words
from riskflag.reports.cards import rules_of
from riskflag.reports.review_words import choices, returns

#: The letters of the verdicts and of what may be wrong, easy to remember.
VERDICT_LETTERS = {"important": "I", "known": "K", "not_relevant": "N", "wrong": "W"}
PROBLEM_LETTERS = {
    "wrong_child": "C",
    "wrong_date": "D",
    "duplicate": "T",
    "out_of_date": "O",
    "misread": "M",
    "other": "X",
}
TITLE = "RISKFLAG REVIEW FORM, VERSION 1"
END = "END OF THE FORM"


@dataclass(frozen=True)
class Choice:
    """One answer of a question: its letter or number, the name it is kept by, and its words."""

    letter: str
    name: str
    label: str


@dataclass(frozen=True)
class Pattern:
    """A reason that the form asks about, numbered as on the page."""

    number: int
    reason_id: str
    heading: str


@dataclass(frozen=True)
class Form:
    """The form of one flag as one night published it; `code` is empty on a page without a key.

    `meanings` has what each decision means to riskflag, by its name.
    """

    flag_id: str
    as_of: str
    code: str
    decisions: tuple[Choice, ...]
    worth: tuple[Choice, ...]
    comes_back: tuple[Choice, ...]
    verdicts: tuple[Choice, ...]
    problems: tuple[Choice, ...]
    patterns: tuple[Pattern, ...]
    meanings: Mapping[str, str]

    @property
    def file_name(self) -> str:
        """What the text file is called."""
        return f"{self.flag_id}.review.txt"


@dataclass(frozen=True)
class Line:
    """One line of the text form.

    `kind` is fixed (must come back as it is), answer (letters between brackets after `text`) or
    words (free lines until the next fixed line). `name` says which answer it is.
    """

    kind: str
    text: str
    name: str = ""


def offline_form(flag: Mapping[str, Any], code: str = "") -> Form:
    """The form of a FLAG JSON; `code` is its keyed code (riskflag.casework.imports).

    The decisions are those that held on the flag's night, whatever the list is when it comes back.
    """
    own = flag.get("form") or {}
    shipped = [(one.name, one.label, one.meaning) for one in SHIPPED.decisions]
    listed = [(name, label, meaning) for name, label, meaning in own.get("decisions") or shipped]
    return Form(
        flag_id=flag["flag_id"],
        as_of=flag["as_of"],
        code=code,
        decisions=_lettered([(name, label) for name, label, _ in listed]),
        worth=_lettered(choices("worth")),
        comes_back=_lettered(returns(own.get("return_weeks") or SHIPPED.return_weeks)),
        verdicts=_named("verdicts", VERDICT_LETTERS),
        problems=_named("problems", PROBLEM_LETTERS),
        patterns=tuple(_patterns(flag)),
        meanings={name: meaning for name, _, meaning in listed},
    )


def _lettered(pairs: Iterable[tuple[str, str]]) -> tuple[Choice, ...]:
    lettered = zip(ascii_uppercase, pairs, strict=False)
    return tuple(Choice(letter, name, label) for letter, (name, label) in lettered)


def _named(kind: str, letters: Mapping[str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(letters[name], name, label) for name, label in choices(kind))


def _patterns(flag: Mapping[str, Any]) -> Iterator[Pattern]:
    seen: set[str] = set()
    for reason in [*flag["reasons"], *flag.get("earlier_reasons", ())]:
        if reason["reason_id"] in seen:
            continue
        seen.add(reason["reason_id"])
        yield Pattern(len(seen), reason["reason_id"], _heading(reason))


def _heading(reason: Mapping[str, Any]) -> str:
    rules = rules_of(reason)
    if rules:
        return str(rules[0]["title"])
    return str(words.theme(reason.get("theme"))["heading"])


# ---------------------------------------------------------------- the text file


def form_lines(form: Form) -> list[Line]:
    """Every line of the blank text form, in order; blank lines stand between parts."""
    return [
        *_head(form),
        *_asked("1. What did you decide? Write one letter.", form.decisions, "decision"),
        Line("fixed", "2. Why? Write at least one sentence below this line."),
        Line("fixed", "   What do you know that the records do not? What has the child said?"),
        Line("words", "", "why"),
        *_pattern_lines(form),
        *_asked("4. Was it worth bringing to you? Write one letter.", form.worth, "worth"),
        *_asked("5. When should this come back? Write one letter.", form.comes_back, "comes_back"),
        Line("fixed", "   If B: why should it stay quiet? Write below this line."),
        Line("words", "", "quiet_reason"),
        Line("fixed", "6. Who decided, and when?"),
        Line("answer", "   Your name, as you sign in:", "reviewer"),
        Line("answer", "   Day of your decision (year-month-day):", "day"),
        Line("answer", "   Discussed with (may stay empty):", "discussed_with"),
        Line("fixed", END),
    ]


def _head(form: Form) -> list[Line]:
    return [
        Line("fixed", TITLE),
        Line("answer", "Flag:", "flag_id"),
        Line("answer", "Form code:", "code"),
        Line("fixed", f"Records known before {words.day(form.as_of)}. Official-sensitive."),
        Line("fixed", "Write letters between the brackets, and words below the questions."),
        Line("fixed", "Leave everything else as it is: a changed form is not taken in."),
    ]


def _asked(question: str, answers: tuple[Choice, ...], name: str) -> list[Line]:
    return [
        Line("fixed", question),
        *(Line("fixed", f"   {one.letter}  {one.label}") for one in answers),
        Line("answer", "   Answer:", name),
    ]


def _pattern_lines(form: Form) -> list[Line]:
    if not form.patterns:
        return []
    kinds = [f"   {one.letter}  {one.label}" for one in (*form.verdicts, *form.problems)]
    lines = [Line("fixed", "3. Which patterns mattered? One letter each, or none.")]
    lines += [Line("fixed", text) for text in kinds[: len(form.verdicts)]]
    lines.append(Line("fixed", "   If wrong, how? One letter, and say it in words if you can."))
    lines += [Line("fixed", text) for text in kinds[len(form.verdicts) :]]
    for one in form.patterns:
        lines += [
            Line("fixed", f"   Pattern {one.number}: {one.heading}"),
            Line("answer", "   Answer:", f"verdict {one.number}"),
            Line("answer", "   If wrong, how:", f"problem {one.number}"),
            Line("words", "", f"note {one.number}"),
        ]
    return lines


#: Before these a blank line makes the form easier to read.
APART = ("1.", "2.", "3.", "4.", "5.", "6.", "   Pattern", "Write letters", END)


def form_text(form: Form) -> str:
    """The blank form as text; Windows line ends, which every editor shows rightly."""
    known = {"flag_id": form.flag_id, "code": form.code}
    told: list[str] = []
    for line in form_lines(form):
        if line.kind == "words":
            told += ["", ""]
            continue
        if line.text.startswith(APART) and told and told[-1]:
            told.append("")
        filled = known.get(line.name, "  ")
        told.append(f"{line.text} [{filled}]" if line.kind == "answer" else line.text)
    return "\r\n".join([*told, ""])
