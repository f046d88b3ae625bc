"""`riskflag promote`: a recorded run becomes the model that the night uses, through the gates."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def promote(
        run: str | None = typer.Argument(
            None, help="A run's id or its beginning; the newest run without one."
        ),
        key: Path | None = typer.Option(
            None, "--key", help="The key file that signs the bundle (`riskflag key` makes one)."
        ),
        workspace: Path = typer.Option(Path("."), "--workspace", help="The workspace."),
    ) -> None:
        """Check a run's gates and export it as the bundle that the night uses.

        When a gate does not hold nothing is written and the present model stays.

        Example: riskflag promote --workspace demo/workspace
        """
        from riskflag.training.promote import promote as export
        from riskflag.workspace import Workspace

        place = Workspace.open(workspace)
        with place.lock():
            done = export(place, run, key_file=key)
        for gate in done.gates:
            typer.echo(f"held: {gate.name} ({gate.measured})")
        typer.echo(f"\nRun {done.run.id[:8]} is promoted as bundle {done.bundle.id}.")
        typer.echo(f"Its card: {done.path / 'card.md'}")
        if key is None:
            typer.echo("It is not signed: the workspace has no key (`riskflag key` makes one).")
        typer.echo("Next: `riskflag score --as-of DATE`.")
