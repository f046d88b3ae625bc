"""Bars as numbers for their drawing: 200 wide, with what each says for who does not see it."""

from __future__ import annotations

from dataclasses import dataclass

from riskflag.casework.small_numbers import Share

WIDTH = 200


@dataclass(frozen=True)
class Bar:
    """A share from 0 to 1; `low_x` and `high_x` are the ends of its interval, if it has one."""

    share_x: float
    low_x: float | None
    high_x: float | None
    said: str


@dataclass(frozen=True)
class Level:
    """A count against a mark, such as new flags against what can be read."""

    count_x: float
    mark_x: float
    said: str


def bar(share: float) -> Bar:
    """A bar of a share without an interval."""
    return Bar(_x(share), None, None, f"{percent(share)} of 100")


def interval_bar(share: Share) -> Bar:
    """A bar of a share with its 95% interval."""
    return Bar(_x(share.share), _x(share.low), _x(share.high), interval(share))


def interval(share: Share) -> str:
    """A share in counts of a hundred, with its interval."""
    low, high = percent(share.low), percent(share.high)
    return f"{percent(share.share)} of 100 (between {low} and {high})"


def level_bar(count: int, most: int, *, mark: int) -> Level:
    """A bar of a count, where `most` fills the width and `mark` is drawn as a line."""
    return Level(
        _x(count / most if most else 0.0), _x(mark / most if most else 0.0), f"{count} of {mark}"
    )


def percent(share: float) -> int:
    """A share as a whole number of a hundred, halves up."""
    return int(share * 100 + 0.5)


def _x(share: float) -> float:
    return round(WIDTH * share, 1)
