"""`riskflag promote`: a recorded run becomes the model that the night uses, through the gates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from riskflag.training.judging.gates import Gate


def register(app: typer.Typer) -> None:
    @app.command()
    def promote(
        run: str | None = typer.Argument(
            None, help="A run's id or its beginning; the newest run without one."
        ),
        key: Path | None = typer.Option(
            None, "--key", help="The key file that signs the bundle (`riskflag key` makes one)."
        ),
        sign_off: list[str] = typer.Option(
            [], "--sign-off", help="A gate that does not hold and is accepted all the same."
        ),
        role: str = typer.Option("", "--role", help="In which role somebody accepts it."),
        reason: str = typer.Option("", "--reason", help="Why; kept in the bundle."),
        workspace: Path = typer.Option(Path("."), "--workspace", help="The workspace."),
    ) -> None:
        """Check a run's gates and export it as the bundle that the night uses.

        When a gate does not hold nothing is written and the present model stays. Gates on fairness
        and on what the model rests on can be signed off, with a role and a reason.

        Example: riskflag promote --workspace demo/workspace
        """
        from riskflag.training.judging.gates import SignOff
        from riskflag.training.promotion.promote import promote as export
        from riskflag.training.record.track import must_be_there
        from riskflag.workspace import Workspace

        place = Workspace.open(workspace)
        accepted = {gate: SignOff(role, reason) for gate in sign_off}
        with place.lock():
            must_be_there(place.mlruns)
            done = export(place, run, key_file=key, signed_off=accepted, show=_show)
        typer.echo(f"\nRun {done.run.id[:8]} is promoted as bundle {done.bundle.id}.")
        typer.echo(f"Its card: {done.path / 'card.md'}")
        if key is None:
            typer.echo("It is not signed: the workspace has no key (`riskflag key` makes one).")
        typer.echo("Next: `riskflag score --as-of DATE`.")


def _show(gates: Sequence[Gate]) -> None:
    """The gates as a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("gate", "asked", "measured", "verdict")
    for gate in gates:
        verdict = Text(gate.verdict, style="" if gate.holds else "bold")
        table.add_row(Text(gate.name), Text(gate.asked), Text(gate.measured), verdict)
    Console().print(table)
    open_ = [gate.name for gate in gates if gate.verdict == "undecided"]
    if open_:
        typer.echo(
            f"UNDECIDED: {len(open_)} of {len(gates)} gates could not be decided, most for want of "
            "outcomes. They count as held only because the experiment says so (undecided_holds). "
            f"Not shown to hold: {'; '.join(open_)}."
        )
