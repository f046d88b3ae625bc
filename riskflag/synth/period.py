"""The stretch of time a borough is simulated over, in steps of four weeks.

Days are day numbers (riskflag.clock). Every household has its own phase, so that the steps of
different families do not begin on the same day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from riskflag import clock
from riskflag.synth.draws import Array

STEP = 28
YEAR = 365.25
#: Simulated before the first day that is written, so that plans and cases are under way on it.
WARM_UP_STEPS = 18
#: The first delivery, then one a week: days before the last day.
DELIVERIES = (28, 21, 14, 7, 0)


@dataclass(frozen=True)
class Calendar:
    """First day written, last day (both included), and the step grid that covers them."""

    start: int
    end: int

    @classmethod
    def of(cls, until: dt.date, years: int) -> Calendar:
        end = clock.day_number(until)
        return cls(start=end - round(years * YEAR) + 1, end=end)

    @property
    def origin(self) -> int:
        """The day the grid starts from, before the warm-up."""
        return self.start - WARM_UP_STEPS * STEP

    @property
    def steps(self) -> int:
        return (self.end - self.origin) // STEP + 2

    @property
    def landings(self) -> list[int]:
        return [self.end - before for before in DELIVERIES]

    def begins(self, step: Array | int, phase: Array) -> Array:
        """The first day of a step of a household with this phase (0 to 27)."""
        return np.asarray(self.origin + np.asarray(step) * STEP - phase)

    def step_of(self, day: Array, phase: Array) -> Array:
        """The step a day lies in."""
        return np.asarray(np.clip((day - self.origin + phase) // STEP, 0, self.steps - 1))
