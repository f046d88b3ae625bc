"""A workspace and its config, as an operator meets them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from riskflag.errors import ConfigError, LockedError
from riskflag.toml_lines import locate_line
from riskflag.workspace import Workspace


def test_a_new_workspace_opens_with_its_defaults(tmp_path):
    """What `init` writes is valid as it stands."""
    Workspace.create(tmp_path / "w", 'Borough "of" Example')
    opened = Workspace.open(tmp_path / "w")
    assert opened.config.authority == 'Borough "of" Example'
    assert opened.config.capacity_per_week == 15
    assert opened.store_url == f"sqlite:///{(tmp_path / 'w' / 'store.db').resolve()}"


def test_a_second_init_never_overwrites(tmp_path):
    """An existing workspace is refused."""
    Workspace.create(tmp_path, "x")
    with pytest.raises(ConfigError, match="already a workspace"):
        Workspace.create(tmp_path, "x")


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ('authority = "x"\n\ncapacity_per_week = "many"\n', 3, "capacity_per_week"),
        ('authority = "x"\ncolour = "blue"\n', 2, "colour"),
        ('authority = "x"\n= 3\n', 2, "TOML"),
    ],
)
def test_a_wrong_config_names_its_line(tmp_path, text, line, word):
    """One sentence: what, where; never the value."""
    (tmp_path / "riskflag.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        Workspace.open(tmp_path)
    said = str(caught.value)
    assert f"line {line}" in said
    assert word in said
    assert "many" not in said
    assert "blue" not in said


def test_a_folder_without_config_says_how_to_make_one(tmp_path):
    """The sentence has the next step."""
    with pytest.raises(ConfigError, match="riskflag init"):
        Workspace.open(tmp_path)


def test_lines_are_found_in_lists_of_tables():
    """The second [[contact]] is not the first."""
    text = (
        'a = 1\n[[contact]]\ntype = "x"\n[contact.attributes]\ngrade = 1\n[[contact]]\ntype = "y"\n'
    )
    assert locate_line(text, ("contact", 0, "attributes", "grade")) == 5
    assert locate_line(text, ("contact", 1, "type")) == 7
    assert locate_line(text, "contact.1.unheard") == 6


def test_one_writer_at_a_time_and_a_killed_one_leaves_no_lock(tmp_path):
    """A second run is refused while the first lives, and welcome after it was killed."""
    workspace = Workspace.create(tmp_path, "x")
    code = (
        "import sys, pathlib; from riskflag.workspace import Workspace\n"
        f"w = Workspace(pathlib.Path({str(workspace.root)!r}))\n"
        "with w.lock():\n    print('held', flush=True); sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(LockedError), workspace.lock():
            pass
        child.kill()
    with workspace.lock():
        pass
