"""Doing the same to several parts of a table at once; results come in the order of the parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def in_threads(
    work: Callable[..., Result], parts: Sequence[tuple[object, ...]], most: int | None = None
) -> list[Result]:
    """`work(*part)` for each part. What comes out does not depend on the number of threads."""
    threads = min(most or cores(), len(parts))
    if threads <= 1:
        return [work(*part) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda part: work(*part), parts))
