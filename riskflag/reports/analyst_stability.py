"""The part of the analyst's report that tells how steady an explanation is.

Source of the numbers: the `stability` block of the FLAG JSON (riskflag.nightly.stability).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskflag.reports import words

ROW = 38
#: Room at both ends of the drawing, in per cent of its width.
LEFT, WIDTH = 4, 92


@dataclass(frozen=True)
class ThemeRange:
    """One theme: what it adds in the model, and the lowest and highest of the refits."""

    theme: str
    contribution: str
    low: str
    high: str
    y: int
    x: float
    width: float
    raises: bool
    low_x: float
    high_x: float
    crosses: bool


@dataclass(frozen=True)
class HiddenFeed:
    """One feed hidden: the main theme then, and whether the model would still raise the child."""

    source: str
    agency: str
    main_theme: str
    changed: bool
    raises: bool


@dataclass(frozen=True)
class Steadiness:
    """All of it, in words and ready to draw."""

    word: str
    sentence: str
    themes: tuple[ThemeRange, ...]
    height: int
    zero: float
    feeds: tuple[HiddenFeed, ...]
    feed_sentence: str


def steadiness(block: Mapping[str, Any] | None) -> Steadiness | None:
    """The view of a `stability` block; None when there is none."""
    if not block:
        return None
    main = block["main_theme"]
    feeds = tuple(
        HiddenFeed(
            source=feed["source"],
            agency=words.agency(feed["agency"]),
            main_theme=words.plain(feed["main_theme"] or "none"),
            changed=feed["main_theme"] != main,
            raises=feed["raises"],
        )
        for feed in block["feeds"]
    )
    scale = _Scale.over(block["themes"])
    same, of = block["same_main_theme"], block["refits"]
    kept = sum(not feed.changed for feed in feeds)
    left = sum(not feed.raises for feed in feeds)
    return Steadiness(
        word=block["word"],
        sentence=f"The main theme, {words.plain(main or 'none')}, was the main theme in {same} of "
        f"{of} refits on other children.",
        themes=tuple(scale.theme(row, one) for row, one in enumerate(block["themes"])),
        height=len(block["themes"]) * ROW + 8,
        zero=scale.at(0.0),
        feeds=feeds,
        feed_sentence=f"With one feed hidden at a time, the main theme stayed in {kept} of "
        f"{len(feeds)} cases; in {left} the score fell below the threshold.",
    )


@dataclass(frozen=True)
class _Scale:
    """Log-odds as percentages of the width."""

    low: float
    high: float

    @classmethod
    def over(cls, themes: list[dict[str, Any]]) -> _Scale:
        every = [one[key] for one in themes for key in ("contribution", "low", "high")]
        return cls(min([0.0, *every]), max([0.0, *every]))

    def at(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return round(LEFT + WIDTH * (value - self.low) / span, 2)

    def theme(self, row: int, one: Mapping[str, Any]) -> ThemeRange:
        start, end = sorted((self.at(0.0), self.at(one["contribution"])))
        return ThemeRange(
            theme=words.plain(one["theme"]),
            contribution=signed(one["contribution"]),
            low=signed(one["low"]),
            high=signed(one["high"]),
            y=row * ROW,
            x=start,
            width=round(max(end - start, 0.2), 2),
            raises=one["contribution"] >= 0,
            low_x=self.at(one["low"]),
            high_x=self.at(one["high"]),
            crosses=one["low"] < 0 < one["high"],
        )


def signed(value: float) -> str:
    """A contribution with its sign."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")
