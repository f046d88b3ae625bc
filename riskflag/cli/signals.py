"""`riskflag signals`: the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from riskflag.signals import Catalogue, Signal


def register(app: typer.Typer) -> None:
    @app.command()
    def signals(
        name: str = typer.Argument(None, help="A signal to explain in full; all when left out."),
        theme: str = typer.Option(
            None, help="Only this theme: health, missing, school, police, voice and so on."
        ),
        markdown: bool = typer.Option(
            False, "--markdown", help="Print the reference page docs/reference/signals.md."
        ),
        workspace: Path = typer.Option(
            Path("."), "--workspace", help="Whose signals: the workspace's own, or the shipped."
        ),
    ) -> None:
        """Show the catalogue of signals: each a number with its question, reason and source.

        Example: riskflag signals --theme missing, then riskflag signals missing_episodes_90d
        """
        catalogue = catalogue_of(workspace)
        if markdown:
            from riskflag.scoring.manual import signals_page

            typer.echo(signals_page(catalogue), nl=False)
            return

        from rich.console import Console

        console = Console()
        console.print(_one(catalogue, name) if name else _all(catalogue, theme))


def catalogue_of(workspace: Path) -> Catalogue:
    """The signals of a workspace, in its own words too; the shipped ones where there is none."""
    from riskflag.signals import load_catalogue
    from riskflag.workspace import CONFIG_NAME, Workspace

    if workspace == Path(".") and not (workspace / CONFIG_NAME).is_file():
        return load_catalogue()
    opened = Workspace.open(workspace)
    return load_catalogue(opened.features_dir, opened.vocabulary)


def _all(catalogue: Catalogue, theme: str | None) -> RenderableType:
    from rich.console import Group
    from rich.table import Table

    from riskflag.scoring.manual import THEME_TITLES, by_theme
    from riskflag.signals.define import THEMES
    from riskflag.signals.terms import choose

    if theme is not None:
        choose("theme", theme, THEMES)
    parts: list[RenderableType] = []
    shown = 0
    for name, members in by_theme(catalogue):
        if theme in (None, name):
            table = Table(
                title=THEME_TITLES[name], title_justify="left", box=None, show_header=False
            )
            table.add_column(no_wrap=True)
            table.add_column(overflow="fold", ratio=1)
            for signal in members:
                table.add_row(signal.name, signal.question)
            parts += [table, ""]
            shown += len(members)
    parts.append(f"{shown} signals. riskflag signals NAME explains one in full.")
    return Group(*parts)


def _one(catalogue: Catalogue, name: str) -> RenderableType:
    from rich.table import Table

    from riskflag.errors import ConfigError

    signal = catalogue.by_name.get(name)
    if signal is None:
        raise ConfigError(_unknown(name, catalogue))
    table = Table(title=signal.name, title_justify="left", show_header=False, box=None)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _facts(signal):
        table.add_row(label, text)
    table.add_row("Read by rules", ", ".join(_rules_reading(catalogue, name)) or "none")
    return table


def _facts(signal: Signal) -> list[tuple[str, str]]:
    from riskflag.scoring.manual import DIRECTION_WORDS
    from riskflag.signals import definition

    strength = "; it is a strength" if signal.protective else ""
    return [
        ("Question", signal.question),
        ("Why", signal.rationale),
        ("How", f"{definition(signal)}."),
        ("Unit", signal.unit),
        ("Theme", signal.theme),
        ("Held by", signal.agency.replace("_", " ")),
        ("Direction", DIRECTION_WORDS[signal.direction] + strength),
        ("Contact types", ", ".join(sorted(signal.types)) or "none"),
        ("Source", signal.source),
        ("Fingerprint", signal.fingerprint[:12]),
    ]


def _rules_reading(catalogue: Catalogue, name: str) -> list[str]:
    from riskflag.scoring.rulebook import Rulebook

    rules = Rulebook.load(catalogue.rulebook_path, catalogue).rules
    return [rule.id for rule in rules if name in rule.signals]


def _unknown(name: str, catalogue: Catalogue) -> str:
    import difflib

    near = difflib.get_close_matches(name, catalogue.names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`riskflag signals` lists them."
    return f"There is no signal '{name}' in the catalogue; {hint}"
