"""The hidden course of harm: what nobody in the borough knows and every record comes from.

Four troubles live in households (neglect, domestic abuse, parental mental health, parental
substance use) beside the strain of housing; four in children (exploitation, bullying, distress,
abuse). Each is none, low, medium or high (0 to 3) in steps of four weeks: it begins, grows,
is relieved, and one makes another more likely. Shocks (a loss, a separation) set things off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskflag.progress import Progress, silent
from riskflag.synth.draws import Array, stream
from riskflag.synth.people import Population
from riskflag.synth.period import YEAR

HOUSEHOLD_TROUBLES = ("neglect", "domestic_abuse", "parent_mental_health", "substance", "strain")
CHILD_TROUBLES = ("exploitation", "bullying", "distress", "abuse")


@dataclass(frozen=True)
class Trouble:
    """How one trouble moves in a step: chances to begin, grow and ease, what moves them."""

    begins: float
    grows: float
    eases: float
    pull: float  # weight of the household's vulnerability on the log of `begins`
    from_age: float = 0.0
    fed_by: tuple[tuple[str, float], ...] = ()  # other troubles and their weight at full intensity


TROUBLES = {
    "neglect": Trouble(
        0.00085,
        0.045,
        0.055,
        1.0,
        fed_by=(
            ("substance", 1.8),
            ("parent_mental_health", 1.1),
            ("strain", 0.8),
            ("domestic_abuse", 0.8),
        ),
    ),
    "domestic_abuse": Trouble(
        0.0017, 0.055, 0.075, 0.8, fed_by=(("substance", 1.6), ("strain", 0.5))
    ),
    "parent_mental_health": Trouble(
        0.0026, 0.045, 0.06, 0.6, fed_by=(("domestic_abuse", 1.4), ("strain", 0.7))
    ),
    "substance": Trouble(
        0.0008, 0.045, 0.05, 0.9, fed_by=(("parent_mental_health", 1.0), ("domestic_abuse", 0.7))
    ),
    "strain": Trouble(
        0.0032, 0.05, 0.08, 0.7, fed_by=(("substance", 0.6), ("domestic_abuse", 0.8))
    ),
    "exploitation": Trouble(
        0.0009,
        0.07,
        0.065,
        0.5,
        10.5,
        (("neglect", 1.6), ("bullying", 0.6), ("distress", 1.0), ("domestic_abuse", 0.7)),
    ),
    "bullying": Trouble(0.0055, 0.06, 0.11, 0.3, 5.0, (("neglect", 0.9), ("distress", 0.6))),
    "distress": Trouble(
        0.0028,
        0.06,
        0.07,
        0.3,
        8.0,
        (("bullying", 1.4), ("domestic_abuse", 1.2), ("abuse", 1.4), ("neglect", 0.6)),
    ),
    "abuse": Trouble(
        0.0006,
        0.05,
        0.07,
        0.6,
        0.0,
        (("domestic_abuse", 1.6), ("substance", 1.0), ("neglect", 0.8)),
    ),
}


@dataclass(frozen=True)
class Course:
    """Levels 0..3 by step, int8 [households or children, steps]."""

    household: dict[str, Array]
    child: dict[str, Array]
    shock: Array  # bool [households, steps]

    def of_children(self, name: str, household_of: Array) -> Array:
        """Intensity 0..1 of a trouble for every child: float32 [children, steps]."""
        if name in self.child:
            return self.child[name].astype(np.float32) / np.float32(3)
        return (self.household[name].astype(np.float32) / np.float32(3))[household_of]

    def of_households(self, name: str) -> Array:
        """Intensity 0..1 of a household trouble: float32 [households, steps]."""
        return self.household[name].astype(np.float32) / np.float32(3)


def live(seed: int, people: Population, progress: Progress = silent) -> Course:
    """Let the troubles run their course over the whole calendar, warm-up included."""
    homes, kids, steps = people.households, people.children, people.calendar.steps
    rng = stream(seed, "course")
    levels = {name: np.zeros(homes.n, np.int8) for name in HOUSEHOLD_TROUBLES}
    levels |= {name: np.zeros(kids.n, np.int8) for name in CHILD_TROUBLES}
    kept = {name: np.zeros((len(level), steps), np.int8) for name, level in levels.items()}
    shocks = rng.random((homes.n, steps), dtype=np.float32) < 0.0065
    before = 78  # steps lived before the grid begins, so that it begins in the middle of life
    for step in range(-before, steps):
        shock = shocks[:, step] if step >= 0 else rng.random(homes.n, dtype=np.float32) < 0.0065
        _advance(rng, people, levels, shock, step)
        if step >= 0:
            for name, level in levels.items():
                kept[name][:, step] = level
            progress("course of harm", step + 1, steps)
    return Course(
        {name: kept[name] for name in HOUSEHOLD_TROUBLES},
        {name: kept[name] for name in CHILD_TROUBLES},
        shocks,
    )


def _advance(
    rng: np.random.Generator,
    people: Population,
    levels: dict[str, Array],
    shock: Array,
    step: int,
) -> None:
    """Move every trouble by one step."""
    homes, kids = people.households, people.children
    age = (people.calendar.begins(step, people.phase) - kids.born) / YEAR
    old = {name: level.astype(np.float32) / np.float32(3) for name, level in levels.items()}
    for name, trouble in TROUBLES.items():
        of_child = name in CHILD_TROUBLES
        rows = kids.household if of_child else np.arange(homes.n)
        log = (trouble.pull * homes.vulnerability)[rows].astype(np.float32)
        for other, weight in trouble.fed_by:
            feeding = old[other] if other in CHILD_TROUBLES or not of_child else old[other][rows]
            log = log + np.float32(weight) * feeding
        begins = trouble.begins * np.exp(log) * (1 + 6 * shock[rows])
        if trouble.from_age:
            begins = np.where(age >= trouble.from_age, begins, 0)
        elif of_child:
            begins = np.where(age >= 0, begins, 0)
        ease = trouble.eases * np.exp(0.25 * homes.engagement)[rows]
        levels[name] = _move(rng, levels[name], begins, trouble.grows, ease)


def _move(
    rng: np.random.Generator, level: Array, begins: Array, grows: float, ease: Array
) -> Array:
    """One step of one trouble: at most one level up or down."""
    drawn = rng.random(len(level), dtype=np.float32)
    up = np.where(level == 0, begins, np.where(level < 3, grows, 0))
    down = np.where(level > 0, ease, 0)
    return (level + (drawn < up) - (drawn > 1 - down)).astype(np.int8)
