"""`riskflag sources`: the sources riskflag ships, and those of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from riskflag.history.source import Source


def register(app: typer.Typer) -> None:
    @app.command()
    def sources(
        workspace: Path = typer.Option(
            None, "--workspace", help="Check and list this workspace's sources instead."
        ),
        add: list[str] = typer.Option(
            [], "--add", help="Copy a shipped source into the workspace; repeat it."
        ),
    ) -> None:
        """List the sources: which file each takes, from which agency and what it makes of a row.

        Without --workspace, those that come with riskflag; copy one with --add and adapt the copy.

        Example: riskflag sources --workspace borough --add ssda903_missing
        """
        from rich.console import Console

        from riskflag.errors import ConfigError
        from riskflag.history.schema import load_vocabulary
        from riskflag.history.source import SHIPPED_SOURCES, copy_shipped, load_sources
        from riskflag.workspace import Workspace

        if add and workspace is None:
            raise ConfigError("--add needs a workspace to copy to; name it with --workspace.")
        folder, words = SHIPPED_SOURCES, load_vocabulary()
        if workspace is not None:
            opened = Workspace.open(workspace)
            for name in add:
                copy_shipped(name, opened.sources_dir)
            folder, words = opened.sources_dir, load_vocabulary(opened.root / "vocabulary.toml")
        listed = load_sources(folder, words)
        Console().print(_table(listed) if listed else "There is no source yet; add one with --add.")


def _table(listed: tuple[Source, ...]) -> object:
    from rich.table import Table

    from riskflag.history.source_check import contact_types

    table = Table(box=None, pad_edge=False)
    for heading in ("source", "agency", "files", "scope", "makes"):
        table.add_column(heading, overflow="fold")
    for source in listed:
        types = dict.fromkeys(
            name for entry in source.contact for name in contact_types(source, entry)
        )
        others = ("person", "identifier", "relationship")
        made = [*types, *(f"{name}s" for name in others if getattr(source, name))]
        part = f" ({source.files.part})" if source.files.part else ""
        files = ", ".join(source.files.pattern) + part
        table.add_row(source.name, source.agency, files, source.delivery.scope, ", ".join(made))
    return table
