"""`riskflag backtest`: what a changed rulebook would have done on past nights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from riskflag.training.data.experiment import OutcomeConfig
    from riskflag.workspace import Workspace


def register(app: typer.Typer) -> None:
    @app.command()
    def backtest(
        rulebook: Path = typer.Argument(..., help="The changed rulebook: a file."),
        nights: int = typer.Option(90, "--nights", help="How many past nights."),
        last: str = typer.Option(
            None, "--to", help="The newest night; default: the day after the newest record."
        ),
        against: Path = typer.Option(
            None, "--against", help="Another rulebook than the present one to compare with."
        ),
        experiment: str = typer.Option(
            None, "--experiment", help="Whose outcome to look for: an experiment's name or folder."
        ),
        out: Path = typer.Option(
            None, "--out", help="Where to write the page and the data; default: reports/."
        ),
        workspace: Path = typer.Option(Path("."), "--workspace", help="The workspace."),
    ) -> None:
        """Try a changed rulebook on past nights, beside the present one, without hindsight.

        Children brought by week, overlap, gained and lost with which rule, outcomes reached or
        missed, by group. Nothing of the workspace is changed, and only counts come out.

        Example: riskflag backtest my-rulebook.toml --nights 180 --experiment borough
        """
        import json

        from riskflag.cli.progress import progress_bar
        from riskflag.clock import parse_day
        from riskflag.history.store.ledger import write_atomic
        from riskflag.nightly.backtest import Asked, back_test
        from riskflag.reports.backtest import backtest_page, sentences
        from riskflag.workspace import Workspace

        place = Workspace.open(workspace)
        day = None if last is None else parse_day(last, "--to day")
        asked = Asked(rulebook, against, nights, day, _outcome(place, experiment))
        with progress_bar() as progress:
            told = back_test(place, asked, progress)
        folder = out or place.reports
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        where = folder / f"backtest-{told['to']}.html"
        data = json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        write_atomic(where.with_suffix(".json"), data.encode())
        write_atomic(where, backtest_page(told).encode())
        for sentence in sentences(told):
            typer.echo(sentence)
        for title, key in (("Gained by", "gained_by"), ("Lost with", "lost_by")):
            for one in told[key]:
                typer.echo(f"{title} {one['rule']}: {one['children']:,}")
        typer.echo(f"Read: {where}")


def _outcome(place: Workspace, experiment: str | None) -> OutcomeConfig | None:
    """The outcome that an experiment anticipates."""
    if experiment is None:
        return None
    from riskflag.signals.terms import use_vocabulary
    from riskflag.training.data.experiment import Experiment, find_experiment

    use_vocabulary(place.vocabulary)
    return Experiment.read(find_experiment(experiment, place.root)).config.outcome
