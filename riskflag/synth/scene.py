"""What every agency looks at: the people, the hidden course, and how to draw contacts from it.

Contacts of one kind come at a rate per child and step. Instead of asking every cell (child, step)
whether anything happened, the total is drawn once and shared out in proportion to the rates: the
same distribution at a hundredth of the cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from riskflag.synth.course import Course
from riskflag.synth.draws import Array, Columns, ranges, stream, take
from riskflag.synth.people import FAR, Population
from riskflag.synth.period import STEP, YEAR, Calendar
from riskflag.synth.risk import Risk

ADULT_AGE = 18.0


@dataclass(frozen=True)
class Scene:
    """The borough as it is lived; agencies draw their records from it."""

    seed: int
    people: Population
    course: Course
    risk: Risk

    @property
    def calendar(self) -> Calendar:
        return self.people.calendar

    @property
    def age(self) -> Array:
        """Age in years, float32 [children, steps]."""
        return self.risk.age

    @cached_property
    def eighteenth(self) -> Array:
        """The day each child turns eighteen."""
        return self.people.children.born + round(ADULT_AGE * YEAR)

    @cached_property
    def children_of(self) -> tuple[Array, Array]:
        """For each household the first child's row and the number of children."""
        count = np.bincount(self.people.children.household, minlength=self.people.households.n)
        return np.cumsum(count) - count, count

    def rng(self, name: str) -> np.random.Generator:
        return stream(self.seed, name)

    def x(self, name: str) -> Array:
        """Intensity 0..1 of a trouble: float32 [children, steps]."""
        return self.course.of_children(name, self.people.children.household)

    def h(self, name: str) -> Array:
        """Intensity 0..1 of a household trouble: float32 [households, steps]."""
        return self.course.of_households(name)

    def at(self, name: str, events: Columns) -> Array:
        """Intensity of a trouble at each event (events have child and step)."""
        if name in self.course.child:
            levels = self.course.child[name][events["child"], events["step"]]
        else:
            home = self.people.children.household[events["child"]]
            levels = self.course.household[name][home, events["step"]]
        return levels.astype(np.float64) / 3

    def home_at(self, name: str, events: Columns) -> Array:
        """Intensity of a household trouble at each event (events have household and step)."""
        level = self.course.household[name][events["household"], events["step"]]
        return level.astype(np.float64) / 3

    def age_at(self, events: Columns) -> Array:
        """Age in years on the day of each event."""
        return (events["day"] - self.people.children.born[events["child"]]) / YEAR

    def for_children(
        self, name: str, per_year: Array, ages: tuple[float, float] = (0.0, ADULT_AGE)
    ) -> Columns:
        """Draw events of children: columns child, step, day, minute; only of living residents.

        `per_year` is the yearly rate, float [children, steps] (or broadcast to it).
        """
        rng = self.rng(name)
        shape = self.age.shape
        active = (self.age > ages[0] - 0.1) & (self.age < ages[1] + 0.1)
        rate = np.where(active, np.broadcast_to(per_year, shape), 0)
        who, step = _scatter(rng, rate)
        day = self.calendar.begins(step, self.people.phase[who])
        day = day + rng.integers(0, STEP, len(who))
        events = {"child": who, "step": step, "day": day, "minute": _minutes(rng, len(who))}
        age = self.age_at(events)
        return take(events, self.lives_here(events) & (age >= ages[0]) & (age < ages[1]))

    def for_households(self, name: str, per_year: Array) -> Columns:
        """Draw events of households: columns household, step, day, minute, incident."""
        rng = self.rng(name)
        homes = self.people.households
        shape = (homes.n, self.calendar.steps)
        who, step = _scatter(rng, np.broadcast_to(per_year, shape))
        day = self.calendar.begins(step, homes.phase[who]) + rng.integers(0, STEP, len(who))
        events = {"household": who, "step": step, "day": day, "minute": _minutes(rng, len(who))}
        events["incident"] = np.arange(len(who))
        here = (day >= homes.arrives[who]) & (day < homes.leaves[who]) & (day <= self.calendar.end)
        return take(events, here)

    def spread(self, incidents: Columns) -> Columns:
        """One row per child who then lives in the household of each incident."""
        first, count = self.children_of
        rows, child = ranges(first[incidents["household"]], count[incidents["household"]])
        events = take(incidents, rows) | {"child": child}
        return take(events, self.lives_here(events))

    def lives_here(self, events: Columns) -> Array:
        """Whether the child of each event is born, under 18, alive and in the borough that day."""
        kids, who, day = self.people.children, events["child"], events["day"]
        here = (day >= kids.born[who]) & (day < self.eighteenth[who]) & (day <= kids.dies[who])
        here &= (day >= kids.arrives[who]) & (day < kids.leaves[who]) & (day <= self.calendar.end)
        return np.asarray(here)


def _scatter(rng: np.random.Generator, per_year: Array) -> tuple[Array, Array]:
    """Share out a Poisson number of events over cells in proportion to their rates."""
    flat = np.ascontiguousarray(per_year, dtype=np.float64).ravel()
    along = np.cumsum(flat)
    if not len(along) or along[-1] <= 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    marks = np.sort(rng.random(rng.poisson(along[-1] * STEP / YEAR))) * along[-1]
    cells = np.searchsorted(along, marks, side="right").clip(0, len(flat) - 1)
    who, step = np.divmod(cells, per_year.shape[1])
    return who, step


def _minutes(rng: np.random.Generator, size: int) -> Array:
    """A minute of the day, most of them in the afternoon and evening."""
    return (1440 * rng.beta(3.0, 2.0, size)).astype(np.int64)


__all__ = ["FAR", "Scene"]
