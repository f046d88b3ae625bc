"""Reading a review form that came back, against the form that was handed out.

Every line that is not an answer must be as it was. A message names the file and the line, never
what was written there.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from riskflag.errors import InputError
from riskflag.reports.offline import TITLE, Choice, Form, Line, form_lines

ANSWER = re.compile(r"\[(.*)\]\s*$")
#: No form is longer; what is, is something else.
LARGEST = 100_000


@dataclass(frozen=True)
class Answers:
    """What a form says, as text, with the line each answer stands on."""

    name: str
    said: Mapping[str, str]
    lines: Mapping[str, int]

    def wrong(self, answer: str, sentence: str) -> InputError:
        """An error about one answer, with file and line."""
        return InputError(f"{self.name} line {self.lines.get(answer, 1)}: {sentence}")

    def one_of(self, answer: str, allowed: Sequence[Choice], *, needed: bool = True) -> str | None:
        """The name of the chosen letter; InputError when it is missing or not on the form."""
        letter = self.said.get(answer, "").strip().upper()
        if not letter and not needed:
            return None
        chosen = {choice.letter: choice.name for choice in allowed}.get(letter)
        if chosen is None:
            letters = ", ".join(choice.letter for choice in allowed)
            raise self.wrong(answer, f"this needs one letter of {letters}; write it and try again.")
        return chosen

    def day(self, answer: str) -> dt.date:
        """A date; InputError when it is not one."""
        try:
            return dt.date.fromisoformat(self.said.get(answer, "").strip())
        except ValueError:
            raise self.wrong(
                answer, "this is not a date; write it as year-month-day, such as 2026-04-03."
            ) from None


def text_of(content: bytes, name: str) -> str:
    """The text of a form's file; InputError when it is not one."""
    if len(content) > LARGEST:
        raise InputError(f"{name} is too long for a review form; give the form's own file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"{name} is not plain text in UTF-8; save the form as plain text, UTF-8, and try again."
        ) from None


def named(text: str, name: str) -> Answers:
    """The flag and the code that a form gives, before it is known which form it must be."""
    rows = _rows(text)
    if not rows or rows[0][1] != TITLE:
        raise InputError(
            f"{name} line 1: this is not a riskflag review form; give the form's file."
        )
    said, lines = {}, {}
    for answer, label in (("flag_id", "Flag:"), ("code", "Form code:")):
        for number, row in rows[:12]:
            found = ANSWER.search(row)
            if row.startswith(label) and found:
                said[answer], lines[answer] = found[1].strip(), number
                break
        else:
            raise InputError(
                f"{name} line 2: the line that begins with {label} is missing; ask for a new form."
            )
    return Answers(name, said, lines)


def answers(text: str, form: Form, name: str) -> Answers:
    """Every answer of a form that came back; InputError where it is not as it was handed out."""
    return _Reading(_rows(text), form_lines(form), name).read()


def _rows(text: str) -> list[tuple[int, str]]:
    """The lines that hold something, each with its number; blanks within count as one."""
    found = [(n, " ".join(line.split())) for n, line in enumerate(text.splitlines(), 1)]
    return [(number, line) for number, line in found if line]


@dataclass
class _Reading:
    """The lines that came back, met one after the other with those of the blank form."""

    rows: Sequence[tuple[int, str]]
    wanted: Sequence[Line]
    name: str
    at: int = 0
    said: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def read(self) -> Answers:
        for place, line in enumerate(self.wanted):
            if line.kind == "words":
                self._words(line.name, self.wanted[place + 1])
            elif line.kind == "answer":
                self._answer(line)
            else:
                self._fixed(line)
        if self.at < len(self.rows):
            raise self._changed("there is text after the end of the form; write it as an answer.")
        return Answers(self.name, self.said, self.lines)

    def _fixed(self, line: Line) -> None:
        if self._row() != " ".join(line.text.split()):
            raise self._changed("this is not as the form was handed out; fill in a fresh form.")
        self.at += 1

    def _answer(self, line: Line) -> None:
        label, row = " ".join(line.text.split()), self._row()
        found = ANSWER.fullmatch(row[len(label) :].strip()) if row.startswith(label) else None
        if found is None:
            raise self._changed("here an answer between brackets is wanted; fill in a fresh form.")
        self.said[line.name], self.lines[line.name] = found[1].strip(), self.rows[self.at][0]
        self.at += 1

    def _words(self, name: str, after: Line) -> None:
        """Everything up to the line that follows in the form."""
        begun, until = self.at, " ".join(after.text.split())
        while self.at < len(self.rows) and not self._is(self._row(), after, until):
            self.at += 1
        if self.at == len(self.rows):
            self.at = max(begun - 1, 0)
            raise self._changed("what follows this question was changed or is missing.")
        taken = self.rows[begun : self.at]
        self.said[name] = "\n".join(row for _, row in taken)
        self.lines[name] = taken[0][0] if taken else self.rows[max(begun - 1, 0)][0]

    @staticmethod
    def _is(row: str, after: Line, until: str) -> bool:
        return row == until if after.kind == "fixed" else row.startswith(f"{until} [")

    def _row(self) -> str:
        return self.rows[self.at][1] if self.at < len(self.rows) else ""

    def _changed(self, sentence: str) -> InputError:
        if self.at >= len(self.rows):
            last = self.rows[-1][0] if self.rows else 1
            return InputError(f"{self.name} line {last}: the form ends too early; its end is gone.")
        return InputError(f"{self.name} line {self.rows[self.at][0]}: {sentence}")
