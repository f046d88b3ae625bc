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
        form: bool = typer.Option(
            False, "--form", help="Also write the review form as a text file beside the page."
        ),
        workspace: Path = typer.Option(
            Path("."), "--workspace", help="The workspace; the current folder when left out."
        ),
    ) -> None:
        """Write one flag's page as a single file that needs no network and prints on A4.

        Its review form has a code, so that it can be sent back with `riskflag reviews import`. The
        look is written into the audit chain first.

        Example: riskflag explain F-2026-000123 --out flag.html --form
        """
        import getpass

        from riskflag.casework.store import open_store
        from riskflag.nightly.ranges import ranges_of
        from riskflag.nightly.reproduce import look_at_flag
        from riskflag.reports.offline import form_text
        from riskflag.reports.offline_import import form_of
        from riskflag.reports.pages import analyst_page, flag_page
        from riskflag.workspace import Workspace

        place = Workspace.open(workspace)
        action = "explain to an analyst" if analyst else "explain"
        found = look_at_flag(place, flag, actor=getpass.getuser(), action=action)
        target = out or Path(f"{flag}.html")
        target.touch(mode=0o600)
        if analyst:
            page = analyst_page(found.flag, ranges_of(place, found.flag))
            target.write_text(page, encoding="utf-8")
            typer.echo(f"Wrote {target}")
            return
        store = open_store(place, create=False)
        try:
            asked = form_of(place, store, flag)
        finally:
            store.close()
        target.write_text(flag_page(found.flag, code=asked.code), encoding="utf-8")
        typer.echo(f"Wrote {target}")
        if form:
            beside = target.with_name(asked.file_name)
            beside.touch(mode=0o600)
            beside.write_bytes(form_text(asked).encode("utf-8"))
            typer.echo(f"Wrote {beside}. Fill it in, then: riskflag reviews import {beside}")
