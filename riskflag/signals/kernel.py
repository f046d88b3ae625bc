"""The fast engine: one child after another, all signals in one pass over the child's contacts.

The functions of `riskflag.clock` are compiled as they stand, so the rule of the clock is not
written a second time. Compiled code is kept on disk, so only the first use on a machine waits for
the compiler. All sums are whole numbers: no result depends on order, chunk
or thread.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from riskflag.signals.compiler import compiled, inlined
from riskflag.signals.layout import (
    AGE_DAYS,
    AGE_MONTHS,
    DIFFERENCE,
    DIFFERENT,
    FIRST,
    HIGHEST,
    LARGEST_NUMBER,
    LAST,
    NOTHING,
    RATIO,
    THOUSANDTHS,
    UNKNOWN_DAY,
    Cells,
    Contacts,
    Floats,
    Int32s,
    Ints,
    Program,
    Rows,
    Scratch,
    Steps,
    Versions,
)
from riskflag.signals.walks import heard, in_window, remembered, visible, walk


@compiled
def fill_bins(edges: Ints, bins: Int32s) -> None:
    """Write for each age in days the bin it falls into, by the clock's own rule; -1 for none."""
    for age in range(bins.shape[0]):
        bins[age] = -1
        for b in range(edges.shape[0] - 1):
            if in_window(-age, 0, edges[b + 1] - edges[b], edges[b]):
                bins[age] = b


@compiled
def visible_births(place: Ints, as_of: Ints, versions: Versions, found: Ints) -> None:
    """Day of birth per row: of the visible version known last; `found` as it was without one."""
    for row in range(place.shape[0]):
        person = place[row]
        if person < 0:
            continue
        for i in range(versions.starts[person], versions.starts[person + 1]):
            if visible(versions.known[i], versions.superseded[i], as_of[row]):
                found[row] = versions.birth[i]


@compiled
def classify(contacts: Contacts, program: Program) -> None:
    """Look up each contact's class."""
    types = program.types
    for i in range(contacts.occurred.shape[0]):
        # A code of -1, not recorded, is the place before the first.
        kind = np.uint64(contacts.codes[types.column, i] + 1)
        found = types.first[kind]
        for part in range(types.part_start[kind], types.part_start[kind + np.uint64(1)]):
            code = contacts.codes[types.part_column[part], i]
            found += types.levels[np.uint64(types.part_levels[part] + code + 1)]
        contacts.classes[i] = found


def cells(program: Program) -> Cells:
    """Room for what the windows of one row came to."""
    starts = program.readings.starts.tolist()
    values = np.zeros(starts[-1], np.float64)
    return Cells(
        np.zeros(len(program.counts.first), np.int32),
        np.zeros(len(program.sums.first), np.int32),
        np.zeros(len(program.sums.first), np.int64),
        np.zeros(len(program.bests.first), np.int64),
        values,
        *(values[start:stop] for start, stop in pairwise(starts)),
    )


def room(rows: Rows, program: Program) -> Scratch:
    """One thread's working memory."""
    contacts = int((rows.stop - rows.start).max())
    bins = len(program.edges)
    counts, sums, bests = (len(one.op) for one in (program.counts, program.sums, program.bests))
    return Scratch(
        np.zeros(bins * counts, np.int32),
        np.zeros(bins * sums, np.int32),
        np.zeros(bins * sums, np.int64),
        np.full(bins * bests, NOTHING, np.int64),
        np.full(program.counts.marks[counts], -1, np.int64),
        cells(program),
        remembered(program.walks, contacts),
    )


@inlined
def usable(number: float) -> tuple[int, bool]:
    """A number in whole thousandths, and whether it was recorded and can be meant."""
    if abs(number) <= LARGEST_NUMBER:
        return int(np.rint(number * THOUSANDTHS)), True
    return 0, False


@inlined
def merit(contacts: Contacts, lane: tuple[int, int], i: int) -> int:
    """What makes a contact the best of a lane (an operation and a column): more is better."""
    op, column = lane
    if op == LAST:
        return int(contacts.occurred[i])
    if op == FIRST:
        return -int(contacts.occurred[i])
    whole, recorded = usable(contacts.numbers[column, i])
    if not recorded:
        return NOTHING
    return whole if op == HIGHEST else -whole


@inlined
def _seen(scratch: Scratch, mark: int, row: int) -> bool:
    """Whether this row has met a value before; it has from now on."""
    before = bool(scratch.seen[mark] == row)
    scratch.seen[mark] = row
    return before


@inlined
def _gather(contacts: Contacts, program: Program, scratch: Scratch, rows: Rows, row: int) -> None:
    """Put the child's visible contacts into the bins, newest first."""
    as_of = rows.as_of[row]
    counts, sums, bests = program.counts, program.sums, program.bests
    far = program.bins.shape[0] - 1
    for i in range(rows.stop[row] - 1, rows.start[row] - 1, -1):
        if not visible(contacts.known[i], contacts.superseded[i], as_of):
            continue
        b = program.bins[min(max(as_of - contacts.occurred[i], 0), far)]
        if b < 0:
            continue
        kind = contacts.classes[i]
        for place in range(counts.start[kind], counts.start[kind + 1]):
            lane = counts.lanes[place]
            if counts.op[lane] == DIFFERENT:
                code = contacts.codes[counts.column[lane], i]
                if code < 0 or b < counts.begin[lane]:
                    continue
                if _seen(scratch, counts.marks[lane] + code, row):
                    continue
            scratch.counted[np.uint64((b + 1) * counts.op.shape[0] + lane)] += 1
        for place in range(sums.start[kind], sums.start[kind + 1]):
            lane = sums.lanes[place]
            whole, recorded = usable(contacts.numbers[sums.column[lane], i])
            spot = np.uint64((b + 1) * sums.op.shape[0] + lane)
            scratch.measured[spot] += recorded
            scratch.summed[spot] += whole
        for place in range(bests.start[kind], bests.start[kind + 1]):
            lane = bests.lanes[place]
            if b < bests.begin[lane]:
                continue
            here = merit(contacts, (bests.op[lane], bests.column[lane]), i)
            spot = np.uint64((b + 1) * bests.op.shape[0] + lane)
            scratch.best[spot] = max(scratch.best[spot], here)


@inlined
def _running(totals: Ints | Int32s, width: int) -> None:
    for base in range(width, totals.shape[0], max(width, 1)):
        for lane in range(width):
            totals[np.uint64(base + lane)] += totals[np.uint64(base + lane - width)]


@inlined
def _empty(bins: Ints | Int32s, nothing: int) -> None:
    # A loop, not a slice: assigning slices makes numba compile texts for errors that cannot be.
    for spot in range(bins.shape[0]):
        bins[spot] = nothing


@inlined
def _windows(program: Program, scratch: Scratch) -> None:
    """Turn the bins into windows, and leave them empty for the next row."""
    found, counts, sums, bests = scratch.cells, program.counts, program.sums, program.bests
    _running(scratch.counted, counts.op.shape[0])
    for cell in range(found.counted.shape[0]):
        before = scratch.counted[counts.less[cell]]
        found.counted[cell] = scratch.counted[counts.more[cell]] - before
    _empty(scratch.counted, 0)
    _running(scratch.measured, sums.op.shape[0])
    _running(scratch.summed, sums.op.shape[0])
    for cell in range(found.summed.shape[0]):
        less, more = sums.less[cell], sums.more[cell]
        found.measured[cell] = scratch.measured[more] - scratch.measured[less]
        found.summed[cell] = scratch.summed[more] - scratch.summed[less]
    _empty(scratch.measured, 0)
    _empty(scratch.summed, 0)
    width = bests.op.shape[0]
    for base in range(width, scratch.best.shape[0], max(width, 1)):
        for lane in range(width):
            before = scratch.best[np.uint64(base + lane - width)]
            here = scratch.best[np.uint64(base + lane)]
            scratch.best[np.uint64(base + lane)] = max(here, before)
    for cell in range(found.best.shape[0]):
        found.best[cell] = scratch.best[bests.more[cell]]
    _empty(scratch.best, NOTHING)


@inlined
def _read(program: Program, found: Cells, as_of: int) -> None:
    """Read the values off the windows."""
    how = program.readings
    for cell in range(found.counts.shape[0]):
        found.counts[cell] = found.counted[cell]
    for cell in range(found.exists.shape[0]):
        found.exists[cell] = min(found.counted[cell], 1)
    for cell in range(found.totals.shape[0]):
        # Both are looked up whatever they are: without a branch, several cells go at once.
        nothing, measured = found.counted[how.beside[cell]] == 0, found.measured[cell] > 0
        total = found.summed[cell] / THOUSANDTHS
        found.totals[cell] = total if nothing | measured else math.nan
    for cell in range(found.means.shape[0]):
        measured = found.measured[cell]
        mean = found.summed[cell] / (THOUSANDTHS * measured)
        found.means[cell] = mean if measured > 0 else math.nan
    for cell in range(found.bests.shape[0]):
        best = found.best[cell]
        value = (how.times[cell] * as_of + how.sign[cell] * best) / how.whole[cell]
        found.bests[cell] = how.without[cell] if best == NOTHING else value


@compiled
def _civil(day: int) -> tuple[int, int]:
    """Months since the year 0 and the day of the month of a day number (Gregorian calendar)."""
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    month_day = of_year - (153 * month + 2) // 5 + 1
    # Months run from March here, so that the leap day is the last of a year.
    return (year + era * 400) * 12 + month + 2, month_day


@compiled
def age_at(op: int, birth: int, as_of: int) -> float:
    if birth == UNKNOWN_DAY:
        return math.nan
    if op == AGE_DAYS:
        return float(as_of - birth)
    birth_months, birth_day = _civil(birth)
    months, day = _civil(as_of)
    completed = months - birth_months - (1 if day < birth_day else 0)
    return float(completed if op == AGE_MONTHS else completed // 12)


@inlined
def stepped(op: int, a: float, b: float, factor: float) -> float:
    if op == RATIO:
        value = math.nan if b == 0.0 else a / b
    elif op == DIFFERENCE:
        value = a - b
    else:
        value = a * factor
    # One zero and one "undefined", whatever the processor made of them.
    return math.nan if math.isnan(value) else value + 0.0


@inlined
def complete(
    contacts: Contacts,
    rows: Rows,
    place: tuple[int, int],
    work: tuple[Program, Cells, Steps],
    out: Floats,
) -> None:
    """Write a row's signals: what its windows, its walks and the steps between them come to.

    `place` is the row and how many contacts of its child any walk hears of.
    """
    row, told = place
    program, found, steps = work
    as_of, target = rows.as_of[row], rows.target[row]
    _read(program, found, as_of)
    if found.walks.shape[0] > 0:
        for one in range(found.walks.shape[0]):
            found.walks[one] = program.defaults[one]
        walked = walk(contacts, steps, told, rows, row)
        for spot in range(walked):
            one = steps.touched[spot]
            found.walks[one] = steps.value[one]
    for step in range(found.steps.shape[0]):
        op = program.steps.op[step]
        if op >= AGE_DAYS:
            value = age_at(op, rows.birth[row], as_of)
        else:
            a, b = found.values[program.steps.a[step]], found.values[program.steps.b[step]]
            value = stepped(op, a, b, program.steps.factor[step])
        found.steps[step] = value
    for output in range(program.readings.outputs.shape[0]):
        out[target, output] = found.values[program.readings.outputs[output]]


@compiled
def run(contacts: Contacts, rows: Rows, program: Program, scratch: Scratch, out: Floats) -> None:
    """Compute every signal of every row into `out` [rows of the request, signals]."""
    classify(contacts, program)
    steps, found, told = scratch.steps, scratch.cells, 0
    for row in range(rows.as_of.shape[0]):
        _gather(contacts, program, scratch, rows, row)
        _windows(program, scratch)
        if found.walks.shape[0] > 0:
            told = heard(contacts, steps, rows, row)
        complete(contacts, rows, (row, told), (program, found, steps), out)
