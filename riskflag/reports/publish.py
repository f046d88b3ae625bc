"""All pages of one publication: the worklist, each flag, and the analysts' reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskflag.history.threads import cores
from riskflag.nightly.flag_lines import Files, FlagLines
from riskflag.nightly.folder import sha256
from riskflag.nightly.shares import in_shares, processes_for
from riskflag.progress import Progress, silent
from riskflag.reports.pages import ANALYST, FLAGS, WORKLIST, write_flag_pages, write_page
from riskflag.reports.render import render_index, render_worklist

if TYPE_CHECKING:
    from riskflag.nightly.staging import PublishedFlags

INDEX = "index.html"
#: What a process says of a flag whose pages it has written.
WRITTEN = b"written"


class Pages:
    """The page writer that the night is given: every page of one publication into its folder.

    The pages of a flag may also be written one by one, before the lists; the files are the same.
    """

    def __call__(self, published: PublishedFlags, folder: Path) -> None:
        """Write all pages; those of many flags are shared out to several processes."""
        write_publication_pages(
            published.flags,
            folder,
            short=published.short,
            processes=processes_for(len(published.flags), cores()),
            publication=_facts(published),
        )

    def begin(self, folder: Path) -> None:
        """Make the folders of the flags' pages."""
        (folder / FLAGS).mkdir(parents=True, exist_ok=True)
        (folder / ANALYST).mkdir(exist_ok=True)

    def flag(self, flag: Mapping[str, Any], folder: Path, *, digest: str) -> Files:
        """Write the pages of one flag, and tell them; `digest` is its `record_hash`."""
        return write_flag_pages(flag, folder, digest=digest)

    def lists(self, published: PublishedFlags, folder: Path) -> None:
        """Write the worklist and the first page."""
        _write_lists(published.short, _facts(published), folder)


#: What `run_night` is given to write pages.
write_pages = Pages()


def _facts(published: PublishedFlags) -> dict[str, Any]:
    return {
        "as_of": published.as_of.isoformat(),
        "authority": published.authority,
        "capacity_per_week": published.capacity_per_week,
        "run_key": published.run_key,
        "held_back": published.held_back,
    }


def _write_lists(
    short: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], folder: Path
) -> None:
    write_page(folder / WORKLIST, render_worklist(short, facts))
    write_page(folder / INDEX, render_index(short, facts))


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
    write_pages.begin(folder)

    def work(number: int) -> bytes:
        digest = sha256(flags.line(number)) if isinstance(flags, FlagLines) else ""
        write_flag_pages(flags[number], folder, digest=digest)
        return WRITTEN

    progress("Writing pages", 0, len(flags))
    for done, _ in enumerate(in_shares(work, len(flags), processes=processes), start=1):
        progress("Writing pages", done, len(flags))
    _write_lists(short or flags, publication or {}, folder)
