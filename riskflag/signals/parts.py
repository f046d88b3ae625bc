"""One night's signals of more children than memory holds: part after part of a stored view."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from riskflag.history.stored_view import StoredView
from riskflag.progress import Progress, silent
from riskflag.signals.build import compute
from riskflag.signals.define import Signal
from riskflag.signals.fast import Kernel, cores
from riskflag.signals.plan import plan
from riskflag.signals.table import SignalTable

#: What it takes to tell who is a child, besides what the signals read.
ALWAYS = ("person_id", "link", "occurred_day", "known_day", "superseded_day")
ENDS = ("ended_day", "open_ended")


def compute_parts(
    view: StoredView,
    *,
    as_of: dt.date,
    signals: Sequence[Signal],
    threads: int | None = None,
    progress: Progress = silent,
) -> Iterator[SignalTable]:
    """The signals of the children of each part, in the order of the parts.

    Each thread works on a part of its own, and no more parts are begun than there are threads, so
    memory is bounded by the parts' size. Stopping early leaves nothing behind.
    """
    columns = needed(signals)
    workers = threads or cores()

    def one(number: int) -> SignalTable:
        part = view.part(number, columns)
        children = part.children(as_of)
        engine = Kernel(threads=1)
        return compute(part, children, as_of=as_of, signals=signals, engine=engine)

    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[SignalTable]] = deque()
        total = len(view)
        try:
            for number in range(total):
                waiting.append(pool.submit(one, number))
                if len(waiting) >= workers:
                    yield waiting.popleft().result()
                    progress("signals", number + 2 - workers, total)
            while waiting:
                yield waiting.popleft().result()
                progress("signals", total - len(waiting), total)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def needed(signals: Sequence[Signal]) -> tuple[str, ...]:
    """The columns of contacts that these signals, and telling who is a child, read."""
    work = plan(signals)
    ends = ENDS if work.needs_ends() else ()
    return tuple(dict.fromkeys([*ALWAYS, *work.columns(), *work.numbers(), *ends]))
