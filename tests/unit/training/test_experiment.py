"""Experiments: read whole or refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskflag.errors import ConfigError
from riskflag.training.data.experiment import Experiment, find_experiment, shipped_experiments


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)
    return folder


def test_every_shipped_experiment_is_valid() -> None:
    folders = [p.parent for place in shipped_experiments() for p in place.glob("*/config.toml")]
    assert folders
    for folder in folders:
        found = Experiment.read(folder)
        assert found.name == folder.name
        assert (folder / "README.md").is_file()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[outcome]\nhorizon_days = 180\n", "line 1"),
        ('question = "?"\n[outcome]\nhorizon = 180\n', "line 3"),
        ('question = "?"\n\n[model]\nleaves = 1\n', "line 4"),
        ('question = "?"\n[windows]\ncut = "soon"\n', "line 3"),
        ('question = "?"\n[model\n', "line 2"),
    ],
)
def test_a_mistake_is_refused_with_its_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(ConfigError, match=line) as refusal:
        Experiment.read(written(tmp_path / "one", text))
    assert refusal.value.exit_code == 40


def test_a_name_is_looked_for_in_the_workspace_before_the_shipped_ones(tmp_path: Path) -> None:
    assert find_experiment("borough", tmp_path).name == "borough"
    own = written(tmp_path / "experiments" / "borough", 'question = "Ours?"\n')
    assert find_experiment("borough", tmp_path) == own
    assert find_experiment(str(own), tmp_path) == own
    with pytest.raises(ConfigError, match="one of: borough"):
        find_experiment("bourough", tmp_path)


def test_the_hash_of_an_experiment_is_that_of_its_file(tmp_path: Path) -> None:
    one = Experiment.read(written(tmp_path / "a", 'question = "?"\n'))
    two = Experiment.read(written(tmp_path / "b", 'question = "?"\n'))
    other = Experiment.read(written(tmp_path / "c", 'question = "??"\n'))
    assert one.digest == two.digest != other.digest


def test_a_folder_name_that_could_be_a_path_or_a_formula_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="letters, digits"):
        Experiment.read(written(tmp_path / "=cmd", 'question = "?"\n'))


@pytest.mark.parametrize("key", ["types", "not_while"])
def test_a_contact_type_nobody_knows_is_refused_with_its_line(tmp_path, key):
    """A typing slip must not let children already on a plan into the cohort in silence."""
    (tmp_path / "config.toml").write_text(
        f'question = "x?"\n[outcome]\n{key} = ["care.cp_plann"]\n'
    )
    with pytest.raises(ConfigError) as caught:
        Experiment.read(tmp_path)
    assert "line 3" in str(caught.value)
    assert "perhaps care.cp_plan" in str(caught.value)
