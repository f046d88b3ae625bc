"""The time axis of the pictures: where a day lies, and the labels below it.

Places are percentages of the picture's width, so a drawing keeps its text size on a phone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from riskflag.reports import words

LEFT, RIGHT = 1.5, 98.5
TICKS = 5


@dataclass(frozen=True)
class Tick:
    """One label on the time axis."""

    x: float
    text: str
    anchor: str


@dataclass(frozen=True)
class Scale:
    """Days as percentages of the width; records from before the first day lie at its edge."""

    first: dt.date
    last: dt.date
    earlier: bool = False

    def at(self, day: str) -> float:
        """Where an ISO date lies."""
        found = self._places.get(day)
        if found is None:
            days = (dt.date.fromisoformat(day[:10]) - self.first).days
            share = min(max(days / max(self.span, 1), 0.0), 1.0)
            found = self._places[day] = round(LEFT + share * (RIGHT - LEFT), 2)
        return found

    @cached_property
    def _places(self) -> dict[str, float]:
        """Where days lie that were asked about before: of one picture many are the same."""
        return {}

    @cached_property
    def span(self) -> int:
        """Days from the first to the last."""
        return (self.last - self.first).days

    def ticks(self) -> tuple[Tick, ...]:
        """At most five labels: the first day, the night, and months between them."""
        span = self.span
        chosen = []
        for step in range(TICKS):
            day = self.first + dt.timedelta(days=round(span * step / (TICKS - 1)))
            anchor = "start" if step == 0 else "end" if step == TICKS - 1 else "middle"
            text = f"{words.MONTHS[day.month - 1][:3]} {day.year}"
            if span < 120:
                text = f"{day.day} {words.MONTHS[day.month - 1][:3]}"
            if step == 0 and self.earlier:
                text = f"{text} and before"
            chosen.append(Tick(self.at(day.isoformat()), text, anchor))
        return tuple(chosen)
