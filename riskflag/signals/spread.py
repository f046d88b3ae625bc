"""Spreading a child's contacts over a group of as-of dates.

A contact counts in a window exactly for the as-of dates from the day after it had occurred and was
known until its window, or its version, is over: with each window it is a run of the group's dates.
Sums take a change where the run begins and one where it ends. The best of all contacts of a date
(latest, first, highest, lowest) needs two as well: two runs of a power of two dates cover the run,
and at the end each such run is handed down to its halves. Different values mark their dates in a
word of bits.
"""

from __future__ import annotations

import numpy as np

from riskflag.signals.compiler import compiled, inlined
from riskflag.signals.kernel import cells, merit
from riskflag.signals.layout import (
    DIFFERENT,
    MOST_DATES,
    NOTHING,
    Contacts,
    Dates,
    Ints,
    Program,
    Rows,
)
from riskflag.signals.walks import remembered

#: Which bit is set, by the remainder of 67 (of which 2 is a primitive root).
BIT = np.zeros(67, np.int64)
for _bit in range(MOST_DATES + 1):
    BIT[2**_bit % 67] = _bit

#: The highest power of two in a number of dates.
LEVEL = np.array([max(dates, 1).bit_length() - 1 for dates in range(MOST_DATES + 1)], np.int64)


@inlined
def group(rows: Rows, first: int) -> int:
    """One past the last row of the group that begins at `first`: a child's next few dates."""
    stop, total = first + 1, rows.as_of.shape[0]
    while (
        stop < total
        and stop - first < MOST_DATES
        and rows.start[stop] == rows.start[first]
        and rows.stop[stop] == rows.stop[first]
        and rows.as_of[stop] >= rows.as_of[stop - 1]
    ):
        stop += 1
    return stop


@compiled
def _size(rows: Rows, size: Ints) -> None:
    """The most dates, the longest span of dates and the most contacts of any group."""
    first = 0
    while first < rows.as_of.shape[0]:
        stop = group(rows, first)
        size[0] = max(size[0], stop - first)
        size[1] = max(size[1], rows.as_of[stop - 1] - rows.as_of[first])
        size[2] = max(size[2], rows.stop[first] - rows.start[first])
        first = stop


def room(rows: Rows, program: Program) -> Dates:
    """One thread's working memory, wide enough for its longest group and span of dates."""
    size = np.ones(3, np.int64)
    _size(rows, size)
    width, span, contacts = (int(one) for one in size)
    counts, sums, bests = (len(one.first) for one in (program.counts, program.sums, program.bests))
    marks = int(program.counts.cell_marks[counts])
    return Dates(
        width,
        np.full(MOST_DATES + 1, -1, np.int64),
        np.zeros(span + 1, np.int64),
        np.zeros(len(program.edges), np.int64),
        np.zeros((width + 1, counts), np.int32),
        np.zeros((width + 1, sums), np.int32),
        np.zeros((width + 1, sums), np.int64),
        np.full((LEVEL[width] + 1, width, bests), NOTHING, np.int64),
        np.zeros(marks, np.int64),
        np.zeros(marks, np.int64),
        np.zeros(marks, np.int64),
        cells(program),
        remembered(program.walks, contacts),
    )


@compiled
def calendar(dates: Dates, rows: Rows, first: int, stop: int) -> None:
    """How many of the group's dates lie on or before each day from its first to its last."""
    count = stop - first
    if dates.as_of[MOST_DATES] == count:
        same = True
        for g in range(count):
            same = same and dates.as_of[g] == rows.as_of[first + g]
        if same:
            return
    dates.as_of[MOST_DATES] = count
    begin, g = rows.as_of[first], 0
    for day in range(begin, rows.as_of[stop - 1] + 1):
        while g < count and rows.as_of[first + g] <= day:
            dates.as_of[g] = rows.as_of[first + g]
            g += 1
        dates.until[day - begin] = g


@inlined
def _until(dates: Dates, count: int, day: int) -> int:
    """How many of the group's dates lie on or before a day."""
    place = day - dates.as_of[0]
    if place < 0:
        return 0
    if day >= dates.as_of[count - 1]:
        return count
    return int(dates.until[place])


@inlined
def _run(first: int, stop: int) -> int:
    """The bits of a run of dates."""
    return (1 << stop) - (1 << first)


@inlined
def _mark(dates: Dates, cell: int, mark: int, marked: int, bits: int) -> int:
    """Note the dates on which a value is there; the number of values met so far."""
    if dates.marks[mark] == 0 and bits != 0:
        dates.met[marked] = mark
        dates.met_cell[marked] = cell
        marked += 1
    dates.marks[mark] |= bits
    return marked


@inlined
def _count(
    contacts: Contacts, program: Program, dates: Dates, contact: tuple[int, int, int], marked: int
) -> int:
    """Count a contact (its number, first and stop date) in the windows of its lanes."""
    counts, cuts = program.counts, dates.cuts
    i, begin, end = contact
    kind = contacts.classes[i]
    for place in range(counts.start[2 * kind], counts.start[2 * kind + 2]):
        lane = counts.lanes[place]
        if counts.op[lane] == DIFFERENT:
            code = contacts.codes[counts.column[lane], i]
            if code < 0:
                continue
            for cell in range(counts.cells[lane], counts.cells[lane + 1]):
                lower = max(begin, cuts[counts.first[cell]])
                upper = max(lower, min(end, cuts[counts.stop[cell]]))
                mark = counts.cell_marks[cell] + code
                marked = _mark(dates, cell, mark, marked, _run(lower, upper))
            continue
        for cell in range(counts.cells[lane], counts.cells[lane + 1]):
            lower = max(begin, cuts[counts.first[cell]])
            upper = max(lower, min(end, cuts[counts.stop[cell]]))
            # An empty run takes back what it has just added.
            dates.counted[np.uint64(lower), cell] += 1
            dates.counted[np.uint64(upper), cell] -= 1
    return marked


@inlined
def _add(contacts: Contacts, program: Program, dates: Dates, contact: tuple[int, int, int]) -> None:
    """Add the numbers of a contact to the windows of its lanes."""
    sums, cuts = program.sums, dates.cuts
    i, begin, end = contact
    kind = contacts.classes[i]
    for place in range(sums.start[2 * kind], sums.start[2 * kind + 2]):
        lane = sums.lanes[place]
        whole = contacts.numbers[sums.column[lane], i]
        if whole == NOTHING:
            continue
        for cell in range(sums.cells[lane], sums.cells[lane + 1]):
            lower = max(begin, cuts[sums.first[cell]])
            upper = max(lower, min(end, cuts[sums.stop[cell]]))
            dates.measured[np.uint64(lower), cell] += 1
            dates.measured[np.uint64(upper), cell] -= 1
            dates.summed[np.uint64(lower), cell] += whole
            dates.summed[np.uint64(upper), cell] -= whole


@inlined
def _hold(
    contacts: Contacts, program: Program, dates: Dates, contact: tuple[int, int, int]
) -> None:
    """Hold a contact against the best so far in the windows of its lanes.

    Two runs of 2^level dates, which may overlap, make up any run: for the best that is enough.
    """
    bests, cuts = program.bests, dates.cuts
    i, begin, end = contact
    kind = contacts.classes[i]
    for place in range(bests.start[2 * kind], bests.start[2 * kind + 2]):
        lane = bests.lanes[place]
        here = merit(contacts, (bests.op[lane], bests.column[lane]), i)
        for cell in range(bests.cells[lane], bests.cells[lane + 1]):
            lower = max(begin, cuts[bests.first[cell]])
            upper = min(end, cuts[bests.stop[cell]])
            if lower >= upper:
                continue
            level = LEVEL[np.uint64(upper - lower)]
            one, other = np.uint64(lower), np.uint64(upper - (1 << level))
            high = np.uint64(level)
            dates.best[high, one, cell] = max(dates.best[high, one, cell], here)
            dates.best[high, other, cell] = max(dates.best[high, other, cell], here)


@inlined
def gather(contacts: Contacts, program: Program, dates: Dates, rows: Rows, first: int) -> int:
    """Bring the child's contacts to the dates; how many values were met."""
    marked, count = 0, dates.as_of[MOST_DATES]
    for i in range(rows.start[first], rows.stop[first]):
        if contacts.classes[i] == 0:
            continue
        occurred = int(contacts.occurred[i])
        begin = _until(dates, count, contacts.known[i])
        begin = max(begin, _until(dates, count, occurred))
        end = _until(dates, count, contacts.superseded[i])
        if begin >= end:
            continue
        for edge in range(program.edges.shape[0]):
            dates.cuts[edge] = _until(dates, count, occurred + program.edges[edge])
        contact = (i, begin, end)
        marked = _count(contacts, program, dates, contact, marked)
        _add(contacts, program, dates, contact)
        _hold(contacts, program, dates, contact)
    return marked


@inlined
def settle(program: Program, dates: Dates, marked: int) -> None:
    """What was gathered as changes from date to date, and as the best of each single date."""
    count = dates.as_of[MOST_DATES]
    for place in range(marked):
        mark, cell = dates.met[place], dates.met_cell[place]
        bits = dates.marks[mark]
        dates.marks[mark] = 0
        change = bits ^ (bits << 1)
        while change:
            lowest = change & -change
            dates.counted[BIT[lowest % 67], cell] += 1 if bits & lowest else -1
            change ^= lowest
    for level in range(LEVEL[count], 0, -1):
        high, low, half = np.uint64(level), np.uint64(level - 1), 1 << (level - 1)
        for g in range(count - half + 1):
            here, there = np.uint64(g), np.uint64(max(g - half, 0))
            for cell in range(dates.best.shape[2]):
                best = max(dates.best[high, here, cell], dates.best[high, there, cell])
                dates.best[low, here, cell] = max(dates.best[low, here, cell], best)
        for g in range(count - 2 * half + 1):
            for cell in range(dates.best.shape[2]):
                dates.best[high, np.uint64(g), cell] = NOTHING


@inlined
def begin_dates(dates: Dates) -> None:
    """Before the first date there is nothing in any window."""
    found = dates.cells
    for cell in range(found.counted.shape[0]):
        found.counted[cell] = 0
    for cell in range(found.summed.shape[0]):
        found.measured[cell] = 0
        found.summed[cell] = 0


@inlined
def come_to(dates: Dates, g: int) -> None:
    """Bring the windows from one date to the next, and leave the changes empty."""
    found = dates.cells
    for cell in range(found.counted.shape[0]):
        found.counted[cell] += dates.counted[g, cell]
        dates.counted[g, cell] = 0
    for cell in range(found.summed.shape[0]):
        found.measured[cell] += dates.measured[g, cell]
        found.summed[cell] += dates.summed[g, cell]
        dates.measured[g, cell] = 0
        dates.summed[g, cell] = 0


@inlined
def bring_best(dates: Dates, g: int) -> None:
    """The best of a date; its place is left empty."""
    for cell in range(dates.cells.best.shape[0]):
        dates.cells.best[cell] = dates.best[0, g, cell]
        dates.best[0, g, cell] = NOTHING
