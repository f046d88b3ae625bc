"""`riskflag identity`: who is who, by linkage and by a steward's decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from riskflag.history.linkage.people import Decision, People
    from riskflag.history.linkage.run import LinkReport
    from riskflag.history.linkage.steward import Item, Side
    from riskflag.workspace import Workspace

WORKSPACE = typer.Option(Path("."), "--workspace", help="The workspace's folder.")
REASON = typer.Option("", "--reason", help="Why; kept with the decision.")
BY = typer.Option("", "--by", help="Who decides; default: the name you are signed in with.")
ON = typer.Option(None, "--on", help="The day from which it counts (2026-03-31); default: today.")

HELP = """Who is who: link records that share no identifier, and decide where it is uncertain.

Every decision is a further row with its day: past nights stay as they were.
"""


def register(app: typer.Typer) -> None:
    group = typer.Typer(help=HELP, no_args_is_help=True)
    app.add_typer(group, name="identity")
    group.command("link")(link)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("decide")(decide)
    group.command("merge")(merge)
    group.command("unmerge")(unmerge)


def link(
    workspace: Path = WORKSPACE,
    *,
    on: str = ON,
    first_load: bool = typer.Option(
        False,
        "--first-load",
        help="Count the links as known since the records were, marked as assumed; only before "
        "anything was linked or published.",
    ),
    exact_only: bool = typer.Option(
        False, "--exact-only", help="Use shared identifiers only, without Splink."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Report everything, write nothing."),
    as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
) -> None:
    """Link what is surely one person, put what is uncertain into the steward's queue.

    Shared identifiers come first, then Splink for the feeds without one, then brothers, sisters
    and households. Running it again adds nothing.

    Example: riskflag identity link
    """
    from contextlib import nullcontext

    from riskflag.clock import moment
    from riskflag.history.linkage.model import load_weights
    from riskflag.history.linkage.people import check_day
    from riskflag.history.linkage.run import How
    from riskflag.history.linkage.run import link as run
    from riskflag.history.store.parquet_store import HistoryStore
    from riskflag.workspace import Workspace

    place = Workspace.open(workspace)
    store = HistoryStore(place.history)
    with nullcontext() if dry_run else place.lock():
        day = check_day(store, _day(on))
        if first_load:
            _check_first(place, store)
        else:
            _check_published(place, day)
        at = moment().isoformat(timespec="seconds")
        report = run(store, load_weights(place.root), day, How(at, first_load, exact_only, dry_run))
    _report(report, as_json)


def _report(report: LinkReport, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2, sort_keys=True))
        return
    from riskflag.history.linkage.decide import DOUBTS

    typer.echo(
        f"{report.records:,} records compared: {report.linked:,} pairs linked, "
        f"{report.waiting:,} for a steward, {report.not_linked:,} noted as not linked."
    )
    for name, count in report.doubts.items():
        pairs = "pair" if count == 1 else "pairs"
        typer.echo(f"  {count:,} {pairs}: {DOUBTS.get(name, name)}")
    if report.placeholders:
        typer.echo(
            f"{report.placeholders:,} identifiers are shared by too many people to mean anything; "
            "they join nobody."
        )
    typer.echo(
        f"{report.relationships:,} family links added, {report.withdrawn:,} taken back; "
        f"known on {report.day}, model {report.model}."
    )
    if report.waiting:
        typer.echo("`riskflag identity list` shows the queue.")
    if report.dry_run:
        typer.echo("Dry run: nothing was written.")


def list_(
    workspace: Path = WORKSPACE,
    settled: bool = typer.Option(
        False, "--settled", help="Show what is linked or kept apart instead."
    ),
    most: int = typer.Option(50, "--most", min=1, help="How many to show."),
) -> None:
    """List the pairs that wait for a steward, the likeliest first, without names.

    Example: riskflag identity list
    """
    from riskflag.history.linkage.steward import queue

    _, people = _open(workspace)
    items = queue(people, settled=settled)
    for item in items[:most]:
        typer.echo(_line(item))
    more = f", {most:,} shown" if len(items) > most else ""
    said = "settled" if settled else "waiting for a steward"
    typer.echo(f"{len(items):,} pairs {said}{more}.")
    if items and not settled:
        typer.echo("`riskflag identity show NUMBER` shows one with what the sources say.")


def _line(item: Item) -> str:
    sure = "by identifier" if item.probability is None else f"{item.probability:.4f}"
    sure = f"by {item.decided_by}" if item.method == "steward" else sure
    why = f"  {'; '.join(item.doubts)}" if item.doubts else ""
    return f"{item.item}  {item.decision.replace('_', ' ')}  {sure}  {item.known_on}{why}"


def show(
    item: str = typer.Argument(help="The pair's number from `riskflag identity list`."),
    workspace: Path = WORKSPACE,
    by: str = BY,
) -> None:
    """Show both sides of a pair: names, births, identifiers. The look is recorded first.

    Example: riskflag identity show 3f2a91c0d4e5
    """
    from riskflag.casework.stewardship import note
    from riskflag.history.linkage.steward import find, side

    place, people = _open(workspace)
    found = find(people, item)
    both = [side(people, name) for name in (found.person_id, found.other_id)]
    note(place, [one.person_id for one in both], actor=_who(by), action="identity_look")
    typer.echo(_line(found))
    for one in both:
        _side(one)
    typer.echo(f"`riskflag identity decide {found.item} same` or `... different`, with --reason.")


def _side(one: Side) -> None:
    typer.echo("")
    typer.echo(f"Person {one.person_id}" + (f" (also {', '.join(_also(one))})" * bool(_also(one))))
    for row in one.said:
        facts = [f"{name.replace('_', ' ')} {value}" for name, value in row.items() if value]
        typer.echo("  " + ", ".join(facts))
    for row in one.identifiers:
        wrong = ", check digit wrong" if row["check_ok"] is False else ""
        held = f", {row['valid_from'] or ''} to {row['valid_to'] or ''}" * bool(
            row["valid_from"] or row["valid_to"]
        )
        typer.echo(f"  {row['scheme']} {row['value']} ({row['source']}{held}{wrong})")
    contacts = ", ".join(f"{name} {count:,}" for name, count in one.contacts.items()) or "none"
    period = f", {one.first} to {one.last}" if one.first else ""
    typer.echo(f"  contacts: {contacts}{period}")


def _also(one: Side) -> list[str]:
    return [name for name in one.ids if name != one.person_id]


def decide(
    item: str = typer.Argument(help="The pair's number from `riskflag identity list`."),
    answer: str = typer.Argument(help="same or different"),
    workspace: Path = WORKSPACE,
    *,
    reason: str = REASON,
    by: str = BY,
    on: str = ON,
) -> None:
    """Answer a waiting pair: the same person, or two different people.

    Example: riskflag identity decide 3f2a91c0d4e5 same --reason "School confirmed the address"
    """
    from riskflag.errors import ConfigError
    from riskflag.history.linkage.steward import find, settle

    if answer not in ("same", "different"):
        raise ConfigError("The answer must be same or different.")
    with _deciding(workspace) as (place, people):
        found = find(people, item)
        decision = settle(people, found, answer == "same", by=_who(by), reason=reason)
        _keep(place, people, [decision], on)


def merge(
    stays: str = typer.Argument(help="The person id that stays."),
    other: str = typer.Argument(help="The person id that is the same person."),
    workspace: Path = WORKSPACE,
    *,
    reason: str = REASON,
    by: str = BY,
    on: str = ON,
) -> None:
    """Say that two person ids are one person, from a day on. What past nights saw stays.

    Example: riskflag identity merge C000012 rf-5be1c0 --reason "Same child, moved school"
    """
    from riskflag.history.linkage.steward import merge as joined

    with _deciding(workspace) as (place, people):
        _keep(place, people, [joined(people, stays, other, by=_who(by), reason=reason)], on)


def unmerge(
    left: str = typer.Argument(help="One of the two person ids."),
    right: str = typer.Argument(help="The other person id."),
    workspace: Path = WORKSPACE,
    *,
    reason: str = REASON,
    by: str = BY,
    on: str = ON,
) -> None:
    """Undo a link: the two are different people again, from a day on.

    Example: riskflag identity unmerge C000012 rf-5be1c0 --reason "Twins"
    """
    from riskflag.history.linkage.steward import unmerge as parted

    with _deciding(workspace) as (place, people):
        _keep(place, people, parted(people, left, right, by=_who(by), reason=reason), on)


def _keep(place: Workspace, people: People, decisions: list[Decision], on: str | None) -> None:
    """Record decisions in the audit chain and the history."""
    from riskflag.casework.stewardship import note
    from riskflag.clock import moment
    from riskflag.history.linkage.people import check_day
    from riskflag.history.linkage.steward import record

    day = check_day(people.store, _day(on))
    _check_published(place, day)
    subjects = [name for one in decisions for name in one.pair]
    note(place, subjects, actor=decisions[0].decided_by, action="identity_decision")
    number = record(people, decisions, day, at=moment().isoformat(timespec="seconds"))
    said = decisions[0].decision.replace("_", " ")
    typer.echo(f"{number}: {said}, known on {day}; it counts from the night after.")


@contextmanager
def _deciding(workspace: Path) -> Iterator[tuple[Workspace, People]]:
    """Who is who now, with the workspace held: nobody else decides until this is kept."""
    from riskflag.workspace import Workspace

    with Workspace.open(workspace).lock():
        yield _open(workspace)


def _open(workspace: Path) -> tuple[Workspace, People]:
    from riskflag.history.linkage.people import People
    from riskflag.history.store.parquet_store import HistoryStore
    from riskflag.workspace import Workspace

    place = Workspace.open(workspace)
    return place, People(HistoryStore(place.history))


def _who(by: str) -> str:
    import getpass

    return by or getpass.getuser()


def _day(on: str | None) -> dt.date | None:
    from riskflag.clock import parse_day

    return parse_day(on, "day of the decision") if on else None


def _check_published(place: Workspace, day: dt.date) -> None:
    """A decision may not be known before a night that has been published without it."""
    from riskflag.errors import ConfigError
    from riskflag.nightly.folder import newest_night

    newest = newest_night(place.publications)
    if newest is not None and day < newest:
        raise ConfigError(
            f"A publication for {newest} is out already; a decision known before it would change "
            "what that night saw, so name that day or a later one with --on."
        )


def _check_first(place: Workspace, store: object) -> None:
    from riskflag.errors import ConfigError
    from riskflag.history.store.parquet_store import HistoryStore
    from riskflag.nightly.folder import newest_night

    assert isinstance(store, HistoryStore)
    linked = store.read("match", columns=["match_key"]).num_rows
    if linked or newest_night(place.publications) is not None:
        raise ConfigError(
            "Links can count as known all along only before anything was linked or published; "
            "leave --first-load out."
        )
