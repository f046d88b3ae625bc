"""Binding a plan to the dictionaries of one history: the kernel's program."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

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
    ClassTables,
    Int32s,
    Ints,
    Program,
    SlotTables,
    StepTables,
    TrackTables,
    TypeTables,
    WalkTables,
)
from riskflag.signals.plan import Listener, Plan, Step, Track

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
    "exists": layout.EXISTS,
    "days_since_last": layout.LAST,
    "days_since_first": layout.FIRST,
    "total": layout.TOTAL,
    "mean": layout.MEAN,
    "lowest": layout.LOWEST,
    "highest": layout.HIGHEST,
    "distinct": layout.COUNT,  # of what the kernel has told apart
}
KINDS = {"count": layout.IS_COUNT, "number": layout.IS_NUMBER, "distinct": layout.IS_DISTINCT}
AGES = {"days": layout.AGE_DAYS, "months": layout.AGE_MONTHS, "years": layout.AGE_YEARS}
#: What an aggregate is without any contact.
WITHOUT_CONTACTS: dict[Operation, float] = {
    "days_since_last": math.inf,
    "days_since_first": math.inf,
    "mean": math.nan,
    "lowest": math.nan,
    "highest": math.nan,
    "last_value": math.nan,
    "longest_gap": math.nan,
    "shortest_gap": math.nan,
}


def bind(plan: Plan, columns: Columns) -> Program:
    """The program that computes `plan` on contacts coded as in `columns`."""
    defaults = np.full(plan.registers, math.nan)
    for slot in plan.slots:
        defaults[slot.register] = WITHOUT_CONTACTS.get(slot.aggregate.op, 0.0)
    for walk in plan.walks:
        defaults[walk.register] = WITHOUT_CONTACTS.get(walk.aggregate.op, 0.0)
    return Program(
        types=_type_tables(plan, columns),
        classes=_class_tables(plan),
        tracks=_track_tables(plan, columns),
        slots=_slot_tables(plan, columns),
        walks=_walk_tables(plan, columns),
        steps=_step_tables(plan),
        defaults=defaults,
        outputs=len(plan.signals),
        most_bins=max((len(track.edges) - 1 for track in plan.tracks), default=1),
        marks=sum(_different(track, columns) for track in plan.tracks),
        slot_marks=sum(_different(plan.tracks[slot.track], columns) for slot in plan.slots),
        orders=_orders(plan, columns),
        in_order=bool(_orders(plan, columns).any()),
    )


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64).reshape(-1)


def _offsets(sizes: Sequence[int]) -> Ints:
    return _ints([0, *itertools.accumulate(sizes)])


def _type_tables(plan: Plan, columns: Columns) -> TypeTables:
    type_column = columns.words.index("type")
    firsts: list[int] = []
    counts: list[int] = []
    parts: list[tuple[int, int, int]] = []
    levels: list[int] = []
    for name in columns.dictionaries[type_column]:
        known = plan.types.get(name)
        firsts.append(known.first if known else 0)
        splits = known.splits if known else ()
        counts.append(len(splits))
        for split in splits:
            column = columns.words.index(split.column)
            parts.append((column, split.stride, len(levels)))
            values = columns.dictionaries[column]
            levels += [0, *(split.levels.get(value, 0) for value in values)]
    return TypeTables(
        column=type_column,
        first=_ints([*firsts, 0]),
        part_start=_offsets(counts),
        part_column=_ints([part[0] for part in parts]),
        part_stride=_ints([part[1] for part in parts]),
        part_levels=_ints([part[2] for part in parts]),
        levels=_ints(levels),
    )


def _class_tables(plan: Plan) -> ClassTables:
    classes = [[one for one in members if one < len(plan.tracks)] for members in plan.classes]
    return ClassTables(
        start=_offsets([len(tracks) for tracks in classes]),
        tracks=_ints(list(itertools.chain.from_iterable(classes))),
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
        register=_ints([walk.register for walk in plan.walks]),
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


def _track_tables(plan: Plan, columns: Columns) -> TrackTables:
    slots = [0] * len(plan.tracks)
    for slot in plan.slots:
        slots[slot.track] += 1
    marks = [_different(track, columns) for track in plan.tracks]
    bins = _bins(plan.tracks)
    return TrackTables(
        kind=_ints([KINDS[track.kind] for track in plan.tracks]),
        column=_ints([_column(track, columns) for track in plan.tracks]),
        seen_from=_offsets(marks),
        ages=bins.shape[1],
        bins=bins.reshape(-1),
        edge_start=_offsets([len(track.edges) for track in plan.tracks]),
        edges=_ints([edge for track in plan.tracks for edge in track.edges]),
        slot_start=_offsets(slots),
    )


def _column(track: Track, columns: Columns) -> int:
    if track.attribute is None:
        return 0
    names = columns.numbers if track.kind == "number" else columns.words
    return names.index(track.attribute)


def _different(track: Track, columns: Columns) -> int:
    """How many different values a track may have to tell apart."""
    if track.kind != "distinct":
        return 0
    return len(columns.dictionaries[_column(track, columns)])


def _bins(tracks: Sequence[Track]) -> Int32s:
    """The bin of each age; ages beyond every finite edge are alike and share the last place."""
    finite = [edge for track in tracks for edge in track.edges if edge < layout.FAR]
    bins = np.full((len(tracks), max(finite, default=0) + 2), -1, np.int32)
    done: dict[tuple[int, ...], int] = {}
    for number, track in enumerate(tracks):
        if track.edges in done:
            bins[number] = bins[done[track.edges]]
        else:
            fill_bins(_ints(track.edges), bins[number])
            done[track.edges] = number
    return bins


def _slot_tables(plan: Plan, columns: Columns) -> SlotTables:
    slots = sorted(plan.slots, key=lambda slot: slot.track)
    marks = _offsets([_different(plan.tracks[slot.track], columns) for slot in slots])
    return SlotTables(
        op=_ints([OPS[slot.aggregate.op] for slot in slots]),
        register=_ints([slot.register for slot in slots]),
        first=_ints([slot.first for slot in slots]),
        stop=_ints([slot.stop for slot in slots]),
        seen_from=marks[:-1],
    )


def _orders(plan: Plan, columns: Columns) -> Ints:
    """Whether FIRST is asked for and, for each column of numbers, a lowest or highest."""
    asked = {slot.aggregate.op for slot in plan.slots}
    extremes = {
        slot.aggregate.attribute
        for slot in plan.slots
        if slot.aggregate.op in ("lowest", "highest")
    }
    return _ints(["days_since_first" in asked, *(name in extremes for name in columns.numbers)])


def _step_tables(plan: Plan) -> StepTables:
    return StepTables(
        op=_ints([_step_op(step.of) for step in plan.steps]),
        register=_ints([step.register for step in plan.steps]),
        a=_ints([step.a for step in plan.steps]),
        b=_ints([step.b for step in plan.steps]),
        factor=np.array([_factor(step) for step in plan.steps], dtype=np.float64),
    )


def _factor(step: Step) -> float:
    return step.of.factor if isinstance(step.of, Scaled) else 0.0


def _step_op(of: Expression | None) -> int:
    if isinstance(of, Age):
        return AGES[of.unit]
    if isinstance(of, Difference):
        return layout.DIFFERENCE
    if isinstance(of, Ratio):
        return layout.RATIO
    return layout.SCALED if isinstance(of, Scaled) else layout.COPY
