"""`riskflag explain`: one flag's page as a file."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def explain(
        flag: str = typer.Argument(help="The number of the flag, for example F-2026-000123."),
        out: Path = typer.Option(
            None, "--out", help="Where to write the page; FLAG.html when left out."
        ),
        analyst: bool = typer.Option(
            False, "--analyst", help="Write the analyst's report of the model's contributions."
        ),
        workspace: Path = typer.Option(
            Path("."), "--workspace", help="The workspace; the current folder when left out."
        ),
    ) -> None:
        """Write one flag's page as a single file that needs no network and prints on A4.

        The look is written into the audit chain first.

        Example: riskflag explain F-2026-000123 --out flag.html
        """
        import getpass

        from riskflag.nightly.reproduce import look_at_flag
        from riskflag.reports.publish import analyst_page, flag_page
        from riskflag.workspace import Workspace

        place = Workspace.open(workspace)
        action = "explain to an analyst" if analyst else "explain"
        found = look_at_flag(place, flag, actor=getpass.getuser(), action=action)
        page = analyst_page(found.flag) if analyst else flag_page(found.flag)
        target = out or Path(f"{flag}.html")
        target.touch(mode=0o600)
        target.write_text(page, encoding="utf-8")
        typer.echo(f"Wrote {target}")
