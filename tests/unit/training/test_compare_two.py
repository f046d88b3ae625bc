"""Two runs beside each other, by id or alias: what the figures allow to be said, what differs."""

from __future__ import annotations

import copy
import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskflag.cli import run
from riskflag.errors import ConfigError, StorageError
from riskflag.scoring.bundle import canonical
from riskflag.training.record.pair import Pair, Side, as_text
from riskflag.training.record.pair_page import as_html
from riskflag.training.record.track import CHALLENGER, CHAMPION, RunRecord, Store
from riskflag.workspace import Workspace

Maker = Callable[..., Store]


def changed(record: RunRecord, **figures: Any) -> RunRecord:
    """The record of another run: other trees, another signal, another digest if asked."""
    result = json.loads(record.texts["report/figures.json"])
    result["scorers"]["model"] |= figures.pop("model", {})
    signals = json.loads(record.texts["bundle/signals.json"])
    signals["signals"][0]["fingerprint"] = "9" * 64
    del signals["signals"][1]
    texts = {
        **record.texts,
        "report/figures.json": canonical(result).decode(),
        "bundle/signals.json": canonical(signals).decode(),
    }
    return dataclasses.replace(
        record,
        texts=texts,
        parameters={**record.parameters, "leaves": 31},
        tags={**record.tags, **figures},
        figures={},
    )


@pytest.fixture
def two(new_store: Maker, record: RunRecord) -> tuple[Store, str, str]:
    store = new_store()
    better = {"auroc": {"value": 0.99, "low": 0.98, "high": 0.995}}
    first = store.record(dataclasses.replace(record, figures={}))
    return store, first, store.record(changed(record, model=better))


def pair_of(store: Store, first: str, second: str) -> Pair:
    return Pair(Side.of(store, first), Side.of(store, second))


def test_figures_stand_with_intervals_and_only_separate_ones_decide(
    two: tuple[Store, str, str],
) -> None:
    pair = pair_of(*two)
    said = {row[0]: row[1:] for row in pair.figures()}
    assert said["AUROC"][1:] == ("0.990 (0.980-0.995)", "higher in the second")
    assert said["calibration slope"][2] == "the same"
    assert said["Brier"][2] == "the same"
    assert said["Brier"][0].count("(") == 1, "with its interval"
    assert {"Brier", "recall at capacity", "AUROC of rules alone"} <= set(said)
    back = pair_of(two[0], two[2], two[1])
    assert {row[0]: row[3] for row in back.figures()}["AUROC"] == "higher in the first"
    assert pair.warnings() == []


def test_gates_not_held_and_checks_that_ask_for_a_look_stand_beside_each_other(
    two: tuple[Store, str, str],
) -> None:
    """What is quiet in both is left out; what is not in one shows the other's verdict beside it."""
    pair = pair_of(*two)
    gate = dataclasses.replace(pair.b.gates[0], name="a gate", passed=False, signed_off=None)
    checks = [
        {"name": "net_benefit", "verdict": "look"},
        {"name": "known_on_audit", "verdict": "fine"},
    ]
    held = dataclasses.replace(gate, passed=True, measured="enough")
    one = dataclasses.replace(pair.a, gates=(held,), result={**pair.a.result, "checks": []})
    other = dataclasses.replace(pair.b, gates=(gate,), result={**pair.b.result, "checks": checks})
    both = Pair(one, other)
    assert list(both.verdicts()) == [
        ("gate: a gate", "held", "NOT HELD"),
        ("check: net benefit", "-", "look"),
    ]
    for told in (as_text(both), as_html(both)):
        assert "check: net benefit" in told
        assert "known on audit" not in told
    assert "nothing in either" in as_text(Pair(one, one))


def test_a_brier_score_of_an_older_run_stands_without_an_interval(
    two: tuple[Store, str, str],
) -> None:
    pair = pair_of(*two)
    older = {"calibration": {**pair.a.result["calibration"], "brier": 0.01}}
    mixed = Pair(dataclasses.replace(pair.a, result={**pair.a.result, **older}), pair.b)
    assert next(mixed.figures())[:2] == ("Brier", "0.01000")


def test_overlapping_intervals_decide_nothing(new_store: Maker, record: RunRecord) -> None:
    store = new_store()
    figure = json.loads(record.texts["report/figures.json"])["scorers"]["model"]["auroc"]
    near = {key: value + 0.001 for key, value in figure.items()}
    ids = [store.record(dataclasses.replace(record, figures={}))]
    ids.append(store.record(changed(record, model={"auroc": near})))
    assert next(row[3] for row in pair_of(store, *ids).figures() if row[0] == "AUROC") == (
        "intervals overlap"
    )


def test_every_setting_signal_and_source_that_differs_is_named_and_no_other(
    two: tuple[Store, str, str],
) -> None:
    told = {name: (a, b) for name, a, b in pair_of(*two).differences()}
    assert set(told) == {"leaves", "signal attendances_90d", "signal missing_ever"}
    assert told["leaves"][1] == "31"
    assert told["signal missing_ever"][1] == "not an input"
    assert list(pair_of(two[0], two[1], two[1]).differences()) == []
    assert "nothing that is recorded" in as_text(pair_of(two[0], two[1], two[1]))


def test_runs_on_other_data_or_months_are_not_to_be_compared(
    new_store: Maker, record: RunRecord
) -> None:
    store = new_store()
    other = changed(record, history_digest="e" * 64)
    about = json.loads(record.texts["bundle/about.json"])
    moved = copy.deepcopy(about)
    moved["windows"]["test"] = "May 1999"
    texts = {**other.texts, "bundle/about.json": canonical(moved).decode()}
    ids = [
        store.record(dataclasses.replace(record, figures={})),
        store.record(dataclasses.replace(other, texts=texts)),
    ]
    pair = pair_of(store, *ids)
    [warning] = pair.warnings()
    assert "other histories" in warning
    assert "other months" in warning
    assert "outcomes" not in warning
    assert warning in as_text(pair)
    assert warning in as_html(pair)


def test_the_page_holds_no_script_and_nothing_from_elsewhere(two: tuple[Store, str, str]) -> None:
    page = as_html(pair_of(*two))
    assert page.count("<polyline") == 2
    assert "<script" not in page
    assert "http" not in page
    assert "higher in the second" in page


def test_aliases_are_moved_and_a_promoted_run_is_no_challenger(
    two: tuple[Store, str, str],
) -> None:
    store, first, second = two
    with pytest.raises(ConfigError, match="No run is the champion"):
        store.find(CHAMPION)
    store.set_alias(store.find(first), CHALLENGER, {"gates": "held in training"})
    assert store.find(CHALLENGER).id == first
    store.crown(store.find(first), {"gates": "passed"})
    assert (store.alias(CHAMPION), store.alias(CHALLENGER)) == (first, None)
    store.set_alias(store.find(second), CHALLENGER, {})
    assert (store.find(CHAMPION).id, store.find(CHALLENGER).id) == (first, second)
    store.crown(store.find(second), {"gates": "passed"})
    store.crown(store.find(first), {"gates": "passed"})
    assert store.champion() == first
    versions = store._client.search_model_versions("name = 'riskflag'")
    assert sorted(one.run_id for one in versions) == sorted([first, second]), "one a run"


def test_a_record_that_was_moved_is_not_written_to(
    new_store: Maker, record: RunRecord, tmp_path: Path
) -> None:
    """Its database would send the files to the old folder."""
    store = new_store("old")
    bare = dataclasses.replace(record, figures={})
    store.record(bare)
    shutil.copytree(store.folder, tmp_path / "copied")
    with pytest.raises(StorageError, match="Move it back"):
        Store(tmp_path / "copied").record(bare)


def test_the_command_writes_the_page_and_refuses_what_it_cannot_compare(
    new_store: Maker, record: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Workspace.create(tmp_path / "w", "Test")
    store = new_store("w/mlruns")
    known = store.record(dataclasses.replace(record, figures={}))
    at = ["--workspace", str(tmp_path / "w")]
    page = tmp_path / "two.html"
    assert run(["compare", known[:8], known, *at, "--out", str(page)]) == 0
    assert "AUROC of rules alone" in capsys.readouterr().out
    assert page.read_text().startswith("<!doctype html>")
    for wrong in (["a", "b", "c"], ["--out", str(page)], [known, "challenger"]):
        assert run(["compare", *wrong, *at]) == 40
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
