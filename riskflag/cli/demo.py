"""`riskflag demo`: a synthetic borough to explained flags, by the commands a user would type."""

from __future__ import annotations

import shutil
from pathlib import Path

import typer

from riskflag.errors import PUBLISHED, PUBLISHED_DEGRADED, ConfigError, HeldError

MARKER = ".riskflag-demo"
UNTIL = "2026-03-31"
AS_OF = "2026-04-01"


def register(app: typer.Typer) -> None:
    @app.command()
    def demo(
        children: int = typer.Option(4000, min=300, help="How many children the borough has."),
        seed: int = typer.Option(1, help="Another seed makes another borough."),
        out: Path = typer.Option(
            Path("demo"), help="Where to make it; an earlier demo there is replaced."
        ),
        serve: bool = typer.Option(
            False, "--serve", help="Show the pages at http://localhost:8080 until Ctrl-C."
        ),
    ) -> None:
        """Make a synthetic borough and take it all the way to explained flags.

        Every step is a command you could have typed; each is printed before it runs. Nobody in the
        borough is real.
        """
        from riskflag.cli.serve import check_installed
        from riskflag.cli.serve import run as serve_app

        if serve:
            check_installed()
        fresh_folder(out)
        synth, init, *rest = steps(out, children, seed)
        run_steps([synth, init])
        deliver(out / "borough" / "landing", out / "workspace" / "landing")
        run_steps(rest)
        publication = newest_publication(out / "workspace")
        tell(out, publication)
        if serve:
            typer.echo("\nThe pages, with the development sign-in, for this machine alone:")
            serve_app(out / "workspace")


def steps(out: Path, children: int, seed: int) -> list[list[str]]:
    """The commands of the demo, in order."""
    workspace = str(out / "workspace")
    here = ["--workspace", workspace]
    return [
        [
            *["synth", "--children", str(children), "--seed", str(seed)],
            *["--until", UNTIL, "--out", str(out / "borough")],
        ],
        ["init", workspace, "--authority", "Synthetic Borough", *_source_options()],
        ["ingest", *here],
        ["train", str(experiment_folder()), *here, "--truth", str(out / "borough" / "truth")],
        ["promote", *here],
        ["score", "--as-of", AS_OF, *here],
    ]


def _source_options() -> list[str]:
    from riskflag.synth import SOURCES

    return [word for name in SOURCES for word in ("--source", name)]


def experiment_folder() -> Path:
    """The borough experiment: in a checkout's experiments/, or as shipped in the wheel."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "experiments", package / "_experiments"):
        if (folder / "borough" / "config.toml").is_file():
            return folder / "borough"
    raise ConfigError("The borough experiment is not installed; install riskflag again.")


def fresh_folder(out: Path) -> None:
    """Make the folder, replacing an earlier demo; a folder that is not a demo is never touched."""
    if out.exists():
        if not (out / MARKER).is_file() and any(out.iterdir()):
            raise ConfigError(f"{out} is not empty and not a demo; name another folder with --out.")
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / MARKER).write_text("Made by `riskflag demo`; everybody in it is synthetic.\n")


def run_steps(commands: list[list[str]]) -> None:
    """Run each command in turn, showing it first; stop at the first that does not succeed.

    A model that the gates refuse is no failure: the night then goes on with the rules alone.
    """
    from riskflag.cli import run

    for arguments in commands:
        typer.secho(f"\n$ riskflag {' '.join(arguments)}", bold=True)
        code = run(arguments)
        if arguments[0] == "promote" and code == HeldError.exit_code:
            typer.echo("Gates did not hold on this borough: the night has the rules alone.")
        elif code not in (PUBLISHED, PUBLISHED_DEGRADED):
            raise typer.Exit(code)


def deliver(extracts: Path, landing: Path) -> None:
    """Put the agencies' deliveries in the workspace's landing folder."""
    typer.secho(f"\n$ cp -r {extracts}/. {landing}", bold=True)
    shutil.copytree(extracts, landing, dirs_exist_ok=True)


def newest_publication(workspace: Path) -> Path:
    """The folder of the publication that readers see."""
    publications = workspace / "publications"
    return publications / (publications / "CURRENT").read_text(encoding="utf-8").strip()


def tell(out: Path, publication: Path) -> None:
    """Say what there is to look at and how to go on."""
    import json

    flags = json.loads((publication / "flags.json").read_text(encoding="utf-8"))
    first = flags[0]["flag_id"] if flags else None
    workspace = out / "workspace"
    typer.secho(f"\n{len(flags)} flags for {AS_OF}. Open the worklist:", bold=True)
    typer.echo(f"  {publication / 'worklist.html'}")
    typer.echo("\nGo on with:")
    if first:
        typer.echo(f"  riskflag explain {first} --workspace {workspace} --out flag.html")
    typer.echo("  riskflag signals            the questions asked of every child's history")
    typer.echo("  riskflag rules              the rules, their sources and questions to ask")
    typer.echo(f"  riskflag compare --workspace {workspace}")
    typer.echo(f"  riskflag serve --workspace {workspace} --development-sign-in")
    typer.echo("                              the app: read flags, record reviews, in your browser")
