"""`riskflag lookback`: one child's course, day by day, for learning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from riskflag.nightly.lookback_material import Asked
    from riskflag.workspace import Workspace


def register(app: typer.Typer) -> None:
    @app.command()
    def lookback(
        person: str = typer.Argument(help="The person's number in the history."),
        first: str = typer.Option(
            None, "--from", help="The first day; when left out, the first on which anything stood."
        ),
        last: str = typer.Option(
            None, "--to", help="The last day; when left out, that of the newest night, or today."
        ),
        out: Path = typer.Option(
            Path("lookback.html"), "--out", help="Where to write the page; a .json name: as data."
        ),
        rulebook: Path = typer.Option(
            None, "--rulebook", help="Replay with this rulebook; the current one when left out."
        ),
        bundle: str = typer.Option(
            None, "--bundle", help="Replay with this bundle of the workspace, by folder name."
        ),
        rules_only: bool = typer.Option(False, "--rules-only", help="Replay without a model."),
        workspace: Path = typer.Option(
            Path("."), "--workspace", help="The workspace; the current folder when left out."
        ),
    ) -> None:
        """Look back at one child: what was known when, and what would have been seen.

        For learning after something happened. Each day is worked out from what was known before
        it, never with hindsight. The look is written into the audit chain first, and the file is
        readable by its owner only.

        Example: riskflag lookback C000123 --from 2025-01-01 --out lookback.html
        """
        from riskflag.clock import parse_day
        from riskflag.nightly.lookback_material import Asked
        from riskflag.workspace import Workspace

        asked = Asked(
            person,
            None if first is None else parse_day(first, "--from day"),
            None if last is None else parse_day(last, "--to day"),
            rulebook,
            bundle,
            rules_only,
        )
        course = _looked_at(Workspace.open(workspace), asked)
        out.touch(mode=0o600)
        out.write_text(_as_text(course, data=out.suffix == ".json"), encoding="utf-8")
        typer.echo(
            f"{course['from']} to {course['to']}: {len(course['records']):,} records known, "
            f"{len(course['steps']):,} days on which something changed."
        )
        typer.echo(f"Wrote {out}")


def _looked_at(place: Workspace, asked: Asked) -> dict[str, Any]:
    """The course of a person, after the look has been written into the audit chain."""
    import getpass

    from riskflag.casework.looks import record_looks
    from riskflag.casework.store import open_store
    from riskflag.nightly.lookback import look_back

    store = open_store(place)
    try:
        actor = getpass.getuser()
        record_looks(store, actor=actor, action="look_back", subjects=[asked.person_id])
        return look_back(place, store, asked)
    finally:
        store.close()


def _as_text(course: dict[str, Any], *, data: bool) -> str:
    import json

    from riskflag.reports.lookback import lookback_page
    from riskflag.reports.render import render_lookback

    if data:
        return json.dumps(course, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    return render_lookback(lookback_page(course))
