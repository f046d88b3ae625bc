"""`riskflag serve`: the caseworker app on this machine."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

import typer

from riskflag.errors import ConfigError

PORT = 8080
MOST_PROCESSES = 4


def register(app: typer.Typer) -> None:
    @app.command()
    def serve(
        workspace: Path = typer.Option(Path("."), help="The workspace whose pages to show."),
        port: int = typer.Option(
            PORT, min=0, max=65535, help="The port to listen on; 0 for any free one."
        ),
        host: str = typer.Option("127.0.0.1", help="The address to listen on."),
        processes: int = typer.Option(
            None, min=1, max=64, help="How many processes answer; one for each core, up to four."
        ),
        development_sign_in: bool = typer.Option(
            False,
            "--development-sign-in",
            help="Let anybody at this machine choose a user of users.toml. Made-up children only.",
        ),
    ) -> None:
        """Show the caseworker app: the worklist, the flags and their records, and the reviews.

        Example: riskflag serve --workspace demo/workspace --development-sign-in
        """
        refuse_strangers(host, development_sign_in=development_sign_in)
        run(workspace, host=host, port=port, processes=processes)


def refuse_strangers(host: str, *, development_sign_in: bool) -> None:
    """Raise ConfigError when people nobody has checked could reach the pages."""
    if not development_sign_in:
        raise ConfigError(
            "No sign-in is set up; on this machine alone, --development-sign-in lets you choose "
            "one of the users in users.toml."
        )
    if not is_loopback(host):
        raise ConfigError(
            "The development sign-in works on this machine alone; leave --host out or give "
            "127.0.0.1."
        )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def run(
    workspace: Path, *, host: str = "127.0.0.1", port: int = PORT, processes: int | None = None
) -> None:
    """Serve a workspace with the development sign-in until Ctrl-C."""
    from riskflag.workspace import Workspace

    check_installed()
    from riskflag.casework.users import load_users
    from riskflag.web.server import listen, serve

    opened = Workspace.open(workspace)
    load_users(opened)
    with listen(host, port) as sock:
        number = sock.getsockname()[1]
        address = f"http://{f'[{host}]' if ':' in host else host}:{number}/"
        serve(
            opened,
            sock,
            processes=processes or most_processes(),
            ready=lambda: typer.echo(f"{address} (Ctrl-C ends it)"),
        )
    typer.echo("Stopped.")


def most_processes() -> int:
    """One for each core, up to four."""
    return min(MOST_PROCESSES, os.cpu_count() or 1)


def check_installed() -> None:
    """Raise ConfigError when the parts of the web app are not installed."""
    from importlib.util import find_spec

    parts = ("flask", "flask_talisman", "flask_wtf", "govuk_frontend_jinja", "waitress")
    if not all(find_spec(part) for part in parts):
        raise ConfigError("The web app is not installed; add it with `pip install riskflag[web]`.")
