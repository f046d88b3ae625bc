"""The fast engine for one as-of date of each child: a night.

Children are taken in blocks, few enough to stay near a processor. Where each contact goes is looked
up first, then it is put there, in short loops that hold no surprise for a processor. In the bins
and windows that follow, the children of a block lie side by side, so that several go at once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from riskflag.signals.compiler import compiled, inlined
from riskflag.signals.kernel import age_at, classify, read_best, stepped, values, whole_numbers
from riskflag.signals.layout import (
    AGE_DAYS,
    FIRST,
    FIRST_WORDS,
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
from riskflag.signals.walks import forget, heard, remembered, visible, walk


def room(rows: Rows, program: Program) -> Scratch:
    """One thread's working memory."""
    lanes = program.counts, program.sums, program.bests
    counts, sums, bests = (int(one.planes[-1]) * STRIDE for one in lanes)
    return Scratch(
        np.zeros(ROWS, np.int64),
        np.empty(_most(rows), np.int32),
        np.zeros(counts, np.int32),
        np.zeros(sums, np.int32),
        np.zeros(sums, np.int64),
        np.full(bests, NOTHING, np.int64),
        np.full(program.counts.marks[-1], -1, np.int64),
        values(program, (STRIDE,)),
        remembered(program.walks, int((rows.stop - rows.start).max())),
    )


def _most(rows: Rows) -> int:
    """The most contacts of a block, wherever it begins."""
    last = min(ROWS, len(rows.start)) - 1
    return int((rows.stop[last:] - rows.start[: len(rows.start) - last]).max())


class _At(NamedTuple):
    """A contact: which, where it goes first, its bin, and its row, in the block and of all."""

    i: np.uint64
    word: np.uint64
    b: int
    r: np.uint64
    row: int


@inlined
def _spot(lanes: Lanes, lane: int, bins: int, at: _At) -> np.uint64:
    """Where the totals of a lane lie for a contact's bin and row."""
    plane = lanes.plane_of[np.uint64(lane * bins + at.b)]
    return np.uint64(plane) * np.uint64(STRIDE) + at.r


@inlined
def _tell_apart(
    contacts: Contacts, counts: Lanes, scratch: Scratch, to: tuple[np.uint64, np.uint64], at: _At
) -> None:
    """Count a value that the row has not met before; `to` is the lane and the place in it."""
    lane, spot = to
    code = contacts.codes[np.uint64(counts.column[lane]), at.i]
    if code >= 0:
        mark = np.uint64(counts.marks[lane] + code)
        scratch.counted[spot] += scratch.seen[mark] != at.row
        scratch.seen[mark] = at.row


@inlined
def _add(scratch: Scratch, spot: np.uint64, whole: int) -> None:
    recorded = whole != NOTHING
    scratch.measured[spot] += recorded
    scratch.summed[spot] += whole if recorded else 0


@inlined
def _first(contacts: Contacts, program: Program, scratch: Scratch, at: _At) -> None:
    """Put a contact into the first lane of each sort; where it has none, into nobody's.

    So this is the same for every contact: a processor has nothing to guess.
    """
    first = program.first
    word = at.word
    counted, summed, day, number, told, add, high, lane = (
        word,
        word + np.uint64(1),
        word + np.uint64(2),
        word + np.uint64(3),
        word + np.uint64(4),
        word + np.uint64(5),
        word + np.uint64(6),
        word + np.uint64(7),
    )
    scratch.counted[np.uint64(first[counted]) + at.r] += 1
    whole = contacts.numbers[np.uint64(first[add]), at.i]
    _add(scratch, np.uint64(first[summed]) + at.r, whole)
    latest, highest = np.uint64(first[day]) + at.r, np.uint64(first[number]) + at.r
    scratch.best[latest] = max(scratch.best[latest], np.int64(contacts.occurred[at.i]))
    best = contacts.numbers[np.uint64(first[high]), at.i]
    scratch.best[highest] = max(scratch.best[highest], best)
    # Newest contacts come first: most of a child's are too old for any window of these.
    if first[told] != 0:
        to = (np.uint64(first[lane]), np.uint64(first[told]) + at.r)
        _tell_apart(contacts, program.counts, scratch, to, at)


@inlined
def _hold(lanes: Lanes, scratch: Scratch, spot: np.uint64, one: tuple[int, int]) -> None:
    op, value = one
    turned = (op == FIRST) | (op == LOWEST) & (value != NOTHING)
    scratch.best[spot] = max(scratch.best[spot], -value if turned else value)


@inlined
def _further(contacts: Contacts, program: Program, scratch: Scratch, at: _At) -> None:
    """Put a contact into its other lanes."""
    counts, sums, bests = program.counts, program.sums, program.bests
    bins, kind, rest = program.edges.shape[0] - 1, contacts.classes[at.i], program.rest
    nobodys = np.uint64((counts.planes[counts.op.shape[0]] - 1) * STRIDE)
    for place in range(rest[5 * kind], counts.start[2 * kind + 1]):
        scratch.counted[_spot(counts, counts.lanes[place], bins, at)] += 1
    for place in range(rest[5 * kind + 1], counts.start[2 * kind + 2]):
        lane = np.uint64(counts.lanes[place])
        spot = _spot(counts, counts.lanes[place], bins, at)
        if spot < nobodys:
            _tell_apart(contacts, counts, scratch, (lane, spot), at)
    for place in range(rest[5 * kind + 2], sums.start[2 * kind + 2]):
        lane = np.uint64(sums.lanes[place])
        whole = contacts.numbers[np.uint64(sums.column[lane]), at.i]
        _add(scratch, _spot(sums, sums.lanes[place], bins, at), whole)
    for place in range(rest[5 * kind + 3], bests.start[2 * kind + 1]):
        lane = np.uint64(bests.lanes[place])
        one = (bests.op[lane], int(contacts.occurred[at.i]))
        _hold(bests, scratch, _spot(bests, bests.lanes[place], bins, at), one)
    for place in range(rest[5 * kind + 4], bests.start[2 * kind + 2]):
        lane = np.uint64(bests.lanes[place])
        one = (bests.op[lane], int(contacts.numbers[np.uint64(bests.column[lane]), at.i]))
        _hold(bests, scratch, _spot(bests, bests.lanes[place], bins, at), one)


@compiled
def _look(
    contacts: Contacts, program: Program, scratch: Scratch, rows: Rows, block: tuple[int, int]
) -> None:
    """Look up where the contacts of a block go first: nowhere, that is 0, unless they count.

    Rows of one date at a time, and one question after another: so several contacts go at once.
    """
    base, bins, first = rows.start[block[0]], program.edges.shape[0] - 1, block[0]
    oldest = program.bins.shape[0] - 1
    while first < block[1]:
        as_of, stop = rows.as_of[first], first + 1
        while stop < block[1] and rows.as_of[stop] == as_of:
            stop += 1
        for i in range(rows.start[first], rows.stop[stop - 1]):
            one = np.uint64(i)
            b = program.bins[np.uint64(min(max(as_of - contacts.occurred[one], 0), oldest))]
            word = (contacts.classes[one] * bins + b) * FIRST_WORDS
            scratch.words[np.uint64(i - base)] = word if b >= 0 else 0
        for i in range(rows.start[first], rows.stop[stop - 1]):
            one, at = np.uint64(i), np.uint64(i - base)
            counts = visible(contacts.known[one], contacts.superseded[one], as_of)
            scratch.words[at] = scratch.words[at] if counts else 0
        first = stop


@compiled
def _gather(
    contacts: Contacts, program: Program, scratch: Scratch, rows: Rows, block: tuple[int, int]
) -> None:
    """Put the contacts of a block's children into the bins, each child's newest first."""
    base = rows.start[block[0]]
    for row in range(block[0], block[1]):
        r = np.uint64(row - block[0])
        scratch.as_of[r] = rows.as_of[row]
        for i in range(rows.stop[row] - 1, rows.start[row] - 1, -1):
            word = np.uint64(scratch.words[np.uint64(i - base)])
            _first(contacts, program, scratch, _At(np.uint64(i), word, 0, r, row))


@compiled
def _gather_further(
    contacts: Contacts, program: Program, scratch: Scratch, rows: Rows, block: tuple[int, int]
) -> None:
    """The same for further lanes; not at once, which would need more than a processor can hold."""
    base, bins = rows.start[block[0]], program.edges.shape[0] - 1
    for row in range(block[0], block[1]):
        r = np.uint64(row - block[0])
        for i in range(rows.stop[row] - 1, rows.start[row] - 1, -1):
            one, word = np.uint64(i), scratch.words[np.uint64(i - base)]
            kind = contacts.classes[one]
            if word > 0 and program.further[np.uint64(kind)]:
                b = word // FIRST_WORDS - kind * bins
                _further(contacts, program, scratch, _At(one, np.uint64(word), b, r, row))


@inlined
def _running(totals: Ints | Int32s, lanes: Lanes) -> None:
    for lane in range(lanes.op.shape[0]):
        for plane in range(lanes.planes[lane] + 1, lanes.planes[lane + 1]):
            base = plane * STRIDE
            for r in range(ROWS):
                totals[np.uint64(base + r)] += totals[np.uint64(base - STRIDE + r)]


@inlined
def _running_best(best: Ints, lanes: Lanes) -> None:
    for lane in range(lanes.op.shape[0]):
        for plane in range(lanes.planes[lane] + 1, lanes.planes[lane + 1]):
            base = plane * STRIDE
            for r in range(ROWS):
                at = np.uint64(base + r)
                best[at] = max(best[at], best[np.uint64(base - STRIDE + r)])


@compiled
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


@compiled
def _read_counts(program: Program, scratch: Scratch) -> None:
    counts, found = program.counts, scratch.found
    _running(scratch.counted, counts)
    for cell in range(found.counts.shape[0]):
        ends = _ends(counts, cell)
        for r in range(ROWS):
            found.counts[cell, r] = _window(scratch.counted, ends, r)
    for cell in range(found.exists.shape[0]):
        ends = _ends(counts, cell)
        for r in range(ROWS):
            found.exists[cell, r] = min(_window(scratch.counted, ends, r), 1)


@compiled
def _read_sums(program: Program, scratch: Scratch) -> None:
    """Totals and means, after the counts have been read."""
    sums, found = program.sums, scratch.found
    _running(scratch.measured, sums)
    _running(scratch.summed, sums)
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


@compiled
def _read_bests(program: Program, scratch: Scratch) -> None:
    bests, how, found = program.bests, program.readings, scratch.found
    _running_best(scratch.best, bests)
    for cell in range(found.bests.shape[0]):
        one = (how.times[cell], how.sign[cell], how.whole[cell], how.without[cell])
        base = _ends(bests, cell)[1]
        for r in range(ROWS):
            best = scratch.best[np.uint64(base + r)]
            found.bests[cell, r] = read_best(one, best, scratch.as_of[r])


@compiled
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


@compiled
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


@compiled
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
    forget(scratch.steps)
    _empty(scratch.seen, -1)
    for first in range(0, rows.as_of.shape[0], ROWS):
        block = (first, min(first + ROWS, rows.as_of.shape[0]))
        start, stop = rows.start[first], rows.stop[block[1] - 1]
        classify(contacts, program, start, stop)
        whole_numbers(contacts, start, stop)
        if program.first.shape[0] > 0:
            _look(contacts, program, scratch, rows, block)
            _gather(contacts, program, scratch, rows, block)
        if program.further.shape[0] > 0:
            _gather_further(contacts, program, scratch, rows, block)
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
