"""A rulebook laid out for many people: comparisons that are alike together, conditions in steps.

A condition is worked out as on a pocket calculator with a stack: a comparison puts its outcome on
it, and `all`, `any` and `not` put one outcome in the place of those of their parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riskflag.fast_hash import compiled
from riskflag.scoring.flags import NO, UNKNOWN, YES
from riskflag.scoring.rulebook import Comparison, Rulebook, When

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Outcomes = npt.NDArray[np.int8]
Steps = npt.NDArray[np.int64]

#: What a step does; its number is the comparison's place, or how many outcomes it takes.
LEAF, ALL, ANY, NOT, DONE = range(5)


@dataclass(frozen=True)
class Plan:
    """A rulebook's comparisons side by side in reading order, and how its rules put them together.

    `alike` are those that are made in one way: how, their places, and their thresholds. `of_rule`
    are the places of each rule's comparisons; `steps` is int64 [steps, 2]: what to do, a number.
    """

    signals: tuple[str, ...]
    alike: tuple[tuple[tuple[Comparison, str], Places, Floats], ...]
    of_rule: tuple[slice, ...]
    steps: Steps

    def outcomes(self, held: Outcomes) -> Outcomes:
        """What each rule says, int8 [n, rules], from its comparisons, int8 [n, comparisons]."""
        outcome = np.empty((len(held), len(self.of_rule)), np.int8)
        _decide(held, self.steps, outcome)
        return outcome


#: The rulebooks that were asked about last, each with its plan.
_LAST: list[tuple[Rulebook, Plan]] = []


def plan_of(rulebook: Rulebook) -> Plan:
    """The plan of a rulebook, made once while the same one is asked about."""
    for held, plan in _LAST:
        if held is rulebook:
            return plan
    found = _plan(rulebook)
    _LAST[:] = [(rulebook, found), *_LAST[:3]]
    return found


def _plan(rulebook: Rulebook) -> Plan:
    leaves = [leaf for rule in rulebook.rules for leaf, _ in rule.when.comparisons]
    ways: dict[tuple[Comparison, str], list[int]] = {}
    for place, leaf in enumerate(leaves):
        moves = rulebook.signals[str(leaf.signal)].rises_with_contacts
        ways.setdefault((leaf.comparison, moves), []).append(place)
    ends = np.cumsum([0, *(len(rule.when.comparisons) for rule in rulebook.rules)]).tolist()
    places = iter(range(len(leaves)))
    steps = [step for rule in rulebook.rules for step in (*_steps(rule.when, places), (DONE, 0))]
    return Plan(
        tuple(str(leaf.signal) for leaf in leaves),
        tuple(
            (way, np.array(of, np.intp), np.array([leaves[place].threshold for place in of]))
            for way, of in ways.items()
        ),
        tuple(slice(*ends[place : place + 2]) for place in range(len(rulebook.rules))),
        np.array(steps, np.int64).reshape(-1, 2),
    )


def _steps(when: When, places: Iterator[int]) -> Iterator[tuple[int, int]]:
    """The steps of a condition, those of its parts first; `places` are those of the comparisons."""
    if when.signal:
        yield LEAF, next(places)
        return
    for part in when.parts:
        yield from _steps(part, places)
    yield (NOT if when.not_ is not None else ALL if when.all else ANY), len(when.parts)


@compiled
def together(parts: Outcomes, settles: int) -> int:
    """All of the parts where a no settles it, any of them where a yes does.

    One part that `settles` the matter does so; else it is unknown as soon as one part is.
    """
    found = YES if settles == NO else NO
    for part in parts:
        if part == settles:
            return settles
        if part == UNKNOWN:
            found = UNKNOWN
    return found


@compiled
def turned(part: int) -> int:
    """Yes and no change places; unknown stays unknown."""
    return UNKNOWN if part == UNKNOWN else YES - part


@compiled
def _decide(held: Outcomes, steps: Steps, outcome: Outcomes) -> None:
    """Write what each rule says for each person."""
    stack = np.empty(len(steps) + 1, np.int8)
    for row in range(held.shape[0]):
        top, rule = 0, 0
        for step in range(steps.shape[0]):
            does, number = steps[step, 0], steps[step, 1]
            if does == LEAF:
                stack[top] = held[row, number]
                top += 1
            elif does == NOT:
                stack[top - 1] = turned(stack[top - 1])
            elif does == DONE:
                top -= 1
                outcome[row, rule] = stack[top]
                rule += 1
            else:
                top -= number
                stack[top] = together(stack[top : top + number], NO if does == ALL else YES)
                top += 1
