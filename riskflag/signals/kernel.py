"""The fast engine: one child after another, all signals in one pass over the child's contacts.

The functions of `riskflag.clock` are compiled as they stand, so the rule of the clock is not
written a second time. Compiled code is kept on disk, so only the first use on a machine waits for
the compiler. All sums are whole numbers: no result depends on order, chunk
or thread.
"""

from __future__ import annotations

import math

import numpy as np

from riskflag.signals.compiler import compiled, inlined
from riskflag.signals.layout import (
    AGE_DAYS,
    AGE_MONTHS,
    COPY,
    COUNT,
    DIFFERENCE,
    EXISTS,
    FIRST,
    HIGHEST,
    IS_DISTINCT,
    IS_NUMBER,
    LARGEST_NUMBER,
    LAST,
    MEAN,
    RATIO,
    THOUSANDTHS,
    TOTAL,
    UNKNOWN_DAY,
    Contacts,
    Floats,
    Int32s,
    Ints,
    Program,
    Rows,
    Scratch,
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
    for i in range(contacts.occurred.shape[0]):
        kind = contacts.codes[program.types.column, i]
        found = program.types.first[kind]
        if found > 0:
            for part in range(program.types.part_start[kind], program.types.part_start[kind + 1]):
                code = contacts.codes[program.types.part_column[part], i]
                level = program.types.levels[program.types.part_levels[part] + code + 1]
                found += level * program.types.part_stride[part]
        contacts.classes[i] = found


def room(rows: Rows, program: Program) -> Scratch:
    """One thread's working memory."""
    contacts = int((rows.stop - rows.start).max())
    tracks = program.tracks.kind.shape[0]
    size = tracks * (program.most_bins + 1)
    return Scratch(
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(tracks, np.int64),
        np.zeros(tracks, np.int64),
        np.zeros(tracks, np.int64),
        np.full(tracks, -1, np.int64),
        np.full(program.marks, -1, np.int64),
        np.empty(program.defaults.shape[0], np.float64),
        remembered(program.walks, contacts),
    )


@inlined
def _measure(scratch: Scratch, spot: int, number: float) -> None:
    """Add a contact's number to a bin; what is not a usable number counts as not recorded."""
    if abs(number) <= LARGEST_NUMBER:
        whole = np.int64(np.rint(number * THOUSANDTHS))
        if scratch.measured[spot] == 0 or whole < scratch.least[spot]:
            scratch.least[spot] = whole
        if scratch.measured[spot] == 0 or whole > scratch.most[spot]:
            scratch.most[spot] = whole
        scratch.measured[spot] += 1
        scratch.summed[spot] += whole


@inlined
def _seen(scratch: Scratch, mark: int, row: int) -> bool:
    """Whether this row has met a value before; it has from now on."""
    before = bool(scratch.seen[mark] == row)
    scratch.seen[mark] = row
    return before


@inlined
def _gather(contacts: Contacts, program: Program, scratch: Scratch, rows: Rows, row: int) -> int:
    """Put the child's visible contacts into bins, newest first; the number of touched tracks.

    Bin b of a track is at `width * track + b + 1`, so that running totals begin with a nothing.
    """
    touched = 0
    as_of = rows.as_of[row]
    tracks = program.tracks
    width = program.most_bins + 1
    for i in range(rows.stop[row] - 1, rows.start[row] - 1, -1):
        if not visible(contacts.known[i], contacts.superseded[i], as_of):
            continue
        kind = contacts.classes[i]
        age = as_of - contacts.occurred[i]
        clipped = min(max(age, 0), tracks.ages - 1)
        for member in range(program.classes.start[kind], program.classes.start[kind + 1]):
            track = program.classes.tracks[member]
            b = tracks.bins[track * tracks.ages + clipped]
            if b < 0:
                continue
            if tracks.kind[track] == IS_DISTINCT:
                code = contacts.codes[tracks.column[track], i]
                if code < 0 or _seen(scratch, tracks.seen_from[track] + code, row):
                    continue
            if scratch.mark[track] != row:
                scratch.mark[track] = row
                scratch.touched[touched] = track
                scratch.newest[track] = age
                touched += 1
            scratch.oldest[track] = age
            spot = track * width + b + 1
            scratch.counted[spot] += 1
            if tracks.kind[track] == IS_NUMBER:
                _measure(scratch, spot, contacts.numbers[tracks.column[track], i])
    return touched


@inlined
def _extreme(scratch: Scratch, first: int, stop: int, highest: bool) -> float:
    """The highest (or lowest) number in a run of bins that holds at least one."""
    found = False
    best = np.int64(0)
    for spot in range(first + 1, stop + 1):
        if scratch.measured[spot] != scratch.measured[spot - 1]:
            here = scratch.most[spot] if highest else scratch.least[spot]
            if not found or (here > best) == highest:
                best = here
            found = True
    return best / THOUSANDTHS


@inlined
def _number(scratch: Scratch, op: int, first: int, stop: int) -> float:
    """The value of a window over numbers, from running totals."""
    measured = scratch.measured[stop] - scratch.measured[first]
    summed = scratch.summed[stop] - scratch.summed[first]
    if op == TOTAL:
        nothing = scratch.counted[stop] == scratch.counted[first]
        value = summed / THOUSANDTHS if nothing or measured > 0 else math.nan
    elif measured == 0:
        value = math.nan
    elif op == MEAN:
        value = summed / (THOUSANDTHS * measured)
    else:
        value = _extreme(scratch, first, stop, op == HIGHEST)
    return value


@inlined
def _running(totals: Ints, base: int, width: int) -> None:
    for spot in range(base + 1, base + width):
        totals[spot] += totals[spot - 1]


@inlined
def _empty(totals: Ints, base: int, width: int) -> None:
    # A loop, not a slice: assigning slices makes numba compile texts for errors that cannot be.
    for spot in range(base + 1, base + width):
        totals[spot] = 0


@inlined
def _finish(program: Program, scratch: Scratch, touched: int) -> None:
    """Turn the bins of the touched tracks into values and leave them empty for the next row."""
    width = program.most_bins + 1
    slots = program.slots
    for place in range(touched):
        track = scratch.touched[place]
        base = track * width
        _running(scratch.counted, base, width)
        if program.tracks.kind[track] == IS_NUMBER:
            _running(scratch.measured, base, width)
            _running(scratch.summed, base, width)
        for slot in range(program.tracks.slot_start[track], program.tracks.slot_start[track + 1]):
            op = slots.op[slot]
            first, stop = base + slots.first[slot], base + slots.stop[slot]
            if op == COUNT:
                value = float(scratch.counted[stop] - scratch.counted[first])
            elif op == EXISTS:
                value = float(min(scratch.counted[stop] - scratch.counted[first], 1))
            elif op == LAST:
                value = float(scratch.newest[track])
            elif op == FIRST:
                value = float(scratch.oldest[track])
            else:
                value = _number(scratch, op, first, stop)
            scratch.registers[slots.register[slot]] = value
        _empty(scratch.counted, base, width)
        if program.tracks.kind[track] == IS_NUMBER:
            _empty(scratch.measured, base, width)
            _empty(scratch.summed, base, width)


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
    if op == COPY:
        value = a
    elif op == RATIO:
        value = math.nan if b == 0.0 else a / b
    elif op == DIFFERENCE:
        value = a - b
    else:
        value = a * factor
    # One zero and one "undefined", whatever the processor made of them.
    return math.nan if math.isnan(value) else value + 0.0


@inlined
def _combine(program: Program, registers: Floats, birth: int, as_of: int) -> None:
    for step in range(program.steps.op.shape[0]):
        op = program.steps.op[step]
        if op >= AGE_DAYS:
            value = age_at(op, birth, as_of)
        else:
            a, b = registers[program.steps.a[step]], registers[program.steps.b[step]]
            value = stepped(op, a, b, program.steps.factor[step])
        registers[program.steps.register[step]] = value


@compiled
def run(contacts: Contacts, rows: Rows, program: Program, scratch: Scratch, out: Floats) -> None:
    """Compute every signal of every row into `out` [rows of the request, signals]."""
    classify(contacts, program)
    steps = scratch.steps
    walking = program.walks.op.shape[0] > 0
    registers = scratch.registers
    for row in range(rows.as_of.shape[0]):
        for register in range(registers.shape[0]):
            registers[register] = program.defaults[register]
        touched = _gather(contacts, program, scratch, rows, row)
        _finish(program, scratch, touched)
        if walking:
            told = heard(contacts, steps, rows, row)
            walked = walk(contacts, steps, told, rows, row)
            for place in range(walked):
                one = steps.touched[place]
                registers[steps.walks.register[one]] = steps.value[one]
        _combine(program, registers, rows.birth[row], rows.as_of[row])
        target = rows.target[row]
        for output in range(program.outputs):
            out[target, output] = registers[output]
