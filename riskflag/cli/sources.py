"""`riskflag sources`: the sources riskflag ships, and those of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from riskflag.history.declared.source import Source


def register(app: typer.Typer) -> None:
    @app.command()
    def sources(
        names: list[str] = typer.Argument(
            None, metavar="[NAME]...", help="Tell all about a source, or a family such as ssd."
        ),
        workspace: Path = typer.Option(
            None, "--workspace", help="Check and list this workspace's sources instead."
        ),
        add: list[str] = typer.Option(
            [], "--add", help="Copy a shipped source into the workspace; repeat it."
        ),
        markdown: bool = typer.Option(False, "--markdown", help="The catalogue as Markdown."),
    ) -> None:
        """List the sources by family: what each holds, from whom, in which form, by which standard.

        Without --workspace, those that come with riskflag; copy one with --add and adapt the copy.

        Example: riskflag sources ssd_cp_plans
        """
        from rich.console import Console

        from riskflag.errors import ConfigError
        from riskflag.history.declared.shipped import SHIPPED_SOURCES, copy_shipped
        from riskflag.history.declared.source_load import load_sources
        from riskflag.history.declared.source_pages import catalogue
        from riskflag.history.schema import load_vocabulary
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
        if names:
            for text in _explained(listed, names):
                typer.echo(text)
        elif markdown:
            typer.echo(catalogue(listed), nl=False)
        elif listed:
            _list(Console(markup=False), listed)
        else:
            typer.echo("There is no source yet; add one with --add.")


def _explained(listed: tuple[Source, ...], names: list[str]) -> list[str]:
    """The sources that the names choose, or whose family they name, in words."""
    from riskflag.errors import ConfigError
    from riskflag.history.declared.source_text import explained

    texts: dict[str, str] = {}
    for name in names:
        chosen = [s for s in listed if s.name == name or s.name.startswith(f"{name}_")]
        if not chosen:
            raise ConfigError(f"There is no source {name} here; `riskflag sources` lists them.")
        texts |= {source.name: explained(source) for source in chosen}
    return list(texts.values())


def _list(console: Console, listed: tuple[Source, ...]) -> None:
    """One table for each family."""
    from rich.table import Table

    from riskflag.history.declared.source_pages import by_family, plain_title
    from riskflag.history.declared.source_text import follows, form

    for family, members in by_family(listed).items():
        standards = sorted({follows(source).split(":")[0] for source in members} - {""})
        said = f" ({'; '.join(standards)})" if len(standards) == 1 else ""
        console.print(f"{family or 'Others'}{said}", highlight=False, style="bold")
        table = Table(box=None, pad_edge=False)
        for heading in ("source", "held by", "what it holds", "file"):
            table.add_column(heading, no_wrap=heading in ("source", "held by"))
        for source in members:
            table.add_row(source.name, source.agency, plain_title(source), form(source))
        console.print(table)
    count = f"{len(listed)} sources" if len(listed) != 1 else "1 source"
    console.print(f"{count}. `riskflag sources NAME` tells all about one.", highlight=False)
