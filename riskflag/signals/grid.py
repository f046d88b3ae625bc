"""The fast engine for several as-of dates of a child: a training grid, an analyst's list.

Each contact is spread over the dates it counts for (spread.py), then a running total over the
dates gives the sums. Cost grows with contacts and with output, not with contacts times dates. Walks
alone are told for each date anew, of the few contacts they hear of.
"""

from __future__ import annotations

from riskflag.signals.compiler import compiled
from riskflag.signals.kernel import classify, complete, whole_numbers
from riskflag.signals.layout import Contacts, Dates, Floats, Program, Rows
from riskflag.signals.spread import (
    begin_dates,
    bring_best,
    calendar,
    come_to,
    gather,
    group,
    settle,
)
from riskflag.signals.walks import forget, heard


@compiled
def look_up(contacts: Contacts, program: Program) -> None:
    """Look up all that does not depend on a row: to be done before `run_grid`."""
    size = contacts.occurred.shape[0]
    classify(contacts, program, 0, size)
    whole_numbers(contacts, 0, size)


@compiled
def run_grid(contacts: Contacts, rows: Rows, program: Program, dates: Dates, out: Floats) -> None:
    """Compute every signal of every row into `out` [rows of the request, signals].

    Rows of one child stand together, their dates in order; `kernel.run` gives the same bytes.
    """
    forget(dates.steps)
    first, told, work = 0, 0, (program, dates.cells, dates.steps)
    while first < rows.as_of.shape[0]:
        stop = group(rows, first)
        calendar(dates, rows, first, stop)
        marked = gather(contacts, program, dates, rows, first)
        settle(program, dates, marked)
        if dates.cells.values.walks.shape[0] > 0:
            told = heard(contacts, dates.steps, rows, first)
        begin_dates(dates)
        for g in range(stop - first):
            come_to(dates, g)
            bring_best(dates, g)
            complete(contacts, rows, (first + g, told), work, out)
        # Runs that last beyond the last date have left their end there.
        come_to(dates, stop - first)
        first = stop
