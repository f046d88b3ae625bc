"""The pages of one flag: the flag's own and the analyst's report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskflag.nightly.flag_lines import Files
from riskflag.nightly.folder import told
from riskflag.reports.analyst import analyst_report
from riskflag.reports.flag_page import Drawn, view
from riskflag.reports.records import Chronology, kept_first
from riskflag.reports.render import record_rows, render_flag, render_report, render_shap
from riskflag.reports.worklist import address, safe_name

#: The folders of a publication's pages, and its list.
FLAGS, ANALYST = "flags", "analyst"
WORKLIST = "worklist.html"
#: A flag's file is at most so large, in bytes, to go by slow links and open on old machines.
LARGEST = 60_000
#: Leaving records out takes words of its own: about so many bytes.
SPARE = 400


def flag_page(
    flag: Mapping[str, Any], *, code: str = "", home: str | None = None, digest: str = ""
) -> str:
    """One flag's page as HTML, standing alone, of at most LARGEST bytes.

    With a form's code it can be sent back; `home` is the worklist's address, `digest` the flag's
    `record_hash` for a caller who has it. A page that would be larger lists fewer records and says
    how many it leaves out; those in a pattern are kept first.
    """
    drawn = Drawn.of(flag, digest)
    shown = view(flag, code=code, drawn=drawn)
    rows = record_rows(shown.records)
    html = render_flag(shown, home=home, rows=rows)
    while (over := len(html.encode()) - LARGEST) > 0 and len(shown.records.listed) > len(
        shown.records.first
    ):
        shown = view(flag, code=code, most=_fewer(rows, shown.records, over), drawn=drawn)
        html = render_flag(shown, home=home, rows=rows)
    return html


def _fewer(rows: Mapping[int, str], records: Chronology, over: int) -> int:
    """How many records to list so that a page loses `over` bytes and a little more."""
    left = over + SPARE
    for number, record in enumerate(reversed(kept_first(records.listed)), 1):
        left -= len(rows[record.number].encode())
        if left <= 0:
            return len(records.listed) - number
    return 0


def analyst_page(
    flag: Mapping[str, Any], ranges: Mapping[str, Mapping[str, Any]] | None = None
) -> str:
    """The analyst's report of one flag as HTML; an InputError when no model scored the child."""
    return render_shap(flag, ranges)


def write_flag_pages(flag: Mapping[str, Any], folder: Path, *, digest: str = "") -> Files:
    """Write one flag's page, and its analyst's report when a model scored the child.

    `digest` is the flag's `record_hash`, for a caller who has it. Size and hash of each page.
    """
    html = flag_page(flag, home=f"../{WORKLIST}", digest=digest)
    name = address(flag["flag_id"])
    written = {name: write_page(folder / name, html)}
    report = analyst_report(flag)
    if report is not None:
        name = f"{ANALYST}/{safe_name(flag['flag_id'])}.html"
        written[name] = write_page(folder / name, render_report(report))
    return written


def write_page(path: Path, html: str) -> dict[str, Any]:
    """Write one page's bytes; their size and hash."""
    data = html.encode("utf-8")
    path.write_bytes(data)
    return told(data)
