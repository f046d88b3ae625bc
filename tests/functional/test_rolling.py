"""A rolling evaluation by `riskflag train`: folds under the run, and lists beside each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskflag.cli import run
from riskflag.training import run as training_run
from riskflag.training.record.track import Store
from riskflag.workspace import Workspace
from tests.functional.test_train_to_promote import CANARY, CONFIG
from tests.functional.test_train_to_promote import Store as MadeUpStore

FOLDS = CONFIG.replace("[windows]", '[windows]\nfolds = 2\nevery = "91d"').replace(
    "[evaluation]", '[evaluation]\nrefits = 0\npractice = ["ed.attendance"]'
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after training with two folds, and what was printed."""
    place = tmp_path_factory.mktemp("rolling")
    (place / "made_up").mkdir()
    (place / "made_up" / "config.toml").write_text(FOLDS)
    Workspace.create(place / "w", "Test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_run, "HistoryStore", MadeUpStore)
        assert run(["train", str(place / "made_up"), "--workspace", str(place / "w")]) == 0
    return place


def test_every_way_to_choose_has_a_list_with_precision_recall_and_warning(place: Path) -> None:
    store = Store(place / "w" / "mlruns")
    (only,) = store.runs()
    files = store.files(only, "report")
    rolling = json.loads(files["figures.json"])["rolling"]
    assert set(rolling["pooled"]) == {
        "model",
        "rules alone",
        "contacts in the last year",
        "best single signal",
        "logistic regression",
        "current practice",
    }
    model = rolling["pooled"]["model"]
    assert 0 < model["precision"]["low"] <= model["precision"]["value"] <= 1
    assert model["days_of_warning"]["value"] > 0
    assert len(rolling["folds"]) == 2
    first, second = rolling["folds"]
    assert first["cut"] < second["cut"]
    assert first["period"] != second["period"]
    found = [fold["lists"]["model"]["children_found"]["value"] for fold in rolling["folds"]]
    assert model["children_found"]["value"] == sum(found)
    assert b"flags like this, about" in files["report.txt"]
    assert b"flags like this, about" in files["report.html"]


def test_the_folds_are_runs_under_the_run_and_never_taken_for_it(place: Path) -> None:
    store = Store(place / "w" / "mlruns")
    (only,) = store.runs()
    under = store.folds(only)
    assert [one.parameters["cut"] < "2026" for one in under] == [True, True]
    assert all("weekly_precision" in one.metrics for one in under)
    assert all("weekly_precision_current_practice" in one.metrics for one in under)
    assert store.find(None).id == only.id
    assert "weekly_precision" in only.metrics


def test_nobody_is_in_what_the_folds_left(place: Path) -> None:
    files = [path for path in (place / "w" / "mlruns").rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_too_many_folds_for_the_history_are_told_with_the_fold(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "HistoryStore", MadeUpStore)
    (place / "long").mkdir()
    (place / "long" / "config.toml").write_text(FOLDS.replace("folds = 2", "folds = 20"))
    assert run(["train", str(place / "long"), "--workspace", str(place / "w")]) == 30
    said = capsys.readouterr().err
    assert "Fold 1 of the rolling evaluation" in said
