"""`riskflag check`: can this history be trusted? Findings, a page with plots, and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from riskflag.history.checks.model import CheckReport

#: More findings than this are left to the page.
_MANY = 20


def register(app: typer.Typer) -> None:
    @app.command()
    def check(
        workspace: Path = typer.Option(Path("."), "--workspace", help="The workspace's folder."),
        as_of: str = typer.Option(
            None, "--as-of", help="Check what was known before this day; default: all that landed."
        ),
        out: Path = typer.Option(
            None, "--out", help="Where to write the page and the JSON; default: reports/."
        ),
        as_json: bool = typer.Option(False, "--json", help="Print the whole report as JSON."),
    ) -> None:
        """Check the history before you train or score on it, and write a page of what was found.

        Volumes and values against history, codes, lateness, rates of outcomes, identifiers,
        impossible days, coverage and signs of leaks. Counts only, small ones left out. Ends with
        code 0, or 10 when there is something to look at.

        Example: riskflag check
        """
        import json

        from riskflag.cli.progress import progress_bar
        from riskflag.clock import parse_day
        from riskflag.history.checks.model import load_limits
        from riskflag.history.checks.run import examine
        from riskflag.history.store.ledger import write_atomic
        from riskflag.reports.render import render_check
        from riskflag.workspace import Workspace

        place = Workspace.open(workspace)
        day = parse_day(as_of, "day of the check") if as_of else None
        with progress_bar() as progress:
            report = examine(place, load_limits(place.root), day, progress=progress)
        text = report.to_json()
        folder = out or place.reports
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        page = folder / f"check-{report.as_of}.html"
        write_atomic(page.with_suffix(".json"), text.encode())
        write_atomic(page, render_check(json.loads(text)).encode())
        if as_json:
            typer.echo(text, nl=False)
        else:
            _show(report, page)
        if report.findings:
            from riskflag.errors import PUBLISHED_DEGRADED

            raise typer.Exit(PUBLISHED_DEGRADED)


def _show(report: CheckReport, page: Path) -> None:
    for finding in report.findings[:_MANY]:
        where = " ".join(filter(None, (finding.source, finding.type)))
        typer.echo(f"{where}: {finding.what}" if where else finding.what)
        typer.echo(f"  {finding.to_do}")
    count = len(report.findings)
    if count > _MANY:
        typer.echo(f"... and {count - _MANY:,} more on the page.")
    found = f"{count:,} findings" if count != 1 else "1 finding"
    typer.echo(f"{found if count else 'No findings'} as of {report.as_of}. Read: {page}")
