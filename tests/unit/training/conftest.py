"""One finished made-up run, and an MLflow store that is migrated once and copied."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from riskflag.signals import Catalogue
from riskflag.training.data.experiment import Experiment
from riskflag.training.judging.judge import RULES, Court, Judgement
from riskflag.training.promotion.parts import about, bundle_parts
from riskflag.training.record.track import RunRecord, Store
from riskflag.training.record.write import Finished
from tests.made_up_checks import sound
from tests.made_up_training import SMALL, learnt, prepared, signals


@pytest.fixture(scope="session")
def judgement() -> Judgement:
    test = prepared().test
    others = {RULES: test.values[:, 1]}
    oracles = {"true hazard": test.values[:, 0] - test.values[:, 3]}
    done = Court(prepared(), learnt(), SMALL, 43.0, others, oracles).judge()
    done.result.update(sound())
    return done


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue(signals(), "f" * 64, Path("no-rulebook.toml"))


@pytest.fixture(scope="session")
def finished(judgement: Judgement, catalogue: Catalogue) -> Finished:
    experiment = Experiment("made_up", SMALL, "0" * 64)
    told = about(experiment, prepared(), catalogue, "d" * 64)
    parts = bundle_parts(told, prepared(), learnt(), judgement)
    return Finished(experiment, prepared(), learnt(), judgement, parts)


@pytest.fixture(scope="session")
def record(finished: Finished, catalogue: Catalogue) -> RunRecord:
    return finished.record(catalogue, lambda *_: None)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store; making one costs seconds, copying it nothing."""
    folder = tmp_path_factory.mktemp("template") / "mlruns"
    Store(folder)
    return folder


@pytest.fixture
def new_store(migrated: Path, tmp_path: Path) -> Callable[[str], Store]:
    def make(name: str = "mlruns") -> Store:
        shutil.copytree(migrated, tmp_path / name)
        return Store(tmp_path / name)

    return make
