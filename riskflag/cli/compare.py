"""`riskflag compare`: recorded runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from riskflag.training.record.track import Store


def register(app: typer.Typer) -> None:
    @app.command()
    def compare(
        names: list[str] | None = typer.Argument(
            None,
            metavar="[EXPERIMENT | RUN RUN]",
            help="The runs of one experiment; or two runs, each by the beginning of its id or as "
            "champion or challenger; all runs without any.",
        ),
        workspace: Path = typer.Option(Path("."), "--workspace", help="The workspace."),
        out: Path | None = typer.Option(
            None, "--out", help="Of two runs: write the comparison as an HTML page too."
        ),
    ) -> None:
        """Show the recorded runs side by side, newest first, with what they have to beat.

        A star marks the run that was promoted last. Runs that saw other data (another history
        digest) are marked: their figures cannot be compared with the newest run's. Of two runs
        every figure is shown with its interval, and every setting, signal and source that differs.

        Example: riskflag compare champion challenger --workspace demo/workspace --out compare.html
        """
        from riskflag.errors import ConfigError
        from riskflag.training.record.compare import side_by_side
        from riskflag.training.record.track import Store, must_be_there
        from riskflag.workspace import Workspace

        wanted = names or []
        if len(wanted) > 2 or (out is not None and len(wanted) != 2):
            raise ConfigError("Name two runs to compare, or one experiment to list its runs.")
        mlruns = Workspace.open(workspace).mlruns
        must_be_there(mlruns)
        store = Store(mlruns)
        if len(wanted) < 2:
            experiment = wanted[0] if wanted else None
            typer.echo(side_by_side(store.runs(experiment), store.champion()))
        else:
            _two(store, wanted, out)


def _two(store: Store, wanted: list[str], out: Path | None) -> None:
    from riskflag.errors import StorageError
    from riskflag.training.record.pair import Pair, Side, as_text
    from riskflag.training.record.pair_page import as_html

    pair = Pair(Side.of(store, wanted[0]), Side.of(store, wanted[1]))
    typer.echo(as_text(pair))
    if out is None:
        return
    try:
        out.write_text(as_html(pair), encoding="utf-8")
    except OSError:
        raise StorageError(f"{out} cannot be written; check the folder.") from None
    typer.echo(f"\nWritten to {out}.")
