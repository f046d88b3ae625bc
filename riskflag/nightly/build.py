"""From inputs and state to tonight's flags. Pure: the same inputs and state, the same bytes."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from riskflag.casework.publishing import FlagRow, State
from riskflag.history.threads import cores
from riskflag.nightly.assess import Assessment, assess, why_not
from riskflag.nightly.behind import Behind
from riskflag.nightly.digest import beginnings
from riskflag.nightly.faults import NOT_OF_ONE_CHILD, Fault, hold_if_many
from riskflag.nightly.flag_lines import FlagLines, FlagsById, Lines, Output, Written
from riskflag.nightly.improvement import seen_to
from riskflag.nightly.inputs import Inputs
from riskflag.nightly.lifecycle import Entry, Found, Lives, live
from riskflag.nightly.payload import Scene, kept, payload
from riskflag.nightly.reasons import Child, Sources, reasons, signals_told
from riskflag.nightly.records import CHRONOLOGY_DAYS, Records, child
from riskflag.nightly.shares import in_shares, processes_for
from riskflag.nightly.stability import steadiness
from riskflag.nightly.told import (
    fault_of,
    flag_of,
    found_of,
    reasons_of,
    told_fault,
    told_flag,
    told_found,
)
from riskflag.progress import Progress, silent
from riskflag.scoring.flags import UNKNOWN, FlagDraft

Row = dict[str, Any]

#: What progress is told of.
EVIDENCE, FLAGS = "Gathering evidence", "Writing flags"


@dataclass(frozen=True)
class Built:
    """Tonight's flags as their pages need them, as the store needs them, and how they came.

    `written` are the flags as bytes: as dictionaries those of a million children would take most of
    the memory. `faults` has, by person, what kept a child from being assessed.
    """

    written: list[Written]
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
    previous: Callable[[], FlagsById],
    *,
    output: Output | None = None,
    progress: Progress = silent,
) -> Built:
    """Assess every child and make tonight's flags, given to `output` as they are made.

    `previous` gives the flags of the publication before; it is asked when all are assessed. Raises
    InputError when no child is known and HeldError when too many children met a fault.
    """
    assessment = assess(inputs, state, progress=progress)
    # What was known of all who were not brought: else it stays until the night is over.
    pa.default_memory_pool().release_unused()
    shown = {draft.person_id for draft in assessment.combined.drafts}
    shown |= {flag.person_id for flag in state.open_flags}
    near = assessment.near.select(sorted(shown))
    people = Records.of(near, inputs.as_of)
    night = _Night(inputs, state, assessment, Behind(people, inputs), people, previous(), output)
    found, faults = night.found(progress=progress)
    while True:
        hold_if_many(faults, assessment.children)
        lives = night.lives(found, faults)
        made, more = night.flags(lives, faults, progress=progress)
        if not more:
            break
        faults |= more
    written, rows = [flag for flag, _ in made], [row for _, row in made]
    return Built(written, rows, lives, assessment, faults)


@dataclass(frozen=True)
class _Night:
    """What the steps from drafts to flags share; `before` are the previous flags by id."""

    inputs: Inputs
    state: State
    assessment: Assessment
    behind: Behind
    people: Records
    before: FlagsById
    output: Output | None

    @property
    def sources(self) -> Sources:
        """Where the words and the evidence of reasons come from."""
        given = self.inputs
        return Sources(given.catalogue, given.rulebook, given.bundle, self.behind)

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
            return told_found(*made, self.behind.known(person))

        for draft, told in zip(
            drafts, self._each(work, len(drafts), EVIDENCE, progress), strict=True
        ):
            fault = fault_of(told)
            if fault is not None:
                faults[draft.person_id] = fault
                continue
            found.append(found_of(told, draft))
        return found, faults

    def _each(
        self, work: Callable[[int], bytes], total: int, label: str, progress: Progress
    ) -> Iterator[bytes]:
        """Work on each child shown, shared out among the cores."""
        return in_shares(
            work,
            total,
            processes=self._processes(total),
            done=lambda ready: progress(label, ready, total),
        )

    def _processes(self, total: int) -> int:
        return processes_for(total, self.inputs.threads or cores())

    def lives(self, found: Sequence[Found], faults: Mapping[str, Fault]) -> Lives:
        """Tonight's entries; a child that met a fault has none but those of an open flag."""
        return live(
            [one for one in found if one.draft.person_id not in faults],
            self.state,
            self.inputs.as_of,
            previous=self.before.cut_down,
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
                flag = payload(entry, self._reasons(entry), scene, self.before)
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
            files = {} if self.output is None else self.output.write(flag, written.digest)
            return told_flag(flag, written, files)

        if self.output is not None:
            shown = {entry.person_id for entry in entries}
            self.output.begin(self.assessment.near, shown, processes=self._processes(len(entries)))
        made: list[tuple[Written, FlagRow]] = []
        more: dict[str, Fault] = {}
        for entry, told in zip(
            entries, self._each(work, len(entries), FLAGS, progress), strict=True
        ):
            fault = fault_of(told)
            if fault is None:
                flag, row, files = flag_of(told, entry)
                made.append((flag, row))
                if self.output is not None:
                    self.output.take(flag, files)
            else:
                more[entry.person_id] = fault
        return made, more

    def _reasons(self, entry: Entry) -> list[Row]:
        """The reasons that were found; the contacts behind signals are known from then on."""
        if entry.found is None:
            return []
        made, behind = reasons_of(entry.found.told)
        self.behind.remember(entry.person_id, behind)
        return made


def _found(draft: FlagDraft, sources: Sources, people: Records) -> tuple[list[Row], dt.date | None]:
    """The reasons of a draft, and the newest known day of the contacts behind them.

    The contacts behind all its signals are looked up at once.
    """
    person = draft.person_id
    protective = {signal.name for signal in sources.catalogue.signals if signal.protective}
    sources.behind.ask(person, signals_told(draft.rule_hits, draft.model) | protective)
    who = child(person, people.persons.get(person), people.as_of)
    made = reasons(sources, Child(person, who["age_years"]), draft.rule_hits, draft.model)
    keys = {key for reason in made for key in reason["contact_keys"]}
    return made, people.newest_known(person, keys)


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
