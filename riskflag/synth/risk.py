"""The true hazard: how likely harm is to come to light on a day, given the hidden course.

Harm happens at a rate of its own; part of it stays unseen. The hazard kept in the truth is that of
harm that leads to a section 47 enquiry or to coming into care, the outcomes a model is asked to
anticipate. Siblings share one part of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskflag.synth.course import Course
from riskflag.synth.draws import Array
from riskflag.synth.people import Population
from riskflag.synth.period import YEAR

#: Chance that a child is included in an enquiry about the household.
INCLUDED = 0.62
#: Chance per day, at no trouble at all, of harm in the household / to the child.
HOUSEHOLD_BASE = 0.98e-5
CHILD_BASE = 1.0e-5
CARE_BASE = 1.6e-6
#: No rate per day exceeds this.
MOST = 0.008
HOUSEHOLD_WEIGHTS = (
    ("neglect", 3.2),
    ("domestic_abuse", 2.8),
    ("parent_mental_health", 1.6),
    ("substance", 2.3),
    ("strain", 1.0),
)
CHILD_WEIGHTS = (
    ("abuse", 3.0),
    ("exploitation", 3.6),
    ("distress", 2.0),
    ("bullying", 0.5),
    ("neglect", 2.0),
    ("domestic_abuse", 0.9),
    ("substance", 0.7),
)
CARE_WEIGHTS = (("neglect", 2.2), ("exploitation", 2.8), ("substance", 1.6), ("distress", 1.4))


@dataclass(frozen=True)
class Risk:
    """Rates per day by step, before what the services themselves change (see social_care)."""

    age: Array  # float32 [children, steps], years, in the middle of the step
    household: Array  # float32 [households, steps]: harm in the household comes to light
    child: Array  # float32 [children, steps]: harm to this child alone comes to light
    care: Array  # float32 [children, steps]: coming into care without an enquiry before
    seen: Array  # float32 [children, steps]: chance that harm is seen; 1 - seen stays unknown


def risk_of(people: Population, course: Course) -> Risk:
    """The rates that follow from the course of harm."""
    homes, kids, calendar = people.households, people.children, people.calendar
    steps = np.arange(calendar.steps)
    middle = calendar.begins(steps, people.phase[:, None]) + 14
    age = ((middle - kids.born[:, None]) / YEAR).astype(np.float32)
    infant = np.where(age < 1, 1.7, np.where(age < 5, 1.15, 1.0)).astype(np.float32)
    teen = np.where(age > 12, 1.25, 1.0).astype(np.float32)
    shock = 1 + np.float32(0.6) * course.shock
    house = HOUSEHOLD_BASE * np.exp(_sum_of_households(course, HOUSEHOLD_WEIGHTS)) * shock
    house *= np.exp(0.25 * homes.vulnerability)[:, None]
    both = course.of_households("domestic_abuse") * course.of_households("substance")
    house *= 1 + 2.0 * both
    own = np.exp(0.15 * kids.susceptible)[:, None]
    child = CHILD_BASE * np.exp(_sum_of_children(course, CHILD_WEIGHTS, kids.household)) * own
    care = CARE_BASE * np.exp(_sum_of_children(course, CARE_WEIGHTS, kids.household)) * teen
    seen = _seen(people, age)
    average = np.bincount(kids.household, seen.mean(axis=1)) / np.bincount(kids.household)
    return Risk(
        age=age,
        household=_bounded(house * average[:, None]),
        child=_bounded(child * infant * teen * seen),
        care=care.astype(np.float32),
        seen=seen,
    )


def _bounded(rate: Array) -> Array:
    """Rates that level off: where everything is wrong harm still comes to light once at a time."""
    return np.asarray(rate / (1 + rate / MOST), dtype=np.float32)


def _sum_of_households(course: Course, weights: tuple[tuple[str, float], ...]) -> Array:
    parts = [np.float32(weight) * course.of_households(name) for name, weight in weights]
    total: Array = np.sum(parts, axis=0)
    return total


def _sum_of_children(
    course: Course, weights: tuple[tuple[str, float], ...], household: Array
) -> Array:
    total: Array = np.float32(0) * course.of_children(weights[0][0], household)
    for name, weight in weights:
        total += np.float32(weight) * course.of_children(name, household)
    return total


def _seen(people: Population, age: Array) -> Array:
    """Somebody notices more of the harm to schoolchildren, and in groups that are reported more."""
    by_age = np.where((age >= 5) & (age < 16), 0.66, np.where(age < 1, 0.6, 0.5))
    reporting = people.households.reporting[people.children.household] ** 0.5
    return np.clip(by_age * reporting[:, None], 0.15, 0.97).astype(np.float32)
