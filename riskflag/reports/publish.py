"""All pages of one publication: the worklist, each flag, and the analysts' reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskflag.history.threads import cores
from riskflag.nightly.flag_lines import FlagLines
from riskflag.nightly.folder import sha256
from riskflag.nightly.shares import in_shares, processes_for
from riskflag.progress import Progress, silent
from riskflag.reports.pages import ANALYST, FLAGS, WORKLIST, write_flag_pages, write_page
from riskflag.reports.render import render_index, render_worklist

if TYPE_CHECKING:
    from riskflag.nightly.run import PublishedFlags

INDEX = "index.html"
#: What a process says of a flag whose pages it has written.
WRITTEN = b"written"


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
    write_page(folder / WORKLIST, render_worklist(short or flags, facts))
    write_page(folder / INDEX, render_index(short or flags, facts))
