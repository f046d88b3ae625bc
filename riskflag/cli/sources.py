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
        explain: list[str] = typer.Option(
            [], "--explain", help="Tell all about a source or a family of them; repeat it."
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
        if explain:
            for text in _explained(listed, explain):
                typer.echo(text)
            return
        Console().print(_table(listed) if listed else "There is no source yet; add one with --add.")


def _explained(listed: tuple[Source, ...], names: list[str]) -> list[str]:
    """The sources that the names choose, or whose family they name, in words."""
    from riskflag.errors import ConfigError
    from riskflag.history.source_text import explained

    texts: dict[str, str] = {}
    for name in names:
        chosen = [s for s in listed if s.name == name or s.name.startswith(f"{name}_")]
        if not chosen:
            raise ConfigError(f"There is no source {name} here; `riskflag sources` lists them.")
        texts |= {source.name: explained(source) for source in chosen}
    return list(texts.values())


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
