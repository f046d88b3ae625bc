"""Loading signals from a features folder."""

from __future__ import annotations

import pytest

from riskflag.errors import ConfigError
from riskflag.signals import load_catalogue

GOOD = """
from riskflag.signals import Signal, contacts, count

SIGNALS = (
    Signal(
        "{name}", of=count(contacts("ed.attendance"), 90), question="How many?", rationale="So.",
        source="A source.", direction="raises", theme="health", agency="ed",
    ),
)
"""


def folder(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


def test_files_are_read_in_the_order_of_their_names(tmp_path):
    """Order comes from file names, and files that begin with an underscore are left out."""
    texts = {"b": GOOD.format(name="second"), "a": GOOD.format(name="first"), "_x": "1 / 0"}
    found = load_catalogue(folder(tmp_path, **texts))

    assert found.names == ("first", "second")
    assert found.by_name["first"].theme == "health"
    assert found.rulebook_path == tmp_path / "rulebook.toml"


def test_the_fingerprint_follows_the_files(tmp_path):
    """The same files give the same fingerprint; a changed comment gives another."""
    first = load_catalogue(folder(tmp_path, a=GOOD.format(name="a")))
    again = load_catalogue(str(tmp_path))
    other = load_catalogue(folder(tmp_path, a=GOOD.format(name="a") + "# why\n"))

    assert first.fingerprint == again.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must set SIGNALS"),
        ("SIGNALS = [1]", "must set SIGNALS"),
        ("SIGNALS = (", "line 1"),
        ("import nothing_of_that_name", r"ModuleNotFoundError.*line 1"),
        ("\nSIGNALS = 1 / 0", r"ZeroDivisionError.*line 2"),
        (GOOD.format(name="Bad Name"), "Bad Name"),
        (GOOD.format(name="a").replace("ed.attendance", "ed.visit"), "ed.attendance"),
        ("SIGNALS = ()", "declares no signals"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, words):
    """An error in a features file says which file and what is wrong, without a traceback."""
    with pytest.raises(ConfigError, match=words) as caught:
        load_catalogue(folder(tmp_path, mine=text))
    assert str(tmp_path) in str(caught.value)


def test_a_name_given_twice_names_both_files(tmp_path):
    """Two files may not declare the same signal."""
    with pytest.raises(ConfigError, match=r"two\.py.*one\.py"):
        load_catalogue(folder(tmp_path, one=GOOD.format(name="a"), two=GOOD.format(name="a")))


def test_a_missing_folder_is_named(tmp_path):
    """A features folder that is not there is one plain sentence."""
    with pytest.raises(ConfigError, match="check features_dir"):
        load_catalogue(tmp_path / "nowhere")
