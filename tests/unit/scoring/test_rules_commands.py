"""`riskflag signals` and `riskflag rules` on the command line."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from riskflag.cli import rules, signals
from riskflag.errors import ConfigError
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals import load_catalogue
from riskflag.workspace import Workspace

APP = typer.Typer()
signals.register(APP)
rules.register(APP)


def said(*arguments):
    result = CliRunner().invoke(APP, [str(one) for one in arguments], env={"COLUMNS": "200"})
    if isinstance(result.exception, ConfigError):
        raise result.exception
    assert result.exception is None, result.exception
    return result.output


def test_the_catalogue_lists_every_signal():
    """Each name and how many there are."""
    output = said("signals")

    assert all(name in output for name in load_catalogue().names)
    assert f"{len(load_catalogue().names)} signals" in output


def test_a_theme_lists_its_own_signals_only():
    """Filtering by theme."""
    output = said("signals", "--theme", "voice")

    assert "words_recorded_180d" in output
    assert "ed_attendances_180d" not in output


def test_one_signal_is_explained_with_the_rules_that_read_it():
    """Question, definition, source and rules."""
    output = said("signals", "missing_episodes_90d")

    for text in ("missing.episode", "repeat_missing", "Local missing protocols", "raise concern"):
        assert text in output


def test_the_rulebook_lists_every_rule_and_explains_one():
    """Each id; one in full with its condition and questions."""
    output = said("rules")
    one = said("rules", "repeat_missing")

    assert all(rule.id in output for rule in Rulebook.load().rules)
    assert "missing_episodes_90d is at least 3 or missing_reports_90d is at least 3" in one
    assert "Missing children lead" in one


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("signals", "missing_episode_90d"), "missing_episodes_90d"),
        (("rules", "repeat_mising"), "repeat_missing"),
        (("signals", "--theme", "schol"), "school"),
    ],
)
def test_a_slip_of_the_pen_gets_the_nearest_name(arguments, near):
    """One sentence with the next step."""
    with pytest.raises(ConfigError, match=near):
        said(*arguments)


def test_a_workspace_shows_its_own_rulebook(tmp_path):
    """An authority's own features folder is what the commands show."""
    workspace = Workspace.create(tmp_path / "w", "Test")
    own = workspace.root / "own"
    own.mkdir()
    for file in load_catalogue().rulebook_path.parent.iterdir():
        if file.suffix in (".py", ".toml"):
            text = file.read_text(encoding="utf-8")
            (own / file.name).write_text(text.replace("Shipped rules", "Our rules"), "utf-8")
    with workspace.config_path.open("a", encoding="utf-8") as config:
        config.write('\nfeatures_dir = "own"\n')

    assert "Our rules" in said("rules", "--workspace", workspace.root)
    assert "Shipped rules" in said("rules")
    assert "Our rules" in said("rules", "--rulebook", own / "rulebook.toml")
