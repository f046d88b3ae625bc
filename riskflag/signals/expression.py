"""What a signal can be made of: a few frozen values that cannot be built wrong.

A selection says which contacts; an aggregate reads one number from the selected contacts of a
window; difference, ratio and scaled put numbers together; age needs no contacts at all. Engines
trust these values: everything that can be wrong with a declaration is refused here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from riskflag import clock
from riskflag.errors import ConfigError
from riskflag.signals.terms import ATTRIBUTES, LINKS, NUMBERS, choose, terms

Operation = Literal[
    "count",
    "exists",
    "total",
    "mean",
    "lowest",
    "highest",
    "distinct",
    "days_since_last",
    "days_since_first",
    "open_now",
    "days_inside",
    "last_value",
    "longest_gap",
    "shortest_gap",
    "busiest",
    "sequence",
    "unanswered",
]
Unit = Literal["years", "months", "days"]
#: How more contacts can move a value: only up, only down, or either way.
Movement = Literal["up", "down", "mixed"]

OF_NUMBER: tuple[Operation, ...] = ("total", "mean", "lowest", "highest", "last_value")
#: What they read is how things stand at the as-of date: they take no window.
WITHOUT_WINDOW: tuple[Operation, ...] = ("days_since_last", "days_since_first", "open_now")
#: These read when a contact ended.
OF_INTERVALS: tuple[Operation, ...] = ("open_now", "days_inside")
#: These take a further number of days (`Within`), the last two also what should follow.
FOLLOWED: tuple[Operation, ...] = ("sequence", "unanswered")
WITHIN: tuple[Operation, ...] = ("busiest", *FOLLOWED)
WITHOUT_ATTRIBUTE: tuple[Operation, ...] = (
    "count",
    "exists",
    "days_since_last",
    "days_since_first",
    "open_now",
    "days_inside",
    "longest_gap",
    "shortest_gap",
    *WITHIN,
)
#: These rest on the order of contacts or on their ends, not on sums.
IN_ORDER: tuple[Operation, ...] = (
    *OF_INTERVALS,
    "last_value",
    "longest_gap",
    "shortest_gap",
    *WITHIN,
)
OPERATIONS: tuple[Operation, ...] = (*WITHOUT_ATTRIBUTE, *OF_NUMBER, "distinct")
UNITS: tuple[Unit, ...] = ("years", "months", "days")
#: The longest window or gap in days (a hundred years); longer is `days=None`, all history.
LONGEST = 36_525
#: Columns that tell contacts apart other than the attributes of the vocabulary.
COLUMNS = ("agency", "type", "link")

MOVES: dict[Operation, Movement] = {
    "count": "up",
    "exists": "up",
    "distinct": "up",
    "total": "up",
    "highest": "up",
    "lowest": "down",
    "days_since_last": "down",
    "days_since_first": "mixed",
    "mean": "mixed",
    # The end of an interval may be among what has not arrived, so even these can fall.
    "open_now": "mixed",
    "days_inside": "mixed",
    "last_value": "mixed",
    # A contact in between makes two gaps of one; a contact outside makes a new one.
    "longest_gap": "mixed",
    "shortest_gap": "down",
    "busiest": "up",
    "sequence": "up",
    "unanswered": "mixed",
}


@dataclass(frozen=True)
class Selection:
    """Which contacts: their types, through which links, and with which attribute values.

    A contact is selected when its type and link are listed and each attribute in `where` has one
    of the listed values; an attribute that was not recorded matches nothing.
    """

    types: tuple[str, ...]
    links: tuple[str, ...] = ("self",)
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        if not self.types:
            raise ConfigError("A selection needs at least one contact type.")
        for name in self.types:
            choose("contact type", name, tuple(terms().types))
        for link in self.links:
            choose("link", link, LINKS)
        if not self.links:
            raise ConfigError(f"A selection needs at least one link: {', '.join(LINKS)}.")
        for attribute, values in self.where:
            self._check_values(attribute, values)
        twice = _repeated([*self.types, *self.links, *(name for name, _ in self.where)])
        if twice:
            raise ConfigError(f"A selection names '{twice}' twice; once is enough.")

    def _check_values(self, attribute: str, values: tuple[str, ...]) -> None:
        if not values:
            raise ConfigError(f"The selection of '{attribute}' lists no value; give at least one.")
        agency = attribute == "agency"
        good = terms().agencies if agency else self.values_of(attribute)
        for value in values:
            if not isinstance(value, str) or not value:
                raise ConfigError(f"The values of '{attribute}' must be words in quotes.")
            if good:
                choose(f"value of '{attribute}'", value, good)

    def values_of(self, attribute: str) -> tuple[str, ...]:
        """The values `attribute` may take in this selection; empty when any text is allowed."""
        found: list[str] = []
        for name in self.types:
            allowed = terms()[name].attributes
            choose(f"attribute of {name}", attribute, tuple(allowed))
            if not allowed[attribute]:
                return ()
            found += [value for value in allowed[attribute] if value not in found]
        return tuple(found)


@dataclass(frozen=True)
class Aggregate:
    """One number from the selected contacts of a window.

    The window is the `days` days that end `ending` days before the as-of date; `days` of
    `clock.ALL_HISTORY` reaches over everything recorded.
    """

    op: Operation
    selection: Selection
    days: int = clock.ALL_HISTORY
    ending: int = 0
    attribute: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.selection, Selection):
            raise ConfigError(f"'{self.op}' needs a selection first: contacts('ed.attendance').")
        if self.days != clock.ALL_HISTORY:
            _whole("window", self.days, least=1)
        if self.ending != 0:
            _whole("gap before the as-of date", self.ending, least=0)
        self._check_attribute()
        if self.op in WITHOUT_WINDOW and (self.days, self.ending) != (clock.ALL_HISTORY, 0):
            raise ConfigError(f"'{self.op}' looks at all history; it takes no window.")
        if (self.op in WITHIN) != isinstance(self, Within):
            raise ConfigError(f"'{self.op}' is not declared like this; use {self.op}(...).")

    @property
    def selections(self) -> tuple[Selection, ...]:
        """Every selection it looks at."""
        return (self.selection,)

    def _check_attribute(self) -> None:
        if self.op in WITHOUT_ATTRIBUTE:
            if self.attribute is not None:
                raise ConfigError(f"'{self.op}' counts contacts; it takes no attribute.")
        elif self.op == "distinct":
            choose("column to tell apart", self.attribute, (*COLUMNS, *ATTRIBUTES))
            if self.attribute in ATTRIBUTES:
                self.selection.values_of(str(self.attribute))
        else:
            choose("number", self.attribute, NUMBERS)
            if self.attribute == "quantity":
                _check_quantity(self.selection)


@dataclass(frozen=True)
class Within(Aggregate):
    """An aggregate that also looks at the contacts within some days of each other.

    `busiest`: the most contacts in any `within` consecutive days of the window. `sequence` and
    `unanswered`: contacts of the window that a contact of `then` did, or did not, follow within
    that many days. A kind of its own, so that the fingerprints of other signals stay as they are.
    """

    within: int = 0
    then: Selection | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _whole("number of days within", self.within, least=1)
        if self.op == "busiest" and self.within > self.days:
            raise ConfigError("'busiest' looks within days of its window: 'within' is longer.")
        if (self.op in FOLLOWED) != isinstance(self.then, Selection):
            raise ConfigError(f"'{self.op}' needs two selections: what comes first, what then.")

    @property
    def selections(self) -> tuple[Selection, ...]:
        """Every selection it looks at."""
        return (self.selection,) if self.then is None else (self.selection, self.then)


@dataclass(frozen=True)
class Difference:
    """`a` minus `b`; undefined where either is."""

    a: Expression
    b: Expression

    def __post_init__(self) -> None:
        _check_expressions("difference", self.a, self.b)


@dataclass(frozen=True)
class Ratio:
    """`a` divided by `b`; undefined where `b` is 0."""

    a: Expression
    b: Expression

    def __post_init__(self) -> None:
        _check_expressions("ratio", self.a, self.b)


@dataclass(frozen=True)
class Scaled:
    """`a` times a fixed factor."""

    a: Expression
    factor: float

    def __post_init__(self) -> None:
        _check_expressions("scaled", self.a)
        number = isinstance(self.factor, int | float) and not isinstance(self.factor, bool)
        if not number or not math.isfinite(self.factor) or self.factor == 0:
            raise ConfigError("The factor of 'scaled' must be a number other than 0.")
        object.__setattr__(self, "factor", float(self.factor))


@dataclass(frozen=True)
class Age:
    """The child's age at the as-of date in completed years or months, or in days."""

    unit: Unit = "years"

    def __post_init__(self) -> None:
        choose("unit of age", self.unit, UNITS)


Expression = Aggregate | Difference | Ratio | Scaled | Age


def aggregates(of: Expression) -> Iterator[Aggregate]:
    """Every aggregate in an expression, in reading order."""
    if isinstance(of, Aggregate):
        yield of
    elif isinstance(of, Difference | Ratio):
        yield from aggregates(of.a)
        yield from aggregates(of.b)
    elif isinstance(of, Scaled):
        yield from aggregates(of.a)


def movement(of: Expression) -> Movement | None:
    """How more contacts could move the value; None when contacts cannot move it at all."""
    if isinstance(of, Age):
        return None
    if isinstance(of, Aggregate):
        return MOVES[of.op]
    if isinstance(of, Scaled):
        return movement(of.a) if of.factor > 0 else _turned(movement(of.a))
    if isinstance(of, Difference):
        first, second = movement(of.a), _turned(movement(of.b))
        if first is None or second is None:
            return first or second
        return first if first == second else "mixed"
    return None if movement(of.a) is movement(of.b) is None else "mixed"


def _turned(way: Movement | None) -> Movement | None:
    return "down" if way == "up" else "up" if way == "down" else way


def _whole(what: str, number: object, *, least: int) -> None:
    whole = isinstance(number, int) and not isinstance(number, bool)
    if not whole or number not in range(least, LONGEST + 1):
        raise ConfigError(
            f"The {what} must be a whole number of days from {least} to {LONGEST};"
            " for all history write days=None."
        )


def _check_quantity(selection: Selection) -> None:
    quantities = [name for name, kind in terms().types.items() if kind.quantity]
    without = [name for name in selection.types if name not in quantities]
    if without:
        raise ConfigError(
            f"Contacts of type {', '.join(without)} have no quantity;"
            f" these have: {', '.join(quantities)}."
        )


def _check_expressions(what: str, *parts: object) -> None:
    if not all(isinstance(part, Expression) for part in parts):
        raise ConfigError(f"'{what}' is made of other signals' values, such as count(...).")


def _repeated(names: list[str]) -> str | None:
    return next((name for name in names if names.count(name) > 1), None)
