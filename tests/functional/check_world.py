"""A clean small authority, as stored rows, into which one fault at a time can be planted."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path

import pyarrow as pa

from riskflag.history.checks.model import CheckReport, load_limits
from riskflag.history.checks.run import examine
from riskflag.history.schema import IDENTIFIER
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace
from tests.factories import contact_rows, coverage_rows, match_rows, person_rows
from tests.unit.history.two_feeds import identifier

AS_OF = dt.date(2024, 7, 1)
BEGINS = dt.date(2022, 1, 3)
PEOPLE = 400
SOURCE = """name = "ed"
title = "Attendances"
agency = "ed"

[files]
pattern = "ed*.csv"

[delivery]
scope = "delta"

[[contact]]
type = "ed.attendance"
record_id = ["id"]
subject = { column = "person" }
occurred = { column = "day" }
"""


def people() -> list[dict]:
    chance = random.Random(1)
    return [
        {
            "person_id": f"C{n:03d}",
            "birth_on": dt.date(2010, 1, 2) + dt.timedelta(days=chance.randrange(3000)),
            "given_name": "Canary",
            "family_name": f"Quilltail{n}",
        }
        for n in range(PEOPLE)
    ]


def contacts() -> list[dict]:
    """Four attendances and one referral or enquiry a day, each known some days later."""
    chance = random.Random(2)
    rows = []
    for day in range((AS_OF - BEGINS).days - 12):
        on = BEGINS + dt.timedelta(days=day)
        for kind in ("ed.attendance",) * 4 + ("care.s47" if day % 3 else "care.referral",):
            source = "ed" if kind == "ed.attendance" else "cases"
            number = len(rows)
            rows.append(
                {
                    "contact_key": f"k{number}",
                    "record_id": f"r{number}",
                    "person_id": f"C{chance.randrange(PEOPLE):03d}",
                    "type": kind,
                    "occurred_on": on,
                    "known_on": on + dt.timedelta(days=chance.choice((1, 2, 2, 3, 7, 10))),
                    "source": source,
                }
                | ({"category": chance.choice(CATEGORIES)} if source == "ed" else {})
            )
    return rows


CATEGORIES = ("injury", "illness", "injury", "self_harm")


def identifiers() -> list[dict]:
    return [identifier(f"C{n:03d}", "nhs", f"N{n}", check_ok=True) for n in range(PEOPLE)]


def coverage() -> list[dict]:
    return [
        {"source": name, "type": kind, "complete_to": "2024-06-30", "batch_id": "b"}
        for name, kind in (("ed", "ed.attendance"), ("cases", "care.s47"))
    ]


def loads() -> dict:
    row = {"source": "ed", "status": "loaded", "rows": 4000, "duplicate": 8, "superseded": 20}
    return {"files": [{**row, "quarantined": 4}]}


class Parts:
    """The rows of the world, to be changed before it is written."""

    def __init__(self) -> None:
        self.people, self.contacts, self.identifiers = people(), contacts(), identifiers()
        self.coverage, self.loads, self.matches = coverage(), loads(), []

    def of(self, kind: str) -> list[dict]:
        return [row for row in self.contacts if row["type"] == kind]

    def written(self, folder: Path) -> Workspace:
        workspace = Workspace.create(folder, "Test")
        (workspace.sources_dir / "ed.toml").write_text(SOURCE)
        tables = {
            "contact": contact_rows(self.contacts),
            "person": person_rows(self.people),
            "identifier": pa.Table.from_pylist(self.identifiers, schema=IDENTIFIER),
            "coverage": coverage_rows(self.coverage),
            "match": match_rows(self.matches),
        }
        HistoryStore(workspace.history).append_batch("b", "2024-06-30", tables)
        workspace.reports.mkdir()
        (workspace.reports / "load-b.json").write_text(json.dumps(self.loads))
        return workspace


def checked(workspace: Workspace) -> CheckReport:
    return examine(workspace, load_limits(workspace.root))
