"""One part of a night: who of some people may be brought before a person, and with what.

`night_part` needs nothing but the part's history and what the night declares, so that any engine
may run it anywhere: what it gives is plain tables and numbers, and `together` makes one of them
that does not depend on how the people were divided.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riskflag.history.arrays import encode, in_order_of, isin, ranks, take
from riskflag.history.store.view import History
from riskflag.history.threads import IN_TURN, cores, in_turn
from riskflag.progress import Progress, silent
from riskflag.scoring.combine import Policy, best_rank, finite, undecided
from riskflag.scoring.flags import RANK, UNKNOWN, YES

if TYPE_CHECKING:
    from riskflag.history.store.stored_view import View
    from riskflag.scoring.bundle import Bundle
    from riskflag.scoring.rulebook import Rulebook
    from riskflag.scoring.rules import RuleResults
    from riskflag.signals.define import Signal

Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Declared:
    """What every part is assessed with: signals, rules, the model, and who may be brought.

    Of people who `ever` had a flag all that is known is kept, whether they are brought or not.
    """

    as_of: dt.date
    signals: tuple[Signal, ...]
    rulebook: Rulebook
    bundle: Bundle | None
    policy: Policy
    ever: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Others:
    """What is counted of the children of whom no more than that is needed.

    `holds` and `not_decided` are by rule, `unknown` by signal: int64 [r], [r], [k]. `left_out` are
    those over the model's line, beyond what the week's capacity could ever reach.
    """

    children: int
    holds: Counts
    not_decided: Counts
    unknown: Counts
    not_assessed: int
    left_out: int

    def __add__(self, other: Others) -> Others:
        sums = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return Others(**sums)


@dataclass(frozen=True)
class PartResult:
    """The children of a part who may be brought before a person, and the count of the others.

    `person_ids` are m people in order, `values` their signals (float64 [m, k]) and `complete` which
    of those rest on feeds that were there (bool [k], the same in every part); `near` is all that is
    known of them, and of those who ever had a flag.
    """

    person_ids: tuple[str, ...]
    values: Floats
    complete: Bools
    others: Others
    near: History


class Engine(Protocol):
    """Works out every part of a view by `night_part`, and gives what it found in their order."""

    def __call__(
        self,
        view: View,
        declared: Declared,
        *,
        threads: int | None = None,
        progress: Progress = silent,
    ) -> Iterator[PartResult]: ...


def night_part(
    part: History, declared: Declared, *, threads: int = 1, progress: Progress = silent
) -> PartResult:
    """Signals, rules and scores of a part's children; `threads` change no byte."""
    from riskflag.scoring.rules import evaluate
    from riskflag.signals.build import compute
    from riskflag.signals.fast import Kernel

    table = compute(
        part,
        part.child_ids(declared.as_of),
        as_of=declared.as_of,
        signals=declared.signals,
        engine=Kernel(threads=threads),
        progress=progress,
    )
    with IN_TURN:
        results, values = evaluate(declared.rulebook, table), table.masked()
    chosen, left_out = _chosen(table.person_ids, values, results, declared, threads)
    people = [table.person_ids[row] for row in np.flatnonzero(chosen)]
    with IN_TURN:
        near = part.select(sorted({*people, *_among(declared.ever, part)}))
    return PartResult(
        tuple(people),
        table.values[chosen],
        table.complete,
        _others(values[~chosen], results.outcome[~chosen], declared, left_out),
        near,
    )


def _among(people: frozenset[str], part: History) -> frozenset[str]:
    """Those of some people whom a part is about: it may hold relationships of others."""
    return people.intersection(part.person_ids()) if people else people


def night_parts(
    view: View, declared: Declared, *, threads: int | None = None, progress: Progress = silent
) -> Iterator[PartResult]:
    """`night_part` of every part of a view, in their order, as many at once as there are threads.

    A view of one part is worked out by all threads. Stopping early leaves nothing behind.
    """
    label, total, most = "Assessing children", len(view), threads or cores()
    if total == 1:
        yield night_part(view.part(0), declared, threads=most, progress=progress)
        return

    def work(number: int) -> PartResult:
        return night_part(view.part(number), declared)

    for done, result in enumerate(in_turn(work, total, threads=most, ahead=2), start=1):
        progress(label, done, total)
        yield result


def _chosen(
    people: Sequence[str],
    values: Floats,
    results: RuleResults,
    declared: Declared,
    threads: int,
) -> tuple[Bools, int]:
    """Who may be brought: by a rule, by the model, or because an earlier flag is still theirs.

    Of those whom only the model would raise, no more than the night's capacity of the highest
    scores, with all that equal the last of them; and how many are left out for that.
    """
    policy, rules = declared.policy, declared.rulebook.rules
    best = best_rank(results.outcome, [rule.level for rule in rules])
    chosen: Bools = (best <= RANK[policy.from_level]) | isin(
        pa.array(people, pa.string()), sorted(policy.keep)
    )
    if declared.bundle is None:
        return chosen, 0
    names = [signal.name for signal in declared.signals]
    raw = finite(declared.bundle.model.raw(values, names, threads=threads))
    over = np.flatnonzero((raw >= float(declared.bundle.thresholds["raw"])) & ~chosen)
    limit, waiting = max(policy.model_limit, 0), over
    if len(over) > limit:
        least = np.sort(raw[over])[len(over) - limit] if limit else np.inf
        waiting = over[raw[over] >= least]
    chosen[waiting] = True
    return chosen, len(over) - len(waiting)


def _others(values: Floats, outcome: NDArray[np.int8], declared: Declared, left_out: int) -> Others:
    return Others(
        children=len(values),
        holds=(outcome == YES).sum(axis=0),
        not_decided=(outcome == UNKNOWN).sum(axis=0),
        unknown=np.isnan(values).sum(axis=0),
        not_assessed=int(undecided(declared.rulebook.rules, outcome, declared.policy).sum()),
        left_out=left_out,
    )


@dataclass(frozen=True)
class Together:
    """All parts as one, the same however the people were divided: fields as those of a part.

    Until it is decided who is brought, what is known of people stays in the parts' `nears`.
    """

    person_ids: tuple[str, ...]
    values: Floats
    complete: Bools
    others: Others
    nears: tuple[History, ...]

    @classmethod
    def of(cls, parts: Iterable[PartResult]) -> Together:
        """Parts of different people, in any order."""
        found = list(parts)
        people = np.array([name for part in found for name in part.person_ids], dtype=object)
        order = np.argsort(people.astype(str), kind="stable")
        return cls(
            tuple(people[order].tolist()),
            np.concatenate([part.values for part in found])[order],
            found[0].complete,
            reduce(Others.__add__, (part.others for part in found)),
            tuple(part.near for part in found),
        )

    def near(self, people: Iterable[str]) -> History:
        """All that is known of some of these people; far fewer are brought than may be."""
        chosen = pa.array(sorted(people), pa.string())
        # One after another: threads would wait for each other at each of many small arrays.
        found = [near.select(chosen) for near in self.nears]
        return found[0] if len(found) == 1 else _one_history(found)


def _one_history(parts: Sequence[History]) -> History:
    """Histories of different people as one, in the order a history has."""
    contacts = _stacked([part.contacts for part in parts])
    persons = _stacked([part.persons for part in parts])
    related = _stacked([part.relationships for part in parts])
    return History(
        take(contacts, np.argsort(ranks(contacts["person_id"]), kind="stable")).combine_chunks(),
        take(persons, np.argsort(ranks(persons["person_id"]), kind="stable")).combine_chunks(),
        in_order_of(related, related.column_names),
        parts[0].coverage,
    )


def _stacked(tables: Sequence[pa.Table]) -> pa.Table:
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, encode(table.column(place)))
    return table
