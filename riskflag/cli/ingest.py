"""`riskflag ingest`: agency files into the history, with the load report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from riskflag.history.loading.report import FileReport, LoadReport


def register(app: typer.Typer) -> None:
    @app.command()
    def ingest(
        workspace: Path = typer.Option(Path("."), "--workspace", help="The workspace's folder."),
        dry_run: bool = typer.Option(
            False, "--dry-run", help="Read and report everything, write nothing."
        ),
        landed: str = typer.Option(
            None, help="The day files directly in landing/ landed (2026-03-31); default: today."
        ),
        write_source: str = typer.Option(
            None,
            "--write-source",
            metavar="NAME",
            help="With --dry-run: write sources/NAME.toml for the file that no source takes.",
        ),
        as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
    ) -> None:
        """Load the agencies' files from landing/ into the history and account for every row.

        Files in landing/2026-03-31/ landed that day. What was loaded before is left alone, so
        the command can be run again at any time. A dry run also says what files that no source
        takes could be.

        Example: riskflag ingest --workspace borough --dry-run
        """
        from riskflag.cli.progress import progress_bar
        from riskflag.clock import parse_day
        from riskflag.errors import ConfigError, InputError
        from riskflag.history.loading.ingest import ingest as load
        from riskflag.workspace import Workspace

        if write_source and not dry_run:
            raise ConfigError("--write-source goes with --dry-run: look before you load.")
        day = parse_day(landed, "landing day") if landed else None
        with progress_bar() as progress:
            report = load(Workspace.open(workspace), dry_run=dry_run, landed=day, progress=progress)
        if as_json:
            typer.echo(report.to_json(), nl=False)
        else:
            _show(report)
            _set_aside(report, workspace / "quarantine")
        if write_source:
            from riskflag.history.files.starter import write_starter

            path = write_starter(Workspace.open(workspace), write_source, report.unclaimed)
            typer.echo(f"Wrote {path}. Read the lines with CHECK, then try the dry run again.")
        if report.all_rejected:
            raise InputError(
                "No file could be taken, or not one row of it; the reasons are in the report above."
            )


def _set_aside(report: LoadReport, folder: Path) -> None:
    """Where the rejected rows are, if there are any and they were written."""
    rows = sum(file.quarantined for file in report.files)
    if rows and not report.dry_run:
        typer.echo(f"{rows:,} rejected rows are kept, with reason, file and line, in {folder}.")


#: More files than this are summed up by source.
_MANY_FILES = 40
#: What became of the rows, and what is told of it even where it is nothing.
_FIGURES = ("rows", "accepted", "duplicate", "superseded", "quarantined", "contacts")
_ALWAYS = ("rows", "accepted", "quarantined")


def _show(report: LoadReport) -> None:
    from rich.console import Console

    console = Console(markup=False)  # file names come from outside
    _files(console, report)
    for message in dict.fromkeys(f.message for f in report.files if f.status == "held"):
        console.print(f"Held: {message}", highlight=False, soft_wrap=True)
    console.print(
        f"{report.new_versions:,} contact versions added, {report.withdrawn:,} withdrawn, "
        f"{report.linked_later:,} linked to a person now, {report.unlinked:,} not linked yet; "
        f"{report.persons:,} person rows, {report.relationships:,} relationships.",
        highlight=False,
        soft_wrap=True,
    )
    _details(console, report)
    if report.dry_run:
        console.print("Dry run: nothing was written.")


def _files(console: Console, report: LoadReport) -> None:
    """One line per file that was read, or per source where there are many."""
    from rich.table import Table

    known = sum(file.status == "known" for file in report.files)
    if known:
        console.print(f"Loaded before, nothing to do: {known:,} files.", highlight=False)
    new = [file for file in report.files if file.status == "loaded"]
    named = [(f"{file.landed}  {Path(file.name).name}", [file]) for file in new]
    if len(new) > _MANY_FILES:
        sources = sorted({file.source for file in new})
        grouped = {name: [f for f in new if f.source == name] for name in sources}
        named = [(f"{name} ({len(files)} files)", files) for name, files in grouped.items()]
    table = Table(title="Rows", title_justify="left", box=None, pad_edge=False)
    table.add_column("", overflow="fold")
    shown = [name for name in _FIGURES if name in _ALWAYS or any(_each(new, name))]
    for heading in shown:
        table.add_column(heading, justify="right", no_wrap=True)
    for label, files in named:
        table.add_row(label, *(f"{sum(_each(files, name)):,}" for name in shown))
    if named:
        console.print(table)
    _rejected(console, new)


def _rejected(console: Console, files: list[FileReport]) -> None:
    """Why rows were not taken, and where the first of each kind stands."""
    from riskflag.history.loading.quarantine import SAID

    told = [
        f"Rejected: {file.name} {file.first[reason]}: {SAID[reason]} ({reason} {count:,}"
        + (", this is the first)." if count > 1 else ").")
        for file in files
        for reason, count in sorted(file.reasons.items())
    ]
    for sentence in told[:_MANY_FILES]:
        console.print(sentence, highlight=False, soft_wrap=True)
    if len(told) > _MANY_FILES:
        console.print(f"And {len(told) - _MANY_FILES:,} more, in the report's file.")
    if told:
        console.print("Have rows corrected where they come from, or correct the source.")


def _each(files: list[FileReport], name: str) -> list[int]:
    return [getattr(file, name) for file in files]


def _details(console: Console, report: LoadReport) -> None:
    from rich.table import Table

    if report.unmapped:
        table = Table(title="Codes no map holds", title_justify="left", box=None, pad_edge=False)
        for heading in ("source", "column", "code", "rows"):
            table.add_column(heading, justify="right" if heading == "rows" else "left")
        for item in report.unmapped[:_MANY_FILES]:
            table.add_row(item.source, item.column, item.code, f"{item.rows:,}")
        console.print(table)
    _unsaid(console, report)
    if report.issues:
        marks = ", ".join(f"{name} {count:,}" for name, count in sorted(report.issues.items()))
        console.print(f"Marked and kept: {marks}", highlight=False)
    if report.lateness:
        table = Table(
            title="Days from occurring to being known",
            title_justify="left",
            box=None,
            pad_edge=False,
        )
        for heading in ("source", "known by", "contacts", "half", "nine in ten", "longest"):
            table.add_column(
                heading, justify="left" if heading in ("source", "known by") else "right"
            )
        for late in report.lateness:
            figures = (late.contacts, late.half_within, late.nine_tenths_within, late.longest)
            table.add_row(late.source, late.basis, *(f"{value:,}" for value in figures))
        console.print(table)
    for name in report.unclaimed:
        console.print(f"No source takes {name}: it was not read.", highlight=False)
    if report.unclaimed and not report.dry_run:
        console.print("`riskflag ingest --dry-run` says what such a file could be.")
    for proposal in report.proposals:
        console.print()
        for sentence in proposal.says:
            console.print(sentence, highlight=False)
    for note in report.notes:
        console.print(note, highlight=False)


def _unsaid(console: Console, report: LoadReport) -> None:
    """What records do not say although their source declares it, most first."""
    from rich.table import Table

    if not report.unsaid:
        return
    console.print(
        "Records that do not say; a signal that asks for it does not count them:", soft_wrap=True
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("source", "record", "unknown", "records", "of"):
        table.add_column(heading, justify="right" if heading in ("records", "of") else "left")
    for item in sorted(report.unsaid, key=lambda u: (-u.contacts / u.of, u.source))[:_MANY_FILES]:
        figures = (f"{item.contacts:,}", f"{item.of:,}")
        table.add_row(item.source, item.type, item.attribute, *figures)
    console.print(table)
    if len(report.unsaid) > _MANY_FILES:
        console.print(f"And {len(report.unsaid) - _MANY_FILES} more, in the report's file.")
