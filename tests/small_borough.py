"""A small borough for tests that really train: its own signals, rules and law, all of it known.

Children pass through months of trouble. In trouble every agency writes down more about them and an
enquiry is more likely; a busy surgery writes down much about everybody and means nothing by it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riskflag.clock import date_of, day_number
from riskflag.history.schema import CONTACT, PERSON, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace
from tests.night_world import RULE

START, MONTHS, MONTH = day_number(dt.date(2022, 1, 1)), 42, 30
#: The day after the last record: the first night.
NIGHT = date_of(START + MONTHS * MONTH + 1)
ENQUIRY = "care.s47"
#: The agency of each contact type; each sends a feed of its own.
AGENCIES = {
    "ed.attendance": "ed",
    "missing.episode": "social_care",
    "police.da_incident": "police",
    "school.absence": "school",
    "gp.registration": "gp",
    "care.visit": "visits",
    ENQUIRY: "enquiries",
}

SIGNALS = """
from riskflag.signals import Signal, age, contacts, count, days_since_last

ALIKE = {"rationale": "For tests.", "source": "Tests", "agency": "several"}


def counted(name, kind, theme, days, direction="raises"):
    return Signal(
        f"{name}_{days}d", count(contacts(kind), days), f"How many {name} in {days} days?",
        direction=direction, theme=theme, **ALIKE,
    )


SIGNALS = (
    *(counted("attendances", "ed.attendance", "health", days) for days in (90, 365)),
    *(counted("episodes", "missing.episode", "missing", days) for days in (90, 365)),
    *(counted("notices", "police.da_incident", "police", days) for days in (90, 365)),
    *(counted("absences", "school.absence", "school", days) for days in (90, 365)),
    counted("registrations", "gp.registration", "health", 365, "none"),
    Signal("days_since_episode", days_since_last(contacts("missing.episode")),
           "How many days since the child was last missing?", direction="lowers",
           theme="missing", unit="days", **ALIKE),
    Signal("age_years", age(), "How old is the child?", direction="none", theme="context",
           unit="years", **ALIKE),
)
"""
RULES = (
    ("repeat_attendances", "soon", "health", "Attended {value:attendances_90d} times.",
     '{ signal = "attendances_90d", at_least = 4 }'),
)  # fmt: skip

CONFIG = """
question = "Will a section 47 enquiry begin within 90 days?"
[outcome]
types = ["care.s47"]
horizon_days = 90
[windows]
train_months = 16
calibration_months = 4
test_months = 6
[model]
max_trees = 120
min_rows_in_leaf = 40
learning_rate = 0.1
challengers = []
[evaluation]
bootstrap = 40
refits = 0
capacity_per_week = 8
"""

Rates = NDArray[np.float64]


@dataclass
class Borough:
    """Children and, by contact type, how many contacts a month: float64 [children, months].

    Change what is wrong with it before `workspace` draws and writes the records.
    """

    children: int = 2000
    seed: int = 1
    rates: dict[str, Rates] = field(init=False)
    sex: list[str] = field(default_factory=list)
    trouble: NDArray[np.bool_] = field(init=False)
    #: Contacts added by hand: child, type, the day it happened, the day it was known.
    more: list[tuple[int, str, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.sex = self.sex or rng.choice(["F", "M"], self.children).tolist()
        prone = rng.random(self.children) < 0.3
        self.trouble = np.zeros((self.children, MONTHS), dtype=bool)
        for month in range(1, MONTHS):
            before, chance = self.trouble[:, month - 1], rng.random(self.children)
            begins = chance < np.where(prone, 0.05, 0.003)
            self.trouble[:, month] = np.where(before, chance < 0.88, begins)
        busy = rng.gamma(0.5, 4.0, (self.children, 1)) * np.ones(MONTHS)
        law = {
            "ed.attendance": (0.05, 0.35),
            "missing.episode": (0.01, 0.25),
            "police.da_incident": (0.02, 0.35),
            "school.absence": (0.1, 0.6),
            ENQUIRY: (0.0012, 0.09),
        }
        usual = {kind: np.where(self.trouble, high, low) for kind, (low, high) in law.items()}
        self.rates = {**usual, "gp.registration": busy}

    def workspace(self, root: Path, config: str = CONFIG, signals: str = SIGNALS) -> Workspace:
        """A workspace with these records, the signals and the experiment `made`."""
        place = Workspace.create(root, "Test Borough")
        place.config_path.write_text(
            'authority = "Test Borough"\nfeatures_dir = "features"\ncapacity_per_week = 8\n'
        )
        write_features(root / "features", signals)
        write_experiment(root, config)
        tables = {"contact": self._contacts(), "person": self._people()}
        HistoryStore(place.history).append_batch("b1", NIGHT.isoformat(), tables)
        return Workspace.open(root)

    def drawn(self) -> Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """By type the child and the day of each contact; the same every time."""
        rng = np.random.default_rng(self.seed + 1)
        found = {}
        for kind, rates in self.rates.items():
            counts = rng.poisson(rates)
            child, month = np.nonzero(counts)
            times = counts[child, month]
            child, month = np.repeat(child, times), np.repeat(month, times)
            day = START + month * MONTH + rng.integers(0, MONTH, len(month))
            found[kind] = (child.astype(np.int64), day.astype(np.int64))
        return found

    def _contacts(self) -> pa.Table:
        rows = [
            (int(who), kind, int(day), int(day) + 1)
            for kind, (child, days) in self.drawn().items()
            for who, day in zip(child, days, strict=True)
        ]
        rows += self.more
        size = range(len(rows))
        columns = {
            "contact_key": [f"c{number:07d}" for number in size],
            "version": [1] * len(rows),
            "op": ["assert"] * len(rows),
            "person_id": [name(who) for who, *_ in rows],
            "agency": [AGENCIES[kind] for _, kind, *_ in rows],
            "source": [AGENCIES[kind] for _, kind, *_ in rows],
            "type": [kind for _, kind, *_ in rows],
            "occurred_on": [date_of(day) for *_, day, _ in rows],
            "known_on": [date_of(known) for *_, known in rows],
            "known_basis": ["landed"] * len(rows),
            "record_id": [f"r{number}" for number in size],
            "source_file": ["made.csv"] * len(rows),
            "source_line": [number + 2 for number in size],
            "issues": [""] * len(rows),
        }
        return conform(pa.table(columns), CONTACT)

    def _people(self) -> pa.Table:
        rng = np.random.default_rng(self.seed + 2)
        born = START - rng.integers(400, 4800, self.children)
        known = dt.date(2020, 1, 1)
        rows = [
            {
                "person_key": f"p{number}", "person_id": name(number), "version": 1, "op": "assert",
                "known_on": known, "known_basis": "landed", "birth_on": date_of(int(day)),
                "birth_precision": "day", "kind": "child", "sex": self.sex[number],
                "source": "ssd",
            }
            for number, day in enumerate(born)
        ]  # fmt: skip
        return conform(pa.Table.from_pylist(rows), PERSON)


def name(child: int) -> str:
    return f"C{child:05d}"


def write_features(folder: Path, signals: str, *, rules: bool = True) -> None:
    """A features folder with these signals, and a rulebook unless told otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "signals.py").write_text(signals)
    if rules:
        text = 'title = "Rules for tests"\nversion = 1\n'
        for id_, level, theme, statement, when in RULES:
            text += RULE.format(
                id=id_, level=level, theme=theme, statement=statement, when=when, title=id_
            )
        (folder / "rulebook.toml").write_text(text)


def write_experiment(root: Path, config: str = CONFIG) -> Path:
    """The folder of the experiment `made` in the workspace at `root`."""
    folder = root / "experiments" / "made"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(config)
    return folder
