"""The model on the synthetic borough, beside the true hazard that only the simulator knows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from riskflag.synth import SOURCES
from riskflag.training.figures.checks import find

ROOT = Path(__file__).resolve().parents[2]


def riskflag(*arguments: str) -> None:
    command = [sys.executable, "-m", "riskflag", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 10), run.stdout[-3000:] + run.stderr[-3000:]


def judged(place: Path, children: int) -> dict[str, Any]:
    """What a model on a borough of so many children is judged by."""
    borough, workspace = place / "borough", place / "workspace"
    riskflag("synth", "--children", str(children), "--seed", "1", "--out", str(borough))
    sources = [word for name in SOURCES for word in ("--source", name)]
    riskflag("init", str(workspace), *sources)
    (workspace / "landing").rmdir()
    (borough / "landing").rename(workspace / "landing")
    riskflag("ingest", "--workspace", str(workspace))
    experiment = str(ROOT / "experiments" / "borough")
    truth = str(borough / "truth")
    riskflag("train", experiment, "--workspace", str(workspace), "--truth", truth)
    [figures] = workspace.glob("mlruns/artifacts/*/artifacts/report/figures.json")
    found: dict[str, Any] = json.loads(figures.read_text())
    return found


@pytest.mark.long
def test_the_model_goes_most_of_the_way_to_the_true_hazard(tmp_path):
    """20,000 children: at least 85% of the way from 0.5 to the AUROC of the true hazard."""
    scorers = judged(tmp_path, 20_000)["scorers"]
    auroc = {name: scorer["auroc"]["value"] for name, scorer in scorers.items()}
    assert (auroc["model"] - 0.5) / (auroc["true hazard"] - 0.5) >= 0.85
    assert auroc["model"] > max(auroc["rules alone"], auroc["number of contacts"])


@pytest.mark.long
def test_a_large_borough_gains_at_capacity_early_and_at_the_right_level(tmp_path):
    """50,000 children: more found than by rules or by counting, weeks ahead, slope 0.9 to 1.1."""
    result = judged(tmp_path, 50_000)
    for other in ("rules alone", "number of contacts", "contacts in the last year"):
        gain = result["gain_over"][other]
        assert gain["precision_at_capacity"]["low"] > 0, other
        assert gain["recall_at_capacity"]["low"] > 0, other
    slope, days = find(result, "calibration_slope"), find(result, "days_of_warning")
    assert slope is not None
    assert days is not None
    assert 0.9 <= slope["figure"]["low"] <= slope["figure"]["high"] <= 1.1
    assert days["figure"]["low"] >= 28
    ahead = find(result, "days_gained_over_practice")
    assert ahead is not None
    assert ahead["figure"]["low"] > 0
    faults = [one["name"] for one in result["checks"] if one["verdict"] == "fault"]
    assert faults == []
