"""How practice leads and analysts write signals: small functions that build frozen values.

from riskflag.signals import contacts, count, over_windows

SELF_HARM = contacts("ed.attendance", category="self_harm")
count(SELF_HARM, days=90)
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from riskflag import clock
from riskflag.errors import ConfigError
from riskflag.signals.describe import describe, window_words
from riskflag.signals.expression import (
    Age,
    Aggregate,
    Difference,
    Expression,
    Movement,
    Operation,
    Ratio,
    Scaled,
    Selection,
    Unit,
    Within,
    aggregates,
    movement,
)
from riskflag.signals.terms import choose, terms

Direction = Literal["raises", "lowers", "none"]
DIRECTIONS: tuple[Direction, ...] = ("raises", "lowers", "none")
THEMES = (
    "health",
    "missing",
    "school",
    "police",
    "housing",
    "family",
    "care",
    "practice",
    "voice",
    "early_help",
    "context",
)
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
WINDOW_IN_NAME = re.compile(r"_(\d+d|ever)$")


def contacts(
    *types: str, link: str | tuple[str, ...] = "self", **where: str | tuple[str, ...]
) -> Selection:
    """Select contacts by type, link and attribute values.

    `types` may end in a star: `contacts("care.*")`, `contacts("*")`. `link` says whose contacts:
    "self" (the child's own) or those of a linked person. Each further keyword is an attribute of
    the vocabulary, or `agency`, with the value or values wanted.

    Raises ConfigError for a type, link, attribute or value that the vocabulary does not know.
    """
    names: list[str] = []
    for pattern in types:
        found = [name for name in terms().types if fnmatchcase(name, str(pattern))]
        if not found:
            choose("contact type", pattern, tuple(terms().types))
        names += found
    filters = tuple(sorted((name, _listed(values)) for name, values in where.items()))
    return Selection(types=tuple(names), links=_listed(link), where=filters)


def count(selection: Selection, days: int | None = 90, ending: int = 0) -> Expression:
    """How many contacts; `days=None` counts all history."""
    return _aggregate("count", selection, days, ending=ending)


def exists(selection: Selection, days: int | None = 90, ending: int = 0) -> Expression:
    """1 if there is any such contact, else 0."""
    return _aggregate("exists", selection, days, ending=ending)


def total(
    selection: Selection, attribute: str, days: int | None = 90, ending: int = 0
) -> Expression:
    """The sum of a number; 0 without contacts, undefined when none of them has the number."""
    return _aggregate("total", selection, days, ending=ending, attribute=attribute)


def mean(
    selection: Selection, attribute: str, days: int | None = 90, ending: int = 0
) -> Expression:
    """The mean of a number over the contacts that have it; undefined when none has."""
    return _aggregate("mean", selection, days, ending=ending, attribute=attribute)


def lowest(
    selection: Selection, attribute: str, days: int | None = 90, ending: int = 0
) -> Expression:
    """The lowest value of a number; undefined when no contact has it."""
    return _aggregate("lowest", selection, days, ending=ending, attribute=attribute)


def highest(
    selection: Selection, attribute: str, days: int | None = 90, ending: int = 0
) -> Expression:
    """The highest value of a number; undefined when no contact has it."""
    return _aggregate("highest", selection, days, ending=ending, attribute=attribute)


def distinct(
    selection: Selection, attribute: str, days: int | None = 90, ending: int = 0
) -> Expression:
    """How many different values of an attribute, of `agency`, `type` or `link`."""
    return _aggregate("distinct", selection, days, ending=ending, attribute=attribute)


def days_since_last(selection: Selection) -> Expression:
    """Days from the latest contact to the as-of date; infinite when none was ever recorded."""
    return Aggregate("days_since_last", selection)


def days_since_first(selection: Selection) -> Expression:
    """Days from the earliest contact to the as-of date; infinite when none was ever recorded."""
    return Aggregate("days_since_first", selection)


def open_now(selection: Selection) -> Expression:
    """How many of the contacts are intervals still open at the as-of date.

    An end on or after the as-of date is not known at it. Undefined when there are contacts but
    none says whether it ended.
    """
    return Aggregate("open_now", selection)


def days_inside(selection: Selection, days: int | None = 365, ending: int = 0) -> Expression:
    """On how many days of the window any of the intervals was open; the day of its end is not in.

    Undefined when there are contacts before the window's end but none says whether it ended.
    """
    return _aggregate("days_inside", selection, days, ending=ending)


def last_value(
    selection: Selection, attribute: str, days: int | None = None, ending: int = 0
) -> Expression:
    """The number of the latest contact that has it; undefined when none has."""
    return _aggregate("last_value", selection, days, ending=ending, attribute=attribute)


def longest_gap(selection: Selection, days: int | None = 365, ending: int = 0) -> Expression:
    """The most days from one day with contacts to the next; undefined with fewer than two."""
    return _aggregate("longest_gap", selection, days, ending=ending)


def shortest_gap(selection: Selection, days: int | None = 365, ending: int = 0) -> Expression:
    """The fewest days from one day with contacts to the next; undefined with fewer than two."""
    return _aggregate("shortest_gap", selection, days, ending=ending)


def busiest(
    selection: Selection, within: int, days: int | None = 365, ending: int = 0
) -> Expression:
    """The most contacts in any `within` consecutive days of the window."""
    return Within("busiest", selection, _days(days), ending, within=within)


def sequence(
    first: Selection, then: Selection, within: int, days: int | None = 365, ending: int = 0
) -> Expression:
    """How many contacts of `first` a contact of `then` followed within so many days.

    The contacts of `first` lie in the window; what follows occurred on a later day, and before
    the as-of date.
    """
    return Within("sequence", first, _days(days), ending, within=within, then=then)


def unanswered(
    first: Selection, then: Selection, within: int, days: int | None = 365, ending: int = 0
) -> Expression:
    """How many contacts of `first` none of `then` followed, of those whose days are over."""
    return Within("unanswered", first, _days(days), ending, within=within, then=then)


def difference(a: Expression, b: Expression) -> Expression:
    """`a` minus `b`."""
    return Difference(a, b)


def ratio(a: Expression, b: Expression) -> Expression:
    """`a` divided by `b`; undefined where `b` is 0."""
    return Ratio(a, b)


def scaled(a: Expression, factor: float) -> Expression:
    """`a` times a fixed factor."""
    return Scaled(a, factor)


def change(selection: Selection, days: int = 90, against: int = 365) -> Expression:
    """Contacts in the last `days`, less what the child's own `against` days before would give."""
    before = count(selection, against, ending=days)
    return Difference(count(selection, days), Scaled(before, days / against))


def age(unit: Unit = "years") -> Expression:
    """Age at the as-of date; negative before the (expected) birth, undefined when not known."""
    return Age(unit)


@dataclass(frozen=True)
class Signal:
    """One number about a child at an as-of date, with its question, reason and source.

    `name` is in snake case; when it ends in a window (`_90d`, `_ever`) the definition must use
    that window. `question` is what the number answers, in plain English. `direction` says whether
    a higher value can only raise concern, only lower it, or neither; the model is held to it.
    """

    name: str
    of: Expression
    question: str
    rationale: str
    source: str
    direction: Direction
    theme: str
    agency: str
    unit: str = "contacts"
    protective: bool = False
    #: Contact types the value rests on; none for a value that needs no contacts.
    types: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise ConfigError(
                f"The signal name '{self.name}' must be small letters, digits and underscores,"
                " starting with a letter, for example 'ed_attendances_90d'."
            )
        try:
            self._check()
        except ConfigError as error:
            raise ConfigError(f"Signal '{self.name}': {error}") from None
        asked = (one for part in aggregates(self.of) for one in part.selections)
        needed = frozenset(name for selection in asked for name in selection.types)
        object.__setattr__(self, "types", needed)

    def _check(self) -> None:
        if not isinstance(self.of, Expression):
            raise ConfigError("'of' must be a value such as count(contacts(...), 90).")
        for what in ("question", "rationale", "source", "unit"):
            if not isinstance(getattr(self, what), str) or not getattr(self, what).strip():
                raise ConfigError(f"its {what} is empty; write it for the reader of a flag.")
        if not self.question.rstrip().endswith("?"):
            raise ConfigError("its question must end with a question mark.")
        choose("direction", self.direction, DIRECTIONS)
        choose("theme", self.theme, THEMES)
        choose("agency", self.agency, (*terms().agencies, "several"))
        if self.protective and self.direction == "raises":
            raise ConfigError("a protective signal cannot raise concern; check its direction.")
        self._check_window()

    def _check_window(self) -> None:
        named = WINDOW_IN_NAME.search(self.name)
        if named is None:
            return
        days = clock.ALL_HISTORY if named[1] == "ever" else int(named[1][:-1])
        parts = list(aggregates(self.of))
        # "_15_to_90d" names how far back a window that ends 15 days ago reaches.
        if days not in {part.days for part in parts} | {part.days + part.ending for part in parts}:
            raise ConfigError(
                f"its name ends in '{named[0]}' but its definition has no such window."
            )

    @property
    def rises_with_contacts(self) -> Movement:
        """How further contacts could move the value: "up", "down" or "mixed"."""
        return movement(self.of) or "mixed"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything declared, in hexadecimal."""
        declared = {
            name: value for name, value in asdict(self).items() if name not in {"of", "types"}
        }
        declared["of"] = repr(self.of)
        text = json.dumps(declared, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def over_windows(
    name: str,
    windows: tuple[int | None, ...] = (90, 365, None),
    *,
    of: Callable[[int | None], Expression],
    question: str,
    **declared: object,
) -> tuple[Signal, ...]:
    """The same signal over several windows, named `name_90d` ... `name_ever`.

    `of` takes the number of days (None: all history); `{window}` in the question becomes "in the
    last 90 days" or "at any time in the records". The rest is as for `Signal`.
    """
    if not windows:
        raise ConfigError(f"Signal '{name}': over_windows needs at least one window.")
    if "{window}" not in question:
        raise ConfigError(f"Signal '{name}': put {{window}} where the question names the window.")
    return tuple(
        Signal(
            name=f"{name}_{'ever' if days is None else f'{days}d'}",
            of=of(days),
            question=question.replace("{window}", window_words(days)),
            **declared,  # type: ignore[arg-type]  # Signal itself checks every field it is given
        )
        for days in windows
    )


def definition(signal: Signal) -> str:
    """The definition of a signal in plain words, complete enough to compute it by hand."""
    return describe(signal.of)


def _aggregate(
    op: Operation,
    selection: Selection,
    days: int | None,
    *,
    ending: int,
    attribute: str | None = None,
) -> Expression:
    return Aggregate(op, selection, days=_days(days), ending=ending, attribute=attribute)


def _days(days: int | None) -> int:
    return clock.ALL_HISTORY if days is None else days


def _listed(values: str | tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(values, str):
        return (values,)
    if not isinstance(values, tuple | list):
        raise ConfigError("The values of a selection must be words in quotes.")
    return tuple(values)
