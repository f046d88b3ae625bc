"""The arrays the kernel works on, named. All whole numbers unless said otherwise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

#: Codes of aggregates and steps, shared by the program and the kernel.
#: Sums come first, of numbers from TOTAL on; then what one best contact decides, days up to FIRST.
COUNT, EXISTS, TOTAL, MEAN, LAST, FIRST, LOWEST, HIGHEST = range(8)
COPY, DIFFERENCE, RATIO, SCALED, AGE_DAYS, AGE_MONTHS, AGE_YEARS = range(7)
IS_COUNT, IS_NUMBER, IS_DISTINCT = range(3)
OPEN, INSIDE, LAST_VALUE, LONGEST, SHORTEST, BUSIEST, SEQUENCE, UNANSWERED = range(8)
#: Numbers are read in whole thousandths, so that sums are exact in any order.
THOUSANDTHS = 1000.0
#: A number beyond this (in either direction) is taken as not recorded; with it the sum of nine
#: million contacts still fits into 64 bits.
LARGEST_NUMBER = 1e9
#: A window edge beyond this many days lies before anything that can have been recorded.
FAR = 500_000
#: Birth day of a child whose birth date is not known.
UNKNOWN_DAY = -10_000_000
#: Day of the end of a contact that is open.
STILL_OPEN = 10_000_000
#: As-of dates of one child that are worked out together: bits of a signed word.
MOST_DATES = 60


class Contacts(NamedTuple):
    """A chunk of contacts sorted by child and day; n rows."""

    occurred: Int32s  # [n] day numbers
    known: Int32s  # [n]
    superseded: Int32s  # [n]
    codes: Int32s  # [columns, n] dictionary codes, -1 where not recorded
    numbers: Floats  # [numbers, n], NaN where not recorded
    classes: Int32s  # [n], filled in by the kernel
    ended: Int32s  # [n] day numbers, STILL_OPEN or UNKNOWN_DAY; empty where no signal asks


class Rows(NamedTuple):
    """What is asked: m rows sorted by child."""

    start: Ints  # [m] first contact of the row's child
    stop: Ints  # [m] one past its last contact
    as_of: Ints  # [m]
    birth: Ints  # [m] day of birth or UNKNOWN_DAY
    target: Ints  # [m] row of the output


class Versions(NamedTuple):
    """What was known of people's births: versions in the order they became known."""

    starts: Ints  # [people + 1] where each person's versions begin
    known: Ints
    superseded: Ints
    birth: Ints  # UNKNOWN_DAY where not recorded


class TypeTables(NamedTuple):
    """How a contact's class is found from its type's code.

    Parts of type t are `part_start[t] .. part_start[t + 1]`; each adds its stride times the level
    of the contact's code in a column.
    """

    column: int  # of the type, among the words
    first: Ints  # [types + 1]; the last place is for a missing type (code -1)
    part_start: Ints
    part_column: Ints
    part_stride: Ints
    part_levels: Ints  # where the part's levels begin in `levels`
    levels: Ints


class ClassTables(NamedTuple):
    """The tracks of class c are `tracks[start[c] .. start[c + 1]]`."""

    start: Ints
    tracks: Ints


class TrackTables(NamedTuple):
    """Per track: what it accumulates, from which column, into which bins."""

    kind: Ints
    column: Ints  # of a number, or of the words to tell apart
    seen_from: Ints  # where a distinct track's marks begin
    ages: int
    bins: Int32s  # [tracks * ages]: the bin of an age in days, -1 for none
    edge_start: Ints  # where the track's edges begin
    edges: Ints  # in days before the as-of date
    slot_start: Ints


class SlotTables(NamedTuple):
    """Per slot, in the order of their tracks: one window of one aggregate."""

    op: Ints
    register: Ints
    first: Ints
    stop: Ints
    seen_from: Ints  # where the marks of a slot of a distinct track begin


class WalkTables(NamedTuple):
    """Per walk: one aggregate that rests on the order of contacts or on their ends.

    The walks that contacts of class c are told to are `told[start[c] .. start[c + 1]]`: twice
    the number of the walk, and one more for a contact that may follow.
    """

    start: Ints
    told: Ints
    op: Ints
    register: Ints
    days: Ints
    ending: Ints
    column: Ints  # of a number
    ring_from: Ints  # [walks + 1] where the ring of days of a walk begins


class StepTables(NamedTuple):
    """Per step: a calculation on registers."""

    op: Ints
    register: Ints
    a: Ints
    b: Ints
    factor: Floats


class Program(NamedTuple):
    """A plan, bound to the dictionaries of one history."""

    types: TypeTables
    classes: ClassTables
    tracks: TrackTables
    slots: SlotTables
    walks: WalkTables
    steps: StepTables
    defaults: Floats  # [registers] of a child without contacts
    outputs: int
    most_bins: int
    marks: int  # values that distinct tracks may meet
    slot_marks: int  # the same, counted for each of their slots
    orders: Ints  # [1 + number columns] whether FIRST, or an extreme of the column, is asked for
    in_order: bool  # whether any of them is


class Steps(NamedTuple):
    """What one thread remembers of its walks, reused from row to row."""

    walks: WalkTables
    touched: Ints  # [walks] the walks this row has touched
    mark: Ints  # [walks] the last row that touched the walk
    last: Ints  # [walks] the day that was come to, or up to which days are covered
    heard: Ints  # [walks] contacts that say what the walk asks, or those waiting in the ring
    found: Ints  # [walks] what was found, whole or in thousandths
    value: Floats  # [walks] the value of a touched walk
    ring: Ints  # contacts of the last few days, by day
    order: Ints  # the contacts of a child that any walk hears of


class Scratch(NamedTuple):
    """One thread's working memory, reused from row to row."""

    # Per track and bin, flat: [tracks * (bins + 1)].
    counted: Ints  # contacts (or different values)
    measured: Ints  # contacts that have the number
    summed: Ints  # thousandths
    least: Ints  # thousandths
    most: Ints  # thousandths
    newest: Ints  # [tracks] latest day, by age in days
    oldest: Ints  # [tracks]
    touched: Ints  # [tracks] the tracks this row has touched
    mark: Ints  # [tracks] the last row that touched the track
    seen: Ints  # [marks] the last row that saw a value
    registers: Floats
    steps: Steps


class Dates(NamedTuple):
    """One thread's working memory for a child's group of as-of dates, reused from group to group.

    `width` is the number of dates of the longest group.
    """

    width: int
    as_of: Ints  # [MOST_DATES + 1] the dates, and at the last place how many they are
    until: Ints  # dates on or before each day from the first date to the last
    cuts: Ints  # dates up to each edge of a track, for one contact
    # Per slot and date, flat: [slots * (width + 1)]; changes from date to date.
    counted: Ints
    measured: Ints
    summed: Ints  # thousandths
    filled: Ints  # [slots] bits of the dates that have their best
    best: Ints  # [slots * width] days, or thousandths
    marks: Ints  # [slot_marks] bits of the dates on which a value is there
    met: Ints  # the marks that are not empty
    met_slot: Ints  # whose they are
    touched: Ints  # [tracks] the tracks this group has touched
    mark: Ints  # [tracks] the last group that touched the track
    order: Ints  # contacts in the order in which they fill dates
    values: Floats  # [registers * width]
    steps: Steps
