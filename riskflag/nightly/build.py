"""From inputs and state to tonight's flags. Pure: the same inputs and state, the same bytes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from riskflag.casework.publishing import FlagRow, State
from riskflag.history.store.coverage import unavailable
from riskflag.history.threads import cores
from riskflag.nightly.behind import Behind
from riskflag.nightly.digest import beginnings
from riskflag.nightly.faults import NOT_OF_ONE_CHILD, Fault, hold_if_many
from riskflag.nightly.flag_lines import FlagLines, FlagPages, Lines, Written
from riskflag.nightly.improvement import seen_to
from riskflag.nightly.inputs import Inputs, require_children
from riskflag.nightly.lifecycle import Found, Lives, cut_down, live
from riskflag.nightly.near import tables
from riskflag.nightly.part import Declared, Others, Together
from riskflag.nightly.payload import Scene, canonical, kept, payload
from riskflag.nightly.reasons import Child, Sources, reasons, signals_told
from riskflag.nightly.records import CHRONOLOGY_DAYS, Records, child
from riskflag.nightly.shares import in_shares, processes_for
from riskflag.nightly.stability import steadiness
from riskflag.nightly.told import fault_of, flag_of, found_of, told_fault, told_flag, told_found
from riskflag.progress import Progress, silent
from riskflag.scoring.combine import Assessed, Policy, combine
from riskflag.scoring.flags import NO, UNKNOWN, Combined, FlagDraft, Standing
from riskflag.signals.table import SignalTable

if TYPE_CHECKING:
    from riskflag.history.store.view import History
    from riskflag.scoring.rules import RuleResults

Row = dict[str, Any]

#: What progress is told of.
EVIDENCE, FLAGS = "Gathering evidence", "Writing flags"


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


@dataclass(frozen=True)
class Built:
    """Tonight's flags as their pages need them, as the store needs them, and how they came.

    `written` are the flags as bytes: as dictionaries those of a million children would take most of
    the memory. `records` is all that is known of the children shown, by file
    (riskflag.nightly.near). `faults` has, by person, what kept a child from being assessed.
    """

    written: list[Written]
    records: Mapping[str, pa.Table]
    rows: list[FlagRow]
    lives: Lives
    assessment: Assessment
    faults: Mapping[str, Fault]

    @property
    def lines(self) -> Lines:
        """The flags as they stand in flags.json."""
        return Lines(self.written)

    @property
    def flags(self) -> FlagLines:
        """The flags as JSON, each read when it is asked for."""
        return FlagLines(self.lines)


def build(
    inputs: Inputs,
    state: State,
    previous: Mapping[str, Row],
    *,
    pages: FlagPages | None = None,
    progress: Progress = silent,
) -> Built:
    """Assess every child and make tonight's flags, with their pages when told who writes them.

    `previous` are the flags of the publication before by their id. Raises InputError when no child
    is known and HeldError when too many children met a fault.
    """
    assessment = assess(inputs, state, progress=progress)
    shown = {draft.person_id for draft in assessment.combined.drafts}
    shown |= {flag.person_id for flag in state.open_flags}
    near = assessment.near.select(sorted(shown))
    people = Records.of(near, inputs.as_of)
    night = _Night(inputs, state, assessment, Behind(people, inputs), people, previous, pages)
    found, faults = night.found(progress=progress)
    while True:
        lives = night.lives(found, faults)
        made, more = night.flags(lives, faults, progress=progress)
        if not more:
            break
        faults |= more
    hold_if_many(faults, assessment.children)
    shown = {entry.person_id for entry in lives.entries}
    records = tables(near.select(sorted(shown)), inputs.as_of)
    written, rows = [flag for flag, _ in made], [row for _, row in made]
    return Built(written, records, rows, lives, assessment, faults)


@dataclass(frozen=True)
class _Night:
    """What the steps from drafts to flags share; `before` are the previous flags by id."""

    inputs: Inputs
    state: State
    assessment: Assessment
    behind: Behind
    people: Records
    before: Mapping[str, Row]
    pages: FlagPages | None

    @property
    def sources(self) -> Sources:
        """Where the words and the evidence of reasons come from."""
        given = self.inputs
        return Sources(given.catalogue, given.rulebook, given.bundle, self.behind)

    @functools.cached_property
    def earlier(self) -> dict[str, Row]:
        """What going on needs of the earlier flags that are open: reading all of one is slow."""
        known = [flag.flag_id for flag in self.state.open_flags if flag.flag_id in self.before]
        processes = processes_for(len(known), self.inputs.threads or cores())
        cut = in_shares(
            lambda n: canonical(cut_down(self.before[known[n]])), len(known), processes=processes
        )
        return {name: json.loads(one) for name, one in zip(known, cut, strict=True)}

    def found(self, *, progress: Progress) -> tuple[list[Found], dict[str, Fault]]:
        """The reasons of every draft, in the drafts' order, and the faults by person."""
        drafts, sources = self.assessment.combined.drafts, self.sources
        found: list[Found] = []
        faults: dict[str, Fault] = {}

        def work(number: int) -> bytes:
            person = drafts[number].person_id
            try:
                made = _found(drafts[number], sources, self.people)
            except NOT_OF_ONE_CHILD:
                raise
            except Exception as error:
                return told_fault(error)
            return told_found(made, self.behind.known(person))

        for draft, told in zip(
            drafts, self._each(work, len(drafts), EVIDENCE, progress), strict=True
        ):
            fault = fault_of(told)
            if fault is not None:
                faults[draft.person_id] = fault
                continue
            one, known = found_of(told, draft)
            self.behind.remember(draft.person_id, known)
            found.append(one)
        return found, faults

    def _each(
        self, work: Callable[[int], bytes], total: int, label: str, progress: Progress
    ) -> Iterator[bytes]:
        """Work on each child shown, shared out among the cores."""
        processes = processes_for(total, self.inputs.threads or cores())
        return in_shares(
            work, total, processes=processes, done=lambda ready: progress(label, ready, total)
        )

    def lives(self, found: Sequence[Found], faults: Mapping[str, Fault]) -> Lives:
        """Tonight's entries; a child that met a fault has none but those of an open flag."""
        return live(
            [one for one in found if one.draft.person_id not in faults],
            self.state,
            self.inputs.as_of,
            previous=self.earlier,
            paused=self.inputs.paused,
            why_not=lambda person, reason: (
                "not_reassessed"
                if person in faults
                else why_not(self.inputs, self.assessment, person, reason)
            ),
        )

    def flags(
        self, lives: Lives, faults: Mapping[str, Fault], *, progress: Progress
    ) -> tuple[list[tuple[Written, FlagRow]], dict[str, Fault]]:
        """Every entry with its row, and faults of children that had met none before."""
        scene = _scene(
            self.inputs,
            self.state,
            self.assessment,
            sources=self.sources,
            people=self.people,
            lives=lives,
        )
        scene = dataclasses.replace(scene, faulty=frozenset(faults))
        entries = lives.entries

        def work(number: int) -> bytes:
            entry = entries[number]
            try:
                flag = payload(entry, scene, self.before)
                written = Written.of(flag)
            except NOT_OF_ONE_CHILD:
                raise
            except Exception as error:
                earlier = self.before.get(entry.flag_id)
                if entry.person_id not in faults:
                    return told_fault(error)
                if earlier is None:
                    raise
                flag = kept(entry, scene, earlier)
                written = Written.of(flag)
            if self.pages is not None:
                self.pages.write(flag, written.digest)
            return told_flag(flag, written)

        if self.pages is not None:
            self.pages.begin()
        made: list[tuple[Written, FlagRow]] = []
        more: dict[str, Fault] = {}
        for entry, told in zip(
            entries, self._each(work, len(entries), FLAGS, progress), strict=True
        ):
            fault = fault_of(told)
            if fault is None:
                made.append(flag_of(told, entry))
            else:
                more[entry.person_id] = fault
        return made, more


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
    combined = combine(
        inputs.rulebook.rules,
        results,
        Assessed(table.person_ids, inputs.as_of, table.names, values),
        bundle=inputs.bundle,
        policy=declared.policy,
    )
    shown = {draft.person_id for draft in combined.drafts} | state.ever
    return Assessment(table, results, combined, values, found.others, found.near(shown))


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


def _found(draft: FlagDraft, sources: Sources, people: Records) -> Found:
    """One draft with its reasons; the contacts behind all its signals are looked up at once."""
    person = draft.person_id
    protective = {signal.name for signal in sources.catalogue.signals if signal.protective}
    sources.behind.ask(person, signals_told(draft.rule_hits, draft.model) | protective)
    who = child(person, people.persons.get(person), people.as_of)
    made = reasons(sources, Child(person, who["age_years"]), draft.rule_hits, draft.model)
    keys = {key for reason in made for key in reason["contact_keys"]}
    return Found(draft, made, people.newest_known(person, keys))


def _scene(
    inputs: Inputs,
    state: State,
    assessment: Assessment,
    *,
    sources: Sources,
    people: Records,
    lives: Lives,
) -> Scene:
    """What all of tonight's flags share."""
    earliest = inputs.as_of - dt.timedelta(days=CHRONOLOGY_DAYS)
    began = beginnings(inputs.view.coverage, inputs.as_of)
    rows = {
        person: assessment.row_of[person]
        for person in people.contacts
        if person in assessment.row_of
    }
    undecided = (assessment.results.outcome == UNKNOWN).sum(axis=1)
    return Scene(
        as_of=inputs.as_of,
        sources=sources,
        people=people,
        flagged=frozenset(entry.person_id for entry in lives.entries),
        feeds=inputs.not_seen,
        unseen=inputs.unseen_types,
        begins={source: day for source, day in began.items() if day > earliest},
        protective=_protective(inputs, assessment, rows),
        undecided={person: int(undecided[row]) for person, row in rows.items()},
        versions=inputs.versions,
        last_night=None if state.previous is None else state.previous.as_of,
        worked={one.reason_id: one for one in state.worked},
        steady=steadiness(inputs, assessment.table, assessment.combined.drafts),
        form=inputs.form,
        doubtful=inputs.doubtful,
        seen_to=seen_to(inputs.view.feeds(inputs.as_of), inputs.as_of),
    )


def _protective(
    inputs: Inputs, assessment: Assessment, rows: Mapping[str, int]
) -> dict[str, dict[str, float]]:
    """The values of protective signals for the children shown."""
    place = {name: column for column, name in enumerate(assessment.table.names)}
    names = [signal.name for signal in inputs.catalogue.signals if signal.protective]
    return {
        person: {name: float(assessment.values[row, place[name]]) for name in names}
        for person, row in rows.items()
    }
