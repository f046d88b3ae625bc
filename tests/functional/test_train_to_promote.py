"""From a history to a promoted bundle by the commands an analyst types, on a made-up history."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest

from riskflag.cli import run
from riskflag.history.store.view import History
from riskflag.scoring.bundle import load_current
from riskflag.scoring.signature import new_key
from riskflag.signals.catalogue import default_features_dir
from riskflag.training import run as training_run
from riskflag.workspace import Workspace
from tests.factories import history_of

CONFIG = """
question = "Will a section 47 enquiry begin within 90 days?"
[outcome]
types = ["care.s47"]
horizon_days = 90
not_while = []
[windows]
train_months = 12
calibration_months = 4
test_months = 4
[model]
max_trees = 120
min_rows_in_leaf = 60
learning_rate = 0.1
[evaluation]
bootstrap = 20
capacity_per_week = 4
[promotion]
undecided_holds = true
"""
#: The same with everything that training can do besides, so that all of it is searched.
WHOLE = (
    CONFIG.replace("[model]", '[model]\nchallengers = ["logistic", "ebm"]')
    + "[model.tuning]\ntrials = 2\nfolds = 2\n"
)
START = dt.date(2023, 1, 1)
CANARY = "ZQCANARY"


def made_up_history(children: int = 300) -> History:
    """Children who go to A&E often come to harm more often; most contacts mean nothing."""
    rng = np.random.default_rng(3)
    contacts, people = [], []
    for number in range(children):
        child = f"{CANARY}{number:04d}"
        people.append({"person_id": child, "birth_on": "2014-02-03", "given_name": CANARY})
        frailty = rng.gamma(0.6, 1.6)
        for kind, rate in (("ed.attendance", frailty), ("gp.registration", rng.gamma(0.5, 8))):
            for day in rng.integers(0, 1090, rng.poisson(3 * rate)):
                contacts.append(row(child, kind, int(day)))
        for day in rng.integers(0, 1090, rng.poisson(0.35 * frailty**1.5)):
            contacts.append(row(child, "care.s47", int(day)))
    return history_of(contacts, people)


def row(child: str, kind: str, day: int) -> dict[str, object]:
    occurred = START + dt.timedelta(days=day)
    known = occurred + dt.timedelta(days=1)
    return {"person_id": child, "type": kind, "occurred_on": occurred, "known_on": known}


class Store:
    """Stands where the Parquet store stands, with a history made here."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def batches(self) -> list[object]:
        return []

    def load(self, progress: object = None) -> History:
        return made_up_history()


def unreachable(_: socket.socket, address: object) -> None:
    pytest.fail(f"training asked for a connection to {address}")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after `riskflag train`, which found no network."""
    place = tmp_path_factory.mktemp("analyst")
    experiment = place / "experiments" / "made_up"
    experiment.mkdir(parents=True)
    (experiment / "config.toml").write_text(WHOLE)
    Workspace.create(place / "workspace", "Test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_run, "HistoryStore", Store)
        patch.setattr(socket.socket, "connect", unreachable)
        assert run(["train", str(experiment), "--workspace", str(place / "workspace")]) == 0
    return place


def test_training_ends_with_a_table_that_has_the_baselines(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "--workspace", str(trained / "workspace")]) == 0
    said = capsys.readouterr().out
    beside = ("rules alone", "contact count", "best signal", "logistic regression")
    for words in ("AUROC", *beside, "explainable boosting", "none is promoted"):
        assert words in said


def test_promotion_prints_its_gates_and_the_bundle_loads(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "workspace"
    shutil.copytree(trained / "workspace", place)
    assert run(["promote", "--workspace", str(place)]) == 0
    said = capsys.readouterr().out
    assert said.count("│ held") + said.count("│ undecided") >= 20
    assert "NOT HELD" not in said
    assert f"UNDECIDED: {said.count('│ undecided │')} of " in said
    assert "Not shown to hold: enough outcomes to judge by; " in said
    bundle = load_current(place / "bundles")
    assert bundle is not None
    assert bundle.id in said
    assert "care.s47" not in json.dumps([s["name"] for s in bundle.signals])
    assert {one["name"] for one in bundle.parts["signals"]["excluded"]} >= {
        "section47_enquiries_ever"
    }


@pytest.fixture
def place(trained: Path, tmp_path: Path) -> Path:
    """A copy of the workspace, to do something to before promotion."""
    shutil.copytree(trained / "workspace", tmp_path / "workspace")
    return tmp_path / "workspace"


def refused(place: Path, capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    """What promotion says; it leaves no bundle."""
    assert run(["promote", *words, "--workspace", str(place)]) == code
    assert not (place / "bundles").exists()
    return capsys.readouterr().err


def test_a_trained_run_whose_model_was_altered_is_not_promoted(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One digit in the record's model text is enough."""
    [model] = place.glob("mlruns/artifacts/*/artifacts/bundle/model.txt")
    model.write_bytes(model.read_bytes().replace(b"leaf_value=", b"leaf_value=9", 1))
    assert "were altered; train it again" in refused(place, capsys, 40)


def test_a_trained_run_on_signals_defined_otherwise_since_is_not_promoted(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody took the directions from the signals of one theme after the training."""
    shutil.copytree(default_features_dir(), place / "features")
    theme = place / "features" / "health.py"
    theme.write_text(theme.read_text().replace('"raises"', '"none"'))
    config = place / "riskflag.toml"
    config.write_text(f'{config.read_text()}\nfeatures_dir = "features"\n')
    assert "signals are defined as in training (" in refused(place, capsys, 20)


def test_a_trained_run_that_nobody_signs_is_not_promoted_where_a_key_is_asked_for(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is a plainer model that was only judged beside the run's own."""
    for plainer in ("logistic", "ebm"):
        said = refused(place, capsys, 40, plainer)
        assert "are never exported, because a bundle holds trees" in said
        assert len(said.strip().splitlines()) == 1
    config = place / "riskflag.toml"
    config.write_text(f'{config.read_text()}\npromotion_key = "{new_key(place.parent / "key")}"\n')
    assert "has a promotion key; give its key file" in refused(place, capsys, 40)


def test_nobody_is_in_the_record_or_the_bundle(trained: Path, tmp_path: Path) -> None:
    """Every file that training and promotion wrote is searched for the made-up people."""
    place = tmp_path / "workspace"
    shutil.copytree(trained / "workspace", place)
    assert run(["promote", "--workspace", str(place)]) == 0
    files = [path for path in place.rglob("*") if path.is_file()]
    assert len(files) > 30
    names = {path.name for path in files}
    assert {
        "trials.csv",
        "explainable_boosting.json",
        "figures.csv",
        "mlflow.db",
        "config.toml",
    } <= names
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nothing"], "one of: borough"),
        (["train", "borough", "--truth", "nowhere"], "--truth"),
        (["promote"], "riskflag train"),
        (["compare"], "riskflag train"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_40(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    Workspace.create(tmp_path / "w", "Test")
    assert run([*arguments, "--workspace", str(tmp_path / "w")]) == 40
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("riskflag: ")
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "w" / "mlruns").exists()


def test_an_empty_history_is_told_with_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Workspace.create(tmp_path / "w", "Test")
    monkeypatch.setattr(Store, "load", lambda *_, **__: history_of())
    monkeypatch.setattr(training_run, "HistoryStore", Store)
    assert run(["train", "borough", "--workspace", str(tmp_path / "w")]) == 30
    assert "riskflag ingest" in capsys.readouterr().err
