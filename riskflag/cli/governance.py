"""`riskflag governance`: what an authority needs to answer for a model, as files."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def governance(
        bundle: str | None = typer.Argument(
            None, help="A bundle's folder name; the one the night uses without one."
        ),
        since: str | None = typer.Option(
            None, "--since", help="An earlier bundle, for a log of what changed."
        ),
        out: Path = typer.Option(
            None, "--out", help="Where to write the pack; default: reports/governance-BUNDLE."
        ),
        workspace: Path = typer.Option(Path("."), "--workspace", help="The workspace."),
    ) -> None:
        """Write the governance pack of a model, as pages and as Markdown.

        Model card, transparency record, variable list, data sheet, fairness report and, with
        --since, a change log. What only people can say is read from governance.toml.

        Example: riskflag governance --workspace demo/workspace
        """
        from riskflag.history.store.ledger import write_atomic
        from riskflag.reports.governance import files
        from riskflag.training.promotion.governance import gather
        from riskflag.workspace import Workspace

        place = Workspace.open(workspace)
        evidence = gather(place, bundle)
        earlier = None if since is None else gather(place, since)
        folder = out or place.reports / f"governance-{evidence.id}"
        pack = files(evidence, earlier)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in pack.items():
            write_atomic(folder / name, text.encode())
        typer.echo(f"Wrote {len(pack)} files to {folder}. Begin with model-card.html.")
