"""From declarations to what the kernel walks through: lanes, cells, steps and classes.

A *track* is one selection. A *lane* is what it accumulates for a child: contacts counted or a
number summed, different values told apart, or the best of something (the latest day, the highest
number). A *cell* is one window of a lane. All windows together cut the days before the as-of date
into *bins*, so one pass over the contacts fills them all. A *walk* is what rests on the order of
contacts or on their ends; its *listeners* are the selections it hears of, one contact after
another. *Steps* put the values together (difference, ratio, scaled, age). Contacts that every
selection treats alike are one *class*, so the kernel looks a contact's class up once and then
knows its tracks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from riskflag.signals.define import Signal
from riskflag.signals.expression import (
    IN_ORDER,
    OF_INTERVALS,
    OF_NUMBER,
    Age,
    Aggregate,
    Expression,
    Operation,
    Scaled,
    Selection,
)

Role = Literal["first", "then"]
Kind = Literal["count", "distinct", "sum", "best"]
#: What each operation reads off its window.
KINDS: dict[Operation, Kind] = {
    "count": "count",
    "exists": "count",
    "distinct": "distinct",
    "total": "sum",
    "mean": "sum",
    "days_since_last": "best",
    "days_since_first": "best",
    "lowest": "best",
    "highest": "best",
}


@dataclass(frozen=True)
class Lane:
    """What one track accumulates; `op` tells what is best, and is "count" or "total" otherwise."""

    track: int
    kind: Kind
    op: Operation
    attribute: str | None
    #: The windows of a lane that is no sum all end on the same day: what is the best of some
    #: window, or a value's latest contact there, is so in every longer one or comes from outside.
    ending: int = 0


@dataclass(frozen=True)
class Cell:
    """A window of a lane: the bins from edge `first` up to edge `stop` of the plan."""

    lane: Lane
    first: int
    stop: int


@dataclass(frozen=True)
class Slot:
    """One aggregate: a cell, read and written to a register."""

    register: int
    aggregate: Aggregate
    cell: Cell


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
    tracks: tuple[Selection, ...]
    #: The edges of the bins in days before the as-of date: bin `b` holds the contacts more than
    #: `edges[b]` and at most `edges[b + 1]` days old.
    edges: tuple[int, ...]
    slots: tuple[Slot, ...]
    walks: tuple[Walk, ...]
    listeners: tuple[Listener, ...]
    steps: tuple[Step, ...]
    types: dict[str, TypeClasses]
    #: For each class the tracks, then the listeners (numbered on from the tracks) its contacts
    #: belong to; class 0 belongs to none.
    classes: tuple[tuple[int, ...], ...]

    def cells(self) -> tuple[Cell, ...]:
        """Every cell, those of a lane together and the lanes of a track together."""
        found = dict.fromkeys(slot.cell for slot in self.slots)
        # A sum must know whether there was any contact at all.
        for cell in [cell for cell in found if cell.lane.kind == "sum"]:
            found.setdefault(counted(cell))
        lanes = {lane: place for place, lane in enumerate(dict.fromkeys(c.lane for c in found))}
        return tuple(sorted(found, key=lambda cell: (cell.lane.track, lanes[cell.lane])))

    def lanes(self) -> tuple[Lane, ...]:
        """Every lane, those of a track together."""
        return tuple(dict.fromkeys(cell.lane for cell in self.cells()))

    def columns(self) -> tuple[str, ...]:
        """Columns of words, besides the type, that the kernel must see."""
        split = {part.column for one in self.types.values() for part in one.splits}
        told_apart = {str(lane.attribute) for lane in self.lanes() if lane.kind == "distinct"}
        return tuple(sorted(split | told_apart | {"type"}))

    def numbers(self) -> tuple[str, ...]:
        """Columns of numbers that the kernel must see."""
        of_slots = {slot.aggregate for slot in self.slots if slot.aggregate.op in OF_NUMBER}
        of_walks = {walk.aggregate for walk in self.walks if walk.aggregate.attribute}
        return tuple(sorted({str(of.attribute) for of in of_slots | of_walks}))

    def needs_ends(self) -> bool:
        """Whether any signal rests on when contacts ended."""
        return any(walk.aggregate.op in OF_INTERVALS for walk in self.walks)

    def needs_birth(self) -> bool:
        """Whether any signal rests on the child's age."""
        return any(isinstance(step.of, Age) for step in self.steps)


def counted(cell: Cell) -> Cell:
    """The cell that counts the contacts of the same window."""
    return replace(cell, lane=Lane(cell.lane.track, "count", "count", None))


def plan(signals: Sequence[Signal]) -> Plan:
    """Work out windows, slots, steps and classes for `signals`, in their order."""
    layout = _Layout([signal.of for signal in signals])
    tracks, edges, slots = _windows(
        {of: register for of, register in layout.aggregates.items() if of.op not in IN_ORDER}
    )
    walks = tuple(Walk(layout.aggregates[of], of) for of in layout.aggregates if of.op in IN_ORDER)
    listeners = tuple(_listeners(walks))
    heard = [listener.selection for listener in listeners]
    types, classes = _classes([*tracks, *heard])
    return Plan(
        signals=tuple(signals),
        registers=layout.size,
        tracks=tracks,
        edges=edges,
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


def _windows(
    aggregates: dict[Aggregate, int],
) -> tuple[tuple[Selection, ...], tuple[int, ...], tuple[Slot, ...]]:
    """The tracks, the edges of all windows together, and each aggregate's slot."""
    tracks = {of.selection: 0 for of in aggregates}
    tracks = {selection: place for place, selection in enumerate(tracks)}
    edges = sorted({edge for of in aggregates for edge in (of.ending, of.ending + of.days)})
    slots = [
        Slot(
            register,
            of,
            Cell(
                _lane(tracks[of.selection], of),
                edges.index(of.ending),
                edges.index(of.ending + of.days),
            ),
        )
        for of, register in aggregates.items()
    ]
    return tuple(tracks), tuple(edges), tuple(slots)


def _lane(track: int, of: Aggregate) -> Lane:
    kind = KINDS[of.op]
    if kind == "count":
        return Lane(track, kind, "count", None)
    if kind == "sum":
        return Lane(track, kind, "total", of.attribute)
    return Lane(track, kind, of.op, of.attribute, of.ending)


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
