"""The kernel's walks: what rests on the order of a child's contacts, or on their ends.

A walk hears of a child's visible contacts one after another, oldest first, and remembers a few
numbers and, where days near each other matter, a ring of the last few days. So cost grows with
contacts, and with the days of a ring, but never with pairs of contacts.
"""

from __future__ import annotations

import math

import numpy as np

from riskflag import clock
from riskflag.signals.compiler import compiled, inlined
from riskflag.signals.layout import (
    BUSIEST,
    INSIDE,
    LAST_VALUE,
    LONGEST,
    NOTHING,
    OPEN,
    SEQUENCE,
    SHORTEST,
    THOUSANDTHS,
    UNANSWERED,
    UNKNOWN_DAY,
    Contacts,
    Rows,
    Steps,
    WalkTables,
)

visible = compiled(clock.visible)
in_window = compiled(clock.in_window)


def remembered(walks: WalkTables, contacts: int) -> Steps:
    """Room for what the walks of one thread remember, of children with so many contacts."""
    size = len(walks.op)
    return Steps(
        walks,
        np.zeros(size, np.int64),
        np.full(size, -1, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.empty(size, np.float64),
        np.zeros(walks.ring_from[size], np.int64),
        np.zeros(contacts, np.int64),
    )


@compiled
def forget(steps: Steps) -> None:
    """Before rows that are numbered anew."""
    for one in range(steps.mark.shape[0]):
        steps.mark[one] = -1


@compiled
def _begin(steps: Steps, one: int, day: int) -> None:
    steps.last[one] = day
    steps.heard[one] = 0
    steps.found[one] = 0
    for spot in range(steps.walks.ring_from[one], steps.walks.ring_from[one + 1]):
        steps.ring[spot] = 0


@compiled
def _advance(steps: Steps, one: int, day: int) -> int:
    """Turn the ring to a day; how many contacts fell out of it."""
    first = steps.walks.ring_from[one]
    size = steps.walks.ring_from[one + 1] - first
    last = steps.last[one]
    dropped = 0
    if steps.heard[one] > 0:
        for step in range(1, min(day - last, size) + 1):
            spot = first + (last + step) % size
            dropped += steps.ring[spot]
            steps.ring[spot] = 0
    steps.heard[one] -= dropped
    steps.last[one] = day
    return dropped


@compiled
def _enter(steps: Steps, one: int, day: int) -> None:
    """Put a contact into the ring, under its day."""
    dropped = _advance(steps, one, day)
    first = steps.walks.ring_from[one]
    steps.ring[first + day % (steps.walks.ring_from[one + 1] - first)] += 1
    steps.heard[one] += 1
    if steps.walks.op[one] == BUSIEST:
        steps.found[one] = max(steps.found[one], steps.heard[one])
    elif steps.walks.op[one] == UNANSWERED:
        steps.found[one] += dropped


@compiled
def _answer(steps: Steps, one: int, day: int) -> None:
    """All that wait in the ring, but for those of the day itself, are followed on this day."""
    dropped = _advance(steps, one, day)
    if steps.walks.op[one] == UNANSWERED:
        steps.found[one] += dropped
    first, stop = steps.walks.ring_from[one], steps.walks.ring_from[one + 1]
    today = first + day % (stop - first)
    waiting = steps.ring[today]
    answered = steps.heard[one] - waiting
    if answered > 0:
        for spot in range(first, stop):
            steps.ring[spot] = 0
        steps.ring[today] = waiting
        steps.heard[one] = waiting
        if steps.walks.op[one] == SEQUENCE:
            steps.found[one] += answered


@compiled
def _interval(steps: Steps, one: int, occurred: int, ended: int, as_of: int) -> None:
    """Count an interval that is open, or the days it adds to those already covered."""
    if ended == UNKNOWN_DAY:
        return
    steps.heard[one] += 1
    # An end on or after the as-of date cannot be known at it.
    end = min(ended, as_of)
    if steps.walks.op[one] == OPEN:
        steps.found[one] += 1 if end == as_of else 0
        return
    window_end = as_of - steps.walks.ending[one]
    begin = max(occurred, window_end - steps.walks.days[one], steps.last[one])
    end = min(end, window_end)
    if end > begin:
        steps.found[one] += end - begin
        steps.last[one] = end


@compiled
def _gap(steps: Steps, one: int, day: int) -> None:
    gap = day - steps.last[one]
    longer = bool(gap > steps.found[one])
    if gap > 0 and (steps.found[one] == 0 or longer == (steps.walks.op[one] == LONGEST)):
        steps.found[one] = gap
    steps.last[one] = day


@compiled
def _hear(contacts: Contacts, steps: Steps, one: int, i: int, as_of: int) -> None:
    """Tell a walk of a contact of its window."""
    op, day = steps.walks.op[one], int(contacts.occurred[i])
    if op in (OPEN, INSIDE):
        _interval(steps, one, day, int(contacts.ended[i]), as_of)
    elif op == LAST_VALUE:
        whole = contacts.numbers[steps.walks.column[one], i]
        if whole != NOTHING:
            steps.found[one] = whole
            steps.heard[one] = 1
    elif op in (LONGEST, SHORTEST):
        _gap(steps, one, day)
    else:
        _enter(steps, one, day)


@compiled
def _value(steps: Steps, one: int, as_of: int) -> float:
    op = steps.walks.op[one]
    if op == UNANSWERED:
        # Only those whose days are over: the rest of the ring may still be followed.
        steps.found[one] += _advance(steps, one, as_of)
    value = float(steps.found[one])
    if op in (OPEN, INSIDE):
        value = value if steps.heard[one] > 0 else math.nan
    elif op == LAST_VALUE:
        value = steps.found[one] / THOUSANDTHS if steps.heard[one] > 0 else math.nan
    elif op in (LONGEST, SHORTEST):
        value = value if steps.found[one] > 0 else math.nan
    return value


@inlined
def heard(contacts: Contacts, steps: Steps, rows: Rows, row: int) -> int:
    """Write to `steps.order` which contacts of a row's child any walk hears of, oldest first."""
    told = 0
    for i in range(rows.start[row], rows.stop[row]):
        kind = contacts.classes[i]
        if steps.walks.start[kind] != steps.walks.start[kind + 1]:
            steps.order[told] = i
            told += 1
    return told


@inlined
def walk(contacts: Contacts, steps: Steps, told: int, rows: Rows, row: int) -> int:
    """Tell the walks of those of `steps.order` that are visible to a row.

    Writes `steps.value` of the walks in `steps.touched`; returns how many these are.
    """
    touched = 0
    as_of = rows.as_of[row]
    for spot in range(told):
        i = steps.order[spot]
        kind = contacts.classes[i]
        if not visible(contacts.known[i], contacts.superseded[i], as_of):
            continue
        day = int(contacts.occurred[i])
        for place in range(steps.walks.start[kind], steps.walks.start[kind + 1]):
            one = steps.walks.told[place] // 2
            if steps.walks.told[place] % 2 == 1:
                # Whatever may follow counts up to the as-of date, and only after something.
                if steps.mark[one] == row and in_window(day, as_of, clock.ALL_HISTORY, 0):
                    _answer(steps, one, day)
                continue
            reach = clock.ALL_HISTORY if steps.walks.op[one] == INSIDE else steps.walks.days[one]
            if not in_window(day, as_of, reach, steps.walks.ending[one]):
                continue
            if steps.mark[one] != row:
                steps.mark[one] = row
                steps.touched[touched] = one
                touched += 1
                _begin(steps, one, day)
            _hear(contacts, steps, one, i, as_of)
    for place in range(touched):
        one = steps.touched[place]
        steps.value[one] = _value(steps, one, as_of)
    return touched
