"""The fast engine for one as-of date of each child: a night.

Children are taken in blocks. The contacts that count are listed first, then each kind of lane takes
its own from the list, in short loops that hold no surprise for a processor. In the bins and windows
that follow, the children of a block lie side by side, so that several are worked out at once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from riskflag.signals.compiler import compiled, inlined
from riskflag.signals.kernel import age_at, classify, read_best, stepped, values
from riskflag.signals.layout import (
    AGE_DAYS,
    LAST,
    LOWEST,
    NOTHING,
    ROWS,
    STRIDE,
    THOUSANDTHS,
    Contacts,
    Floats,
    Int32s,
    Ints,
    Lanes,
    Program,
    Rows,
    Scratch,
)
from riskflag.signals.walks import heard, remembered, visible, walk

#: The sorts of lanes in `Program.first`.
COUNTED, TOLD_APART, SUMMED, BEST_DAY, BEST_NUMBER = range(5)


def room(rows: Rows, program: Program) -> Scratch:
    """One thread's working memory."""
    bins = len(program.edges) * STRIDE
    counts, sums, bests = (len(one.op) for one in (program.counts, program.sums, program.bests))
    return Scratch(
        np.zeros(ROWS, np.int64),
        np.zeros(bins * counts, np.int32),
        np.zeros(bins * sums, np.int32),
        np.zeros(bins * sums, np.int64),
        np.full(bins * bests, NOTHING, np.int64),
        np.full(program.counts.marks[counts], -1, np.int64),
        values(program, (STRIDE,)),
        remembered(program.walks, int((rows.stop - rows.start).max())),
    )


class _At(NamedTuple):
    """A contact: which, its bin + 1, and its row, in the block and of all."""

    i: int
    b: int
    r: int
    row: int


@inlined
def _spot(lanes: Lanes, lane: int, at: _At) -> np.uint64:
    """Where the totals of a contact's bin and row lie."""
    return np.uint64((at.b * lanes.op.shape[0] + lane) * STRIDE + at.r)


@inlined
def _tell_apart(contacts: Contacts, counts: Lanes, scratch: Scratch, lane: int, at: _At) -> None:
    """Count a value that the row has not met before."""
    code = contacts.codes[np.uint64(counts.column[np.uint64(lane)]), np.uint64(at.i)]
    # Nearly always as for the contact before, newest first: most are too old for any window.
    if code >= 0 and counts.begin[np.uint64(lane)] < at.b <= counts.end[np.uint64(lane)]:
        mark = np.uint64(counts.marks[np.uint64(lane)] + code)
        scratch.counted[_spot(counts, lane, at)] += scratch.seen[mark] != at.row
        scratch.seen[mark] = at.row


@inlined
def _add(contacts: Contacts, sums: Lanes, scratch: Scratch, lane: int, at: _At) -> None:
    whole = contacts.numbers[np.uint64(sums.column[np.uint64(lane)]), np.uint64(at.i)]
    spot, recorded = _spot(sums, lane, at), whole != NOTHING
    scratch.measured[spot] += recorded
    scratch.summed[spot] += whole if recorded else 0


@inlined
def _hold(bests: Lanes, scratch: Scratch, lane: int, at: _At, merit: int) -> None:
    spot = _spot(bests, lane, at)
    merit = merit if at.b > bests.begin[np.uint64(lane)] else NOTHING
    scratch.best[spot] = max(scratch.best[spot], merit)


@inlined
def _hold_day(contacts: Contacts, bests: Lanes, scratch: Scratch, lane: int, at: _At) -> None:
    day = int(contacts.occurred[np.uint64(at.i)])
    _hold(bests, scratch, lane, at, day if bests.op[np.uint64(lane)] == LAST else -day)


@inlined
def _hold_number(contacts: Contacts, bests: Lanes, scratch: Scratch, lane: int, at: _At) -> None:
    whole = int(contacts.numbers[np.uint64(bests.column[np.uint64(lane)]), np.uint64(at.i)])
    lowest = (bests.op[np.uint64(lane)] == LOWEST) & (whole != NOTHING)
    _hold(bests, scratch, lane, at, -whole if lowest else whole)


@inlined
def _first(
    contacts: Contacts, program: Program, scratch: Scratch, kind: np.uint64, at: _At
) -> None:
    """Put a contact into the first lane of each sort; where it has none, into nobody's lane.

    So this is the same for every contact: a processor has nothing to guess.
    """
    counts, bests, first = program.counts, program.bests, program.first
    scratch.counted[_spot(counts, first[kind, COUNTED], at)] += 1
    _add(contacts, program.sums, scratch, first[kind, SUMMED], at)
    _hold_day(contacts, bests, scratch, first[kind, BEST_DAY], at)
    _hold_number(contacts, bests, scratch, first[kind, BEST_NUMBER], at)
    _tell_apart(contacts, counts, scratch, first[kind, TOLD_APART], at)


@inlined
def _further(contacts: Contacts, program: Program, scratch: Scratch, kind: int, at: _At) -> None:
    """Put a contact into its other lanes."""
    counts, sums, bests = program.counts, program.sums, program.bests
    for place in range(counts.start[2 * kind] + 1, counts.start[2 * kind + 1]):
        scratch.counted[_spot(counts, counts.lanes[place], at)] += 1
    for place in range(counts.start[2 * kind + 1] + 1, counts.start[2 * kind + 2]):
        _tell_apart(contacts, counts, scratch, counts.lanes[place], at)
    for place in range(sums.start[2 * kind + 1] + 1, sums.start[2 * kind + 2]):
        _add(contacts, sums, scratch, sums.lanes[place], at)
    for place in range(bests.start[2 * kind] + 1, bests.start[2 * kind + 1]):
        _hold_day(contacts, bests, scratch, bests.lanes[place], at)
    for place in range(bests.start[2 * kind + 1] + 1, bests.start[2 * kind + 2]):
        _hold_number(contacts, bests, scratch, bests.lanes[place], at)


@inlined
def _gather(
    contacts: Contacts, program: Program, scratch: Scratch, rows: Rows, block: tuple[int, int]
) -> None:
    """Put the visible contacts of a block's children into the bins, each child's newest first."""
    far = program.bins.shape[0] - 1
    for row in range(block[0], block[1]):
        as_of, r = rows.as_of[row], row - block[0]
        scratch.as_of[r] = as_of
        for i in range(rows.stop[row] - 1, rows.start[row] - 1, -1):
            one = np.uint64(i)
            known, superseded = contacts.known[one], contacts.superseded[one]
            b = program.bins[np.uint64(min(max(as_of - contacts.occurred[one], 0), far))]
            if not visible(known, superseded, as_of) or b < 0:
                continue
            kind, at = contacts.classes[one], _At(i, b + 1, r, row)
            _first(contacts, program, scratch, np.uint64(kind), at)
            if program.further[np.uint64(kind)]:
                _further(contacts, program, scratch, kind, at)


@inlined
def _running(totals: Ints | Int32s, lanes: int) -> None:
    for base in range(2 * lanes * STRIDE, totals.shape[0], STRIDE):
        before = base - lanes * STRIDE
        for r in range(ROWS):
            totals[np.uint64(base + r)] += totals[np.uint64(before + r)]


@inlined
def _running_best(best: Ints, lanes: int) -> None:
    for base in range(2 * lanes * STRIDE, best.shape[0], STRIDE):
        before = base - lanes * STRIDE
        for r in range(ROWS):
            at = np.uint64(base + r)
            best[at] = max(best[at], best[np.uint64(before + r)])


@inlined
def _empty(totals: Ints | Int32s, nothing: int) -> None:
    # A loop, not a slice: assigning slices makes numba compile texts for errors that cannot be.
    for at in range(totals.shape[0]):
        totals[at] = nothing


@inlined
def _window(totals: Ints | Int32s, ends: tuple[np.int64, np.int64], r: int) -> int:
    """What of a row's running totals lies between two edges."""
    found: int = totals[np.uint64(ends[1] + r)] - totals[np.uint64(ends[0] + r)]
    return found


@inlined
def _ends(lanes: Lanes, cell: int) -> tuple[np.int64, np.int64]:
    """Where the running totals of a block lie that a window begins and ends with."""
    return STRIDE * np.int64(lanes.less[cell]), STRIDE * np.int64(lanes.more[cell])


@inlined
def _read_counts(program: Program, scratch: Scratch) -> None:
    counts, found = program.counts, scratch.found
    _running(scratch.counted, counts.op.shape[0])
    for cell in range(found.counts.shape[0]):
        ends = _ends(counts, cell)
        for r in range(ROWS):
            found.counts[cell, r] = _window(scratch.counted, ends, r)
    for cell in range(found.exists.shape[0]):
        ends = _ends(counts, cell)
        for r in range(ROWS):
            found.exists[cell, r] = min(_window(scratch.counted, ends, r), 1)


@inlined
def _read_sums(program: Program, scratch: Scratch) -> None:
    """Totals and means, after the counts have been read."""
    sums, found = program.sums, scratch.found
    _running(scratch.measured, sums.op.shape[0])
    _running(scratch.summed, sums.op.shape[0])
    for cell in range(found.totals.shape[0]):
        ends, beside = _ends(sums, cell), _ends(program.counts, program.readings.beside[cell])
        for r in range(ROWS):
            nothing = _window(scratch.counted, beside, r) == 0
            measured = _window(scratch.measured, ends, r) > 0
            total = _window(scratch.summed, ends, r) / THOUSANDTHS
            found.totals[cell, r] = total if nothing | measured else math.nan
    for cell in range(found.means.shape[0]):
        ends = _ends(sums, cell)
        for r in range(ROWS):
            many = _window(scratch.measured, ends, r)
            mean = _window(scratch.summed, ends, r) / (THOUSANDTHS * many)
            found.means[cell, r] = mean if many > 0 else math.nan


@inlined
def _read_bests(program: Program, scratch: Scratch) -> None:
    bests, how, found = program.bests, program.readings, scratch.found
    _running_best(scratch.best, bests.op.shape[0])
    for cell in range(found.bests.shape[0]):
        one = (how.times[cell], how.sign[cell], how.whole[cell], how.without[cell])
        base = _ends(bests, cell)[1]
        for r in range(ROWS):
            best = scratch.best[np.uint64(base + r)]
            found.bests[cell, r] = read_best(one, best, scratch.as_of[r])


@inlined
def _walk(
    contacts: Contacts, program: Program, scratch: Scratch, rows: Rows, place: tuple[int, int]
) -> None:
    """What the walks of a row (`place`: which, and where in its block) come to."""
    row, r = place
    found, steps = scratch.found, scratch.steps
    for one in range(found.walks.shape[0]):
        found.walks[one, r] = program.defaults[one]
    told = heard(contacts, steps, rows, row)
    for spot in range(walk(contacts, steps, told, rows, row)):
        one = steps.touched[spot]
        found.walks[one, r] = steps.value[one]


@inlined
def _step(program: Program, scratch: Scratch, rows: Rows, block: tuple[int, int]) -> None:
    found, steps = scratch.found, program.steps
    for step in range(found.steps.shape[0]):
        op, a, b, factor = steps.op[step], steps.a[step], steps.b[step], steps.factor[step]
        for r in range(block[1] - block[0]):
            if op >= AGE_DAYS:
                row = block[0] + r
                found.steps[step, r] = age_at(op, rows.birth[row], rows.as_of[row])
            else:
                found.steps[step, r] = stepped(op, found.every[a, r], found.every[b, r], factor)


@inlined
def _write(
    program: Program, scratch: Scratch, rows: Rows, block: tuple[int, int], out: Floats
) -> None:
    places, every = program.readings.outputs, scratch.found.every
    for row in range(block[0], block[1]):
        target, r = np.uint64(rows.target[row]), np.uint64(row - block[0])
        for output in range(places.shape[0]):
            out[target, output] = every[places[output], r]


@compiled
def run(contacts: Contacts, rows: Rows, program: Program, scratch: Scratch, out: Floats) -> None:
    """Compute every signal of every row into `out` [rows of the request, signals]."""
    classify(contacts, program)
    for first in range(0, rows.as_of.shape[0], ROWS):
        block = (first, min(first + ROWS, rows.as_of.shape[0]))
        _gather(contacts, program, scratch, rows, block)
        _read_counts(program, scratch)
        _read_sums(program, scratch)
        _read_bests(program, scratch)
        _empty(scratch.counted, 0)
        _empty(scratch.measured, 0)
        _empty(scratch.summed, 0)
        _empty(scratch.best, NOTHING)
        if scratch.found.walks.shape[0] > 0:
            for row in range(first, block[1]):
                _walk(contacts, program, scratch, rows, (row, row - first))
        _step(program, scratch, rows, block)
        _write(program, scratch, rows, block, out)
