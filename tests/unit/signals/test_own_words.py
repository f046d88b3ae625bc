"""Signals may be declared in a workspace's own contact types, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskflag.errors import ConfigError
from riskflag.signals import build, load_catalogue
from riskflag.signals.terms import terms, use_vocabulary
from tests.factories import history_of

WORDS = '[allotment.visit]\nagency = "other"\nmeaning = "A visit to the allotment."\n'
SIGNALS = """
from riskflag.signals import Signal, contacts, count
SIGNALS = (Signal("allotment_visits_ever", of=count(contacts("allotment.visit"), None),
    question="How many visits?", rationale="A test.", source="A test.", direction="none",
    theme="context", agency="other", unit="visits"),)
"""


@pytest.fixture
def place(tmp_path: Path):
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "mine.py").write_text(SIGNALS)
    (tmp_path / "vocabulary.toml").write_text(WORDS)
    yield tmp_path
    use_vocabulary(None)


def test_a_signal_on_a_contact_type_of_ones_own_is_computed(place: Path) -> None:
    catalogue = load_catalogue(place / "features", place / "vocabulary.toml")
    visits = [{"person_id": "a", "type": "allotment.visit", "occurred_on": "2024-01-01",
               "agency": "other"}]  # fmt: skip
    import pandas as pd

    rows = pd.DataFrame({"person_id": ["a", "b"], "as_of": pd.to_datetime(["2024-02-01"] * 2)})
    found = build(history_of(visits), rows, list(catalogue.signals))
    assert found["allotment_visits_ever"].tolist() == [1, 0]


def test_another_workspace_does_not_know_the_word(place: Path) -> None:
    load_catalogue(place / "features", place / "vocabulary.toml")
    with pytest.raises(ConfigError, match="not a contact type"):
        load_catalogue(place / "features", place / "elsewhere" / "vocabulary.toml")
    assert "allotment.visit" not in terms()


def test_shipped_signals_are_the_same_beside_words_they_do_not_use(place: Path) -> None:
    shipped = {one.name: one.fingerprint for one in load_catalogue().signals}
    beside = load_catalogue(None, place / "vocabulary.toml")
    changed = [one for one in beside.signals if shipped[one.name] != one.fingerprint]
    assert all("allotment.visit" in one.types for one in changed)
    assert len(changed) < len(shipped) / 2
