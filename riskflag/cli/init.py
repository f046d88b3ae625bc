"""`riskflag init`: a new workspace."""

from __future__ import annotations

from pathlib import Path

import typer

USERS = """# Who uses this workspace: one [[user]] for each person, with a name, a role and a team.
# Roles: caseworker, senior (senior practitioner), manager, steward (data steward), analyst,
# governance (governance lead), owner (responsible owner).
# The names below are made up. A name stands in every review, so never give it to another person.
"""

#: Name, role, team.
MADE_UP_USERS = (
    ("duty worker 1", "caseworker", "Front door"),
    ("duty worker 2", "caseworker", "Front door"),
    ("locality worker 1", "caseworker", "Team North"),
    ("senior practitioner 1", "senior", "Front door"),
    ("senior practitioner 2", "senior", "Team North"),
    ("team manager 1", "manager", "Front door"),
    ("data steward 1", "steward", "Data office"),
    ("analyst 1", "analyst", "Data office"),
    ("governance lead 1", "governance", "Governance"),
    ("responsible owner 1", "owner", "Directorate"),
)


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
        """Make a new workspace: a folder with a commented riskflag.toml, users.toml, landing/ and
        sources/.

        Example: riskflag init borough --authority "Borough of Example" --source ssd
        """
        from riskflag.history.declared.shipped import check_shipped, copy_shipped
        from riskflag.workspace import Workspace

        for name in source:  # before the folder is made: a slip leaves nothing behind
            check_shipped(name)
        workspace = Workspace.create(folder, authority)
        for name in source:
            copy_shipped(name, workspace.sources_dir)
        write_users(workspace.root / "users.toml")
        typer.echo(f"Made a workspace in {folder}.")
        typer.echo("Next: put each delivery in landing/YEAR-MONTH-DAY/, then `riskflag ingest`.")


def write_users(path: Path) -> None:
    """Write a users.toml with made-up users, one or two for each role; never over another."""
    entries = [
        f'\n[[user]]\nname = "{name}"\nrole = "{role}"\nteam = "{team}"\n'
        for name, role, team in MADE_UP_USERS
    ]
    if not path.exists():
        path.write_text(USERS + "".join(entries), encoding="utf-8")
