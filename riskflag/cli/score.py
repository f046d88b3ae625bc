"""`riskflag score`: the night."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from riskflag.errors import ALREADY_PUBLISHED, PUBLISHED_DEGRADED

if TYPE_CHECKING:
    from riskflag.nightly.run import NightResult


class Engine(StrEnum):
    """Where children are assessed."""

    local = "local"
    spark = "spark"


def register(app: typer.Typer) -> None:
    @app.command()
    def score(
        as_of: str = typer.Option(
            None, "--as-of", help="The day to score for, year-month-day; today when left out."
        ),
        workspace: Path = typer.Option(
            Path("."), "--workspace", help="The workspace; the current folder when left out."
        ),
        no_pages: bool = typer.Option(
            False, "--no-pages", help="Publish flags.json only, without HTML pages."
        ),
        rules_only: bool = typer.Option(
            False, "--rules-only", help="Leave the model out tonight; the pages say so."
        ),
        memory: float = typer.Option(
            None, "--memory", min=0.1, help="GiB the night may take; as riskflag.toml says (4)."
        ),
        full: bool = typer.Option(
            False, "--full", help="Use nothing that earlier nights kept to be quicker."
        ),
        engine: Engine = typer.Option(
            Engine.local, "--engine", help="Assess children here or on Spark; the same flags."
        ),
    ) -> None:
        """Run the night: from the history to one publication of explained flags.

        Running the same night again changes nothing and ends with code 3. Codes: 0 published,
        10 published with something missing, 20 held (the previous publication stays), 30 nothing
        to score, 40 a declaration, the model or the store is not right, 50 disk, 60 another run
        is working.

        Example: riskflag score --as-of 2026-04-01
        """
        from riskflag import clock
        from riskflag.cli.progress import progress_bar
        from riskflag.nightly.inputs import How
        from riskflag.nightly.run import run_night
        from riskflag.nightly.staging import WritePages
        from riskflag.nightly.staging import no_pages as without_pages
        from riskflag.reports.publish import write_pages
        from riskflag.workspace import Workspace

        day = clock.today() if as_of is None else clock.parse_day(as_of, "--as-of day")
        place = Workspace.open(workspace)
        writer: WritePages = without_pages if no_pages else write_pages
        with progress_bar() as progress:
            result = run_night(
                place,
                day,
                write_pages=writer,
                rules_only=rules_only,
                how=How(memory, full, spark=engine is Engine.spark),
                progress=progress,
            )
        _tell(result, workspace, with_pages=not no_pages)
        raise typer.Exit(result.exit_code)


def _tell(result: NightResult, workspace: Path, *, with_pages: bool) -> None:
    """The end of the run in a few lines: counts, where the worklist is, what to do next."""
    from riskflag.nightly.folder import first_flag_id

    told = result.manifest
    if result.exit_code == ALREADY_PUBLISHED:
        typer.echo(f"This night was published before; nothing was changed: {result.folder}")
        return
    for line in summary(told):
        typer.echo(line)
    if result.exit_code == PUBLISHED_DEGRADED:
        typer.echo(missing(told))
    if result.parts > 1:
        typer.echo(in_parts(result))
    worklist = result.folder / ("worklist.html" if with_pages else "flags.json")
    typer.echo(f"Published in {result.seconds:.1f} seconds. Read: {worklist}")
    here = "" if workspace == Path(".") else f" --workspace {workspace}"
    first = first_flag_id(result.folder)
    if first is not None:
        typer.echo(f"Next: riskflag explain {first}{here}")
    typer.echo(f"      riskflag verify{here}")


def in_parts(result: NightResult) -> str:
    """In how many parts a large night was worked out, and how much of the history was made anew."""
    if result.renewed is None:
        return f"Worked out in {result.parts:,} parts; the view of the history was made of all."
    return (
        f"Worked out in {result.parts:,} parts; of the history only what is known of "
        f"{result.renewed:,} people was made anew, whom something loaded since can touch."
    )


def summary(told: Mapping[str, Any]) -> list[str]:
    """What came of the night, in counts."""
    counts = told["counts"]
    level, status = counts["by_level"], counts["by_status"]
    lines = [
        f"{counts['children']:,} children assessed for {told['as_of']}: {counts['flags']:,} flags "
        f"({status['new']:,} new, {status['continuing']:,} continuing; {level['urgent']:,} urgent, "
        f"{level['soon']:,} soon, {level['routine']:,} routine).",
    ]
    if told["bundle"] is None:
        lines.append("No model was used; the reasons come from rules only.")
    else:
        lines.append(
            f"The model {told['bundle']} raised {counts['by_origin']['model']:,} of them; "
            f"{counts['left_out_for_capacity']:,} more children were over its threshold and left "
            "out for the week's capacity."
        )
    if counts["not_assessed"]:
        lines.append(
            f"{counts['not_assessed']:,} children could not be fully assessed: records that a rule "
            "needs had not come."
        )
    if told["paused"]:
        lines.append(
            "riskflag is PAUSED: no new flag was raised, and "
            f"{counts['held_back_by_pause']:,} children who would have been are raised by the "
            "first night after it is resumed. What waits was brought up to date."
        )
    if counts["quiet_after_review"]:
        lines.append(
            f"{counts['quiet_after_review']:,} children stay quiet after a review, with nothing "
            "new recorded."
        )
    return lines


def missing(told: Mapping[str, Any]) -> str:
    """Which feeds were not fresh, and what kept children from being assessed."""
    found = [
        f"{feed['source']} ({feed['state'].lower()}, {_reach(feed)})"
        for feed in told["feeds"]
        if feed["state"] != "FRESH"
    ]
    found += [
        f"{fault['children']:,} not assessed because of a fault ({fault['error']} at "
        f"{fault['place']})"
        for fault in told["faults"]
    ]
    return f"Published without everything: {'; '.join(found)}."


def _reach(feed: Mapping[str, Any]) -> str:
    until = feed["complete_to"]
    if feed.get("why"):
        return f"complete to {until}, but the same extract keeps coming"
    return "nothing usable had come" if until is None else f"complete to {until}"
