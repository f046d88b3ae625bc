"""The command line: one file per command; the work lives in the rooms.

Commands import what they need inside their functions, so that `riskflag --help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path

import typer

from riskflag import __version__
from riskflag.errors import DEFECT, ConfigError, RiskflagError, StorageError

#: In the order in which a newcomer meets them.
COMMANDS = (
    "demo",
    "init",
    "synth",
    "sources",
    "ingest",
    "identity",
    "check",
    "signals",
    "rules",
    "train",
    "compare",
    "promote",
    "key",
    "governance",
    "score",
    "explain",
    "reviews",
    "reproduce",
    "lookback",
    "backtest",
    "verify",
    "serve",
)

HELP = """Early-warning flags for child safeguarding: the signs in the records, with the reasons,
for a person who decides.

Start with [bold]riskflag demo[/bold]: it makes a synthetic borough and shows explained flags.
With your own files: [bold]riskflag init[/bold], put files in landing/,
[bold]riskflag ingest[/bold], [bold]riskflag score --as-of DATE[/bold].
"""


def build_app() -> typer.Typer:
    """The command line application with every command registered."""
    app = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=False,
    )

    @app.callback()
    def root(
        version: bool = typer.Option(
            False,
            "--version",
            help="Print the version and stop.",
            is_eager=True,
            callback=_print_version,
        ),
    ) -> None:
        pass

    for name in COMMANDS:
        import_module(f"riskflag.cli.{name}").register(app)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"riskflag {__version__}")
        raise typer.Exit


def main() -> None:
    """Run one command; every error is one plain sentence and an exit code of its own."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    command = typer.main.get_command(build_app())
    try:
        result = command.main(arguments or ["--help"], prog_name="riskflag", standalone_mode=False)
    except RiskflagError as error:
        return complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _interrupted()
    except typer.Abort:
        return complain("Stopped before the end; nothing was half-written.", DEFECT)
    except OSError as error:
        return complain(_refused_by_disk(error), StorageError.exit_code)
    except Exception as error:  # every exception must leave as one sentence
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def complain(sentence: str, exit_code: int) -> int:
    """Print one sentence on the error stream and hand the exit code back."""
    typer.echo(f"riskflag: {sentence}", err=True)
    return exit_code


def _refused_by_disk(error: OSError) -> str:
    """What the disk refused and why, in the system's own words."""
    name = error.filename or "A file"
    why = (error.strerror or "no reason given").lower()
    return f"{name} could not be read or written ({why}); put that right and run again."


def _unexpected(error: Exception) -> int:
    """A usage mistake in plain words, or a defect told by its place and never by its text.

    The text of a library's exception may hold a value from the data, so it is not printed.
    """
    format_message = getattr(error, "format_message", None)
    if format_message is not None:
        return complain(_usage(str(format_message())), ConfigError.exit_code)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name} line {frame.lineno}"
    return complain(
        f"A defect in riskflag ({type(error).__name__} at {place}); nothing was published. "
        "Please report it with this line.",
        DEFECT,
    )


def _usage(said: str) -> str:
    """A usage mistake as one sentence in plain words."""
    said = said.rstrip(".").split(", unable to")[0].replace("Input should be", "it must be")
    joint = " See" if said.endswith("?") else "; see"
    return f"{said}{joint} `riskflag --help`."


def _interrupted() -> int:
    complain("Stopped on request; nothing was half-written.", 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    return DEFECT
