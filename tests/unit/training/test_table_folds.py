"""Rolling evaluation of a labelled table: each fold learns from what had ended before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskflag.clock import NEVER
from riskflag.errors import InputError
from riskflag.signals import Catalogue, Signal, contacts, count
from riskflag.training.data.experiment import ExperimentConfig
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.prepare_table import prepare_table
from riskflag.training.judging import rolling
from riskflag.training.judging.rolling import Tour
from tests.factories import history_of

PEOPLE = 160
YEARS = (2020, 2021, 2022, 2023)
VISITED = Signal(
    "visits_ever", count(contacts("ed.attendance"), None), question="How many?",
    rationale="A test.", source="A test.", direction="raises", theme="health", agency="ed",
)  # fmt: skip


def tour(folder: Path, **windows: object) -> Tour:
    """Everybody once a year; those with a visit have the outcome more often."""
    rng = np.random.default_rng(2)
    rows = [
        (f"p{n:03d}", f"{year}-01-01", int(rng.random() < (0.6 if n % 2 else 0.2)), f"{year}-06-30")
        for year in YEARS
        for n in range(PEOPLE)
    ]
    table = pd.DataFrame(rows, columns=["person", "as_of", "label", "label_end"])
    table.to_csv(folder / "labels.csv", index=False)
    people = [{"person_id": f"p{n:03d}", "birth_on": "2014-02-03"} for n in range(PEOPLE)]
    visits = [
        {"person_id": f"p{n:03d}", "type": "ed.attendance", "occurred_on": "2019-12-01"}
        for n in range(1, PEOPLE, 2)
    ]
    asked = {
        "question": "Will it go badly?",
        "outcome": {"table": "labels.csv"},
        "windows": {"test_from": "2023-01-01", "calibration_share": 0.3, **windows},
        "model": {"max_trees": 10, "min_rows_in_leaf": 5, "outage_share": 0},
        "evaluation": {"bootstrap": 20, "capacity_per_week": 5, "practice": []},
    }
    config = ExperimentConfig.model_validate(asked)
    catalogue = Catalogue((VISITED,), "f" * 64, folder / "none.toml")
    return Tour(history_of(visits, people), config, catalogue, 5, root=folder)


def test_each_fold_judges_its_own_dates_and_learns_only_from_labels_that_had_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Prepared] = []

    def noted(*given: object) -> Prepared:
        seen.append(prepare_table(*given))  # type: ignore[arg-type]
        return seen[-1]

    monkeypatch.setattr(rolling, "prepare_table", noted)
    told = tour(tmp_path, folds=3, every="365d").go(0)
    assert told is not None
    assert [fold["cut"] for fold in told["folds"]] == ["2021-01-01", "2022-01-01", "2023-01-01"]
    assert [len(np.unique(one.test.rows.as_of)) for one in seen] == [1, 1, 1]
    assert [len(np.unique(one.train.rows.as_of)) for one in seen] == [1, 2, 3]
    for one in seen:
        assert one.ends.max() <= one.test.rows.as_of.min()
    found = [fold["lists"]["model"]["children_found"]["value"] for fold in told["folds"]]
    assert told["pooled"]["model"]["children_found"]["value"] == sum(found) > 0
    assert told["pooled"]["model"]["precision"]["low"] > 0.4, "those with a visit are listed first"


def test_a_table_says_whether_and_not_when_so_no_warning_is_told(tmp_path: Path) -> None:
    told = tour(tmp_path, folds=1).go(0)
    assert told is not None
    figure = told["pooled"]["model"]["days_of_warning"]
    assert (figure["value"], figure["low"]) == (None, None)
    assert "22 new children for each date of the table" in told["sentences"][0]
    assert not any("days before" in one or str(NEVER) in one for one in told["sentences"])


def test_more_folds_than_the_table_has_dates_are_told_with_the_fold(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Fold 1 of the rolling evaluation: No label had ended"):
        tour(tmp_path, folds=4, every="366d").go(0)
    with pytest.raises(InputError, match="Fold 2 of the rolling evaluation: No row of the table"):
        tour(tmp_path, folds=2, every="999d", test_until="2022-01-01").go(0)
