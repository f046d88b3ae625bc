"""A model on an experiment's own signals: it brings their declarations, and the night has them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from riskflag.cli import run
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.scoring.bundle import load_current
from riskflag.signals import compute, load_catalogue
from tests import small_borough as small

OWN = """
from riskflag.signals import (
    Signal, age, busiest, change, contacts, count, days_inside, days_since_last, difference,
    distinct, last_value, longest_gap, lowest, mean, ratio, sequence, shortest_gap, unanswered,
)

ALIKE = {"rationale": "For tests.", "source": "Tests", "agency": "several", "theme": "context"}
WORRIES = contacts("ed.attendance", "missing.episode", "police.da_incident", "school.absence")
SIGNALS = (
    Signal("own_worries_60d", count(WORRIES, 60), "How many worries in 60 days?",
           direction="raises", **ALIKE),
    Signal("own_worries_365d", count(WORRIES, 365), "How many worries in 365 days?",
           direction="raises", **ALIKE),
    Signal("own_agencies_90d", distinct(WORRIES, "agency", 90), "How many agencies in 90 days?",
           direction="raises", unit="agencies", **ALIKE),
    Signal("own_change", change(WORRIES, 90, 365), "How many more worries than before?",
           direction="none", **ALIKE),
    Signal("own_share", ratio(count(contacts("missing.episode"), 180), count(WORRIES, 180)),
           "Which share of the worries are episodes?", direction="none", unit="share", **ALIKE),
    Signal("own_followed", sequence(contacts("missing.episode"), contacts("ed.attendance"), 14),
           "How often did an attendance follow an episode?", direction="raises", **ALIKE),
    Signal("own_unanswered", unanswered(contacts("missing.episode"), contacts("care.visit"), 7),
           "How many episodes without a visit?", direction="none", **ALIKE),
    *(Signal(f"own_{one.__name__}", one(contacts("school.absence"), days=180, **more),
             "What is it of absences?", direction="none", **ALIKE)
      for one, more in (
          (busiest, {"within": 7}), (days_inside, {}), (longest_gap, {}), (shortest_gap, {}),
          *((one, {"attribute": "quantity"}) for one in (mean, last_value, lowest)),
      )),
    Signal("own_days_since_worry", days_since_last(WORRIES), "How many days since a worry?",
           direction="lowers", unit="days", **ALIKE),
    Signal("own_age_less", difference(age("years"), count(contacts("missing.episode"), 90)),
           "How old, less the episodes?", direction="none", unit="years", **ALIKE),
)
"""
NIGHT = small.NIGHT.isoformat()


def command(place: Path, *words: str) -> int:
    return run([*words, "--workspace", str(place)])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after train, promote and a night; its own features lack the model's signals."""
    root = tmp_path_factory.mktemp("own") / "workspace"
    small.Borough(1200).workspace(root, 'features_dir = "signals"\n' + small.CONFIG.lstrip())
    experiment = root / "experiments" / "made"
    config = (experiment / "config.toml").read_text() + "[promotion]\nundecided_holds = true\n"
    (experiment / "config.toml").write_text(config)
    small.write_features(experiment / "signals", OWN, rules=False)
    assert command(root, "train", str(experiment)) == 0
    assert command(root, "promote") == 0
    # From here on the night has only what the bundle brings.
    shutil.rmtree(root / "experiments")
    assert command(root, "score", "--as-of", NIGHT) in (0, 10)
    return root


def flags_of(place: Path) -> list[dict]:
    [found] = place.glob(f"publications/{NIGHT}-*/flags.json")
    return json.loads(found.read_bytes())


@pytest.mark.long
def test_every_value_on_a_flag_is_what_the_own_signals_give(place: Path, tmp_path: Path) -> None:
    """Computed once more from the experiment's own folder, which the night never saw."""
    small.write_features(tmp_path / "signals", OWN, rules=False)
    own = load_catalogue(tmp_path / "signals").signals
    flags = [flag for flag in flags_of(place) if flag["model"]]
    assert len(flags) >= 5
    people = [flag["person_id"] for flag in flags]
    history = HistoryStore(place / "history").load()
    table = compute(history, people, as_of=small.NIGHT, signals=list(own))
    bundle = load_current(place / "bundles")
    assert bundle is not None
    assert set(bundle.model.names) == {one.name for one in own}
    raw = bundle.model.raw(table.values, table.names)
    told = {person: row for row, person in enumerate(table.person_ids)}
    for flag in flags:
        row = told[flag["person_id"]]
        assert abs(flag["model"]["raw"] - raw[row]) <= 1e-12
        for part in flag["model"]["contributions"]:
            value = table.values[row, table.names.index(part["name"])]
            assert part["value"] == (value if np.isfinite(value) else None), part["name"]
    raised = [flag for flag in flags if flag["model"]["raises"]]
    assert raised
    questions = {p["question"] for flag in raised for p in flag["model"]["contributions"]}
    assert "How many worries in 60 days?" in questions


@pytest.mark.long
def test_such_a_night_is_made_again_checked_looked_back_and_told(place: Path) -> None:
    """Reproduce, verify, lookback and the variable list of the governance pack know the signals."""
    flag = next(flag for flag in flags_of(place) if flag["model"] and flag["model"]["raises"])
    assert command(place, "reproduce", flag["flag_id"]) == 0
    assert command(place, "verify") == 0
    back = place / "back.html"
    assert command(place, "lookback", flag["person_id"], "--out", str(back)) == 0
    assert "worries" in back.read_text()
    assert command(place, "governance", "--out", str(place / "pack")) == 0
    variables = (place / "pack" / "variables.md").read_text()
    assert "own_followed" in variables
    assert "How often did an attendance follow an episode?" in variables


@pytest.mark.long
def test_on_spark_such_a_night_has_the_same_bytes(place: Path, tmp_path: Path) -> None:
    """Workers read the declarations from the bundle they are sent."""
    other = tmp_path / "workspace"
    shutil.copytree(place, other)
    later = (small.NIGHT + dt.timedelta(days=1)).isoformat()
    assert command(place, "score", "--as-of", later) in (0, 10)
    assert command(other, "score", "--as-of", later, "--engine", "spark") in (0, 10)
    [here], [there] = (one.glob(f"publications/{later}-*/flags.json") for one in (place, other))
    assert here.read_bytes() == there.read_bytes()


@pytest.mark.long
def test_another_signal_of_the_same_name_stops_promotion_and_night(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two numbers of one name would be on the same page; the same one twice is one."""
    other = tmp_path / "workspace"
    shutil.copytree(place, other)
    changed = OWN.replace("count(WORRIES, 60)", 'count(contacts("ed.attendance"), 60)')
    (other / "features" / "own.py").write_text(changed)
    assert command(other, "promote") == 20
    assert "signals are defined as in training (1 changed: own_worries_60d)" in (
        capsys.readouterr().err
    )
    assert command(other, "score", "--as-of", NIGHT) == 40
    assert "own_worries_60d is not the one bundle made-" in capsys.readouterr().err
    (other / "features" / "own.py").write_text(OWN)
    later = (small.NIGHT + dt.timedelta(days=2)).isoformat()
    assert command(other, "score", "--as-of", later) in (0, 10)
