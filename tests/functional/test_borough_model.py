"""The model on the synthetic borough, beside the true hazard that only the simulator knows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from riskflag.synth import SOURCES

ROOT = Path(__file__).resolve().parents[2]


def riskflag(*arguments: str) -> None:
    command = [sys.executable, "-m", "riskflag", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 10), run.stdout[-3000:] + run.stderr[-3000:]


@pytest.mark.long
def test_the_model_goes_most_of_the_way_to_the_true_hazard(tmp_path):
    """20,000 children: at least 85% of the way from 0.5 to the AUROC of the true hazard."""
    borough, workspace = tmp_path / "borough", tmp_path / "workspace"
    riskflag("synth", "--children", "20000", "--seed", "1", "--out", str(borough))
    sources = [word for name in SOURCES for word in ("--source", name)]
    riskflag("init", str(workspace), *sources)
    (workspace / "landing").rmdir()
    (borough / "landing").rename(workspace / "landing")
    riskflag("ingest", "--workspace", str(workspace))
    experiment = str(ROOT / "experiments" / "borough")
    truth = str(borough / "truth")
    riskflag("train", experiment, "--workspace", str(workspace), "--truth", truth)
    [figures] = workspace.glob("mlruns/artifacts/*/artifacts/report/figures.json")
    scorers = json.loads(figures.read_text())["scorers"]
    auroc = {name: scorer["auroc"]["value"] for name, scorer in scorers.items()}
    assert (auroc["model"] - 0.5) / (auroc["true hazard"] - 0.5) >= 0.85
    assert auroc["model"] > max(auroc["rules alone"], auroc["number of contacts"])
