"""The record of a run and its promotion: complete, without people, refused with reasons."""

from __future__ import annotations

import dataclasses
import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from riskflag.errors import ConfigError, IntegrityError
from riskflag.scoring.bundle import FILES, Bundle, canonical, load_current
from riskflag.scoring.signature import new_key
from riskflag.signals import Catalogue
from riskflag.training.judging.judge import Judgement
from riskflag.training.promotion import promote as promotion
from riskflag.training.promotion.parts import bundle_parts
from riskflag.training.promotion.promote import promote
from riskflag.training.record.compare import side_by_side
from riskflag.training.record.track import RunRecord, Store
from riskflag.training.record.write import BUNDLE, Finished, bundle_digest
from riskflag.workspace import Workspace
from tests.made_up_training import learnt, prepared

Maker = Callable[..., Store]


@pytest.fixture
def workspace(
    new_store: Maker, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """A workspace with an empty record, whose catalogue is the made-up one."""
    made = Workspace.create(tmp_path / "workspace", "Test")
    new_store("workspace/mlruns")
    monkeypatch.setattr(promotion, "load_catalogue", lambda *_: catalogue)
    return made


def altered(record: RunRecord, **changes: object) -> RunRecord:
    """The record as it would be had the bundle's parts been other ones."""
    texts = dict(record.texts)
    for part, value in changes.items():
        texts[f"{BUNDLE}/{part}.json"] = canonical(value).decode()
    files = {name: texts[f"{BUNDLE}/{name}"].encode() for name in FILES}
    tags = {**record.tags, "bundle_digest": bundle_digest(files)}
    return dataclasses.replace(record, texts=texts, tags=tags, figures={})


def test_a_run_holds_all_that_an_analyst_looks_for(new_store: Maker, record: RunRecord) -> None:
    store = new_store()
    known = store.record(record)
    run = store.find(known[:8])
    for metric in ("auroc", "auroc_rules_alone", "auroc_number_of_contacts", "calibration_slope"):
        assert metric in run.metrics
    assert run.tags["history_digest"] == "d" * 64
    assert run.parameters["horizon_days"] == "180"
    assert run.parameters["not_while"] == "care.cp_plan care.looked_after"
    place = store.folder / "artifacts" / known / "artifacts"
    for path in (
        "catalogue/signals.txt",
        "catalogue/rulebook.toml",
        "report/report.html",
        "plots/precision_recall.png",
        "plots/calibration.png",
        "shap/summary.png",
        "shap/dependence_attendances_90d.png",
        "shap/waterfall_example.png",
        "bundle/card.md",
    ):
        assert (place / path).stat().st_size > 0, path


def test_no_person_and_no_row_is_in_the_record(new_store: Maker, record: RunRecord) -> None:
    """The made-up people's ids, their birth dates and this machine's user are searched for."""
    store = new_store()
    store.record(record)
    needles = [b"P0", b"2015-06-01", b"person_id"]
    needles += [name.encode() for name in {os.environ.get("USER")} if name and len(name) > 4]
    files = [path for path in store.folder.rglob("*") if path.is_file()]
    assert len(files) > 15
    for path in files:
        data = path.read_bytes()
        for needle in needles:
            if path.suffix != ".png" and path.name != "mlflow.db":
                assert needle not in data, (path, needle)
    dump = "\n".join(sqlite3.connect(store.folder / "mlflow.db").iterdump())
    assert "P00001" not in dump
    assert "made_up" in dump


def test_the_switches_are_set_before_the_store_is_used(new_store: Maker) -> None:
    new_store()
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


def test_only_one_module_imports_mlflow() -> None:
    files = sorted(Path(promotion.__file__).parents[2].rglob("*.py"))
    assert len(files) > 20
    importing = {
        f.name for f in files if "import mlflow" in f.read_text() or "from mlflow" in f.read_text()
    }
    assert importing == {"track.py"}


def test_a_good_run_is_promoted_and_the_night_finds_it(
    workspace: Workspace, record: RunRecord
) -> None:
    store = Store(workspace.mlruns)
    known = store.record(dataclasses.replace(record, figures={}))
    done = promote(workspace)
    found = load_current(workspace.bundles)
    assert found is not None
    assert found.id == done.bundle.id
    assert store.champion() == known
    assert len(done.gates) >= 20
    test = prepared().test
    expected = learnt().model.raw(test.values[:], learnt().model.names)
    assert found.model.raw(test.values[:], found.model.names).tobytes() == expected.tobytes()
    assert "Model card" in (done.path / "card.md").read_text()
    assert promote(workspace, known).path == done.path, "promoting again changes nothing"


def test_files_altered_after_training_are_refused(workspace: Workspace, record: RunRecord) -> None:
    store = Store(workspace.mlruns)
    known = store.record(dataclasses.replace(record, figures={}))
    place = workspace.mlruns / "artifacts" / known / "artifacts" / BUNDLE / "thresholds.json"
    place.write_text(place.read_text().replace('"share"', '"shared"'))
    with pytest.raises(IntegrityError, match="altered"):
        promote(workspace)


def test_a_record_without_runs_or_with_two_alike_says_what_to_do(
    new_store: Maker, record: RunRecord
) -> None:
    store = new_store()
    with pytest.raises(ConfigError, match="riskflag train"):
        store.find(None)
    with pytest.raises(ConfigError, match="riskflag train"):
        side_by_side(store.runs(), None)
    store.record(dataclasses.replace(record, figures={}))
    with pytest.raises(ConfigError, match="riskflag compare"):
        store.find("zzz")


def test_runs_stand_side_by_side_with_the_promoted_one_marked(
    new_store: Maker, record: RunRecord
) -> None:
    store = new_store()
    other = dataclasses.replace(
        record, figures={}, tags={**record.tags, "history_digest": "e" * 64}
    )
    first = store.record(other)
    second = store.record(dataclasses.replace(record, figures={}))
    text = side_by_side(store.runs(), first)
    assert f"{first[:8]}*" in text
    assert text.index(second[:8]) < text.index(first[:8])
    assert ["data", "as newest", "other"] in [re.split(r" {2,}", line) for line in text.split("\n")]
    assert "rules alone" in text
    assert [run.id for run in store.runs("made_up")] == [second, first]
    assert store.runs("another") == []


def test_the_same_run_gives_the_same_bundle(
    finished: Finished, judgement: Judgement, tmp_path: Path
) -> None:
    again = bundle_parts(finished.parts.about, prepared(), learnt(), judgement)
    assert again.files() == finished.parts.files()
    path = Bundle.write(tmp_path, again)
    assert Bundle.load(path).performance["n"] > 0


def test_a_workspace_with_a_key_promotes_only_with_the_key_file(
    workspace: Workspace, record: RunRecord, tmp_path: Path
) -> None:
    """Without a key file, or with another, nothing is written; with it the night takes it."""
    right, other = tmp_path / "right.pem", tmp_path / "other.pem"
    public = new_key(right)
    new_key(other)
    workspace.config_path.write_text(f'authority = "Test"\npromotion_key = "{public}"\n')
    Store(workspace.mlruns).record(dataclasses.replace(record, figures={}))
    with pytest.raises(ConfigError, match="--key"):
        promote(workspace)
    with pytest.raises(ConfigError, match="not the key of this workspace"):
        promote(workspace, key_file=other)
    assert not workspace.bundles.exists()
    promote(workspace, key_file=right)
    assert load_current(workspace.bundles, key=public) is not None
    written = [path for path in workspace.root.rglob("*") if path.is_file()]
    assert not [path for path in written if b"PRIVATE KEY" in path.read_bytes()]
