"""A back-test: what a changed rulebook would have done on past nights, beside the present one.

Every night is worked out anew from what was known before it, never with hindsight. A rule brings a
child as on a night: it says yes and is of the level that brings children on its own. Reviews, quiet
times and the model are left out, because they would have gone otherwise. Only counts come out.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskflag.clock import date_of, day_number
from riskflag.errors import ConfigError, InputError
from riskflag.history.arrays import numbers
from riskflag.history.store.persons import children_on
from riskflag.nightly.backtest_outcomes import Course, groups, outcomes
from riskflag.progress import Progress, silent
from riskflag.scoring.flags import RANK, YES
from riskflag.scoring.manual import condition_words
from riskflag.scoring.rulebook import Rule, Rulebook
from riskflag.scoring.rules import evaluate

if TYPE_CHECKING:
    from riskflag.history.store.view import History
    from riskflag.signals.catalogue import Catalogue
    from riskflag.training.data.experiment import OutcomeConfig
    from riskflag.workspace import Workspace

Days = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: More nights than this are more than anybody reads.
MOST_NIGHTS = 1100
FORMAT = 1
OLD, NEW = "old", "new"


@dataclass(frozen=True)
class Asked:
    """What to try: a rulebook, against which (None: the present one), on how many nights.

    `last` is the newest night (None: the day after the newest record became known) and `outcome`
    what is anticipated, None when nobody asks.
    """

    rulebook: Path
    against: Path | None = None
    nights: int = 90
    last: dt.date | None = None
    outcome: OutcomeConfig | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.nights <= MOST_NIGHTS:
            raise ConfigError(f"Give 1 to {MOST_NIGHTS} nights with --nights.")
        if self.outcome is not None and self.outcome.table is not None:
            raise ConfigError(
                "The experiment's outcome is a table; a back-test needs one of contacts. Name "
                "another experiment, or none."
            )


@dataclass
class Side:
    """What one rulebook did: `first` has the first night of each child that it brought.

    `on` is which children it brought on which night (bool [children, nights]); `why` the rules that
    brought a child on its first night.
    """

    rulebook: Rulebook
    on: Bools
    why: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def first(self, days: Days) -> dict[int, int]:
        """The first night (day number) of each child's place."""
        brought = np.flatnonzero(self.on.any(axis=1))
        at = self.on[brought].argmax(axis=1)
        return dict(zip(brought.tolist(), days[at].tolist(), strict=True))


def back_test(workspace: Workspace, asked: Asked, progress: Progress = silent) -> dict[str, Any]:
    """The whole back-test as plain JSON values; the workspace is only read.

    Raises ConfigError for a rulebook that is not valid and InputError when nobody was known.
    """
    from riskflag.history.store.parquet_store import HistoryStore
    from riskflag.signals.catalogue import load_catalogue

    catalogue = load_catalogue(workspace.features_dir, workspace.vocabulary)
    present = Rulebook.load(asked.against or catalogue.rulebook_path, catalogue)
    changed = Rulebook.load(asked.rulebook, catalogue)
    progress("Reading the history", 0, 1)
    history = HistoryStore(workspace.history).load()
    days = nights(history, asked)
    ids, sides = replay(
        history,
        {OLD: present, NEW: changed},
        days,
        catalogue=catalogue,
        from_level=workspace.config.flag_from_level,
        progress=progress,
    )
    course = Course(history, ids, days, {key: side.first(days) for key, side in sides.items()})
    of = asked.outcome
    return {
        "format": FORMAT,
        "authority": workspace.config.authority,
        "from": date_of(int(days[0])).isoformat(),
        "to": date_of(int(days[-1])).isoformat(),
        "nights": len(days),
        "level": workspace.config.flag_from_level,
        "rulebooks": {key: _told(side.rulebook) for key, side in sides.items()},
        "rules": changes(present, changed),
        "weeks": weeks(days, sides),
        "children": children(course),
        "gained_by": by_rule(course, sides, brought_by=NEW, not_by=OLD),
        "lost_by": by_rule(course, sides, brought_by=OLD, not_by=NEW),
        "outcomes": None if of is None else outcomes(workspace.history, course, of),
        "groups": groups(workspace.history, course),
    }


def nights(history: History, asked: Asked) -> Days:
    """The nights, as day numbers, rising; raises InputError when the history is empty."""
    if not history.contacts.num_rows:
        raise InputError("The history holds no contacts; run `riskflag ingest` first.")
    newest = int(numbers(history.contacts.column("known_day"), 0).max()) + 1
    last = newest if asked.last is None else day_number(asked.last)
    return np.arange(last - asked.nights + 1, last + 1, dtype=np.int64)


def replay(
    history: History,
    rulebooks: Mapping[str, Rulebook],
    days: Days,
    *,
    catalogue: Catalogue,
    from_level: str,
    progress: Progress = silent,
) -> tuple[tuple[str, ...], dict[str, Side]]:
    """Both rulebooks on every night, for every child known before it."""
    from riskflag.signals.build import compute

    known, child = children_on(
        history.contacts, history.persons, history.relationships, days.astype(np.int64)
    )
    ids = tuple(known.to_pylist())
    names = np.asarray(ids, dtype=object)
    read = {name for book in rulebooks.values() for name in book.signals}
    signals = [signal for signal in catalogue.signals if signal.name in read]
    shape = (len(ids), len(days))
    sides = {key: Side(book, np.zeros(shape, np.bool_)) for key, book in rulebooks.items()}
    for column, day in enumerate(days.tolist()):
        progress("Working out nights", column, len(days))
        places = np.flatnonzero(child[:, column])
        if len(places):
            asked, as_of = names[places].tolist(), date_of(day)
            table = compute(history, asked, as_of=as_of, signals=signals)
            for side in sides.values():
                outcome = evaluate(side.rulebook, table).outcome
                _bring(side, outcome, places, column, limit=RANK[from_level])
    progress("Working out nights", len(days), len(days))
    if not child.any():
        raise InputError("No child was known on any of these nights; choose later ones with --to.")
    return ids, sides


def _bring(
    side: Side, outcome: NDArray[np.int8], places: NDArray[np.intp], column: int, *, limit: int
) -> None:
    """Note who was brought on one night, and for a child's first night by which rules."""
    rules = side.rulebook.rules
    counting = np.array([RANK[rule.level] <= limit for rule in rules], dtype=np.bool_)
    yes = (outcome == YES) & counting
    for row in np.flatnonzero(yes.any(axis=1)).tolist():
        place = int(places[row])
        side.on[place, column] = True
        if place not in side.why:
            side.why[place] = tuple(rules[r].id for r in np.flatnonzero(yes[row]))


def changes(present: Rulebook, changed: Rulebook) -> list[dict[str, str]]:
    """Every rule that came, went or is not as it was, with what it asks for in either rulebook."""
    told = []
    for name in sorted({*present.by_id, *changed.by_id}):
        old, new = present.by_id.get(name), changed.by_id.get(name)
        if old is not None and new is not None and old.fingerprint == new.fingerprint:
            continue
        asks = {OLD: _asks(old), NEW: _asks(new)}
        what = "new" if old is None else "gone" if new is None else "changed"
        if asks[OLD] == asks[NEW]:
            what = "reworded"
        title = (new or old).title  # type: ignore[union-attr]
        told.append({"rule": name, "title": title, "change": what, **asks})
    return told


def _asks(rule: Rule | None) -> str:
    """The level and the condition of a rule in words; nothing of a rule that is not there."""
    return "" if rule is None else f"{rule.level}: {condition_words(rule.when)}".replace("`", "")


def weeks(days: Days, sides: Mapping[str, Side]) -> list[dict[str, Any]]:
    """For each seven nights, the last ones whole: children brought, by both, for the first time."""
    told = []
    firsts = {key: side.first(days) for key, side in sides.items()}
    for begin in range(len(days) % 7 or 7, len(days) + 1, 7):
        first = max(begin - 7, 0)
        on = {key: side.on[:, first:begin].any(axis=1) for key, side in sides.items()}
        within = set(days[first:begin].tolist())
        new = {key: sum(day in within for day in one.values()) for key, one in firsts.items()}
        told.append(
            {
                "from": date_of(int(days[first])).isoformat(),
                "nights": begin - first,
                **{key: int(one.sum()) for key, one in on.items()},
                "both": int((on[OLD] & on[NEW]).sum()),
                **{f"first_{key}": count for key, count in new.items()},
            }
        )
    return told


def children(course: Course) -> dict[str, Any]:
    """Children brought over all nights: by each, by both, gained, lost, and earlier or later."""
    old, new = course.first[OLD], course.first[NEW]
    both = old.keys() & new.keys()
    earlier = [old[place] - new[place] for place in both if new[place] < old[place]]
    later = [new[place] - old[place] for place in both if new[place] > old[place]]
    return {
        "known": len(course.ids),
        OLD: len(old),
        NEW: len(new),
        "both": len(both),
        "gained": len(new.keys() - old.keys()),
        "lost": len(old.keys() - new.keys()),
        "earlier": len(earlier),
        "earlier_days": float(np.median(earlier)) if earlier else None,
        "later": len(later),
        "later_days": float(np.median(later)) if later else None,
    }


def by_rule(
    course: Course, sides: Mapping[str, Side], *, brought_by: str, not_by: str
) -> list[dict[str, Any]]:
    """The rules that brought, on their first night, the children that only one side brings."""
    alone = course.first[brought_by].keys() - course.first[not_by].keys()
    side = sides[brought_by]
    counted = Counter(rule for place in alone for rule in side.why[place])
    ranked = sorted(counted, key=lambda rule: (-counted[rule], rule))
    titles = side.rulebook.by_id
    return [{"rule": r, "title": titles[r].title, "children": counted[r]} for r in ranked]


def _told(book: Rulebook) -> dict[str, Any]:
    return {
        "title": book.title,
        "version": book.version,
        "rules": len(book.rules),
        "fingerprint": book.fingerprint,
    }
