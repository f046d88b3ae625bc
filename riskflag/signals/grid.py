"""The fast engine for several as-of dates of a child: a training grid, an analyst's list.

Each contact is spread over the dates it counts for (spread.py), then a running total over the
dates gives the sums. Cost grows with contacts and with output, not with contacts times dates. Walks
alone are told for each date anew, of the few contacts they hear of.
"""

from __future__ import annotations

import math

from riskflag.signals.compiler import compiled, inlined
from riskflag.signals.kernel import age_at, classify, stepped
from riskflag.signals.layout import (
    AGE_DAYS,
    COUNT,
    EXISTS,
    FIRST,
    IS_DISTINCT,
    LAST,
    MOST_DATES,
    THOUSANDTHS,
    TOTAL,
    Contacts,
    Dates,
    Floats,
    Program,
    Rows,
)
from riskflag.signals.spread import BIT, calendar, gather, group, in_order
from riskflag.signals.walks import heard, walk


@inlined
def _sums(dates: Dates, op: int, slot: int, target: int) -> None:
    """Running totals over the dates, as values; the changes are left empty for the next child."""
    base = slot * (dates.width + 1)
    counted, measured, summed = 0, 0, 0
    count = dates.as_of[MOST_DATES]
    for g in range(count):
        counted += dates.counted[base + g]
        dates.counted[base + g] = 0
        if op == COUNT:
            value = float(counted)
        elif op == EXISTS:
            value = float(min(counted, 1))
        else:
            measured += dates.measured[base + g]
            summed += dates.summed[base + g]
            dates.measured[base + g] = 0
            dates.summed[base + g] = 0
            if op == TOTAL:
                value = summed / THOUSANDTHS if counted == 0 or measured > 0 else math.nan
            else:
                value = summed / (THOUSANDTHS * measured) if measured > 0 else math.nan
        dates.values[target + g] = value
    dates.counted[base + count] = 0
    dates.measured[base + count] = 0
    dates.summed[base + count] = 0


@inlined
def _best(dates: Dates, op: int, slot: int, target: int) -> None:
    """The dates that were filled, as values; the others keep what is so without any contact."""
    base = slot * dates.width
    for g in range(dates.as_of[MOST_DATES]):
        if (dates.filled[slot] >> g) & 1:
            best = dates.best[base + g]
            days = op <= FIRST
            dates.values[target + g] = float(best) if days else best / THOUSANDTHS
    dates.filled[slot] = 0


@inlined
def _different(program: Program, dates: Dates, marked: int) -> None:
    """Count the values that are there on each date."""
    for place in range(marked):
        mark = dates.met[place]
        target = program.slots.register[dates.met_slot[place]] * dates.width
        bits = dates.marks[mark]
        dates.marks[mark] = 0
        while bits:
            lowest = bits & -bits
            dates.values[target + BIT[lowest % 67]] += 1.0
            bits ^= lowest


@inlined
def _finish(program: Program, dates: Dates, touched: int, marked: int) -> None:
    """Turn what was gathered into values, and leave the room empty for the next child."""
    slots, tracks = program.slots, program.tracks
    for place in range(touched):
        track = dates.touched[place]
        if tracks.kind[track] == IS_DISTINCT:
            continue
        for slot in range(tracks.slot_start[track], tracks.slot_start[track + 1]):
            op, target = slots.op[slot], slots.register[slot] * dates.width
            if op >= LAST:
                _best(dates, op, slot, target)
            else:
                _sums(dates, op, slot, target)
    _different(program, dates, marked)


@inlined
def _walks(contacts: Contacts, dates: Dates, rows: Rows, first: int) -> None:
    """Tell the walks of the contacts they hear of, for each date anew."""
    steps = dates.steps
    told = heard(contacts, steps, rows, first)
    for g in range(dates.as_of[MOST_DATES]):
        touched = walk(contacts, steps, told, rows, first + g)
        for place in range(touched):
            one = steps.touched[place]
            dates.values[steps.walks.register[one] * dates.width + g] = steps.value[one]


@inlined
def _combine(program: Program, dates: Dates, rows: Rows, first: int) -> None:
    steps, width = program.steps, dates.width
    for step in range(steps.op.shape[0]):
        op, target = steps.op[step], steps.register[step] * width
        a, b = steps.a[step] * width, steps.b[step] * width
        for g in range(dates.as_of[MOST_DATES]):
            if op >= AGE_DAYS:
                value = age_at(op, rows.birth[first + g], dates.as_of[g])
            else:
                value = stepped(op, dates.values[a + g], dates.values[b + g], steps.factor[step])
            dates.values[target + g] = value


@compiled
def run_grid(contacts: Contacts, rows: Rows, program: Program, dates: Dates, out: Floats) -> None:
    """Compute every signal of every row into `out` [rows of the request, signals].

    Rows of one child stand together, their dates in order; `kernel.run` gives the same bytes.
    """
    classify(contacts, program)
    width, first = dates.width, 0
    walking = program.walks.op.shape[0] > 0
    while first < rows.as_of.shape[0]:
        stop = group(rows, first)
        calendar(dates, rows, first, stop)
        for register in range(program.defaults.shape[0]):
            for g in range(stop - first):
                dates.values[register * width + g] = program.defaults[register]
        touched, marked = gather(contacts, program, dates, rows, first)
        if program.in_order and touched > 0:
            in_order(contacts, program, dates, rows.start[first], rows.stop[first])
        _finish(program, dates, touched, marked)
        if walking:
            _walks(contacts, dates, rows, first)
        _combine(program, dates, rows, first)
        for g in range(stop - first):
            target = rows.target[first + g]
            for output in range(program.outputs):
                out[target, output] = dates.values[output * width + g]
        first = stop
