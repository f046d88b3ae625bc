"""Real students: who of those still enrolled will fail or leave, from declarations alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from riskflag.history.loading.ingest import ingest
from riskflag.signals.terms import use_vocabulary
from riskflag.training.run import Trained, train
from riskflag.workspace import Workspace
from tests.shared_data import shared_data

DECLARED = Path(__file__).resolve().parents[1] / "public_sources" / "oulad"


@pytest.fixture(autouse=True)
def shipped_words_afterwards():
    yield
    use_vocabulary(None)


def students(folder: Path, share: int = 1) -> Workspace:
    """A workspace with every `share`-th student's records loaded."""
    data = shared_data("oulad")
    workspace = Workspace.create(folder / "w", "Test")
    shutil.copytree(DECLARED / "sources", workspace.sources_dir, dirs_exist_ok=True)
    shutil.copy(DECLARED / "vocabulary.toml", workspace.root)
    landing = workspace.landing / "2016-01-01"
    landing.mkdir()
    for name in ("events.parquet", "cohort.parquet"):
        table = pq.read_table(data / name)
        chosen = np.asarray(table["person_id"]) % share == 0
        pq.write_table(table.filter(chosen), landing / name)
    assert ingest(workspace).unlinked == 0
    return workspace


def trained(workspace: Workspace, week: int) -> Trained:
    return train(DECLARED / "experiments" / f"week_{week}", workspace, threads=2)


def auroc(done: Trained) -> dict[str, float]:
    found: dict[str, float] = done.judgement.result["scorers"]["model"]["auroc"]
    return found


def test_a_part_of_the_students_is_learnt_from_without_a_line_of_code(tmp_path: Path) -> None:
    """Tested are those of 2014J still enrolled; the label's own contacts are read by no signal."""
    workspace = students(tmp_path, share=8)
    done = trained(workspace, 8)
    cohort = pd.read_parquet(workspace.landing / "2016-01-01" / "cohort.parquet")
    asked = cohort[cohort.enrolled_at_as_of & (cohort.week == 8)]
    tested = asked[asked.code_presentation == "2014J"]
    result = done.judgement.result
    assert (result["rows"], result["outcomes"]) == (len(tested), int(tested.label.sum()))
    over = asked[asked.label_end < tested.as_of.min()]
    assert set(over.code_presentation) == {"2013B", "2013J", "2014B"}
    about = done.parts.about
    assert about["horizon_days"] == int((asked.label_end - asked.as_of).dt.days.max())
    listed = json.dumps(done.parts.parts["signals"])
    assert "course.result" not in listed
    assert auroc(done)["low"] > 0.68
    assert "Outcome: the label of a table" in done.parts.card


@pytest.mark.long
def test_all_students_are_told_as_well_as_plain_hand_made_counts_tell(tmp_path: Path) -> None:
    """AUROC at weeks 8 and 16 near the 0.787 and 0.853 of hand-made counts; week 2 is lower.

    In week 2 what students brought to the course (0.701 with it) is not yet known: the files tell
    it as of that very day, and only what was known before a day counts.
    """
    workspace = students(tmp_path)
    weeks = {week: trained(workspace, week) for week in (2, 8, 16)}
    found = {week: auroc(done) for week, done in weeks.items()}
    for week, done in weeks.items():
        result = done.judgement.result
        leaks = {key: result["leaks"][key] for key in ("auroc_later", "fault_from")}
        print(week, found[week], leaks, result["calibration"]["slope"])
    for week, published in ((2, 0.66), (8, 0.787), (16, 0.853)):
        assert found[week]["value"] > published - 0.015
    assert found[2]["high"] < found[8]["low"]
    assert found[8]["high"] < found[16]["low"]
    # The least asked of week 8.
    assert found[8]["value"] >= 0.79
    explains_the_fault(weeks[8].judgement.result, found)


def explains_the_fault(result: dict[str, Any], found: dict[int, dict[str, float]]) -> None:
    """At week 8 an AUROC of 0.85 needs records that came weeks later."""
    leaks = result["leaks"]
    assert leaks["suspects"] == []
    assert leaks["auroc_earlier"] < leaks["auroc"] < leaks["auroc_later"]["28"]
    assert leaks["auroc_later"]["28"] < leaks["auroc_later"]["56"]
    assert 0.82 <= leaks["fault_from"] <= 0.86
    assert leaks["known_later_than_happened"] == 0
    assert leaks["gain_by_day_it_happened"] == pytest.approx(0, abs=1e-9)
    assert found[8]["value"] < 0.85
