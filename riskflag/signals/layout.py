"""The arrays the kernel works on, named. All whole numbers unless said otherwise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
#: Unsigned, so that compiled code need not ask whether a place counts from the end.
Places = npt.NDArray[np.uint32]

#: Codes of lanes and steps, shared by the program and the kernel.
COUNT, DIFFERENT, TOTAL, LAST, FIRST, LOWEST, HIGHEST = range(7)
DIFFERENCE, RATIO, SCALED, AGE_DAYS, AGE_MONTHS, AGE_YEARS = range(6)
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
#: The best of no contact at all: less than any day or number.
NOTHING = -(2**62)
#: Rows of one as-of date that are worked out together, and how far apart in memory their values
#: lie: not by a power of two, which would crowd them into a few places of a processor's cache.
ROWS = 64
STRIDE = ROWS + 8
#: Words of `Program.first`.
FIRST_WORDS = 8
#: As-of dates of one child that are worked out together: bits of a signed word.
MOST_DATES = 60


class Contacts(NamedTuple):
    """A chunk of contacts sorted by child and day; n rows."""

    occurred: Int32s  # [n] day numbers
    known: Int32s  # [n]
    superseded: Int32s  # [n]
    codes: Int32s  # [columns, n] dictionary codes, -1 where not recorded
    given: Floats  # [numbers, n] as they lie in memory: anything where not recorded
    recorded: Bytes  # [numbers, n] 0 where not
    # Filled in by the kernel.
    numbers: Ints  # [numbers, n] in thousandths, NOTHING where not recorded
    classes: Int32s  # [n]
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

    Parts of type t are `part_start[t + 1] .. part_start[t + 2]`; each adds the level of the
    contact's code in a column. The first place everywhere is for a missing value (code -1).
    """

    column: int  # of the type, among the words
    first: Ints  # [types + 1]
    part_start: Ints
    part_column: Ints
    part_levels: Ints  # where the part's levels begin in `levels`
    levels: Ints


class Lanes(NamedTuple):
    """What is accumulated of one kind, from which contacts and in which windows.

    Contacts of class c go into the lanes `lanes[start[2 * c]] .. lanes[start[2 * c + 2] - 1]`: from
    `start[2 * c + 1]` on those that look at what a contact says (a word or a number). The cells
    (windows) of lane l are `cells[l] .. cells[l + 1]`. The last lane is nobody's: it has no cell.

    The edges of a lane's own windows cut the past into its *planes*, `planes[l] .. planes[l + 1]`,
    each with a place for every row of a block. Plane 0 is no lane's and stays empty.
    """

    start: Ints
    lanes: Places
    op: Ints  # [lanes] COUNT or DIFFERENT; TOTAL; or what is best
    planes: Ints  # [lanes + 1]
    plane_of: Places  # [lanes * bins] the plane of each bin: nobody's, outside a lane's windows
    column: Ints  # [lanes] of a number, or of the words to tell apart
    marks: Ints  # [lanes + 1] where the values that a lane may meet begin
    cells: Ints
    first: Places  # [cells] the edges from and up to which a window reaches
    stop: Places
    less: Places  # [cells] the planes whose running totals a window begins behind and ends with
    more: Places
    cell_marks: Ints  # [cells + 1] where the values that a cell may meet begin


class Readings(NamedTuple):
    """How the values of a row lie: after the counted cells those of each further reading.

    Values are asked for by place: those of counts, exists, totals, means, bests, walks and steps
    one after another. What no signal reads has no places.
    """

    starts: Ints  # [8] where each of the seven begins, and the end
    beside: Places  # [sum cells] the cell that counts the contacts of the same window
    # [best cells] the value is (times * as-of day + sign * best) / whole, or `without` any contact
    times: Ints
    sign: Ints
    whole: Floats
    without: Floats
    outputs: Places  # [outputs] the place of each signal's value


class WalkTables(NamedTuple):
    """Per walk: one aggregate that rests on the order of contacts or on their ends.

    The walks that contacts of class c are told to are `told[start[c] .. start[c + 1]]`: twice
    the number of the walk, and one more for a contact that may follow.
    """

    start: Ints
    told: Ints
    op: Ints
    days: Ints
    ending: Ints
    column: Ints  # of a number
    ring_from: Ints  # [walks + 1] where the ring of days of a walk begins


class StepTables(NamedTuple):
    """Per step: a calculation on two values, by their places."""

    op: Ints
    a: Places
    b: Places
    factor: Floats


class Program(NamedTuple):
    """A plan, bound to the dictionaries of one history."""

    types: TypeTables
    edges: Ints  # in days before the as-of date
    bins: Int32s  # [ages] the bin of an age in days, -1 for none
    counts: Lanes
    sums: Lanes
    bests: Lanes
    # [classes * bins * FIRST_WORDS] where a contact of a class and bin goes first, where it has no
    # such lane into nobody's: the places (planes times STRIDE) in counts, sums, latest days and
    # highest numbers, and in the counts of what is told apart (0: nowhere); then the columns that
    # the sum and the highest number look at, and the lane of what is told apart.
    first: Places
    rest: Ints  # [classes * 5] in `lanes` of each sort, where those behind these begin
    further: Bools  # [classes] whether there are any; empty where no class has one
    readings: Readings
    walks: WalkTables
    steps: StepTables
    defaults: Floats  # [walks] of a child without contacts


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


class Values(NamedTuple):
    """The values of a row, one after another (see Readings); of a block [values, STRIDE]."""

    every: Floats
    # Parts of `every`.
    counts: Floats
    exists: Floats
    totals: Floats
    means: Floats
    bests: Floats
    walks: Floats
    steps: Floats


class Cells(NamedTuple):
    """What the windows of one row came to, cell by cell, and the values that follow."""

    counted: Int32s
    measured: Int32s  # contacts that have the number
    summed: Ints  # thousandths
    best: Ints  # days, or thousandths; of FIRST and LOWEST the negative; or NOTHING
    values: Values


class Scratch(NamedTuple):
    """One thread's working memory for one as-of date, reused from block to block."""

    as_of: Ints  # [ROWS]
    words: Int32s  # where each contact of a block goes first: places in `Program.first`
    # [planes * STRIDE], see Lanes
    counted: Int32s
    measured: Int32s
    summed: Ints  # thousandths
    best: Ints
    seen: Ints  # [marks] the last row that saw a value
    found: Values
    steps: Steps


class Dates(NamedTuple):
    """One thread's working memory for a child's group of as-of dates, reused from group to group.

    `width` is the number of dates of the longest group.
    """

    width: int
    as_of: Ints  # [MOST_DATES + 1] the dates, and at the last place how many they are
    until: Ints  # dates on or before each day from the first date to the last
    cuts: Ints  # dates up to each edge, for one contact
    # Changes from date to date: [width + 1, cells].
    counted: Int32s
    measured: Int32s
    summed: Ints  # thousandths
    best: Ints  # [levels, width, cells] the best of 2^level dates from a date on
    marks: Ints  # [cell marks] bits of the dates on which a value is there
    met: Ints  # the marks that are not empty
    met_cell: Ints  # whose they are
    cells: Cells
    steps: Steps
