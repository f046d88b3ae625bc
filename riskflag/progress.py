"""Progress of long work, told to whoever asked for it; rooms never draw, the command line does."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called as work goes on: what is being done, how much of it is done, how much there is."""

    def __call__(self, label: str, done: int, total: int) -> None: ...


def silent(label: str, done: int, total: int) -> None:
    """The progress of work that nobody watches."""
