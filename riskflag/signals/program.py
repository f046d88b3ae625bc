"""Binding a plan to the dictionaries of one history: the kernel's program."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from riskflag.signals import layout
from riskflag.signals.columns import Columns
from riskflag.signals.expression import (
    FOLLOWED,
    Age,
    Aggregate,
    Difference,
    Expression,
    Operation,
    Ratio,
    Scaled,
    Within,
)
from riskflag.signals.kernel import fill_bins
from riskflag.signals.layout import (
    Bools,
    Floats,
    Int32s,
    Ints,
    Lanes,
    Places,
    Program,
    Readings,
    StepTables,
    TypeTables,
    WalkTables,
)
from riskflag.signals.plan import Cell, Kind, Lane, Listener, Plan, counted

WALKS: dict[Operation, int] = {
    "open_now": layout.OPEN,
    "days_inside": layout.INSIDE,
    "last_value": layout.LAST_VALUE,
    "longest_gap": layout.LONGEST,
    "shortest_gap": layout.SHORTEST,
    "busiest": layout.BUSIEST,
    "sequence": layout.SEQUENCE,
    "unanswered": layout.UNANSWERED,
}
OPS: dict[Operation, int] = {
    "count": layout.COUNT,
    "distinct": layout.DIFFERENT,
    "total": layout.TOTAL,
    "days_since_last": layout.LAST,
    "days_since_first": layout.FIRST,
    "lowest": layout.LOWEST,
    "highest": layout.HIGHEST,
}
#: Kinds of lanes that are accumulated alike.
COUNTS: tuple[Kind, ...] = ("count", "distinct")
SUMS: tuple[Kind, ...] = ("sum",)
BESTS: tuple[Kind, ...] = ("best",)
OF_KIND = (COUNTS, SUMS, BESTS)
#: What is read off the cells, and off which; one after another (layout.Readings).
READINGS: dict[tuple[Operation, ...], tuple[Kind, ...]] = {
    ("count", "distinct"): COUNTS,
    ("exists",): COUNTS,
    ("total",): SUMS,
    ("mean",): SUMS,
    ("days_since_last", "days_since_first", "lowest", "highest"): BESTS,
}
ByKind = dict[tuple[Kind, ...], tuple[Cell, ...]]


class _Best(NamedTuple):
    """The value of a best is (times * as-of day + sign * best) / whole."""

    times: int
    sign: int
    whole: float
    without: float


BEST: dict[Operation, _Best] = {
    "days_since_last": _Best(1, -1, 1.0, math.inf),
    "days_since_first": _Best(1, 1, 1.0, math.inf),
    "lowest": _Best(0, -1, layout.THOUSANDTHS, math.nan),
    "highest": _Best(0, 1, layout.THOUSANDTHS, math.nan),
}
AGES = {"days": layout.AGE_DAYS, "months": layout.AGE_MONTHS, "years": layout.AGE_YEARS}
#: Walks that are undefined, not 0, without any contact.
UNDEFINED: tuple[Operation, ...] = ("last_value", "longest_gap", "shortest_gap")


def bind(plan: Plan, columns: Columns, like: Program | None = None) -> Program:
    """The program that computes `plan` on contacts coded as in `columns`.

    With `like`, a program of the same plan for contacts coded otherwise, only what depends on the
    coding is worked out.
    """
    if like is not None:
        types, counts = _type_tables(plan, columns), _marked(like.counts, columns)
        return like._replace(types=types, counts=counts)
    cells = {kind: tuple(c for c in plan.cells() if c.lane.kind in kind) for kind in OF_KIND}
    places = _places(plan, cells)
    counts, sums, bests = (_lanes(plan, cells[kind], columns) for kind in OF_KIND)
    first, rest, further = _ways(counts, sums, bests, _bins_of(plan))
    return Program(
        types=_type_tables(plan, columns),
        edges=_ints(plan.edges),
        bins=_bins(plan.edges),
        counts=counts,
        sums=sums,
        bests=bests,
        first=first,
        rest=rest,
        further=further,
        readings=_readings(plan, cells, places),
        walks=_walk_tables(plan, columns),
        steps=_step_tables(plan, places.of_register),
        defaults=np.array([math.nan if w.aggregate.op in UNDEFINED else 0.0 for w in plan.walks]),
    )


def _ints(values: Sequence[int] | Ints) -> Ints:
    return np.array(values, dtype=np.int64)


def _floats(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _as_places(values: Sequence[int]) -> Places:
    return np.array(values, dtype=np.uint32)


def _offsets(sizes: Sequence[int]) -> Ints:
    return _ints([0, *itertools.accumulate(sizes)])


def _type_tables(plan: Plan, columns: Columns) -> TypeTables:
    type_column = columns.words.index("type")
    firsts, counts = [0], [0]
    parts: list[tuple[int, int]] = []
    levels: list[int] = []
    for name in columns.dictionaries[type_column]:
        known = plan.types.get(name)
        first, before = known.first if known else 0, len(parts)
        for split in known.splits if known else ():
            column = columns.words.index(split.column)
            steps = [split.levels.get(value, 0) for value in columns.dictionaries[column]]
            if len(set(steps)) == 1 and not columns.unrecorded[column]:
                # All contacts are alike in this: children's own, where no other's are told.
                first += steps[0] * split.stride
                continue
            parts.append((column, len(levels)))
            levels += [0, *(step * split.stride for step in steps)]
        firsts.append(first)
        counts.append(len(parts) - before)
    return TypeTables(
        column=type_column,
        first=_ints(firsts),
        part_start=_offsets(counts),
        part_column=_ints([part[0] for part in parts]),
        part_levels=_ints([part[1] for part in parts]),
        levels=_ints(levels),
    )


def _walk_tables(plan: Plan, columns: Columns) -> WalkTables:
    tracks, walks = len(plan.tracks), [walk.aggregate for walk in plan.walks]
    told = [
        [_told(plan.listeners[one - tracks]) for one in members if one >= tracks]
        for members in plan.classes
    ]
    return WalkTables(
        start=_offsets([len(each) for each in told]),
        told=_ints(list(itertools.chain.from_iterable(told))),
        op=_ints([WALKS[of.op] for of in walks]),
        days=_ints([of.days for of in walks]),
        ending=_ints([of.ending for of in walks]),
        column=_ints([columns.numbers.index(of.attribute) if of.attribute else 0 for of in walks]),
        ring_from=_offsets([_ring(of) for of in walks]),
    )


def _told(listener: Listener) -> int:
    return 2 * listener.walk + (listener.role == "then")


def _ring(of: Aggregate) -> int:
    """How many days a walk must remember: those within, of a sequence also the day itself."""
    if not isinstance(of, Within):
        return 0
    return of.within + (of.op in FOLLOWED)


def _lanes(plan: Plan, cells: Sequence[Cell], columns: Columns) -> Lanes:
    """Lanes of one kind, in the order of their tracks, with their cells."""
    tracks, lanes = len(plan.tracks), list(dict.fromkeys(cell.lane for cell in cells))
    place = {lane: number for number, lane in enumerate(lanes)}
    first, stop = (_ints([getattr(cell, edge) for cell in cells]) for edge in ("first", "stop"))
    lane_of, width = _ints([place[cell.lane] for cell in cells]), len(lanes) + 1
    planes, plane_of, less, more = _planes(lane_of, first, stop, _bins_of(plan))
    of_track = [[n for n, lane in enumerate(lanes) if lane.track == t] for t in range(tracks)]
    of_class = [
        [
            lane
            for one in members
            if one < tracks
            for lane in of_track[one]
            if _looks(lanes[lane]) == looks
        ]
        for members in plan.classes
        for looks in (False, True)
    ]
    found = Lanes(
        start=_offsets([len(each) for each in of_class]),
        lanes=_as_places(list(itertools.chain.from_iterable(of_class))),
        op=_ints([*(OPS[lane.op] for lane in lanes), layout.COUNT]),
        planes=planes,
        plane_of=plane_of,
        column=_ints([*(_column(lane, columns) for lane in lanes), 0]),
        marks=_offsets([0] * width),
        cells=_offsets(_how_many(lane_of, width)),
        first=first.astype(np.uint32),
        stop=stop.astype(np.uint32),
        less=less,
        more=more,
        cell_marks=_offsets([0] * len(cells)),
    )
    return _marked(found, columns)


def _how_many(places: Sequence[int] | Ints, size: int) -> list[int]:
    return [int(many) for many in np.bincount(_ints(places), minlength=size)]


def _bins_of(plan: Plan) -> int:
    """How many bins there are; without any window, none."""
    return max(len(plan.edges) - 1, 0)


def _planes(
    lane_of: Ints, first: Ints, stop: Ints, bins: int
) -> tuple[Ints, Places, Places, Places]:
    """Where the planes of each lane begin, the plane of each of its bins, the ends of each cell.

    Plane 0 is no lane's; the last is that of the lane that is nobody's.
    """
    lanes = int(lane_of.max(initial=-1)) + 1
    edges = [np.unique([first[lane_of == lane], stop[lane_of == lane]]) for lane in range(lanes)]
    planes = 1 + _offsets([*(len(each) - 1 for each in edges), 1])
    plane_of = np.full((lanes + 1, bins), planes[-2])
    less, more = np.zeros_like(first), np.zeros_like(stop)
    for lane, own in enumerate(edges):
        mine, before = lane_of == lane, planes[lane] - 1
        plane_of[lane, own[0] : own[-1]] = before + np.searchsorted(
            own, np.arange(own[0], own[-1]), side="right"
        )
        from_edge = np.searchsorted(own, first[mine])
        less[mine] = np.where(from_edge > 0, before + from_edge, 0)
        more[mine] = before + np.searchsorted(own, stop[mine])
    return (
        planes,
        plane_of.astype(np.uint32).ravel(),
        less.astype(np.uint32),
        more.astype(np.uint32),
    )


def _ways(counts: Lanes, sums: Lanes, bests: Lanes, bins: int) -> tuple[Places, Ints, Bools]:
    """Where contacts of each class go first, where their further lanes begin, and if there are."""
    sorts = [
        (counts, 0, layout.COUNT),
        (counts, 1, layout.DIFFERENT),
        (sums, 1, layout.TOTAL),
        (bests, 0, layout.LAST),
        (bests, 1, layout.HIGHEST),
    ]
    first, rest, further = [], [], []
    for lanes, sort, plain in sorts:
        begin, end = lanes.start[sort:-1:2], lanes.start[sort + 1 :: 2]
        one = np.append(lanes.lanes, 0)[begin]
        # Different values are told apart newest first: a lane's contacts must all go the same way.
        behind = np.delete(lanes.lanes, begin[begin < end])
        both = behind[lanes.op[behind] == layout.DIFFERENT]
        taken = (begin < end) & (lanes.op[one] == plain) & ~np.isin(one, both)
        first.append(np.where(taken, one, len(lanes.op) - 1))
        rest.append(begin + taken)
        further.append(rest[-1] < end)
    where = [
        layout.STRIDE * lanes.plane_of.reshape(len(lanes.op), bins)[lane].astype(np.int64)
        for (lanes, *_), lane in zip(sorts, first, strict=True)
    ]
    counted, told, summed, day, number = where
    nobodys = layout.STRIDE * (counts.planes[-1] - 1)
    looked = [sums.column[first[2]], bests.column[first[4]], first[1]]
    some = np.any(further, axis=0)
    words = [
        *(counted, summed, day, number, np.where(told == nobodys, 0, told)),
        *(np.broadcast_to(each[:, None], counted.shape) for each in looked),
    ]
    return (
        np.stack(words, axis=-1).astype(np.uint32).ravel(),
        np.stack(rest, axis=-1).ravel(),
        some if some.any() else some[:0],
    )


def _looks(lane: Lane) -> bool:
    """Whether a lane looks at what a contact says."""
    return lane.attribute is not None


def _column(lane: Lane, columns: Columns) -> int:
    if lane.attribute is None:
        return 0
    names = columns.words if lane.kind == "distinct" else columns.numbers
    return names.index(lane.attribute)


def _marked(lanes: Lanes, columns: Columns) -> Lanes:
    """The lanes, and their cells, with room for all values that each may have to tell apart."""
    different = np.zeros(len(lanes.op), np.int64)
    for lane in np.flatnonzero(lanes.op == layout.DIFFERENT).tolist():
        different[lane] = len(columns.dictionaries[lanes.column[lane]])
    of_cells = np.repeat(different, np.diff(lanes.cells))
    marks, cell_marks = (_offsets(each.tolist()) for each in (different, of_cells))
    return lanes._replace(marks=marks, cell_marks=cell_marks)


def _bins(edges: Sequence[int]) -> Int32s:
    """The bin of each age; ages beyond every finite edge are alike and share the last place."""
    finite = [edge for edge in edges if edge < layout.FAR]
    bins = np.full(max(finite, default=0) + 2, -1, np.int32)
    fill_bins(_ints(edges), bins)
    return bins


@dataclass(frozen=True)
class _Places:
    """Where the values of a row lie: the starts of the readings, and the place by register."""

    starts: tuple[int, ...]
    of_register: dict[int, int]


def _places(plan: Plan, cells: ByKind) -> _Places:
    asked = {slot.aggregate.op for slot in plan.slots}
    sizes = [len(cells[READINGS[reading]]) if asked & set(reading) else 0 for reading in READINGS]
    steps = [step for step in plan.steps if step.of]
    starts = list(itertools.accumulate([*sizes, len(plan.walks), len(steps)], initial=0))
    start_of = {op: starts[n] for n, reading in enumerate(READINGS) for op in reading}
    place = {cell: number for each in cells.values() for number, cell in enumerate(each)}
    found = {slot.register: start_of[slot.aggregate.op] + place[slot.cell] for slot in plan.slots}
    found |= {walk.register: starts[-3] + number for number, walk in enumerate(plan.walks)}
    found |= {step.register: starts[-2] + number for number, step in enumerate(steps)}
    # What is asked for twice is worked out once.
    found |= {step.register: found[step.a] for step in plan.steps if not step.of}
    return _Places(tuple(starts), found)


def _readings(plan: Plan, cells: ByKind, places: _Places) -> Readings:
    place = {cell: number for number, cell in enumerate(cells[COUNTS])}
    return Readings(
        starts=_ints(places.starts),
        beside=_as_places([place[counted(cell)] for cell in cells[SUMS]]),
        times=_ints([BEST[cell.lane.op].times for cell in cells[BESTS]]),
        sign=_ints([BEST[cell.lane.op].sign for cell in cells[BESTS]]),
        whole=_floats([BEST[cell.lane.op].whole for cell in cells[BESTS]]),
        without=_floats([BEST[cell.lane.op].without for cell in cells[BESTS]]),
        outputs=_as_places([places.of_register[number] for number in range(len(plan.signals))]),
    )


def _step_tables(plan: Plan, place: dict[int, int]) -> StepTables:
    steps = [(step, step.of) for step in plan.steps if step.of]
    aged = [isinstance(of, Age) for _, of in steps]
    return StepTables(
        op=_ints([_step_op(of) for _, of in steps]),
        a=_as_places(
            [0 if age else place[step.a] for (step, _), age in zip(steps, aged, strict=True)]
        ),
        b=_as_places(
            [place[step.b] if isinstance(of, Difference | Ratio) else 0 for step, of in steps]
        ),
        factor=_floats([of.factor if isinstance(of, Scaled) else 0.0 for _, of in steps]),
    )


def _step_op(of: Expression) -> int:
    if isinstance(of, Age):
        return AGES[of.unit]
    if isinstance(of, Difference):
        return layout.DIFFERENCE
    return layout.RATIO if isinstance(of, Ratio) else layout.SCALED
