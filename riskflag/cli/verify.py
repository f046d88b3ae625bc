"""`riskflag verify`: the audit chain, the store and every publication."""

from __future__ import annotations

from pathlib import Path

import typer

from riskflag.errors import IntegrityError


def register(app: typer.Typer) -> None:
    @app.command()
    def verify(
        workspace: Path = typer.Option(
            Path("."), "--workspace", help="The workspace; the current folder when left out."
        ),
    ) -> None:
        """Check the store, the audit chain with its anchors, and every publication's hashes.

        Changes nothing. Ends with code 0 when all is as it was left, 40 with the list of faults
        when not.

        Example: riskflag verify
        """
        from riskflag.nightly.verify import verify as check
        from riskflag.workspace import Workspace

        found = check(Workspace.open(workspace))
        for fault in found.faults:
            typer.echo(fault, err=True)
        if found.faults:
            raise IntegrityError(
                f"{len(found.faults)} faults found; keep the workspace as it is and call whoever "
                "looks after the backups."
            )
        typer.echo(
            f"All as it was left: {found.publications} publications, {found.entries} audit "
            f"entries, {found.anchors} anchors."
        )
