"""The command line as a newcomer meets it: it answers at once, teaches, and is documented."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from riskflag import __version__
from riskflag.cli import COMMANDS, build_app, run

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "commands.md"
#: What takes long to load, or what a host that only scores does not have.
HEAVY = {
    "alembic",
    "duckdb",
    "jinja2",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scipy",
    "shap",
    "sklearn",
    "sqlalchemy",
}
#: The same meaning everywhere, told once at the top of the page.
EVERYWHERE = {"--workspace", "--help"}


def commands() -> dict[str, click.Command]:
    group = typer.main.get_command(build_app())
    found = dict(group.commands)
    assert found.keys() == set(COMMANDS)
    return found


def parameters(command: click.Command) -> list[click.Parameter]:
    """What a command takes; a group takes what its commands do."""
    within = getattr(command, "commands", {}).values()
    return [*command.params, *(one for inner in within for one in inner.params)]


def loaded_by(*words: str) -> set[str]:
    """The top-level modules that one command line loads."""
    asked = (
        "import sys; from riskflag.cli import run; code = run(sys.argv[1:]); "
        "print(code, *sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked, *words], capture_output=True, text=True, check=True
    )
    code, *names = ran.stderr.split()
    assert code == "0"
    assert "typer" in names, "the list of modules is empty or of another process"
    return set(names)


@pytest.mark.parametrize("words", [["--help"], ["--version"], []], ids=["help", "version", "none"])
def test_the_first_answer_loads_nothing_heavy(words):
    """Start-up stays quick because no table, model or web library is loaded."""
    assert loaded_by(*words) & HEAVY == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_loads_nothing_heavy(name):
    """A command imports what it needs only when it runs; pydantic is the argument parser's own."""
    assert loaded_by(name, "--help") & (HEAVY - {"pydantic"}) == set()


def test_the_heavy_gate_sees_a_command_that_loads_tables():
    """The negative control: the catalogue needs numpy, and the check sees it."""
    assert loaded_by("signals") & HEAVY


def test_no_arguments_show_the_help(capsys):
    """A newcomer who types `riskflag` is told where to start, and it is not an error."""
    assert run([]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "riskflag demo" in told.out
    for name in COMMANDS:
        assert name in told.out


def test_the_version_is_printed(capsys):
    """As the package says it."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"riskflag {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_teaches(name, capsys):
    """A sentence, an explanation or example, and a help text for every option."""
    assert run([name, "--help"]) == 0
    assert f"riskflag {name}" in capsys.readouterr().out
    command = commands()[name]
    paragraphs = [part for part in (command.help or "").split("\n\n") if part.strip()]
    assert len(paragraphs) >= 2, f"riskflag {name} says too little about itself"
    for parameter in parameters(command):
        assert getattr(parameter, "help", None), f"riskflag {name} {parameter.name} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_in_the_help_is_a_command_line_that_exists(name):
    """Options that an example shows are options of the command it names."""
    known = commands()
    for example in re.findall(r"riskflag [a-z]+[^.,\n]*", known[name].help or ""):
        _, other, *rest = example.split()
        options = {o for parameter in parameters(known[other]) for o in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_on_the_page(name):
    """docs/reference/commands.md has a section for the command that names each option."""
    text = PAGE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### riskflag (\w+)\n(.*?)(?=^##|\Z)", text, re.DOTALL | re.M))
    assert sections.keys() == set(COMMANDS)
    options = {o for parameter in parameters(commands()[name]) for o in parameter.opts}
    named = set(re.findall(r"--[a-z][a-z-]*", sections[name])) - EVERYWHERE
    assert named == {o for o in options if o.startswith("--")} - EVERYWHERE
    assert all(option in text for option in EVERYWHERE)
