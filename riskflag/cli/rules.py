"""`riskflag rules`: the rulebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from riskflag.scoring.rulebook import Rule, Rulebook


def register(app: typer.Typer) -> None:
    @app.command()
    def rules(
        name: str = typer.Argument(None, help="A rule to explain in full; all when left out."),
        rulebook: Path = typer.Option(
            None, "--rulebook", help="Check and show this rulebook instead of the one in use."
        ),
        markdown: bool = typer.Option(
            False, "--markdown", help="Print the reference page docs/reference/rules.md."
        ),
        workspace: Path = typer.Option(
            Path("."), "--workspace", help="Whose rules: the workspace's own, or the shipped."
        ),
    ) -> None:
        """Show the rules: what each looks for, what to ask, where it comes from and who owns it.

        A rulebook with a mistake is refused whole, naming the line.

        Example: riskflag rules, then riskflag rules repeat_missing
        """
        from riskflag.cli.signals import catalogue_of
        from riskflag.scoring.rulebook import Rulebook

        catalogue = catalogue_of(workspace)
        book = Rulebook.load(rulebook or catalogue.rulebook_path, catalogue)
        if markdown:
            from riskflag.scoring.manual import rules_page

            typer.echo(rules_page(book), nl=False)
            return

        from rich.console import Console

        console = Console()
        console.print(_one(book, name) if name else _all(book))


def _all(book: Rulebook) -> RenderableType:
    from rich.table import Table

    from riskflag import clock

    late = len(book.overdue(clock.today()))
    overdue = f" {late} past their review date." if late else ""
    table = Table(
        caption=f"{book.title}, version {book.version}: {len(book.rules)} rules.{overdue}"
        " riskflag rules NAME explains one in full.",
        caption_justify="left",
    )
    table.add_column("rule", no_wrap=True)
    table.add_column("level")
    table.add_column("title", overflow="fold", ratio=1)
    table.add_column("review by", no_wrap=True)
    for rule in book.rules:
        table.add_row(rule.id, rule.level, rule.title, rule.review_by.isoformat())
    return table


def _one(book: Rulebook, name: str) -> RenderableType:
    from rich.table import Table

    from riskflag.errors import ConfigError

    rule = book.by_id.get(name)
    if rule is None:
        raise ConfigError(_unknown(name, book))
    table = Table(title=rule.title, title_justify="left", show_header=False, box=None)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _facts(rule):
        table.add_row(label, text)
    return table


def _facts(rule: Rule) -> list[tuple[str, str]]:
    from riskflag.scoring.manual import LEVEL_WORDS, condition_words, shown

    return [
        ("Rule", f"{rule.id}, version {rule.version}"),
        ("Level", LEVEL_WORDS[rule.level]),
        ("Statement", shown(rule.statement)),
        ("When", condition_words(rule.when).replace("`", "")),
        ("Questions to ask", "\n".join(rule.questions)),
        ("Other explanations", "\n".join(rule.other_explanations)),
        ("Cautions", "\n".join(rule.cautions) or "none"),
        ("Source", rule.source),
        ("Window", rule.window),
        ("Owner", rule.owner),
        ("Review by", rule.review_by.isoformat()),
        ("Fingerprint", rule.fingerprint[:12]),
    ]


def _unknown(name: str, book: Rulebook) -> str:
    import difflib

    near = difflib.get_close_matches(name, list(book.by_id), n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`riskflag rules` lists them."
    return f"There is no rule '{name}' in the rulebook; {hint}"
