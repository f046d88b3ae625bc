"""A borough in which agencies write next to nothing down about one group: the report says so."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from riskflag.synth import SOURCES, generate, people
from riskflag.training.figures.checks import FINE, LOOK, find
from tests.boroughs import UNTIL

ROOT = Path(__file__).resolve().parents[2]
CHILDREN = 12_000
#: Of so many records of the group only one is written down; what came to light stays as it was.
ONE_IN = 10
#: Who people are, and the outcomes: left alone.
WHOLE = (
    "ssd_person", "ssd_linked_identifiers", "ssd_family", "ssd_mother", "ssd_disability",
    "ssd_s47_enquiry", "ssd_cp_plans", "ssd_cla_episodes",
)  # fmt: skip
CHECKS = ("missed_cases_by_ethnicity_code", "level_by_ethnicity_code")


@pytest.fixture(scope="module")
def even(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A borough in which every group is written about as readily as the others."""
    out = tmp_path_factory.mktemp("even") / "borough"
    alike = (1.0,) * len(people.GROUP_SHARES)
    with mock.patch.object(people, "GROUP_REPORTING", alike):
        generate(out, children=CHILDREN, seed=1, until=UNTIL)
    return out


def largest_group(borough: Path) -> tuple[str, set[str]]:
    """The most frequent ethnicity code and its children."""
    first = min((borough / "landing").iterdir())
    table = pd.read_csv(first / "ssd_person.csv", dtype=str)
    code = table["pers_ethnicity"].value_counts().index[0]
    return str(code), set(table["pers_person_id"][table["pers_ethnicity"] == code])


def under_record(borough: Path, children: set[str]) -> int:
    """Leave out all but one in ten records about these children; how many were left out."""
    names = pd.read_parquet(borough / "truth" / "people.parquet")
    mine = names[names["person_id"].isin(children)]
    columns = ["person_id", "nhs_number", "upn", "police_ref", "housing_ref"]
    known = {one for column in columns for one in mine[column].dropna()}
    rng, left_out = np.random.default_rng(7), 0
    for path in sorted((borough / "landing").glob("*/*.csv")):
        if path.stem in WHOLE:
            continue
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        theirs = pd.read_csv(path, dtype=str, keep_default_na=False).isin(known).any(axis=1)
        assert len(theirs) == len(lines) - 1, path.name
        kept = ~theirs.to_numpy() | (rng.integers(0, ONE_IN, len(theirs)) == 0)
        left_out += int((~kept).sum())
        rows = (line for line, keep in zip(lines[1:], kept, strict=True) if keep)
        path.write_text(lines[0] + "".join(rows), encoding="utf-8", newline="")
    return left_out


def riskflag(*arguments: str) -> None:
    command = [sys.executable, "-m", "riskflag", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 10), run.stdout[-3000:] + run.stderr[-3000:]


def trained(borough: Path, workspace: Path) -> dict[str, Any]:
    """What the report of a model on this borough says."""
    riskflag("init", str(workspace), *(word for name in SOURCES for word in ("--source", name)))
    shutil.copytree(borough / "landing", workspace / "landing", dirs_exist_ok=True)
    riskflag("ingest", "--workspace", str(workspace))
    riskflag("train", str(ROOT / "experiments" / "borough"), "--workspace", str(workspace))
    [figures] = workspace.glob("mlruns/artifacts/*/artifacts/report/figures.json")
    found: dict[str, Any] = json.loads(figures.read_text())
    return found


def told(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The two checks of a gap between ethnicity codes."""
    for name in CHECKS:
        check = find(result, name)
        assert check is not None, name
        print(check["verdict"], check["sentence"])
        yield check


@pytest.mark.long
def test_a_group_about_which_little_is_written_is_named_with_a_clear_gap(
    even: Path, tmp_path: Path
) -> None:
    """Its risk is told too low, and the report says of whom, how far and that it is clear."""
    planted = tmp_path / "borough"
    shutil.copytree(even, planted)
    code, children = largest_group(planted)
    assert under_record(planted, children) > 10 * len(children)
    _, level = told(trained(planted, tmp_path / "workspace"))
    assert level["verdict"] == LOOK
    assert f"stands out most is {code}, " in level["sentence"]
    assert level["sentence"].endswith("; clear.")
    assert level["figure"]["high"] < np.log(0.8)


@pytest.mark.long
def test_groups_that_are_written_about_alike_are_not_accused(even: Path, tmp_path: Path) -> None:
    """The same borough with nothing left out: no gap is clear."""
    for check in told(trained(even, tmp_path / "workspace")):
        assert check["verdict"] == FINE
        assert "no clearer than chance" in check["sentence"]
