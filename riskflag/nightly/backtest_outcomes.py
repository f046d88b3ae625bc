"""What came of it: outcomes that either rulebook would have reached, and for which groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskflag.casework.groups import KINDS, NOT_RECORDED, groups_of, standing
from riskflag.casework.small_numbers import hidden
from riskflag.clock import date_of
from riskflag.history.arrays import numbers
from riskflag.training.data.rows import Contacts

if TYPE_CHECKING:
    from riskflag.history.store.view import History
    from riskflag.training.data.experiment import OutcomeConfig

Days = NDArray[np.int64]


@dataclass(frozen=True)
class Course:
    """The nights (day numbers, rising) and, for each side, the first night of each child brought.

    Children are places in `ids`; nothing that leaves here names one.
    """

    history: History
    ids: tuple[str, ...]
    days: Days
    first: Mapping[str, Mapping[int, int]]


def outcomes(store: Path, course: Course, outcome: OutcomeConfig) -> dict[str, Any]:
    """Children whose first outcome in the time came within the horizon after a first flag.

    Outcomes count as recorded by now; the flags count only what was known before each night. An
    outcome on the very day of a night was not reached by it when it was known before. `store` is
    the folder of the history, where it is recorded to which groups these children belong.
    """
    came = first_outcomes(course, outcome)
    reached = {
        key: {
            place: day - first[place]
            for place, day in came.items()
            if place in first and 0 <= day - first[place] < outcome.horizon_days
        }
        for key, first in course.first.items()
    }
    old, new = reached["old"], reached["new"]
    both = old.keys() & new.keys()
    gained = [new[place] - old[place] for place in both if new[place] > old[place]]
    lost = [old[place] - new[place] for place in both if new[place] < old[place]]
    return {
        "types": list(outcome.types),
        "horizon_days": outcome.horizon_days,
        "children": len(came),
        "old": len(old),
        "new": len(new),
        "both": len(both),
        "only_new": len(new.keys() - old.keys()),
        "only_old": len(old.keys() - new.keys()),
        "earlier": len(gained),
        "earlier_days": float(np.median(gained)) if gained else None,
        "later": len(lost),
        "later_days": float(np.median(lost)) if lost else None,
        "groups": outcome_groups(store, course, came, reached),
    }


def outcome_groups(
    store: Path, course: Course, came: Mapping[int, int], reached: Mapping[str, Mapping[int, int]]
) -> list[dict[str, Any]]:
    """Children with the outcome, and those whom each side reached, by group; None is not told.

    The age is that of the day of the outcome. A group is told whole or not at all: neither those
    reached, nor those missed, nor those whom only one side reaches may be few.
    """
    ages_at = {course.ids[place]: date_of(day) for place, day in came.items()}
    known = groups_of(store, ages_at) if ages_at else {}
    old, new = reached["old"].keys(), reached["new"].keys()
    sets = {"children": came.keys(), "old": old, "new": new}
    never_few = (*sets.values(), came.keys() - old, came.keys() - new, old ^ new)
    told: list[dict[str, Any]] = []
    for kind in KINDS:
        names = {place: known.get(course.ids[place], {}).get(kind, NOT_RECORDED) for place in came}
        ordered = sorted(set(names.values()), key=standing)

        def by_group(places: Collection[int]) -> list[int]:
            return [sum(names[place] == name for place in places) for name in ordered]  # noqa: B023

        counts = {key: by_group(one) for key, one in sets.items()}
        few = frozenset().union(
            *(hidden(by_group(one), parts_of_a_whole=True) for one in never_few)
        )
        unseen = hidden(counts["children"], parts_of_a_whole=True, also=few)
        told += [
            {"kind": kind, "group": name}
            | {key: None if at in unseen else one[at] for key, one in counts.items()}
            for at, name in enumerate(ordered)
        ]
    return told


def first_outcomes(course: Course, outcome: OutcomeConfig) -> dict[int, int]:
    """The day of each child's first outcome from the first night to the last."""
    cut = int(numbers(course.history.contacts.column("known_day"), 0).max()) + 1
    known = Contacts.of(course.history, course.ids, outcome.types).visible(cut)
    inside = (known.occurred >= course.days[0]) & (known.occurred <= course.days[-1])
    found: dict[int, int] = {}
    for place, day in zip(
        known.person[inside].tolist(), known.occurred[inside].tolist(), strict=True
    ):
        found[place] = min(day, found.get(place, day))
    return found


def groups(history: Path, course: Course) -> list[dict[str, Any]]:
    """Children brought by each side, by age, sex and ethnicity; small counts are None.

    The age is that of the first night on which either side brings the child.
    """
    first: dict[int, int] = {}
    for one in course.first.values():
        for place, day in one.items():
            first[place] = min(day, first.get(place, day))
    ages_at = {course.ids[place]: date_of(day) for place, day in first.items()}
    known = groups_of(history, ages_at) if ages_at else {}
    only_one = course.first["old"].keys() ^ course.first["new"].keys()
    told: list[dict[str, Any]] = []
    for kind in KINDS:
        names = {place: known.get(course.ids[place], {}).get(kind, NOT_RECORDED) for place in first}
        ordered = sorted(set(names.values()), key=standing)
        counts = {
            key: [sum(names[place] == name for place in one) for name in ordered]
            for key, one in course.first.items()
        }
        moved = [sum(names[place] == name for place in only_one) for name in ordered]
        unseen = _unseen(counts, moved)
        told += [
            {
                "kind": kind,
                "group": name,
                **{key: None if i in unseen[key] else c[i] for key, c in counts.items()},
            }
            for i, name in enumerate(ordered)
        ]
    return told


def _unseen(counts: Mapping[str, list[int]], moved: list[int]) -> dict[str, frozenset[int]]:
    """Which counts of each side are hidden: small ones, and new ones that tell a small change."""
    small = frozenset().union(*(hidden(c, parts_of_a_whole=True) for c in counts.values()))
    new = small | hidden(moved, parts_of_a_whole=True)
    if len(new) == 1:
        # The total over all groups is told, so one alone would be hidden in vain.
        others = [(count, i) for i, count in enumerate(counts["new"]) if i not in new]
        new |= {min(others)[1]} if others else set()
    return {"old": small, "new": new}
