"""All pages of one publication: the worklist, each flag, and the analysts' reports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskflag.history.threads import cores
from riskflag.nightly.flag_lines import FlagLines
from riskflag.nightly.folder import sha256
from riskflag.nightly.shares import in_shares, processes_for
from riskflag.progress import Progress, silent
from riskflag.reports.analyst import analyst_report
from riskflag.reports.flag_page import Drawn, view
from riskflag.reports.records import Chronology, kept_first
from riskflag.reports.render import (
    render_flag,
    render_index,
    render_report,
    render_shap,
    render_worklist,
)
from riskflag.reports.worklist import address, safe_name

if TYPE_CHECKING:
    from riskflag.nightly.run import PublishedFlags

WORKLIST, INDEX = "worklist.html", "index.html"
FLAGS, ANALYST = "flags", "analyst"
#: A flag's file is at most so large, in bytes, to go by slow links and open on old machines.
LARGEST = 60_000
#: One record in a page's HTML: its number, and all of its row.
ROW = re.compile(r'<tr[^>]* id="r(\d+)".*?</tr>\n', re.DOTALL)
#: What a process says of a flag whose pages it has written.
WRITTEN = b"written"
#: Leaving records out takes words of its own: about so many bytes.
SPARE = 400


def write_pages(published: PublishedFlags, folder: Path) -> None:
    """The page writer that the night is given: every page of one publication into its folder.

    Many flags are shared out to several processes.
    """
    write_publication_pages(
        published.flags,
        folder,
        short=published.short,
        processes=processes_for(len(published.flags), cores()),
        publication={
            "as_of": published.as_of.isoformat(),
            "authority": published.authority,
            "capacity_per_week": published.capacity_per_week,
            "run_key": published.run_key,
            "held_back": published.held_back,
        },
    )


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
    html = render_flag(shown, home=home)
    while (over := len(html.encode()) - LARGEST) > 0 and len(shown.records.listed) > len(
        shown.records.first
    ):
        shown = view(flag, code=code, most=_fewer(html, shown.records, over), drawn=drawn)
        html = render_flag(shown, home=home)
    return html


def _fewer(html: str, records: Chronology, over: int) -> int:
    """How many records to list so that a page loses `over` bytes and a little more."""
    sizes = {int(row[1]): len(row[0].encode()) for row in ROW.finditer(html)}
    left = over + SPARE
    for number, record in enumerate(reversed(kept_first(records.listed)), 1):
        left -= sizes[record.number]
        if left <= 0:
            return len(records.listed) - number
    return 0


def analyst_page(
    flag: Mapping[str, Any], ranges: Mapping[str, Mapping[str, Any]] | None = None
) -> str:
    """The analyst's report of one flag as HTML; an InputError when no model scored the child."""
    return render_shap(flag, ranges)


def write_publication_pages(
    flags: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    short: Sequence[Mapping[str, Any]] | None = None,
    publication: Mapping[str, Any] | None = None,
    processes: int = 1,
    progress: Progress = silent,
) -> None:
    """Write `worklist.html`, `index.html`, `flags/NUMBER.html` and `analyst/NUMBER.html`.

    The bytes depend on the arguments alone, so two runs, or two workers on halves of the flags,
    write the same files. `publication` may hold `as_of`, `authority`, `capacity_per_week` and
    `run_key`, `short` what lists show of the flags (riskflag.nightly.listing) for a caller who has
    it.
    """
    facts = publication or {}
    (folder / FLAGS).mkdir(parents=True, exist_ok=True)
    (folder / ANALYST).mkdir(exist_ok=True)

    def work(number: int) -> bytes:
        digest = sha256(flags.line(number)) if isinstance(flags, FlagLines) else ""
        write_flag_pages(flags[number], folder, digest=digest)
        return WRITTEN

    progress("Writing pages", 0, len(flags))
    for done, _ in enumerate(in_shares(work, len(flags), processes=processes), start=1):
        progress("Writing pages", done, len(flags))
    _write(folder / WORKLIST, render_worklist(short or flags, facts))
    _write(folder / INDEX, render_index(short or flags, facts))


def write_flag_pages(flag: Mapping[str, Any], folder: Path, *, digest: str = "") -> None:
    """Write one flag's page, and its analyst's report when a model scored the child.

    `digest` is the flag's `record_hash`, for a caller who has it.
    """
    html = flag_page(flag, home=f"../{WORKLIST}", digest=digest)
    _write(folder / address(flag["flag_id"]), html)
    report = analyst_report(flag)
    if report is not None:
        name = f"{safe_name(flag['flag_id'])}.html"
        _write(folder / ANALYST / name, render_report(report))


def _write(path: Path, html: str) -> None:
    path.write_bytes(html.encode("utf-8"))
