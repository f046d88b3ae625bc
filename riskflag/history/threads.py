"""Doing the same to several parts of a table at once; results come in the order of the parts."""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
#: To be held while a thread works on many small arrays: each of them lets Python's lock go and asks
#: for it again, and threads that do so side by side take twice as long as one after another.
IN_TURN = threading.Lock()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def in_turn(
    work: Callable[[int], Result], total: int, *, threads: int, ahead: int = 1
) -> Iterator[Result]:
    """`work(0)`, `work(1)` and so on, in that order.

    No more are begun than `ahead` for each thread, so memory is bounded by what those hold; with
    more than one no thread idles behind a slow one. Stopping early, or a fault in one, leaves
    nothing running.
    """
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for number in range(total):
            waiting.append(pool.submit(work, number))
            if len(waiting) >= threads * ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_threads(
    work: Callable[..., Result],
    parts: Sequence[tuple[object, ...]],
    done: Callable[[int], None] = lambda number: None,
    most: int | None = None,
) -> list[Result]:
    """`work(*part)` for each part. What comes out does not depend on the number of threads.

    `done` is told the number of parts that are ready, in their order. Whatever it raises ends the
    work: parts that were not begun are left. No more than `most` are worked on at once.
    """
    results: list[Result] = []
    threads = min(most or cores(), cores(), len(parts))
    pool = ThreadPoolExecutor(max(threads, 1))
    try:
        one_by_one = (work(*part) for part in parts)
        coming = pool.map(lambda part: work(*part), parts) if threads > 1 else one_by_one
        for result in coming:
            results.append(result)
            done(len(results))
    finally:
        pool.shutdown(cancel_futures=True)
    return results


def streamed(work: Callable[..., Result], parts: Iterable[tuple[object, ...]]) -> Iterator[Result]:
    """As `in_threads`, one result after another: no more parts are asked for than are worked on."""
    left = iter(parts)
    some = list(itertools.islice(left, 2))
    if len(some) < 2:
        yield from (work(*part) for part in some)
        return
    pool = ThreadPoolExecutor(cores())
    coming: deque[Future[Result]] = deque()
    try:
        for part in itertools.chain(some, left):
            coming.append(pool.submit(work, *part))
            if len(coming) > cores():
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
