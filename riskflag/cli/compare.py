"""`riskflag compare`: recorded runs side by side."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def compare(
        experiment: str | None = typer.Argument(
            None, help="Only the runs of this experiment; all runs without one."
        ),
        workspace: Path = typer.Option(Path("."), "--workspace", help="The workspace."),
    ) -> None:
        """Show the recorded runs side by side, newest first, with what they have to beat.

        A star marks the run that was promoted last. Runs that saw other data (another history
        digest) are marked: their figures cannot be compared with the newest run's.

        Example: riskflag compare --workspace demo/workspace
        """
        from riskflag.training.compare import side_by_side
        from riskflag.training.track import Store
        from riskflag.workspace import Workspace

        store = Store(Workspace.open(workspace).mlruns)
        typer.echo(side_by_side(store.runs(experiment), store.champion()))
