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
    FIRST,
    LARGEST_NUMBER,
    LAST,
    LOWEST,
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
    Steps,
    Values,
    Versions,
)
from riskflag.signals.walks import in_window, visible, walk


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
def classify(contacts: Contacts, program: Program, start: int, stop: int) -> None:
    """Look up the class of each contact from `start` up to but without `stop`."""
    types = program.types
    for i in range(start, stop):
        # A code of -1, not recorded, is the place before the first.
        one = np.uint64(i)
        contacts.classes[one] = types.first[np.uint64(contacts.codes[types.column, one] + 1)]
    if types.part_column.shape[0] == 0:
        return
    for i in range(start, stop):
        kind = np.uint64(contacts.codes[types.column, i] + 1)
        for part in range(types.part_start[kind], types.part_start[kind + np.uint64(1)]):
            code = contacts.codes[types.part_column[part], i]
            contacts.classes[i] += types.levels[np.uint64(types.part_levels[part] + code + 1)]


@compiled
def whole_numbers(contacts: Contacts, start: int, stop: int) -> None:
    """Write the same contacts' numbers in thousandths.

    They are NOTHING where not recorded or too large to be meant.
    """
    for column in range(contacts.given.shape[0]):
        for i in range(start, stop):
            one = np.uint64(i)
            number = contacts.given[column, one]
            said = (contacts.recorded[column, one] != 0) & (abs(number) <= LARGEST_NUMBER)
            whole = int(np.rint((number if said else 0.0) * THOUSANDTHS))
            contacts.numbers[column, one] = whole if said else NOTHING


def values(program: Program, room: tuple[int, ...] = ()) -> Values:
    """Room for the values of a row, or of several side by side."""
    starts = program.readings.starts.tolist()
    every = np.zeros((starts[-1], *room), np.float64)
    return Values(every, *(every[start:stop] for start, stop in pairwise(starts)))


def cells(program: Program) -> Cells:
    """Room for what the windows of one row came to."""
    return Cells(
        np.zeros(len(program.counts.first), np.int32),
        np.zeros(len(program.sums.first), np.int32),
        np.zeros(len(program.sums.first), np.int64),
        np.zeros(len(program.bests.first), np.int64),
        values(program),
    )


@inlined
def merit(contacts: Contacts, lane: tuple[int, int], i: int) -> int:
    """What makes a contact the best of a lane (an operation and a column): more is better."""
    op, column = lane
    if op == LAST:
        return int(contacts.occurred[i])
    if op == FIRST:
        return -int(contacts.occurred[i])
    whole = int(contacts.numbers[column, i])
    return -whole if op == LOWEST and whole != NOTHING else whole


@inlined
def read_best(how: tuple[int, int, float, float], best: int, as_of: int) -> float:
    """The value that a best stands for; `how` is of layout.Readings."""
    times, sign, whole, without = how
    value = (times * as_of + sign * best) / whole
    return without if best == NOTHING else value


@inlined
def _read(program: Program, cells: Cells, as_of: int) -> None:
    """Read the values off the windows."""
    how, found = program.readings, cells.values
    for cell in range(found.counts.shape[0]):
        found.counts[cell] = cells.counted[cell]
    for cell in range(found.exists.shape[0]):
        found.exists[cell] = min(cells.counted[cell], 1)
    for cell in range(found.totals.shape[0]):
        # Both are looked up whatever they are: without a branch, several cells go at once.
        nothing, measured = cells.counted[how.beside[cell]] == 0, cells.measured[cell] > 0
        total = cells.summed[cell] / THOUSANDTHS
        found.totals[cell] = total if nothing | measured else math.nan
    for cell in range(found.means.shape[0]):
        measured = cells.measured[cell]
        mean = cells.summed[cell] / (THOUSANDTHS * measured)
        found.means[cell] = mean if measured > 0 else math.nan
    for cell in range(found.bests.shape[0]):
        one = (how.times[cell], how.sign[cell], how.whole[cell], how.without[cell])
        found.bests[cell] = read_best(one, cells.best[cell], as_of)


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
    program, cells, steps = work
    as_of, target, found = rows.as_of[row], rows.target[row], cells.values
    _read(program, cells, as_of)
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
            a, b = found.every[program.steps.a[step]], found.every[program.steps.b[step]]
            value = stepped(op, a, b, program.steps.factor[step])
        found.steps[step] = value
    for output in range(program.readings.outputs.shape[0]):
        out[target, output] = found.every[program.readings.outputs[output]]
