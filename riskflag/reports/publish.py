"""All pages of one publication: the worklist, each flag, and the analysts' reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskflag.history.threads import cores
from riskflag.nightly.folder import FLAGS as FLAGS_FILE
from riskflag.progress import Progress, silent
from riskflag.reports.analyst import analyst_report
from riskflag.reports.flag_page import view
from riskflag.reports.page_workers import MANY, write_in_processes
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
#: About how many bytes a listed record takes.
ROW_BYTES = 420


def write_pages(published: PublishedFlags, folder: Path) -> None:
    """The page writer that the night is given: every page of one publication into its folder.

    The flags.json of the publication is there; many flags are shared out to several processes.
    """
    write_publication_pages(
        published.flags,
        folder,
        processes=cores() if len(published.flags) >= MANY else 1,
        publication={
            "as_of": published.as_of.isoformat(),
            "authority": published.authority,
            "capacity_per_week": published.capacity_per_week,
            "run_key": published.run_key,
            "held_back": published.held_back,
        },
    )


def flag_page(flag: Mapping[str, Any], *, code: str = "", home: str | None = None) -> str:
    """One flag's page as HTML, standing alone, of at most LARGEST bytes.

    With a form's code it can be sent back; `home` is the worklist's address. A page that would be
    larger lists fewer records and says how many it leaves out; those in a pattern are kept first.
    """
    shown = view(flag, code=code)
    html = render_flag(shown, home=home)
    listed = len(shown.records.listed)
    while (over := len(html.encode()) - LARGEST) > 0 and listed > len(shown.records.first):
        listed -= max(1, over // ROW_BYTES)
        shown = view(flag, code=code, most=listed)
        html = render_flag(shown, home=home)
    return html


def analyst_page(
    flag: Mapping[str, Any], ranges: Mapping[str, Mapping[str, Any]] | None = None
) -> str:
    """The analyst's report of one flag as HTML; an InputError when no model scored the child."""
    return render_shap(flag, ranges)


def write_publication_pages(
    flags: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    publication: Mapping[str, Any] | None = None,
    processes: int = 1,
    progress: Progress = silent,
) -> None:
    """Write `worklist.html`, `index.html`, `flags/NUMBER.html` and `analyst/NUMBER.html`.

    The bytes depend on the arguments alone, so two runs, or two workers on halves of the flags,
    write the same files. `publication` may hold `as_of`, `authority`, `capacity_per_week` and
    `run_key`. With several `processes` the flags are read from `folder`/flags.json.
    """
    facts = publication or {}
    (folder / FLAGS).mkdir(parents=True, exist_ok=True)
    (folder / ANALYST).mkdir(exist_ok=True)
    if processes > 1:
        lines = folder / FLAGS_FILE
        write_in_processes(lines, len(flags), processes=processes, progress=progress)
    for done, flag in enumerate(flags if processes == 1 else ()):
        progress("Writing pages", done, len(flags))
        write_flag_pages(flag, folder)
    _write(folder / WORKLIST, render_worklist(flags, facts))
    _write(folder / INDEX, render_index(flags, facts))
    progress("Writing pages", len(flags), len(flags))


def write_flag_pages(
    flag: Mapping[str, Any],
    folder: Path,
) -> None:
    """Write one flag's page, and its analyst's report when a model scored the child."""
    _write(folder / address(flag["flag_id"]), flag_page(flag, home=f"../{WORKLIST}"))
    report = analyst_report(flag)
    if report is not None:
        name = f"{safe_name(flag['flag_id'])}.html"
        _write(folder / ANALYST / name, render_report(report))


def _write(path: Path, html: str) -> None:
    path.write_bytes(html.encode("utf-8"))
