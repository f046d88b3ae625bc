"""`riskflag init`: a new workspace."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def init(
        folder: Path = typer.Argument(
            Path("."), help="Where to make the workspace; made when it is not there."
        ),
        authority: str = typer.Option(
            "Our authority", help="Whose records these are; printed on every page."
        ),
        source: list[str] = typer.Option(
            [], "--source", help="A shipped source to copy in; repeat it. See `riskflag sources`."
        ),
    ) -> None:
        """Make a new workspace: a folder with a commented riskflag.toml, landing/ and sources/.

        Example: riskflag init borough --authority "Borough of Example" --source ssd
        """
        from riskflag.history.source import check_shipped, copy_shipped
        from riskflag.workspace import Workspace

        for name in source:  # before the folder is made: a slip leaves nothing behind
            check_shipped(name)
        workspace = Workspace.create(folder, authority)
        for name in source:
            copy_shipped(name, workspace.sources_dir)
        typer.echo(f"Made a workspace in {folder}.")
        typer.echo("Next: put each delivery in landing/YEAR-MONTH-DAY/, then `riskflag ingest`.")
