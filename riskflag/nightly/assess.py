"""Every child of a night by signals, rules and model, and who is brought before a person."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from riskflag.casework.publishing import State
from riskflag.history.store.coverage import unavailable
from riskflag.nightly.inputs import Inputs, require_children
from riskflag.nightly.part import Declared, Others, Together
from riskflag.progress import Progress, silent
from riskflag.scoring.combine import Assessed, Policy, combine
from riskflag.scoring.flags import NO, Combined, Standing
from riskflag.signals.table import SignalTable

if TYPE_CHECKING:
    from riskflag.history.store.view import History
    from riskflag.scoring.rules import RuleResults

Row = dict[str, Any]


@dataclass(frozen=True)
class Assessment:
    """The signals, rule outcomes and drafts of the children who may be brought before a person.

    `others` counts those who are not; `near` is the history of these children, and of others who
    ever had a flag.
    """

    table: SignalTable
    results: RuleResults
    combined: Combined
    values: np.ndarray[Any, np.dtype[np.float64]]
    others: Others
    near: History

    @property
    def children(self) -> int:
        """How many children were assessed."""
        return len(self.table.person_ids) + self.others.children

    @functools.cached_property
    def row_of(self) -> dict[str, int]:
        """Each child's row."""
        return {person: row for row, person in enumerate(self.table.person_ids)}


def assess(inputs: Inputs, state: State, *, progress: Progress = silent) -> Assessment:
    """Signals, rules and model for every child known at the as-of date, part after part."""
    from riskflag.scoring.rules import evaluate

    declared = declare(inputs, state)
    found = Together.of(
        inputs.engine(inputs.view, declared, threads=inputs.threads, progress=progress)
    )
    require_children(len(found.person_ids) + found.others.children, inputs.as_of)
    names = tuple(signal.name for signal in declared.signals)
    people = pa.array(found.person_ids, pa.string())
    table = SignalTable(people, inputs.as_of, names, found.values, found.complete)
    results, values = evaluate(inputs.rulebook, table), table.masked()
    with ThreadPoolExecutor(1) as beside:
        near: list[Future[History]] = []

        def brought(people: Sequence[str]) -> None:
            near.append(beside.submit(found.near, state.ever.union(people)))

        combined = combine(
            inputs.rulebook.rules,
            results,
            Assessed(table.person_ids, inputs.as_of, table.names, values),
            bundle=inputs.bundle,
            policy=declared.policy,
            brought=brought,
        )
        return Assessment(table, results, combined, values, found.others, near[0].result())


def declare(inputs: Inputs, state: State) -> Declared:
    """What every part of the night is assessed with."""
    return Declared(
        inputs.as_of,
        inputs.catalogue.signals,
        inputs.rulebook,
        inputs.bundle,
        policy(inputs, state),
        state.ever,
    )


def policy(inputs: Inputs, state: State) -> Policy:
    """Who may be brought: the setting's level, and what is left of the week's capacity.

    Children whose flag is open, or was closed and is still quiet, take none of it.
    """
    quiet = {flag.person_id for flag in state.closed_flags if inputs.as_of < flag.quiet_until}
    waiting = {flag.person_id for flag in state.open_flags}
    return Policy(
        from_level=inputs.settings.flag_from_level,
        model_limit=max(0, inputs.settings.capacity_per_week - state.raised_by_model),
        keep=frozenset(quiet | waiting),
    )


def why_not(inputs: Inputs, assessment: Assessment, person: str, reason: Row) -> Standing:
    """Why an earlier reason does not stand tonight."""
    row = assessment.row_of.get(person)
    if row is None:
        return "outside_group"
    if reason["rule"] is None:
        return _model_why_not(inputs)
    rules = [rule.id for rule in inputs.rulebook.rules]
    if reason["rule"]["id"] not in rules:
        return "rule_withdrawn"
    outcome = assessment.results.outcome[row, rules.index(reason["rule"]["id"])]
    return "no_longer_present" if outcome == NO else "not_reassessed"


def _model_why_not(inputs: Inputs) -> Standing:
    """The model no longer sees it, unless there is no model or a feed it uses is lost."""
    if inputs.bundle is None:
        return "not_reassessed"
    lost = unavailable(inputs.view.feeds(inputs.as_of))
    used = [inputs.catalogue.by_name[name] for name in inputs.bundle.model.names]
    known = all(lost.isdisjoint(signal.types) for signal in used)
    return "no_longer_present" if known else "not_reassessed"
