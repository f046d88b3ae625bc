"""A look-back: one child's course day by day, for learning after something happened.

Everything is told as of the day it could be known: the history is replayed by the clock, with the
rules and the model of choice (today's unless another is named), never with hindsight.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag import __version__
from riskflag.casework import publishing
from riskflag.casework.past import Past, past_of
from riskflag.clock import NEVER, day_number, today
from riskflag.errors import ConfigError, InputError
from riskflag.history.arrays import numbers
from riskflag.nightly import aside, near
from riskflag.nightly import lookback_records as told
from riskflag.nightly.lookback_material import Asked, Material, material_of
from riskflag.nightly.lookback_replay import Replay, only, replay
from riskflag.nightly.lookback_steps import steps
from riskflag.nightly.reasons import SIGNALS_PER_THEME, statement, union
from riskflag.nightly.records import child, rows_of

if TYPE_CHECKING:
    from riskflag.casework.store import Store
    from riskflag.history.store.view import History
    from riskflag.scoring.reasons import SignalPart
    from riskflag.workspace import Workspace

Row = dict[str, Any]

#: A look-back reaches at most so many days: a childhood, from before birth on.
MOST_DAYS = 19 * 366


def look_back(
    workspace: Workspace, store: Store | None, asked: Asked, *, whole: bool = False
) -> Row:
    """The course of one person as plain JSON; see docs/governance/lookback.md for its parts.

    Of who ever had a flag a night kept the history at hand (riskflag.nightly.aside); of others,
    when it has changed since, and with `whole`, everybody's is read. Both tell the same. Raises
    InputError when nobody with this id is known by the last day asked about.
    """
    history, before = None, _before(store, asked)
    if not whole:
        last = _last(before, asked)
        history = aside.history_of(workspace, asked.person_id, last, as_published=False)
    if history is None:
        history = _from_everybody(workspace, asked)
    return course(history, material_of(workspace, asked), asked, before)


def _before(store: Store | None, asked: Asked) -> Past:
    return Past() if store is None else past_of(store, asked.person_id)


def _from_everybody(workspace: Workspace, asked: Asked) -> History:
    from riskflag.history.store.parquet_store import HistoryStore

    return HistoryStore(workspace.history).around(asked.person_id)


def look_back_as_published(workspace: Workspace, store: Store, asked: Asked) -> Row:
    """As `look_back`, as far as the newest night knew: from what it kept of flagged children.

    Of others, and of days after that night when the history has changed since, the history itself
    is asked, which takes far longer the more people are in it.
    """
    before = _before(store, asked)
    kept = _kept(workspace, store, asked, before)
    if kept is not None:
        return course(kept, material_of(workspace, asked), asked, before)
    try:
        return look_back(workspace, store, asked, whole=True)
    finally:
        # The tables of everybody took hundreds of megabytes; a server goes on without them.
        pa.default_memory_pool().release_unused()


def _kept(workspace: Workspace, store: Store, asked: Asked, before: Past) -> History | None:
    """One child's history as the newest publication, or else what lies beside it, has it."""
    person_id, last = asked.person_id, _last(before, asked)

    def beside() -> History | None:
        return aside.history_of(workspace, person_id, last, as_published=True)

    def published() -> History | None:
        record = publishing.current(store)
        if record is None or record.as_of != before.nights[-1]:
            return None
        return near.kept_history(workspace.publications, record, person_id, last)

    # A publication keeps those whose flag waited: who has none is sought there last.
    waits = any(flag.closed_on is None for flag in before.flags)
    for found in (published, beside) if waits else (beside, published):
        kept = found()
        if kept is not None:
            return kept
    return None


def prepare(workspace: Workspace) -> None:
    """Load once what the first look-back of a process would load, seconds of work.

    Processes that are made afterwards share it in memory.
    """
    from riskflag.history.schema import CONTACT
    from riskflag.history.store.view import History
    from riskflag.scoring.together import contributions

    nobody = History.of(CONTACT.empty_table())
    material = material_of(workspace, Asked(""))
    replay(
        nobody,
        "",
        np.arange(2, dtype=np.int64),
        catalogue=material.catalogue,
        rulebook=material.rulebook,
        bundle=material.bundle,
    )
    if material.bundle is not None:
        model = material.bundle.model
        contributions(model.forest, np.zeros((1, len(model.names))))


def course(history: History, material: Material, asked: Asked, before: Past) -> Row:
    """As `look_back`, of a history that holds the person and everyone related to them.

    `before` is what the store told of the nights and the person's flags.
    """
    mine = _of_one(history, asked.person_id)
    first, last = _reach(mine, before, asked)
    done = replay(
        mine,
        asked.person_id,
        np.arange(first, last + 1, dtype=np.int64),
        catalogue=material.catalogue,
        rulebook=material.rulebook,
        bundle=material.bundle,
    )
    return _Course(asked, before, mine, material, done).to_dict()


def _of_one(history: History, person_id: str) -> History:
    """What a history has about one person: of the links, also those that name them as related."""
    links = history.relationships
    ours = pc.or_kleene(
        pc.equal(links["person_id"], person_id), pc.equal(links["related_id"], person_id)
    )
    return replace(
        history,
        contacts=only(history.contacts, pc.equal(history.contacts["person_id"], person_id)),
        persons=only(history.persons, pc.equal(history.persons["person_id"], person_id)),
        relationships=only(links, ours),
    )


def _last(before: Past, asked: Asked) -> int:
    """The last as-of day: that asked about, the last night, or today."""
    return day_number(asked.last or (before.nights[-1] if before.nights else today()))


def _reach(mine: History, before: Past, asked: Asked) -> tuple[int, int]:
    """The first and last as-of day: from when anything was known, to the last night or today."""
    last = _last(before, asked)
    of_records = numbers(mine.contacts["known_day"], NEVER).tolist()
    of_person = numbers(mine.persons["known_day"], NEVER).tolist()
    if min([*of_records, *of_person], default=last) >= last:
        raise InputError(
            "Nothing was known of this person by then; check the number, or give a later --to."
        )
    first = min((day for day in of_records if day < last), default=last - 1) + 1
    if asked.first is not None:
        first = day_number(asked.first)
    if last - first > MOST_DAYS:
        raise ConfigError("A look-back reaches at most 19 years; give --from a later day.")
    return min(first, last), last


@dataclass(frozen=True)
class _Course:
    """A replay on its way to plain JSON."""

    asked: Asked
    before: Past
    history: History
    material: Material
    done: Replay

    @property
    def first(self) -> int:
        return int(self.done.days[0])

    @property
    def last(self) -> int:
        return int(self.done.days[-1])

    def to_dict(self) -> Row:
        person = self.asked.person_id
        records = told.records(self._rows, self.last)
        related = [
            row for row in self.history.relationships.to_pylist() if row["person_id"] == person
        ]
        parts: Row = {
            "person_id": person,
            "from": told.iso(self.first),
            "to": told.iso(self.last),
            "child": self._child(),
            "counted": self._spans(self.done.counts),
            "records": records,
            "agencies": told.agencies(records),
            "late_days": told.LATE_DAYS,
            "feeds": told.feeds(self.done.feeds, self.first, self.last),
            "voice": told.voice(records, self.first, self.last),
            "links": told.links(related, self.first, self.last),
            "rules": self._rules(),
            "model": self._model(),
            "flags": self._flags(),
            "versions": self._versions(),
        }
        return {**parts, "steps": steps(parts)}

    def _spans(self, holds: Any) -> list[Row]:
        found = told.spans(self.done.days, holds)
        return [span.to_dict(self.first, self.last) for span in found]

    def _child(self) -> Row:
        """Who it is, as known on the last day."""
        return child(self.asked.person_id, self._person(self.last), _date(self.last))

    def _person(self, day: int) -> Row | None:
        for row in self._persons:
            if row["known_day"] < day <= row["superseded_day"]:
                return dict(row)
        return None

    @cached_property
    def _persons(self) -> list[Row]:
        """What was ever told of who it is."""
        return list(self.history.persons.to_pylist())

    @cached_property
    def _rows(self) -> list[Row]:
        """Every version of every contact, each with its place."""
        rows = rows_of(self.history.contacts)
        for place, row in enumerate(rows):
            row["place"] = place
        return rows

    @cached_property
    def _behind(self) -> told.Behind:
        by_type: dict[str, list[Row]] = {}
        for row in self._rows:
            by_type.setdefault(row["type"], []).append(row)
        return told.Behind(by_type, self.material.catalogue)

    def _keys(self, day: int, signals: Iterable[str]) -> list[str]:
        """The contacts behind signals on a day."""
        return union(self._behind(signal, day) for signal in signals)

    def _rules(self) -> list[Row]:
        """Each rule that would have fired, or could not be decided, with its times."""
        lines = []
        for number, rule in enumerate(self.material.rulebook.rules):
            fired = told.spans(self.done.days, self.done.fired(number))
            undecided = self._spans(self.done.undecided(number))
            if not fired and not undecided:
                continue
            lines.append(
                {
                    "id": rule.id,
                    "version": rule.version,
                    "title": rule.title,
                    "level": rule.level,
                    "theme": rule.theme,
                    "questions": list(rule.questions),
                    "spells": [self._rule_spell(number, span) for span in fired],
                    "undecided": undecided,
                }
            )
        return lines

    def _rule_spell(self, number: int, span: told.Span) -> Row:
        conditions = self.done.results.conditions(span.first - self.first, number)
        met = [condition.signal for condition in conditions if condition.speaks_for_rule]
        return {
            **span.to_dict(self.first, self.last),
            "statement": statement(self.material.rulebook.rules[number], conditions),
            "contact_keys": self._keys(span.first, met),
        }

    def _model(self) -> Row | None:
        """When the model's line was reached, and which themes would have been its reasons."""
        bundle = self.material.bundle
        if bundle is None:
            return None
        return {
            "bundle": bundle.id,
            "spells": self._spans(self.done.over),
            "themes": [
                {"theme": theme, "spells": [self._theme_spell(theme, s) for s in found]}
                for theme, days in self._themes().items()
                if (found := told.spans(self.done.days, days))
            ],
        }

    def _themes(self) -> dict[str, Any]:
        said = self.done.said
        return {} if said is None else said.themes(len(self.done.days))

    def _theme_spell(self, theme: str, span: told.Span) -> Row:
        reason = self.done.reason(span.first - self.first, theme)
        parts = reason.raising[:SIGNALS_PER_THEME]
        return {
            **span.to_dict(self.first, self.last),
            "strength": reason.strength,
            "signals": [self._signal(part) for part in parts],
            "contact_keys": self._keys(span.first, [part.name for part in parts]),
        }

    def _signal(self, part: SignalPart) -> Row:
        signal, plain = self.material.catalogue.by_name[part.name], part.to_dict()
        return {
            "name": part.name,
            "question": signal.question,
            "unit": signal.unit,
            "value": plain["value"],
            "state": plain["state"],
        }

    def _flags(self) -> list[Row]:
        """The flags of the person as they were published, with the decisions on them."""
        limit = _date(self.last)
        return [
            {
                "flag_id": flag.flag_id,
                "first_raised": flag.first_raised.isoformat(),
                "closed_on": flag.closed_on.isoformat()
                if flag.closed_on and flag.closed_on <= limit
                else None,
                "raised_by": flag.raised_by,
                "nights": sum(night <= limit for night in flag.nights),
                "reviews": [
                    {
                        "on": r.on.isoformat(),
                        "decision": r.decision,
                        "amends": r.amends,
                        "label": r.label,
                    }
                    for r in flag.reviews
                    if r.on <= limit
                ],
            }
            for flag in self.before.flags
            if flag.first_raised <= limit
        ]

    def _versions(self) -> Mapping[str, Any]:
        material = self.material
        return {
            "signals": material.catalogue.fingerprint,
            "rulebook": material.rulebook.fingerprint,
            "rulebook_is": "named" if self.asked.rulebook else "current",
            "bundle": None if material.bundle is None else material.bundle.hash,
            "bundle_is": "none"
            if material.bundle is None
            else ("named" if self.asked.bundle else "current"),
            "code": __version__,
            "nights": sum(
                self.first <= day_number(night) <= self.last for night in self.before.nights
            ),
        }


def _date(day: int) -> dt.date:
    return dt.date.fromisoformat(told.iso(day))
