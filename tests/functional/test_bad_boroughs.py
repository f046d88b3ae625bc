"""Bad candidates from beginning to end: each is trained on a borough that is bad for a true reason.

Nothing is planted in figures here. Records are made with the fault in them, `riskflag train` learns
from them as it would from anybody's, and `riskflag promote` must refuse, naming the gate.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from riskflag.cli import run
from riskflag.scoring.bundle import load_current
from riskflag.scoring.signature import new_key
from riskflag.training import run as training_run
from riskflag.training.model import fit
from tests import small_borough as small
from tests.small_borough import ENQUIRY, MONTH, MONTHS, START, Borough

pytestmark = pytest.mark.long


@dataclass
class Candidate:
    """A borough with a fault, and what else is done before training and before promotion."""

    borough: Borough = field(default_factory=Borough)
    signals: str = small.SIGNALS
    before: Callable[[pytest.MonkeyPatch], None] = lambda patch: None
    after: Callable[[Path], None] = lambda root: None


def written_because_of_the_outcome() -> Candidate:
    """With an enquiry a visit is entered, back-dated a quarter, and loaded as if known then."""
    found = with_visits(days=90, direction="raises")
    child, day = found.borough.drawn()[ENQUIRY]
    found.borough.more += [
        (int(who), "care.visit", int(on) - 88, int(on) - 87)
        for who, on in zip(child, day, strict=True)
    ]
    return found


def praised_for_what_it_set_off() -> Candidate:
    """Three in four enquiries came out of a review of a flag three weeks before."""
    found = Candidate()
    child, day = found.borough.drawn()[ENQUIRY]
    told = [(small.name(int(who)), int(on) - 21) for who, on in zip(child, day, strict=True)]
    told = told[: len(told) * 3 // 4]
    found.before = lambda patch: patch.setattr(training_run, "reviews_of", lambda _: told)
    return found


def shuffled() -> Candidate:
    """Enquiries come to anybody at any time."""
    found = Candidate()
    rates = found.borough.rates[ENQUIRY]
    found.borough.rates[ENQUIRY] = np.full_like(rates, rates.mean())
    return found


def known_to_the_rules() -> Candidate:
    """Enquiries follow the rule's own pattern and nothing else."""
    found = Candidate()
    found.borough.rates["ed.attendance"] = np.where(found.borough.trouble, 0.9, 0.1)
    months = by_month(found.borough, "ed.attendance")
    recent = months + np.roll(months, 1, axis=1) + np.roll(months, 2, axis=1)
    found.borough.rates[ENQUIRY] = np.full_like(recent, 0.0003)
    found.borough.rates[ENQUIRY][:, 1:] += 0.25 * (recent[:, :-1] >= 4)
    return found


def at_another_level_since() -> Candidate:
    """Since last year three enquiries are begun where one was."""
    found = Candidate()
    found.borough.rates[ENQUIRY][:, -9:] *= 4
    return found


def against_its_directions() -> Candidate:
    """Trained by a program that forgot the directions, where much absence is a good sign."""
    found = Candidate()
    absent = np.cumsum(by_month(found.borough, "school.absence"), axis=1)
    found.borough.rates[ENQUIRY] *= np.where(absent > 5, 0.5, 4)
    free = {"raises": 0, "lowers": 0, "none": 0}
    found.before = lambda patch: patch.setattr(fit, "SIGNS", free)
    return found


def on_one_feed() -> Candidate:
    """Only the police see anything; the others write down what means nothing."""
    found = Candidate()
    for kind in ("ed.attendance", "missing.episode", "school.absence"):
        rates = found.borough.rates[kind]
        found.borough.rates[kind] = np.full_like(rates, rates.mean())
    return found


def blind_to_one_group() -> Candidate:
    """Of girls no agency but the police writes anything down in trouble."""
    found = Candidate(Borough(4000))
    girls = np.array([one == "F" for one in found.borough.sex])
    for kind, rates in found.borough.rates.items():
        if kind not in (ENQUIRY, "gp.registration"):
            rates[girls] = rates.min()
    return found


def sees_only_attention() -> Candidate:
    """Enquiries come to those of whom most is written down, whatever it says."""
    found = Candidate()
    busy = found.borough.rates["gp.registration"]
    for kind in ("ed.attendance", "missing.episode", "police.da_incident", "school.absence"):
        found.borough.rates[kind] = busy * 0.05
    found.borough.rates[ENQUIRY] = 0.003 * busy**1.6
    return found


def on_too_few_outcomes() -> Candidate:
    """A quarter of the children, as many outcomes less."""
    return Candidate(Borough(500))


def with_a_month_not_recorded() -> Candidate:
    """The enquiries of a quarter were never entered."""
    found = Candidate()
    found.borough.rates[ENQUIRY][:, 16:22] = 0
    return found


def with_a_stand_in_for_a_group() -> Candidate:
    """One clinic's visits come to girls only."""
    found = with_visits(days=365, direction="none")
    girls = np.array([one == "F" for one in found.borough.sex])[:, None]
    found.borough.rates["care.visit"] = np.where(girls, 0.5, 0.0) * np.ones(MONTHS)
    found.borough.rates[ENQUIRY] *= np.where(girls, 1.5, 0.7)
    return found


def with_a_signal_changed_since() -> Candidate:
    """Somebody made a yes or no of every count after the training."""
    found = Candidate()

    def changed(root: Path) -> None:
        path = root / "features" / "signals.py"
        path.write_text(path.read_text().replace("contacts, count,", "contacts, exists as count,"))

    found.after = changed
    return found


def with_visits(*, days: int, direction: str) -> Candidate:
    """A borough whose model also counts visits."""
    more = f'    counted("visits", "care.visit", "care", {days}, "{direction}"),\n'
    before = '    counted("registrations"'
    return Candidate(signals=small.SIGNALS.replace(before, more + before))


def by_month(borough: Borough, kind: str) -> np.ndarray:
    """How many contacts of a type there will be (float64 [children, months])."""
    child, day = borough.drawn()[kind]
    months = np.zeros((borough.children, MONTHS))
    np.add.at(months, (child, (day - START) // MONTH), 1)
    return months


CANDIDATES: list[tuple[Callable[[], Candidate], str]] = [
    (written_because_of_the_outcome, "nothing knows the outcome"),
    (praised_for_what_it_set_off, "our own flags did not make the outcome"),
    (shuffled, "better than counting contacts"),
    (known_to_the_rules, "better than the rules alone"),
    (at_another_level_since, "probabilities are sane"),
    (against_its_directions, "more harm never lowers the score"),
    (on_one_feed, "no feed is all it rests on"),
    (blind_to_one_group, "no group is missed more"),
    (sees_only_attention, "content, not amount of contact"),
    (on_too_few_outcomes, "enough outcomes to judge by"),
    (with_a_month_not_recorded, "every month has its outcomes"),
    (with_a_stand_in_for_a_group, "no input stands for a protected group"),
    (with_a_signal_changed_since, "signals are defined as in training"),
]


def command(root: Path, *words: str) -> int:
    return run([*words, "--workspace", str(root)])


def trained(found: Candidate, root: Path, patch: pytest.MonkeyPatch) -> Path:
    """The workspace of a candidate after `riskflag train`."""
    found.borough.workspace(root, signals=found.signals)
    found.before(patch)
    assert command(root, "train", str(root / "experiments" / "made")) == 0
    found.after(root)
    return root


@pytest.mark.parametrize(("make", "gate"), CANDIDATES, ids=lambda one: getattr(one, "__name__", ""))
def test_a_model_of_a_bad_borough_is_refused_by_its_gate(
    make: Callable[[], Candidate],
    gate: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The gate is named, decided on enough outcomes, and the night gets no model."""
    root = trained(make(), tmp_path / "workspace", monkeypatch)
    monkeypatch.undo()
    capsys.readouterr()
    assert command(root, "promote") == 20
    told = capsys.readouterr().err
    assert f"{gate} (" in told
    assert f"{gate} (undecided" not in told
    assert ("enough outcomes to judge by (" in told) == (make is on_too_few_outcomes)
    assert not (root / "bundles").exists()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The borough without any fault, trained."""
    with pytest.MonkeyPatch.context() as patch:
        return trained(Candidate(), tmp_path_factory.mktemp("good") / "workspace", patch)


def test_the_model_of_the_borough_without_a_fault_is_promoted_and_used(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Negative control: every gate is decided and holds, and a night brings children by it."""
    root = tmp_path / "workspace"
    shutil.copytree(good, root)
    assert command(root, "promote") == 0
    bundle = load_current(root / "bundles")
    assert bundle is not None
    gates = bundle.parts["gates"]["gates"]
    assert all(gate["passed"] for gate in gates)
    assert not any(gate["measured"].startswith("undecided") for gate in gates)
    assert {gate for _, gate in CANDIDATES} <= {gate["name"] for gate in gates}
    assert len(CANDIDATES) >= 12
    assert command(root, "score", "--as-of", small.NIGHT.isoformat()) in (0, 10)
    assert "raised 8 of them" in capsys.readouterr().out


def test_a_good_model_whose_files_were_altered_is_refused(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before promotion in the record, and after it in the bundle: the night does not read it."""
    root = tmp_path / "workspace"
    shutil.copytree(good, root)
    [model] = root.glob("mlruns/artifacts/*/artifacts/bundle/model.txt")
    sound = model.read_bytes()
    model.write_bytes(sound.replace(b"leaf_value=", b"leaf_value=9", 1))
    assert command(root, "promote") == 40
    assert "were altered; train it again" in capsys.readouterr().err
    assert not (root / "bundles").exists()
    model.write_bytes(sound)
    assert command(root, "promote") == 0
    [promoted] = root.glob("bundles/made-*/model.txt")
    promoted.write_bytes(sound.replace(b"leaf_value=", b"leaf_value=9", 1))
    assert command(root, "score", "--as-of", small.NIGHT.isoformat()) == 40
    assert "altered after promotion" in capsys.readouterr().err


def test_a_good_model_that_nobody_signed_is_refused_where_a_key_is_asked_for(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is one that another key signed; the workspace's own key promotes it."""
    root = tmp_path / "workspace"
    shutil.copytree(good, root)
    key, _ = new_key(tmp_path / "key"), new_key(tmp_path / "other")
    config = root / "riskflag.toml"
    config.write_text(config.read_text() + f'promotion_key = "{key}"\n')
    assert command(root, "promote") == 40
    assert "has a promotion key; give its key file" in capsys.readouterr().err
    assert command(root, "promote", "--key", str(tmp_path / "other")) == 40
    assert "is not the key of this workspace" in capsys.readouterr().err
    assert not (root / "bundles").exists()
    assert command(root, "promote", "--key", str(tmp_path / "key")) == 0
