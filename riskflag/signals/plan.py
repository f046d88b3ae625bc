"""From declarations to what the kernel walks through: tracks, windows, steps and classes.

A *track* is what one selection accumulates for one child: contacts counted, a number summed, or
different values counted. The windows of a track cut the days before the as-of date into *bins*;
every window is a run of bins, so one pass over the contacts fills all windows. A *walk* is what
rests on the order of contacts or on their ends; its *listeners* are the selections it hears of,
one contact after another. *Steps* put the values together (difference, ratio, scaled, age).
Contacts that every selection treats alike are
one *class*, so the kernel looks a contact's class up once and then knows its tracks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from riskflag.signals.define import Signal
from riskflag.signals.expression import (
    IN_ORDER,
    OF_INTERVALS,
    OF_NUMBER,
    Age,
    Aggregate,
    Expression,
    Scaled,
    Selection,
)

Role = Literal["first", "then"]
Kind = Literal["count", "number", "distinct"]


@dataclass(frozen=True)
class Track:
    """What one selection accumulates, and the edges of its bins in days before the as-of date.

    Bin `b` holds the contacts more than `edges[b]` and at most `edges[b + 1]` days old.
    """

    kind: Kind
    selection: Selection
    attribute: str | None
    edges: tuple[int, ...]


@dataclass(frozen=True)
class Slot:
    """One aggregate: bins `first` up to but without `stop` of a track, written to a register."""

    register: int
    aggregate: Aggregate
    track: int
    first: int
    stop: int


@dataclass(frozen=True)
class Walk:
    """One aggregate that rests on the order of contacts or on their ends, written to a register."""

    register: int
    aggregate: Aggregate


@dataclass(frozen=True)
class Listener:
    """A selection whose contacts a walk hears of: those it is about, or those that may follow."""

    selection: Selection
    walk: int
    role: Role


@dataclass(frozen=True)
class Step:
    """One calculation on registers; `of` is None for a plain copy of register `a`."""

    register: int
    of: Expression | None
    a: int = 0
    b: int = 0


@dataclass(frozen=True)
class Split:
    """How the values of a column divide the contacts of one type; values not named are level 0."""

    column: str
    levels: dict[str, int]
    stride: int


@dataclass(frozen=True)
class TypeClasses:
    """The classes of one contact type: `first` plus each split's level times its stride."""

    first: int
    splits: tuple[Split, ...]


@dataclass(frozen=True)
class Plan:
    """Everything the kernel needs to know about a set of signals.

    Registers `0 .. len(signals) - 1` are the signals' values, further ones hold parts of them.
    """

    signals: tuple[Signal, ...]
    registers: int
    tracks: tuple[Track, ...]
    slots: tuple[Slot, ...]
    walks: tuple[Walk, ...]
    listeners: tuple[Listener, ...]
    steps: tuple[Step, ...]
    types: dict[str, TypeClasses]
    #: For each class the tracks, then the listeners (numbered on from the tracks) its contacts
    #: belong to; class 0 belongs to none.
    classes: tuple[tuple[int, ...], ...]

    def columns(self) -> tuple[str, ...]:
        """Columns of words, besides the type, that the kernel must see."""
        split = {part.column for one in self.types.values() for part in one.splits}
        told_apart = {str(track.attribute) for track in self.tracks if track.kind == "distinct"}
        return tuple(sorted(split | told_apart | {"type"}))

    def numbers(self) -> tuple[str, ...]:
        """Columns of numbers that the kernel must see."""
        of_tracks = {str(track.attribute) for track in self.tracks if track.kind == "number"}
        of_walks = {str(one.aggregate.attribute) for one in self.walks if one.aggregate.attribute}
        return tuple(sorted(of_tracks | of_walks))

    def needs_ends(self) -> bool:
        """Whether any signal rests on when contacts ended."""
        return any(walk.aggregate.op in OF_INTERVALS for walk in self.walks)

    def needs_birth(self) -> bool:
        """Whether any signal rests on the child's age."""
        return any(isinstance(step.of, Age) for step in self.steps)


def plan(signals: Sequence[Signal]) -> Plan:
    """Work out tracks, slots, steps and classes for `signals`, in their order."""
    layout = _Layout([signal.of for signal in signals])
    tracks, slots = _tracks_and_slots(
        {of: register for of, register in layout.aggregates.items() if of.op not in IN_ORDER}
    )
    walks = tuple(Walk(layout.aggregates[of], of) for of in layout.aggregates if of.op in IN_ORDER)
    listeners = tuple(_listeners(walks))
    heard = [listener.selection for listener in listeners]
    types, classes = _classes([*(track.selection for track in tracks), *heard])
    return Plan(
        signals=tuple(signals),
        registers=layout.size,
        tracks=tracks,
        slots=slots,
        walks=walks,
        listeners=listeners,
        steps=tuple(layout.steps),
        types=types,
        classes=classes,
    )


class _Layout:
    """Gives each different expression one register and orders the steps between them."""

    def __init__(self, wanted: Sequence[Expression]) -> None:
        self.size = len(wanted)
        self.registers: dict[Expression, int] = {}
        self.aggregates: dict[Aggregate, int] = {}
        self.steps: list[Step] = []
        self._done: set[Expression] = set()
        for number, of in enumerate(wanted):
            self.registers.setdefault(of, number)
        for number, of in enumerate(wanted):
            self._lay(of)
            if self.registers[of] != number:
                self.steps.append(Step(number, None, a=self.registers[of]))

    def _lay(self, of: Expression) -> int:
        if of not in self.registers:
            self.registers[of] = self.size
            self.size += 1
        register = self.registers[of]
        if of in self._done:
            return register
        self._done.add(of)
        if isinstance(of, Aggregate):
            self.aggregates[of] = register
        elif isinstance(of, Age):
            self.steps.append(Step(register, of))
        elif isinstance(of, Scaled):
            self.steps.append(Step(register, of, a=self._lay(of.a)))
        else:
            a, b = self._lay(of.a), self._lay(of.b)
            self.steps.append(Step(register, of, a=a, b=b))
        return register


def _tracks_and_slots(
    aggregates: dict[Aggregate, int],
) -> tuple[tuple[Track, ...], tuple[Slot, ...]]:
    groups: dict[tuple[Kind, Selection, str | None, int], list[Aggregate]] = {}
    for of in aggregates:
        groups.setdefault(_group(of), []).append(of)
    tracks: list[Track] = []
    slots: list[Slot] = []
    for (kind, selection, attribute, _), members in groups.items():
        ends = {edge for of in members for edge in (of.ending, of.ending + of.days)}
        edges = tuple(sorted(ends))
        for of in members:
            first, stop = edges.index(of.ending), edges.index(of.ending + of.days)
            slots.append(Slot(aggregates[of], of, len(tracks), first, stop))
        tracks.append(Track(kind, selection, attribute, edges))
    return tuple(tracks), tuple(slots)


def _group(of: Aggregate) -> tuple[Kind, Selection, str | None, int]:
    if of.op == "distinct":
        # A value counts in a window by its latest contact there, so windows that end on
        # different days cannot share a track; counts and sums can.
        return ("distinct", of.selection, of.attribute, of.ending)
    if of.op in OF_NUMBER:
        return ("number", of.selection, of.attribute, 0)
    return ("count", of.selection, None, 0)


def _listeners(walks: Sequence[Walk]) -> Iterator[Listener]:
    roles: tuple[Role, Role] = ("first", "then")
    for number, walk in enumerate(walks):
        for role, selection in zip(roles, walk.aggregate.selections, strict=False):
            yield Listener(selection, number, role)


def _classes(
    selections: Sequence[Selection],
) -> tuple[dict[str, TypeClasses], tuple[tuple[int, ...], ...]]:
    types: dict[str, TypeClasses] = {}
    classes: list[tuple[int, ...]] = [()]
    for name in dict.fromkeys(name for selection in selections for name in selection.types):
        wanted = {
            number: {"link": selection.links, **dict(selection.where)}
            for number, selection in enumerate(selections)
            if name in selection.types
        }
        columns = sorted({column for one in wanted.values() for column in one})
        accepted = [_accepted(column, wanted) for column in columns]
        types[name] = TypeClasses(len(classes), _splits(columns, accepted))
        levels = [list(dict.fromkeys([NOBODY, *each.values()])) for each in accepted]
        for combination in itertools.product(*levels):
            by_column = dict(zip(columns, combination, strict=True))
            classes.append(
                tuple(
                    track
                    for track, one in wanted.items()
                    if all(track in by_column[column] for column in one)
                )
            )
    return types, tuple(classes)


NOBODY: frozenset[int] = frozenset()


def _accepted(
    column: str, wanted: dict[int, dict[str, tuple[str, ...]]]
) -> dict[str, frozenset[int]]:
    """For each value of a column that any track names: the tracks that name it."""
    values = dict.fromkeys(value for one in wanted.values() for value in one.get(column, ()))
    return {
        value: frozenset(track for track, one in wanted.items() if value in one.get(column, ()))
        for value in values
    }


def _splits(
    columns: Sequence[str], accepted: Sequence[dict[str, frozenset[int]]]
) -> tuple[Split, ...]:
    """Levels and strides; values named by the same tracks share a level."""
    splits: list[Split] = []
    stride = 1
    for column, each in zip(reversed(columns), reversed(accepted), strict=True):
        order = list(dict.fromkeys([NOBODY, *each.values()]))
        levels = {value: order.index(tracks) for value, tracks in each.items()}
        splits.append(Split(column, levels, stride))
        stride *= len(order)
    return tuple(splits)
