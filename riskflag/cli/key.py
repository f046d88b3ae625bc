"""`riskflag key`: the key with which promoted models are signed."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def key(
        file: Path = typer.Argument(..., help="Where to write the private half: a new file."),
    ) -> None:
        """Make a key to sign promoted models with, and print its public half.

        Keep the file outside every workspace, where only those who may promote can read it. With
        the public half in riskflag.toml the night refuses a model that the key did not sign.

        Example: riskflag key promotion.pem
        """
        from riskflag.scoring.signature import new_key
        from riskflag.workspace import PROMOTION_KEY_VARIABLE

        public = new_key(file)
        typer.echo(f"The private half is in {file}; only its owner can read it. Keep a copy safe.")
        typer.echo(f"\nPut this line in riskflag.toml, or the key in {PROMOTION_KEY_VARIABLE}:\n")
        typer.echo(f'promotion_key = "{public}"')
        typer.echo(f"\nNext: `riskflag promote --key {file}`.")
