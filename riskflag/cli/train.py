"""`riskflag train`: one experiment, from the history to a recorded run."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def train(
        experiment: str = typer.Argument(
            ..., help="An experiment folder, or the name of one, for example borough."
        ),
        workspace: Path = typer.Option(
            Path("."), "--workspace", help="The workspace whose history is learnt from."
        ),
        truth: Path | None = typer.Option(
            None, "--truth", help="A synthetic borough's truth folder, only to compare with."
        ),
        threads: int = typer.Option(
            2, min=1, max=64, help="Processors to use; the model's bytes do not depend on it."
        ),
    ) -> None:
        """Train a model and record the run, with the simplest alternatives beside it.

        The experiment's config.toml says what is to be anticipated and for whom. Nothing is used
        by the night until you promote the run.

        Example: riskflag train borough --workspace demo/workspace
        """
        from riskflag.cli.progress import progress_bar
        from riskflag.errors import ConfigError
        from riskflag.training.data.experiment import find_experiment
        from riskflag.training.run import train as run
        from riskflag.workspace import Workspace

        place = Workspace.open(workspace)
        folder = find_experiment(experiment, place.root)
        if truth is not None and not truth.is_dir():
            raise ConfigError("The truth folder is not there; check --truth.")
        with progress_bar() as progress:
            done = run(folder, place, truth=truth, threads=threads, progress=progress)
        typer.echo(done.text)
        typer.echo(f"{done.inputs} signals, {done.trees} trees. Not used as inputs:")
        for name, reason in done.excluded or (("none", ""),):
            typer.echo(f"  {name} {reason}".rstrip())
        typer.echo(f"\nRecorded as run {done.run_id[:8]} in {place.mlruns}.")
        failed = "; ".join(gate.name for gate in done.judgement.gates if not gate.holds)
        typer.echo(
            f"Next: look at what does not hold ({failed}); `riskflag promote` refuses it as it is."
            if failed
            else "Next: `riskflag promote` makes it the model that the night uses."
        )
