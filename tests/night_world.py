"""A small authority for tests of the night: its own signals, rules, histories and bundle."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from riskflag.history.schema import CONTACT, PERSON, RELATIONSHIP, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.history.store.view import History
from riskflag.scoring.bundle import make_current
from riskflag.signals.catalogue import load_catalogue
from riskflag.workspace import Workspace
from tests import tiny_bundle

AS_OF = dt.date(2026, 3, 10)
NAMES = ("ed_attendances_90d", "missing_episodes_365d", "days_since_missing", "seen_alone_90d")
THEMES = dict(zip(NAMES, ("health", "missing", "missing", "voice"), strict=True))

SIGNALS = """
from riskflag.signals import Signal, contacts, count, days_since_last

ALIKE = {"rationale": "For tests.", "source": "Tests", "agency": "several"}
SIGNALS = (
    Signal("ed_attendances_90d", count(contacts("ed.attendance"), 90),
           "How many emergency attendances in the last 90 days?", direction="raises",
           theme="health", **ALIKE),
    Signal("missing_episodes_365d", count(contacts("missing.episode"), 365),
           "How many missing episodes in the last 365 days?", direction="raises",
           theme="missing", **ALIKE),
    Signal("days_since_missing", days_since_last(contacts("missing.episode")),
           "How many days since the child was last missing?", direction="lowers",
           theme="missing", unit="days", **ALIKE),
    Signal("seen_alone_90d", count(contacts("care.visit", seen_alone="yes"), 90),
           "How many times was the child seen alone in the last 90 days?", direction="lowers",
           theme="voice", protective=True, **ALIKE),
    Signal("notices_at_home_365d",
           count(contacts("police.da_incident", link=("mother", "household_adult")), 365),
           "How many domestic abuse notices reached the home in the last 365 days?",
           direction="raises", theme="family", **ALIKE),
    Signal("bullying_365d", count(contacts("school.bullying", role="experiencing"), 365),
           "How many bullying reports in the last 365 days?", direction="raises",
           theme="school", **ALIKE),
    Signal("bullying_actions_365d", count(contacts("school.bullying_action"), 365),
           "How many actions after a bullying report in the last 365 days?", direction="lowers",
           theme="school", **ALIKE),
)
"""

RULE = """
[[rule]]
id = "{id}"
version = 1
title = "{title}"
statement = "{statement}"
level = "{level}"
theme = "{theme}"
window = "as the signals say"
questions = ["Has anyone asked the child?", "Who was there?"]
other_explanations = ["A long-term condition."]
source = "Tests"
owner = "Head of safeguarding"
review_by = 2027-01-01
when = {when}
"""

RULES = (
    ("repeat_ed", "urgent", "health", "Attended {value:ed_attendances_90d} times.",
     '{ signal = "ed_attendances_90d", at_least = 3 }'),
    ("repeat_missing", "soon", "missing", "Missing {value:missing_episodes_365d} times.",
     '{ signal = "missing_episodes_365d", at_least = 3 }'),
    ("home_notices", "soon", "family", "Notices: {value:notices_at_home_365d}.",
     '{ signal = "notices_at_home_365d", at_least = 2 }'),
    ("bullying_unanswered", "soon", "school", "Reports: {value:bullying_365d}.",
     '{ all = [{ signal = "bullying_365d", at_least = 1 },'
     ' { signal = "bullying_actions_365d", at_most = 0 }] }'),
    ("one_missing", "routine", "missing", "Missing {value:missing_episodes_365d} times.",
     '{ signal = "missing_episodes_365d", at_least = 1 }'),
)  # fmt: skip


def write_features(folder: Path, rules: Iterable[tuple[str, ...]] = RULES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "signals.py").write_text(SIGNALS)
    text = 'title = "Rules for tests"\nversion = 1\n'
    for id_, level, theme, statement, when in rules:
        text += RULE.format(
            id=id_, level=level, theme=theme, statement=statement, when=when, title=f"Rule {id_}"
        )
    (folder / "rulebook.toml").write_text(text)


def workspace(root: Path, *, capacity: int = 15, with_bundle: bool = True) -> Workspace:
    """A workspace with the test signals and rules and, unless told otherwise, a promoted model."""
    place = Workspace.create(root, "Test Borough")
    write_features(root / "features")
    place.config_path.write_text(
        f'authority = "Test Borough"\nfeatures_dir = "features"\ncapacity_per_week = {capacity}\n'
    )
    if with_bundle:
        place.bundles.mkdir()
        prints = {s.name: s.fingerprint for s in load_catalogue(root / "features").signals}
        bundle = tiny_bundle.write(place.bundles, names=NAMES, themes=THEMES, fingerprints=prints)
        make_current(place.bundles, bundle)
    return Workspace.open(root)


def contact(
    person: str, type_: str, days_ago: int, *, known: int | None = None, **more: Any
) -> dict[str, Any]:
    """A raw contact row; `days_ago` and `known` are counted back from AS_OF."""
    occurred = AS_OF - dt.timedelta(days=days_ago)
    known_on = AS_OF - dt.timedelta(days=max(days_ago - 1, 1) if known is None else known)
    mark = f"{person}|{type_}|{days_ago}|{more.get('n', 0)}"
    key = hashlib.sha256(mark.encode()).hexdigest()[:32]
    more.pop("n", None)
    row = {
        "contact_key": key,
        "version": 1,
        "op": "assert",
        "person_id": person,
        "agency": "several",
        "type": type_,
        "occurred_on": occurred,
        "known_on": known_on,
        "known_basis": "landed",
        "source": type_.split(".", maxsplit=1)[0],
        "record_id": key[:8],
        "source_file": f"{type_.split('.', maxsplit=1)[0]}.csv",
        "source_line": days_ago + 2,
        "batch_id": "b1",
        "row_hash": key,
        "issues": "",
    }
    return row | more


def person(name: str, born: dt.date = dt.date(2016, 5, 1), **more: Any) -> dict[str, Any]:
    row = {
        "person_key": f"k-{name}",
        "person_id": name,
        "version": 1,
        "op": "assert",
        "known_on": dt.date(2020, 1, 1),
        "known_basis": "landed",
        "birth_on": born,
        "birth_precision": "day",
        "kind": "child",
        "given_name": "Synthetic",
        "family_name": name,
        "source": "ssd",
    }
    return row | more


def mother(child: str, adult: str, known_on: dt.date = dt.date(2020, 1, 1)) -> dict[str, Any]:
    return {
        "relationship_key": f"{child}-{adult}",
        "person_id": child,
        "related_id": adult,
        "kind": "mother",
        "version": 1,
        "op": "assert",
        "known_on": known_on,
        "known_basis": "landed",
        "source": "ssd",
    }


def sibling(child: str, other: str, known_on: dt.date = dt.date(2020, 1, 1)) -> dict[str, Any]:
    return mother(child, other, known_on) | {"kind": "sibling"}


def feed(
    source: str, types: Iterable[str], complete_to: dt.date, received_on: dt.date
) -> list[dict[str, Any]]:
    return [
        {
            "source": source,
            "agency": "several",
            "type": type_,
            "covered_from": dt.date(2020, 1, 1),
            "complete_to": complete_to,
            "received_on": received_on,
            "rows": 10,
            "status": "ok",
            "fresh_days": 2,
            "tolerance_days": 7,
            "first_load": False,
            "batch_id": "b1",
        }
        for type_ in types
    ]


def history(
    contacts: Iterable[Mapping[str, Any]],
    *,
    persons: Iterable[Mapping[str, Any]] = (),
    relationships: Iterable[Mapping[str, Any]] = (),
    coverage: Iterable[Mapping[str, Any]] = (),
) -> History:
    return History.of(_table(contacts), _table(persons), _table(relationships), _table(coverage))


def store_history(place: Workspace, batch: str, contacts: Iterable[Mapping[str, Any]]) -> None:
    """Put contacts, and with the first batch the people, into the workspace's own history."""
    store = HistoryStore(place.history)
    tables = {"contact": conform(_table(contacts), CONTACT)}
    if not store.batches():
        tables["person"] = conform(_table(some_people()), PERSON)
        tables["relationship"] = conform(_table([mother("C-HOME", "ADULT")]), RELATIONSHIP)
    store.append_batch(batch, AS_OF.isoformat(), tables)


def _table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    listed = [dict(row) for row in rows]
    names = sorted({name for row in listed for name in row})
    return pa.table({name: [row.get(name) for row in listed] for name in names})


def some_contacts() -> list[dict[str, Any]]:
    """Five children, each with one pattern, and a quiet one; an adult with notices."""
    rows = [contact("C-ED", "ed.attendance", d, agency="ed") for d in (5, 30, 60, 200, 1000)]
    rows += [contact("C-MISS", "missing.episode", d, agency="social_care") for d in (9, 50, 300)]
    rows += [contact("C-MISS", "care.visit", 20, seen_alone="yes", voice="yes")]
    rows += [contact("ADULT", "police.da_incident", d, agency="police") for d in (15, 40)]
    rows += [contact("C-HOME", "care.contact", 100)]
    rows += [contact("C-BULLY", "school.bullying", 70, role="experiencing", agency="school")]
    rows += [contact("C-MODEL", "ed.attendance", d, agency="ed") for d in (20, 21)]
    rows += [contact("C-MODEL", "missing.episode", d) for d in (100, 200)]
    rows += [contact("C-QUIET", "gp.registration", 400)]
    return rows


def some_people() -> list[dict[str, Any]]:
    children = ("C-ED", "C-MISS", "C-HOME", "C-BULLY", "C-MODEL", "C-QUIET")
    adult = person("ADULT", dt.date(1990, 1, 1), kind="adult")
    return [*(person(name) for name in children), adult]


def some_history(extra: Iterable[Mapping[str, Any]] = (), **more: Any) -> History:
    return history(
        [*some_contacts(), *extra],
        persons=some_people(),
        relationships=[mother("C-HOME", "ADULT")],
        **more,
    )
