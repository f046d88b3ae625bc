"""What the pages' forms share: fields without a preset answer, checks in plain words, errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Form, RadioField, StringField, TextAreaField
from wtforms.fields import Field
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

#: The most characters one answer may have.
LONGEST = 10_000
LONGEST_LINE = 200
#: The field that shows that a form came from our own page.
TOKEN = "csrf_token"  # noqa: S105

Check = Callable[[Form, Field], None]


class Empty(FlaskForm):  # type: ignore[misc]
    """A form of buttons only: its token shows that the request came from our own page."""


def required(message: str) -> Check:
    """The answer must be there: at least one character that is not a blank."""

    def check(form: Form, field: Field) -> None:
        if not str(field.data or "").strip():
            raise ValidationError(message)

    return check


def at_least_words(least: int, message: str) -> Check:
    """The answer must have so many words."""

    def check(form: Form, field: Field) -> None:
        if len(str(field.data or "").split()) < least:
            raise ValidationError(message)

    return check


def at_most(longest: int) -> Check:
    """The answer must not be longer than this."""

    def check(form: Form, field: Field) -> None:
        # A browser sends each line end as two characters; one is what was typed.
        if len(str(field.data or "").replace("\r\n", "\n")) > longest:
            raise ValidationError(f"Shorten this answer to {longest:,} characters or fewer")

    return check


def one_of(message: str, choices: Iterable[str], *, optional: bool = False) -> Check:
    """The answer must be one of the choices."""
    allowed = frozenset(choices)

    def check(form: Form, field: Field) -> None:
        if field.data in allowed or (optional and not field.data):
            return
        raise ValidationError(message)

    return check


def as_choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Names and labels as the fields take them."""
    return [SelectChoice(name, label) for name, label in pairs]


def radios(
    label: str,
    choices: tuple[tuple[str, str], ...],
    *,
    missing: str,
    optional: bool = False,
    hint: str = "",
) -> RadioField:
    """Radios with nothing chosen beforehand; `missing` is said when an answer is needed."""
    names = [name for name, _ in choices]
    return RadioField(
        label,
        choices=as_choices(choices),
        description=hint,
        validate_choice=False,
        # Without this a missing answer would be read as the text "None".
        coerce=_as_text,
        validators=[one_of(missing, names, optional=optional)],
    )


def text_area(label: str, *checks: Check, hint: str = "") -> TextAreaField:
    """Several lines of free text, blanks at its ends removed."""
    return TextAreaField(
        label, description=hint, filters=[_stripped], validators=[*checks, at_most(LONGEST)]
    )


def text_line(label: str, *checks: Check, hint: str = "") -> StringField:
    """One line of free text."""
    return StringField(
        label, description=hint, filters=[_stripped], validators=[*checks, at_most(LONGEST_LINE)]
    )


def trusted(form: FlaskForm) -> bool:
    """Whether the form that was sent came from a page of this session."""
    return TOKEN not in form or bool(form[TOKEN].validate(form))


def complete(form: FlaskForm) -> bool:
    """Whether every answer is there and right; the token is checked apart from the answers."""
    # Every field is looked at, so that all that is missing is told at once.
    missing = [field.name for field in form if field.name != TOKEN and not field.validate(form)]
    return not missing


def error_list(form: FlaskForm) -> list[dict[str, str]]:
    """The errors as the error summary takes them, in the order of the fields."""
    return [
        {"text": str(field.errors[0]), "href": f"#{field.id}"}
        for field in form
        if field.errors and field.name != TOKEN
    ]


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def _stripped(value: Any) -> str:
    return str(value or "").replace("\r\n", "\n").strip()
