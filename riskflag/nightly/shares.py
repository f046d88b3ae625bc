"""The same work on each of many children, shared out among copies of this process.

Reasons and flags are made in plain Python, which uses one core however many threads there are. A
copy (`fork`) has all that the night holds without it being sent; what comes back are bytes through
a pipe. What a copy does not give back, whatever the reason, is worked out here: so a fault shows
as it would without copies, and no result depends on how many there were.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import BinaryIO, NoReturn

Work = Callable[[int], bytes]

#: From so many pieces of work on, copies pay.
MANY = 400
#: Bytes that tell how long a result is.
SIZE = 8
#: Garbage is looked for after so many more things were made than let go: some dozens of results.
SELDOM = 200_000
#: A copy that gives nothing for so many seconds is ended: one result takes far less than one.
PATIENCE = 120.0


def processes_for(pieces: int, most: int) -> int:
    """How many processes to share so many pieces of work among, at most `most`."""
    return most if pieces >= MANY and sys.platform == "linux" else 1


def in_shares(
    work: Work, total: int, *, processes: int, done: Callable[[int], None] = lambda number: None
) -> Iterator[bytes]:
    """`work(0)`, `work(1)` and so on, in that order; `done` is told how many were given.

    `work` may raise; then this raises the same. With several `processes` it must start no thread
    and need none but its own. Stopping early leaves no process behind.
    """
    copies: list[tuple[int, BinaryIO]] = []
    try:
        for share in range(processes if processes > 1 else 0):
            numbers = range(share, total, processes)
            copies.append(_copy(work, numbers, [pipe for _, pipe in copies]))
        shares = [_taken(pipe) for _, pipe in copies]
        for number in range(total):
            given = _next(shares[number % processes], copies[number % processes]) if shares else b""
            yield given or work(number)
            done(number + 1)
    finally:
        for copy in copies:
            _kill(copy)
            os.waitpid(copy[0], 0)


@contextmanager
def seldom_tidied() -> Iterator[None]:
    """Look for garbage seldom meanwhile: each time, all that a night holds is gone through.

    What it leaves behind is hardly ever garbage that has to be looked for.
    """
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def beside(work: Callable[[], bytes], *, processes: int) -> Iterator[Callable[[], bytes]]:
    """Do `work` in a copy while this process goes on; what is given waits for what it gave.

    Without several `processes`, and where the copy fails, it is done when it is asked for. It may
    not give nothing (b""); otherwise the same holds as for `in_shares`.
    """
    if processes == 1:
        yield work
        return
    copy = _copy(lambda number: work(), range(1), [])
    try:
        # Its thread begins as late as that: other copies may be made until then.
        yield lambda: _next(_taken(copy[1]), copy) or work()
    finally:
        _kill(copy)
        os.waitpid(copy[0], 0)
        copy[1].close()


def _next(results: SimpleQueue[bytes], copy: tuple[int, BinaryIO]) -> bytes:
    """A copy's next result; nothing (b"") when it gives none any more."""
    try:
        given = results.get(timeout=PATIENCE)
    except Empty:  # it waits for a lock that another thread held when it was made, say
        _kill(copy)
        given = b""
    if not given:
        results.put(b"")  # what else it should have given is lost too
    return given


def _kill(copy: tuple[int, BinaryIO]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(copy[0], signal.SIGKILL)


def _copy(work: Work, numbers: Sequence[int], others: Sequence[BinaryIO]) -> tuple[int, BinaryIO]:
    """A copy of this process that does this share, and where it tells what it found."""
    out, into = os.pipe()
    process = os.fork()
    if process == 0:
        _do(work, numbers, into, [out, *(pipe.fileno() for pipe in others)])
    os.close(into)
    return process, os.fdopen(out, "rb")


def _do(work: Work, numbers: Sequence[int], into: int, others: Sequence[int]) -> NoReturn:
    """In the copy: work, tell, and end without a word; nothing of the first process is tidied."""
    try:
        # Else looking for garbage would copy every page of memory that is shared until now.
        gc.freeze()
        gc.set_threshold(SELDOM)
        for other in others:
            os.close(other)  # else nobody would notice that the first process is gone
        with os.fdopen(into, "wb") as pipe:
            for number in numbers:
                result = work(number)
                pipe.write(len(result).to_bytes(SIZE))
                pipe.write(result)
                pipe.flush()
    finally:
        os._exit(0)


def _taken(pipe: BinaryIO) -> SimpleQueue[bytes]:
    """The results of a copy as they come, and nothing (b"") after the last that is whole."""
    results: SimpleQueue[bytes] = SimpleQueue()

    def read() -> None:
        with pipe:
            whole = True
            while whole:
                size = int.from_bytes(pipe.read(SIZE))
                result = pipe.read(size)
                whole = 0 < size == len(result)
                results.put(result if whole else b"")

    # An ended copy ends its pipe, and so the thread.
    threading.Thread(target=read, daemon=True).start()
    return results
