"""Spreading a child's contacts over a group of as-of dates.

A contact counts in a window exactly for the as-of dates from the day after it had occurred and was
known until its window, or its version, is over: with each window it is a run of the group's dates.
Sums take a change where the run begins and one where it ends; the latest, first, highest and
lowest fill the dates that are still empty, best contact first; different values mark their dates
in a word of bits.
"""

from __future__ import annotations

import numpy as np

from riskflag.signals.compiler import compiled, inlined
from riskflag.signals.layout import (
    FIRST,
    HIGHEST,
    IS_DISTINCT,
    IS_NUMBER,
    LARGEST_NUMBER,
    LAST,
    LOWEST,
    MOST_DATES,
    THOUSANDTHS,
    TOTAL,
    Contacts,
    Dates,
    Floats,
    Ints,
    Program,
    Rows,
)
from riskflag.signals.walks import remembered

#: Which bit is set, by the remainder of 67 (of which 2 is a primitive root).
BIT = np.zeros(67, np.int64)
for _bit in range(MOST_DATES + 1):
    BIT[2**_bit % 67] = _bit


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
    slots, tracks = len(program.slots.op), len(program.tracks.kind)
    return Dates(
        width,
        np.full(MOST_DATES + 1, -1, np.int64),
        np.zeros(span + 1, np.int64),
        np.zeros(program.most_bins + 1, np.int64),
        np.zeros(slots * (width + 1), np.int64),
        np.zeros(slots * (width + 1), np.int64),
        np.zeros(slots * (width + 1), np.int64),
        np.zeros(slots, np.int64),
        np.zeros(slots * width, np.int64),
        np.zeros(program.slot_marks, np.int64),
        np.zeros(program.slot_marks, np.int64),
        np.zeros(program.slot_marks, np.int64),
        np.zeros(tracks, np.int64),
        np.full(tracks, -1, np.int64),
        np.zeros(contacts, np.int64),
        np.zeros(len(program.defaults) * width, np.float64),
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
def _usable(number: float) -> tuple[int, bool]:
    """A number in whole thousandths, and whether it was recorded and can be meant."""
    if abs(number) <= LARGEST_NUMBER:
        return int(np.rint(number * THOUSANDTHS)), True
    return 0, False


@inlined
def _run(first: int, stop: int) -> int:
    """The bits of a run of dates."""
    return (1 << stop) - (1 << first)


@inlined
def _change(totals: Ints, first: int, stop: int, by: int) -> None:
    totals[first] += by
    totals[stop] -= by


@inlined
def _fill(dates: Dates, slot: int, bits: int, value: int, by_date: int) -> None:
    """Give the dates of `bits` that are still empty a value: `by_date` times the date, plus it."""
    empty = bits & ~dates.filled[slot]
    dates.filled[slot] |= empty
    base = slot * dates.width
    while empty:
        lowest = empty & -empty
        g = BIT[lowest % 67]
        dates.best[base + g] = by_date * dates.as_of[g] + value
        empty ^= lowest


@inlined
def _add(dates: Dates, op: int, slot: int, run: tuple[int, int], number: tuple[int, bool]) -> None:
    """Add a contact, and its number where it has a usable one, to the dates of one window."""
    base = slot * (dates.width + 1)
    _change(dates.counted, base + run[0], base + run[1], 1)
    if number[1] and op >= TOTAL:
        _change(dates.measured, base + run[0], base + run[1], 1)
        _change(dates.summed, base + run[0], base + run[1], number[0])


@inlined
def _mark(dates: Dates, slot: int, mark: int, marked: int, bits: int) -> int:
    """Note the dates on which a value is there; the number of values met so far."""
    if dates.marks[mark] == 0:
        dates.met[marked] = mark
        dates.met_slot[marked] = slot
        marked += 1
    dates.marks[mark] |= bits
    return marked


@inlined
def _touch(dates: Dates, track: int, touched: int, first: int) -> int:
    if dates.mark[track] != first:
        dates.mark[track] = first
        dates.touched[touched] = track
        touched += 1
    return touched


@inlined
def _cuts(dates: Dates, program: Program, track: int, occurred: int, count: int) -> None:
    """For each edge of a track: how many dates come before a contact is older than the edge."""
    begin = program.tracks.edge_start[track]
    for edge in range(begin, program.tracks.edge_start[track + 1]):
        dates.cuts[edge - begin] = _until(dates, count, occurred + program.tracks.edges[edge])


@inlined
def gather(
    contacts: Contacts, program: Program, dates: Dates, rows: Rows, first: int
) -> tuple[int, int]:
    """Bring the child's contacts to the dates, newest first: tracks touched, values met."""
    touched, marked, count = 0, 0, dates.as_of[MOST_DATES]
    tracks, slots = program.tracks, program.slots
    for i in range(rows.stop[first] - 1, rows.start[first] - 1, -1):
        kind = contacts.classes[i]
        if program.classes.start[kind] == program.classes.start[kind + 1]:
            continue
        begin = _until(dates, count, contacts.known[i])
        end = _until(dates, count, contacts.superseded[i])
        occurred = int(contacts.occurred[i])
        begin = max(begin, _until(dates, count, occurred))
        if begin >= end:
            continue
        for member in range(program.classes.start[kind], program.classes.start[kind + 1]):
            track = program.classes.tracks[member]
            _cuts(dates, program, track, occurred, count)
            touched = _touch(dates, track, touched, first)
            number, code = (0, False), -1
            if tracks.kind[track] == IS_NUMBER:
                number = _usable(contacts.numbers[tracks.column[track], i])
            elif tracks.kind[track] == IS_DISTINCT:
                code = int(contacts.codes[tracks.column[track], i])
            for slot in range(tracks.slot_start[track], tracks.slot_start[track + 1]):
                lower = max(begin, dates.cuts[slots.first[slot]])
                upper = min(end, dates.cuts[slots.stop[slot]])
                op = slots.op[slot]
                if lower >= upper or op > LAST:
                    continue
                if tracks.kind[track] == IS_DISTINCT:
                    if code >= 0:
                        mark = slots.seen_from[slot] + code
                        marked = _mark(dates, slot, mark, marked, _run(lower, upper))
                elif op == LAST:
                    _fill(dates, slot, _run(lower, upper), -occurred, 1)
                else:
                    _add(dates, op, slot, (lower, upper), number)
    return touched, marked


@compiled
def _fill_in_order(
    contacts: Contacts,
    program: Program,
    dates: Dates,
    what: tuple[int, int],
    spots: tuple[int, int, int],
) -> None:
    """Fill the windows of FIRST, LOWEST or HIGHEST, best contact first.

    `what` is the operation and its column of numbers (0 for FIRST, which has none); `spots` are
    where in `dates.order` to begin, one past where to end, and the step between.
    """
    op, column = what
    tracks, slots, count = program.tracks, program.slots, dates.as_of[MOST_DATES]
    for spot in range(spots[0], spots[1], spots[2]):
        i = dates.order[spot]
        begin = _until(dates, count, contacts.known[i])
        end = _until(dates, count, contacts.superseded[i])
        occurred, kind = int(contacts.occurred[i]), contacts.classes[i]
        for member in range(program.classes.start[kind], program.classes.start[kind + 1]):
            track = program.classes.tracks[member]
            if tracks.column[track] != column:
                continue
            _cuts(dates, program, track, occurred, count)
            for slot in range(tracks.slot_start[track], tracks.slot_start[track + 1]):
                lower = max(begin, dates.cuts[slots.first[slot]])
                upper = min(end, dates.cuts[slots.stop[slot]])
                if slots.op[slot] != op or lower >= upper:
                    continue
                if op == FIRST:
                    _fill(dates, slot, _run(lower, upper), -occurred, 1)
                    continue
                whole, usable = _usable(contacts.numbers[column, i])
                if usable:
                    _fill(dates, slot, _run(lower, upper), whole, 0)


@compiled
def _sort(order: Ints, count: int, numbers: Floats) -> None:
    """Contacts by their number, smallest first (a shell sort: short lists, nothing to allocate)."""
    gap = count // 2
    while gap > 0:
        for spot in range(gap, count):
            one, back = order[spot], spot
            while back >= gap and numbers[order[back - gap]] > numbers[one]:
                order[back] = order[back - gap]
                back -= gap
            order[back] = one
        gap //= 2


@compiled
def in_order(contacts: Contacts, program: Program, dates: Dates, start: int, stop: int) -> None:
    """What fills dates in another order than newest first."""
    if program.orders[0]:
        for i in range(start, stop):
            dates.order[i - start] = i
        _fill_in_order(contacts, program, dates, (FIRST, 0), (0, stop - start, 1))
    for column in range(contacts.numbers.shape[0]):
        wanted = program.orders[1 + column]
        if wanted == 0:
            continue
        count = 0
        for i in range(start, stop):
            kind = contacts.classes[i]
            told = program.classes.start[kind + 1] > program.classes.start[kind]
            if told and abs(contacts.numbers[column, i]) <= LARGEST_NUMBER:
                dates.order[count] = i
                count += 1
        if count > 0:
            _sort(dates.order, count, contacts.numbers[column])
            _fill_in_order(contacts, program, dates, (LOWEST, column), (0, count, 1))
            _fill_in_order(contacts, program, dates, (HIGHEST, column), (count - 1, -1, -1))
