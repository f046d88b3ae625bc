"""`riskflag synth`: a synthetic borough."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def synth(
        out: Path = typer.Option(..., help="Where to write; an earlier borough there is replaced."),
        children: int = typer.Option(4000, help="How many children the borough has."),
        seed: int = typer.Option(1, help="Another seed makes another borough."),
        until: str = typer.Option("2026-03-31", help="The last day, as year-month-day."),
        years: int = typer.Option(5, help="How many years of contacts."),
    ) -> None:
        """Make a synthetic borough: agencies' files in their real columns, the truth kept apart.

        Nobody in it is real. Example: riskflag synth --children 4000 --seed 1 --out borough
        """
        from riskflag.cli.progress import progress_bar
        from riskflag.clock import parse_day
        from riskflag.synth.base_rates import as_table
        from riskflag.synth.borough import generate

        last = parse_day(until, "last day")
        with progress_bar() as progress:
            summary = generate(
                out, children=children, seed=seed, until=last, years=years, progress=progress
            )
        typer.echo(as_table(summary.base_rates))
        rows = sum(summary.rows.values())
        typer.echo(f"\n{rows} rows in {len(summary.rows)} files a delivery, in {summary.landing}")
        typer.echo(f"The truth, which the engine never reads: {summary.truth}")
