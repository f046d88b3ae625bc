"""All pages of one publication: the worklist, each flag, and the analysts' reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from riskflag.progress import Progress, silent
from riskflag.reports.analyst import analyst_report
from riskflag.reports.flag_page import view
from riskflag.reports.render import render_flag, render_index, render_shap, render_worklist
from riskflag.reports.worklist import address, safe_name

WORKLIST, INDEX = "worklist.html", "index.html"
FLAGS, ANALYST = "flags", "analyst"


def write_publication_pages(
    flags: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    publication: Mapping[str, Any] | None = None,
    meanings: Mapping[str, Mapping[str, str]] | None = None,
    progress: Progress = silent,
) -> None:
    """Write `worklist.html`, `index.html`, `flags/NUMBER.html` and `analyst/NUMBER.html`.

    The bytes depend on the arguments alone, so two runs, or two workers on halves of the flags,
    write the same files. `publication` may hold `as_of`, `authority`, `capacity_per_week` and
    `run_key`; `meanings` gives the question and theme of each signal, for the analysts.
    """
    facts = publication or {}
    (folder / FLAGS).mkdir(parents=True, exist_ok=True)
    (folder / ANALYST).mkdir(exist_ok=True)
    for done, flag in enumerate(flags):
        progress("Writing pages", done, len(flags))
        write_flag_pages(flag, folder, meanings=meanings)
    _write(folder / WORKLIST, render_worklist(flags, facts))
    _write(folder / INDEX, render_index(flags, facts))
    progress("Writing pages", len(flags), len(flags))


def write_flag_pages(
    flag: Mapping[str, Any],
    folder: Path,
    *,
    meanings: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write one flag's page, and its analyst's report when a model scored the child."""
    _write(folder / address(flag["flag_id"]), render_flag(view(flag), home=f"../{WORKLIST}"))
    if analyst_report(flag, meanings):
        report = folder / ANALYST / f"{safe_name(flag['flag_id'])}.html"
        _write(report, render_shap(flag, meanings))


def _write(path: Path, html: str) -> None:
    path.write_bytes(html.encode("utf-8"))
