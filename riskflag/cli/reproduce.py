"""`riskflag reproduce`: make a published flag again and compare it byte for byte."""

from __future__ import annotations

from pathlib import Path

import typer

from riskflag.errors import IntegrityError


def register(app: typer.Typer) -> None:
    @app.command()
    def reproduce(
        flag: str = typer.Argument(help="The number of the flag, for example F-2026-000123."),
        workspace: Path = typer.Option(
            Path("."), "--workspace", help="The workspace; the current folder when left out."
        ),
    ) -> None:
        """Make the night of a flag again from the history and compare every byte.

        Ends with code 0 when the flag is the same and 40 when it is not or cannot be made again;
        the sentence then names what differs.

        Example: riskflag reproduce F-2026-000123
        """
        import getpass

        from riskflag.cli.progress import progress_bar
        from riskflag.nightly.reproduce import look_at_flag
        from riskflag.nightly.reproduce import reproduce as again
        from riskflag.workspace import Workspace

        place = Workspace.open(workspace)
        found = look_at_flag(place, flag, actor=getpass.getuser(), action="reproduce")
        with progress_bar() as progress:
            result = again(place, found, progress=progress)
        if not result.same_flag:
            raise IntegrityError(
                f"{flag} came out different from what {found.folder.name} holds; keep both and "
                "report it: the same inputs must give the same bytes."
            )
        rest = "and so is the rest of" if result.same_publication else "but not the rest of"
        typer.echo(f"{flag} is the same, byte for byte, {rest} publication {found.folder.name}.")
        if not result.same_publication:
            raise IntegrityError(f"Other flags of {found.folder.name} came out different.")
