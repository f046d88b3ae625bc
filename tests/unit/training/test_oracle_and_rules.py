"""The truth and the rules as scores beside the model."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskflag.clock import day_number
from riskflag.errors import InputError
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals import load_catalogue
from riskflag.training.checks.oracle import HAZARD, read_oracles
from riskflag.training.data.rows import Rows
from riskflag.training.judging.rules_alone import as_score, rules_alone, rules_for
from tests.factories import history_of

ROWS = Rows(("A", "B", "C"), np.array([0, 0, 0, 1, 2]), np.array([9, 10, 19, 15, 15]))


def written(folder: Path, people: list[str]) -> Path:
    table = pa.table(
        {
            "person_id": people,
            "from_day": pa.array([10, 20, 12][: len(people)], pa.int32()),
            "to_day": pa.array([20, 30, 15][: len(people)], pa.int32()),
            "hazard": [0.5, 0.7, 0.9][: len(people)],
        }
    )
    pq.write_table(table, folder / "hazard.parquet")
    return folder


def test_the_hazard_is_that_of_the_stretch_the_day_lies_in(tmp_path: Path) -> None:
    """From the first day of a stretch to the day before its end; nothing outside a child's life."""
    found = read_oracles(written(tmp_path, ["A", "A", "B"]), ROWS)[HAZARD]
    assert found.tolist() == [0.0, 0.5, 0.5, 0.0, 0.0]


def test_truth_that_is_missing_or_about_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="riskflag synth"):
        read_oracles(tmp_path, ROWS)
    with pytest.raises(InputError, match="other people"):
        read_oracles(written(tmp_path, ["X", "Y", "Z"]), ROWS)


def test_a_more_pressing_level_outweighs_any_number_of_rules() -> None:
    rulebook = Rulebook.load()
    levels = [rule.level for rule in rulebook.rules]
    outcome = np.zeros((4, len(levels)), dtype=np.int8)
    outcome[1, [place for place, level in enumerate(levels) if level != "urgent"]] = 1
    outcome[2, levels.index("urgent")] = 1
    outcome[3] = -1
    scores = as_score(rulebook, outcome)
    assert scores[2] > scores[1] > scores[0] == scores[3] == 0


def test_a_child_with_a_pattern_of_the_rulebook_scores_above_one_without(tmp_path: Path) -> None:
    """Six attendances in two months, as the reviews describe, beside a child with none."""
    days = [dt.date(2025, 5, 1) + dt.timedelta(days=9 * n) for n in range(6)]
    visits = [
        {"person_id": "A", "type": "ed.attendance", "category": "injury", "occurred_on": day}
        for day in days
    ]
    born = [{"person_id": name, "birth_on": "2016-01-01"} for name in ("A", "B")]
    as_of = day_number(dt.date(2025, 7, 1))
    rows = Rows(("A", "B"), np.array([0, 1]), np.array([as_of, as_of]))
    history = history_of(visits, born)
    rulebook = rules_for(history, load_catalogue())
    assert rulebook is not None
    scores = rules_alone(history, rows, rulebook)
    assert scores[0] > scores[1]
