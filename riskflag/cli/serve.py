"""`riskflag serve`: the caseworker app on this machine."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import typer

from riskflag.errors import ConfigError

PORT = 8080
#: Requests answered at the same time; further ones wait in line.
THREADS = 8


def register(app: typer.Typer) -> None:
    @app.command()
    def serve(
        workspace: Path = typer.Option(Path("."), help="The workspace whose pages to show."),
        port: int = typer.Option(PORT, min=1, max=65535, help="The port to listen on."),
        host: str = typer.Option("127.0.0.1", help="The address to listen on."),
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
        run(workspace, host=host, port=port)


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


def run(workspace: Path, *, host: str = "127.0.0.1", port: int = PORT) -> None:
    """Serve a workspace with the development sign-in until Ctrl-C."""
    from riskflag.workspace import Workspace

    check_installed()
    from waitress.server import create_server

    from riskflag.casework.users import load_users
    from riskflag.web.app import create_app

    opened = Workspace.open(workspace)
    load_users(opened)
    app = create_app(opened, development_sign_in=True)
    try:
        server = create_server(
            app,
            host=host,
            port=port,
            threads=THREADS,
            ident=None,
            clear_untrusted_proxy_headers=True,
            max_request_body_size=1_000_000,
        )
    except OSError:
        raise ConfigError(
            f"Port {port} of {host} cannot be used; another program may hold it. Give another "
            "with --port."
        ) from None
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"http://{shown}:{port}/ (Ctrl-C ends it)")
    try:
        server.run()
    finally:
        server.close()
        app.extensions["riskflag_store"].close()
    typer.echo("Stopped.")


def check_installed() -> None:
    """Raise ConfigError when the parts of the web app are not installed."""
    from importlib.util import find_spec

    parts = ("flask", "flask_talisman", "flask_wtf", "govuk_frontend_jinja", "waitress")
    if not all(find_spec(part) for part in parts):
        raise ConfigError("The web app is not installed; add it with `pip install riskflag[web]`.")
