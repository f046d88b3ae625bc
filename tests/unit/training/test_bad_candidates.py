"""Deliberately bad candidates: each is refused by the gate made for it, and a good one is promoted.

Most of them are really bad: learnt the wrong way round, against their directions, on too few
children. The rest have what the checks of training would have found planted in their figures.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskflag.errors import ConfigError, HeldError
from riskflag.scoring.bundle import Bundle, canonical
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.model import Model
from riskflag.signals import Catalogue
from riskflag.training.checks import leaks
from riskflag.training.data.experiment import Experiment
from riskflag.training.data.inputs import Inputs
from riskflag.training.data.prepare import Window
from riskflag.training.judging import gate_figures
from riskflag.training.judging import gates as gates_of_training
from riskflag.training.judging.gates import SignOff, additivity, same_on_any_threads
from riskflag.training.judging.judge import RULES, Court, Judgement
from riskflag.training.model.learn import Learnt, learn
from riskflag.training.promotion import promote as promotion
from riskflag.training.promotion.parts import about, bundle_parts
from riskflag.training.promotion.promote import promote
from riskflag.training.record.write import bundle_digest
from riskflag.workspace import Workspace
from tests.made_up_candidates import MADE_UP, Record, judged, recorded
from tests.made_up_checks import sound
from tests.made_up_training import SMALL, learnt, prepared, signals

TWENTY_LETTERS = "Looked at with the equality group on 3 March."


def planted(name: str, verdict: str, value: float | None = None, **more: Any) -> Judgement:
    """A good candidate in which one check found something."""
    done = judged()
    for one in done.result["checks"]:
        if one["name"] == name:
            one |= {"verdict": verdict, "sentence": f"Planted: {name}.", **more}
            one["figure"] = {"value": value, "low": value, "high": value}
    return done


def without_directions() -> Inputs:
    free = tuple(dataclasses.replace(one, direction="none") for one in prepared().inputs.signals)
    return dataclasses.replace(prepared().inputs, signals=free)


def grown_on(happened: np.ndarray) -> Learnt:
    """What is learnt, without directions, when the training labels are these."""
    train = prepared().train
    labels = dataclasses.replace(train.labels, happened=happened)
    train = dataclasses.replace(train, labels=labels)
    data = dataclasses.replace(prepared(), inputs=without_directions(), train=train)
    return learn(data, SMALL.model, capacity=43.0)


def learnt_the_wrong_way_round() -> Record:
    """Grown on labels that come where there was no attendance."""
    chance = np.random.default_rng(4).random(len(prepared().train.rows))
    grown = grown_on((prepared().train.values[:, 0] == 0) & (chance < 0.3))
    return recorded(judged(grown=grown), grown)


def no_better_than_the_rules() -> Record:
    done = Court(prepared(), learnt(), SMALL, 43.0, {RULES: own_scores()}).judge()
    done.result.update(sound())
    return recorded(done)


def own_scores() -> np.ndarray:
    return learnt().model.raw(prepared().test.values, learnt().model.names)


def against_its_directions() -> Record:
    """Grown on labels that rise where a signal that lowers is high."""
    train = prepared().train
    grown = grown_on(train.labels.happened ^ (train.values[:, 3] > 1))
    return recorded(judged(grown=grown), grown)


def far_too_sure() -> Record:
    good = learnt().model
    curve = Calibration((-3.0, -1.0, 1.0), (1e-6, 0.9, 0.999))
    sure = dataclasses.replace(learnt(), model=Model(good.text, good.names, curve))
    return recorded(judged(grown=sure), sure)


def on_too_few_children() -> Record:
    test = prepared().test
    first = test.rows.person < 300
    some = Window(
        test.rows.take(np.flatnonzero(first)),
        test.labels.take(first),
        test.weights[first],
        test.values[first],
    )
    return recorded(judged(dataclasses.replace(prepared(), test=some)))


def before_its_outcomes_were_over() -> Record:
    split = prepared().split
    early = dataclasses.replace(split, cut=split.test[-1] + 100)
    return recorded(judged(dataclasses.replace(prepared(), split=early)))


def judged_on_what_it_learnt_from() -> Record:
    split = prepared().split
    near = dataclasses.replace(split, calibration=(split.train[-1] + 31,))
    return recorded(judged(dataclasses.replace(prepared(), split=near)))


def with_a_signal_that_knows() -> Record:
    """One signal is written down because of the outcome: a month before, it was not there."""
    test, done = prepared().test, judged()
    labels, values = test.labels.numbers, test.values.copy()
    values[:, 0] += 5 * labels
    versions = {"stood": values, str(leaks.EARLIER): test.values, "occurred": values}
    directions = [one.direction for one in prepared().inputs.signals]
    alone = leaks.each_alone(learnt().model.names, directions, versions, labels)
    whole = {"stood": 0.9, "-28": 0.75, "28": 0.91, "56": 0.92, "occurred": 0.9}
    done.result["leaks"] = leaks.told(whole, alone, 0.1, len(labels))
    return recorded(done)


def contributions_that_do_not_add_up() -> Record:
    class Liar(Model):
        def raw(self, *args: Any, **kwargs: Any) -> np.ndarray:
            return super().raw(*args, **kwargs) + 2e-9

    good = learnt().model
    lying = dataclasses.replace(learnt(), model=Liar(good.text, good.names, good.calibration))
    done = judged()
    tried = additivity(lying.model, prepared().test.values[:50])
    return recorded(dataclasses.replace(done, tried=(tried, *done.tried[1:])))


def not_repeatable() -> Record:
    class Fickle(gates_of_training.Grower):  # type: ignore[name-defined,misc]
        def grow(self, data: Any, trees: int) -> str:
            return f"{super().grow(data, trees)}{self.threads}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gates_of_training, "Grower", Fickle)
        tried = same_on_any_threads(prepared(), SMALL.model)
    done = judged()
    return recorded(dataclasses.replace(done, tried=(*done.tried[:2], tried)))


def altered_signals(**change: Any) -> Record:
    good = bundle_parts({"experiment": "x"} | _about(), prepared(), learnt(), judged())
    listed = json.loads(json.dumps(good.parts["signals"]))
    listed["signals"][0] |= change
    return recorded(judged(), signals=listed)


def _about() -> dict[str, Any]:
    return about(Experiment("made_up", SMALL, "0" * 64), prepared(), MADE_UP, "d" * 64)


def with_other_data_than_recorded() -> Record:
    made = recorded(judged())
    made.tags["history_digest"] = "e" * 64
    return made


def with_a_text_that_leads_back() -> Record:
    made = recorded(judged())
    text = made.files_["model.txt"].decode()
    line = next(one for one in text.split("\n") if one.startswith("left_child="))
    same = "left_child=" + " ".join("0" * len(line.split(" ")))
    made.files_["model.txt"] = text.replace(line, same.ljust(len(line))[: len(line)], 1).encode()
    files = {name: data for name, data in made.files_.items() if name != "about.json"}
    made.tags["bundle_digest"] = bundle_digest(files)
    return made


CANDIDATES: list[tuple[Callable[[], Record], str]] = [
    (learnt_the_wrong_way_round, "better than counting contacts"),
    (no_better_than_the_rules, "better than the rules alone"),
    (against_its_directions, "more harm never lowers the score"),
    (far_too_sure, "probabilities are sane"),
    (on_too_few_children, "enough outcomes to judge by"),
    (before_its_outcomes_were_over, "every outcome had its time"),
    (judged_on_what_it_learnt_from, "no window saw the outcomes of a later one"),
    (with_a_signal_that_knows, "nothing knows the outcome"),
    (contributions_that_do_not_add_up, "contributions add up"),
    (not_repeatable, "training is repeatable"),
    (with_other_data_than_recorded, "it is the run that was recorded"),
    (with_a_text_that_leads_back, "the model can be read"),
]
PLANTED: list[tuple[str, str, float | None, dict[str, Any], str]] = [
    ("time_shifted_auroc", "fault", 0.1, {}, "nothing knows the outcome"),
    ("base_rate_by_month", "fault", None, {}, "every month has its outcomes"),
    ("outcomes_after_our_own_flag", "look", 0.3, {}, "our own flags did not make the outcome"),
    ("score_explained_by_contact", "look", 0.9, {}, "content, not amount of contact"),
    (
        "feed_outage",
        "look",
        -0.2,
        {"table": [{"feed": "ed", "found_kept": 0.2}]},
        "no feed is all it rests on",
    ),
    ("missed_cases_by_sex", "look", 0.25, {}, "no group is missed more"),
    ("false_alarms_by_sex", "look", -0.7, {}, "no group is listed for less"),
    ("level_by_sex", "look", 0.9, {}, "the level is right in every group"),
    ("proxies_of_sex", "look", 0.93, {}, "no input stands for a protected group"),
]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with the made-up signals. The trial of a text in a child is tested elsewhere."""
    made = Workspace.create(tmp_path / "workspace", "Test")
    monkeypatch.setattr(promotion, "load_catalogue", lambda *_: MADE_UP)
    monkeypatch.setattr(promotion, "ask_trial", lambda *_: {})
    return made


def refused(workspace: Workspace, run: Record, patch: pytest.MonkeyPatch, **options: Any) -> str:
    """The sentence of refusal; nothing is written."""
    patch.setattr(promotion, "Store", lambda _: run)
    with pytest.raises(HeldError) as held:
        promote(workspace, **options)
    assert held.value.exit_code == 20
    assert not workspace.bundles.exists()
    assert run.crowned == []
    return str(held.value)


@pytest.mark.parametrize(
    ("candidate", "gate"), CANDIDATES, ids=lambda c: getattr(c, "__name__", "")
)
def test_a_bad_candidate_is_refused_by_its_gate(
    candidate: Callable[[], Record],
    gate: str,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The refusal names the gate and nothing is written."""
    assert f"{gate} (" in refused(workspace, candidate(), monkeypatch)


@pytest.mark.parametrize(("name", "verdict", "value", "more", "gate"), PLANTED)
def test_a_candidate_in_which_a_check_found_something_is_refused_by_that_gate_alone(
    name: str,
    verdict: str,
    value: float | None,
    more: dict[str, Any],
    gate: str,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One finding, one gate: the others hold."""
    run = recorded(planted(name, verdict, value, **more))
    said = refused(workspace, run, monkeypatch)
    assert said.split(": ", 1)[1].startswith(f"{gate} (")
    assert "; " not in said


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ({"name": "attendances_91d"}, "the night knows every signal"),
        ({"fingerprint": "0" * 64}, "signals are defined as in training"),
        ({"direction": "lowers"}, "signals are defined as in training"),
    ],
)
def test_a_candidate_on_other_signals_than_the_nights_is_refused(
    change: dict[str, Any], gate: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal unknown here, defined otherwise, or turned round since training."""
    if "name" in change:
        fewer = Catalogue(signals()[1:], "f" * 64, Path("no-rulebook.toml"))
        monkeypatch.setattr(promotion, "load_catalogue", lambda *_: fewer)
        run = recorded(judged())
    else:
        run = altered_signals(**change)
    assert f"{gate} (" in refused(workspace, run, monkeypatch)


def test_a_candidate_that_counts_the_outcome_is_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although training itself would never have let the signal in."""
    run = recorded(judged())
    told = json.loads(run.files_["about.json"]) | {"outcome_types": ["ed.attendance"]}
    run.files_["about.json"] = canonical(told)
    said = refused(workspace, run, monkeypatch)
    assert "no input is the outcome or a protected characteristic (1 barred" in said


def test_a_good_candidate_is_promoted(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: every gate holds, and the bundle and its card tell of each."""
    run = recorded(judged())
    monkeypatch.setattr(promotion, "Store", lambda _: run)
    shown: list[Any] = []
    done = promote(workspace, show=shown.extend)
    assert run.crowned == [done.bundle.id]
    assert tuple(shown) == done.gates
    assert len({gate.name for gate in done.gates}) == len(done.gates) >= 20
    assert {gate.verdict for gate in done.gates} == {"held"}
    assert all(gate.asked and gate.measured for gate in done.gates)
    kept = Bundle.load(done.path)
    assert [one["name"] for one in kept.parts["gates"]["gates"]] == [g.name for g in done.gates]
    card = (done.path / "card.md").read_text()
    assert all(gate.name in card for gate in done.gates)
    named = {gate for _, gate in CANDIDATES} | {row[-1] for row in PLANTED}
    assert named <= {gate.name for gate in done.gates}
    assert len(named) >= 12


def test_a_gate_that_was_not_measured_does_not_hold(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of an older version is refused with what to do."""
    done = judged()
    for name in ("checks", "leaks", "timing"):
        del done.result[name]
    said = refused(workspace, recorded(done), monkeypatch)
    unmeasured = said.count(gate_figures.NOT_MEASURED)
    assert unmeasured >= 10
    old = recorded(judged(), gates={"passed": True, "gates": []})
    assert "nothing knows the outcome (not measured; train the run again" in refused(
        workspace, old, monkeypatch
    )


def test_what_is_fair_can_be_signed_off_by_role_with_a_reason(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who and why are kept in the bundle and in its card; the gate is not said to have held."""
    run = recorded(planted("missed_cases_by_sex", "look", 0.25))
    monkeypatch.setattr(promotion, "Store", lambda _: run)
    by = SignOff("governance lead", TWENTY_LETTERS)
    done = promote(workspace, signed_off={"no group is missed more": by})
    gate = next(gate for gate in done.gates if gate.name == "no group is missed more")
    assert (gate.verdict, gate.passed) == ("signed off", False)
    kept = json.loads((done.path / "gates.json").read_bytes())
    assert kept["passed"] is True
    assert {"role": by.role, "reason": by.reason} in [g.get("signed_off") for g in kept["gates"]]
    assert "Signed off by the governance lead: Looked at" in (done.path / "card.md").read_text()


@pytest.mark.parametrize(
    ("gate", "role", "reason", "words"),
    [
        ("contributions add up", "governance lead", TWENTY_LETTERS, "cannot be signed off"),
        ("nothing knows the outcome", "governance lead", TWENTY_LETTERS, "cannot be signed off"),
        ("no group is listed for less", "governance lead", TWENTY_LETTERS, "nothing to sign off"),
        ("no group is missed more", "Somebody Else", TWENTY_LETTERS, "needs a role"),
        ("no group is missed more", "governance lead", "fine", "needs a role"),
    ],
)
def test_what_cannot_be_signed_off_is_told(
    gate: str,
    role: str,
    reason: str,
    words: str,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Faults cannot be accepted; nor can anything without a role and a reason."""
    run = recorded(planted("missed_cases_by_sex", "look", 0.25))
    monkeypatch.setattr(promotion, "Store", lambda _: run)
    with pytest.raises(ConfigError, match=words):
        promote(workspace, signed_off={gate: SignOff(role, reason)})
    assert not workspace.bundles.exists()
