"""All pages of one publication: the worklist, each flag, and the analysts' reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskflag.history.threads import cores
from riskflag.nightly.folder import FLAGS as FLAGS_FILE
from riskflag.progress import Progress, silent
from riskflag.reports.page_workers import MANY, write_in_processes
from riskflag.reports.pages import ANALYST, FLAGS, WORKLIST, write_flag_pages, write_page
from riskflag.reports.render import render_index, render_worklist

if TYPE_CHECKING:
    from riskflag.nightly.run import PublishedFlags

INDEX = "index.html"


def write_pages(published: PublishedFlags, folder: Path) -> None:
    """The page writer that the night is given: every page of one publication into its folder.

    The flags.json of the publication is there; many flags are shared out to several processes.
    """
    write_publication_pages(
        published.flags,
        folder,
        short=published.short,
        processes=cores() if len(published.flags) >= MANY else 1,
        publication={
            "as_of": published.as_of.isoformat(),
            "authority": published.authority,
            "capacity_per_week": published.capacity_per_week,
            "run_key": published.run_key,
            "held_back": published.held_back,
        },
    )


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
    it. With several `processes` the flags are read from `folder`/flags.json.
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
    write_page(folder / WORKLIST, render_worklist(short or flags, facts))
    write_page(folder / INDEX, render_index(short or flags, facts))
    progress("Writing pages", len(flags), len(flags))
