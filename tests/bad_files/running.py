"""Loading a case and comparing everything with its truth: report, history, quarantine, canaries."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from pathlib import Path

from riskflag.cli.ingest import _show
from riskflag.history.loading.ingest import ingest
from riskflag.history.loading.report import FileReport
from riskflag.history.schema import CONTACT, IDENTIFIER, PERSON, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.workspace import Workspace
from tests.bad_files.world import PERSONAL, Case, Told

SHOWN_ANYWAY = {"Null", "None", "True", "NA", "Nan"}
_YES = dict.fromkeys(("Y", "Yes", "1"), "yes") | dict.fromkeys(("N", "No", "0"), "no")
_NO_DATES = ("01/01/1900", "01/01/1753", "30/12/1899", "31/12/9999")


def delivered(case: Case, folder: Path):
    """A workspace with the case's sources, and the report after each of its days."""
    workspace = Workspace.create(folder / "w", "Test")
    for name, text in case.sources.items():
        (workspace.sources_dir / f"{name}.toml").write_text(text)
    reports = []
    for day, files in case.deliveries.items():
        landing = workspace.landing / day.isoformat()
        landing.mkdir(parents=True)
        for name, content in files.items():
            if callable(content):
                content(landing / name)
            else:
                (landing / name).write_bytes(content)
        reports.append(ingest(Workspace(workspace.root), landed=day))
    return workspace, reports


def check(case: Case, folder: Path, told) -> None:
    workspace, reports = delivered(case, folder)
    shown = ""
    for report in reports:
        _show(report)
        shown += report.to_json()
    printed = told()
    first: dict[str, FileReport] = {}
    for report in reports:
        for file in report.files:
            first.setdefault(Path(file.name).name, file)
    assert all(file.balanced for report in reports for file in report.files)
    for name, verdict in case.told.items():
        assert said(first[name]) == verdict, name
    assert lines(workspace) == {name: sorted(rows) for name, rows in case.lines.items()}
    if case.truth is not None:
        assert stored_people(workspace) == true_people(case)
        assert stored(workspace) == truth(case)
    if case.also is not None:
        case.also(workspace.root)
    kept = "".join(p.read_text() for p in workspace.reports.glob("*")) if reports else ""
    ledger = workspace.history / "batches.jsonl"
    listed = ledger.read_text() if ledger.exists() else ""
    for value in canaries(case):
        for where in (shown, printed, kept, listed):
            assert value not in where, "a value from the data is repeated"


def said(file) -> Told:
    return Told(
        file.status,
        file.reason,
        file.rows,
        file.accepted,
        file.duplicate,
        file.superseded,
        file.reasons,
        file.warnings,
    )


def lines(workspace) -> dict[str, list[int]]:
    """The quarantined lines by file."""
    found: dict[str, list[int]] = {}
    for path in workspace.quarantine.rglob("*.csv"):
        csv.field_size_limit(1 << 28)
        with path.open(newline="") as stream:
            for row in csv.DictReader(stream):
                found.setdefault(row["file"], []).append(int(row["line"]))
    return {name: sorted(rows) for name, rows in found.items()}


def rows_of(workspace, name, schema):
    return conform(HistoryStore(workspace.history).read(name), schema).to_pylist()


def stored(workspace) -> dict[str, tuple]:
    """What the latest version of each record says."""
    found = {}
    for row in sorted(rows_of(workspace, "contact", CONTACT), key=lambda r: r["version"]):
        found[row["record_id"]] = (
            row["op"],
            row["subject_value"],
            row["type"],
            row["occurred_on"],
            row["ended_on"],
            row["offered"],
            row["quantity"],
            row["issues"],
        )
    return {key: one for key, one in found.items() if one[0] == "assert"}


def truth(case: Case) -> dict[str, tuple]:
    return {
        row["Ref"]: (
            "assert",
            row["NHS"] or None,
            {"M": "missing.episode", "S": "school.suspension"}[row["Kind"]],
            _day(row["Went"]),
            _day(row["Back"]),
            _YES.get(row["Interview"]),
            float(row["Sessions"]) if row["Sessions"] else None,
            case.marks.get(row["Ref"], ""),
        )
        for row in case.truth
    }


def stored_people(workspace) -> dict[str, tuple]:
    found = {}
    for row in sorted(rows_of(workspace, "person", PERSON), key=lambda r: r["version"]):
        found[row["person_id"]] = (row["family_name"], row["given_name"], row["birth_on"])
    return found


def true_people(case: Case) -> dict[str, tuple]:
    return {
        row["Child"]: (row["Surname"] or None, row["Forename"] or None, _day(row["DOB"]))
        for row in case.truth
    }


def identifiers(workspace) -> Counter:
    return Counter(
        (row["person_id"], row["value"]) for row in rows_of(workspace, "identifier", IDENTIFIER)
    )


def _day(text: str) -> dt.date | None:
    if not text or text in _NO_DATES:
        return None
    day, month, year = (int(part) for part in text[:10].split("/"))
    return dt.date(year, month, day)


def canaries(case: Case) -> set[str]:
    """Values of the data that are long enough to be told from other text."""
    found = {row[name] for row in case.truth or () for name in PERSONAL if name in row}
    found |= set(case.unseen)
    return {value for value in found if len(value) >= 4 and value not in SHOWN_ANYWAY}
