"""The checks an analyst runs before trusting a history: one call, counts only, repeatable."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from riskflag.errors import InputError, IntegrityError
from riskflag.history.checks import people as check_people
from riskflag.history.checks import timing as check_timing
from riskflag.history.checks import volumes as check_volumes
from riskflag.history.checks.model import CheckReport, Finding, Limits, Suppression, too_many
from riskflag.history.checks.scratch import Scratch, newest_day, scratch
from riskflag.history.checks.volumes import Checked
from riskflag.history.declared.source_load import load_sources
from riskflag.history.schema import load_vocabulary
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.progress import Progress, silent
from riskflag.workspace import Workspace

#: In the order of the report.
CHECKS: dict[str, Callable[[Scratch, Limits], Checked]] = {
    "coverage": check_timing.coverage,
    "volumes": check_volumes.volumes,
    "values": check_volumes.values,
    "rates": check_volumes.rates,
    "marks": check_people.marks,
    "lateness": check_timing.lateness,
    "assumed": check_timing.assumed,
    "impossible_days": check_people.impossible_days,
    "identifiers": check_people.identifiers,
    "changed_after_outcome": check_timing.changed_after_outcome,
}


def examine(
    workspace: Workspace,
    limits: Limits,
    as_of: dt.date | None = None,
    *,
    progress: Progress = silent,
) -> CheckReport:
    """Check what is known before `as_of` (default: all that has landed).

    Raises InputError when nothing has been loaded. The report holds no value of a record and no
    count below `limits.smallest_shown`.
    """
    store = HistoryStore(workspace.history)
    day = as_of or newest_day(store)
    if day is None:
        raise InputError(f"{workspace.history} holds nothing yet; run `riskflag ingest` first.")
    findings: list[Finding] = []
    figures: dict[str, list[dict[str, Any]]] = {}
    with scratch(store, day) as data:
        for number, (name, check) in enumerate(CHECKS.items()):
            progress("Checking", number, len(CHECKS))
            found, figures[name] = check(data, limits)
            findings += found
    progress("Checking", len(CHECKS), len(CHECKS))
    found, figures["loads"] = loads(workspace.reports, limits, _told_once(workspace))
    return CheckReport(
        workspace.config.authority,
        day.isoformat(),
        limits.model_dump(mode="json"),
        (*findings, *found),
        figures,
    )


def _told_once(workspace: Workspace) -> frozenset[str]:
    """The sources whose deliveries hold only what is new: the others repeat rows by design."""
    vocabulary = load_vocabulary(workspace.root / "vocabulary.toml")
    sources = load_sources(workspace.sources_dir, vocabulary)
    return frozenset(source.name for source in sources if source.delivery.scope == "delta")


def loads(folder: Path, limits: Limits, told_once: frozenset[str]) -> Checked:
    """What became of the rows of each source, by the load reports that are kept."""
    rows: dict[str, Counter[str]] = {}
    for path in sorted(folder.glob("load-*.json")):
        for file in _load_report(path)["files"]:
            mine = rows.setdefault(file["source"], Counter())
            mine["held"] += file["status"] == "held"
            mine["files"] += file["status"] != "known"
            for name in ("rows", "duplicate", "superseded", "quarantined"):
                mine[name] += file[name]
    hidden = Suppression(limits)
    findings, figures = [], []
    for source, count in sorted(rows.items()):
        findings += _load_findings(source, count, limits, source in told_once)
        named = ("rows", "duplicate", "superseded", "quarantined")
        shown = {name: hidden.count(count[name]) for name in named}
        figures.append({"source": source, "files": count["files"], "held": count["held"], **shown})
    return findings, figures


def _load_report(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise IntegrityError(
            f"{path} cannot be read as a load report; move it out of the folder."
        ) from None
    return found


def _load_findings(
    source: str, count: Counter[str], limits: Limits, told_once: bool
) -> list[Finding]:
    hidden, found = Suppression(limits), []
    if count["held"]:
        found.append(Finding("held", source, "", f"{count['held']} files were refused whole."))
    shares = {"quarantined": limits.quarantined}
    if told_once:
        shares["duplicate"] = limits.duplicates
    for name, limit in shares.items():
        if too_many(count[name], count["rows"], limit):
            of = f"of {hidden.words(count['rows'])} rows"
            words = "set aside" if name == "quarantined" else "said what was known already"
            what = f"{hidden.words(count[name])} {of} {words}."
            code = name if name == "quarantined" else "duplicates"
            found.append(Finding(code, source, "", what))
    return found
