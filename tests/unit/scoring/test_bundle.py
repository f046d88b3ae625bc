"""Bundles: verified before use, tried in a child process, whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from riskflag.errors import IntegrityError
from riskflag.scoring import bundle as bundle_module
from riskflag.scoring.bundle import (
    CURRENT,
    FILES,
    FILES_OF,
    FORMAT,
    MANIFEST,
    MODEL,
    SEAL,
    Bundle,
    load_current,
    make_current,
)
from tests import tiny_bundle
from tests.tiny_bundle import NAMES, matrix


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle.write(tmp_path_factory.mktemp("bundles"))


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / whole.name))


def test_a_bundle_scores_as_the_model_it_was_made_from(whole: Path) -> None:
    bundle = Bundle.load(whole)
    rows = matrix(100, seed=9)
    expected = tiny_bundle.tiny_model().raw(rows, NAMES)
    assert bundle.model.raw(rows, NAMES).tobytes() == expected.tobytes()
    assert bundle.id == whole.name
    assert bundle.themes["missing_365d"] == "missing"
    assert bundle.typical("visits_90d", 7) == {
        "age_band": "under 18",
        "n": 90,
        "p50": 1.0,
        "p90": 3.0,
    }
    assert bundle.typical("visits_90d", 19) is None
    assert bundle.typical("visits_90d", None) is None


def test_the_same_parts_give_the_same_folder_and_bytes(whole: Path, tmp_path: Path) -> None:
    again = tiny_bundle.write(tmp_path)
    assert again.name == whole.name
    assert {p.name: p.read_bytes() for p in again.iterdir()} == {
        p.name: p.read_bytes() for p in whole.iterdir()
    }
    assert tiny_bundle.write(tmp_path) == again


def damages(size: int) -> list[int]:
    """Positions every two percent of a file."""
    return sorted({round(size * step / 50) for step in range(50)})


@pytest.mark.parametrize("name", sorted(FILES_OF[FORMAT] | {MANIFEST, SEAL}))
def test_a_truncated_or_flipped_file_is_refused_and_the_process_lives(
    copy: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file cut, and one of its bits flipped, at every two percent: refused before any use."""
    monkeypatch.setattr(bundle_module, "ask_trial", _unreachable)
    monkeypatch.setattr(bundle_module, "Model", _unreachable)
    good = (copy / name).read_bytes()
    tried = 0
    for position in damages(len(good)):
        flipped = bytearray(good)
        flipped[position] ^= 1 << (position % 8)
        for bad in (good[:position], bytes(flipped)):
            (copy / name).write_bytes(bad)
            with pytest.raises(IntegrityError) as refusal:
                Bundle.load(copy)
            assert refusal.value.exit_code == 40
            tried += 1
    assert tried >= 40


def _unreachable(*_: object, **__: object) -> None:
    pytest.fail("a damaged bundle was used")


def test_every_line_end_of_the_model_is_a_cut_that_is_refused(copy: Path) -> None:
    good = (copy / MODEL).read_bytes()
    ends = [i for i, byte in enumerate(good) if byte == ord("\n")][:-1]
    assert len(ends) > 100
    for end in ends:
        (copy / MODEL).write_bytes(good[: end + 1])
        with pytest.raises(IntegrityError):
            Bundle.load(copy)


@pytest.mark.parametrize("extra", ["notes.txt", "code", ".hidden"])
def test_a_file_that_the_manifest_does_not_list_is_refused(copy: Path, extra: str) -> None:
    (copy / extra).mkdir()
    with pytest.raises(IntegrityError, match="exactly the files"):
        Bundle.load(copy)


def test_a_link_to_a_file_elsewhere_is_refused(copy: Path, tmp_path: Path) -> None:
    shutil.move(copy / MODEL, tmp_path / "elsewhere")
    (copy / MODEL).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError):
        Bundle.load(copy)


def test_another_manifest_than_the_promoted_one_is_refused(whole: Path) -> None:
    with pytest.raises(IntegrityError, match="not the one that was promoted"):
        Bundle.load(whole, expected="0" * 64)


def reseal(folder: Path, name: str, data: bytes) -> None:
    """Damage a file as somebody would who also writes the hashes anew."""
    (folder / name).write_bytes(data)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"][name] = {"bytes": len(data), "sha256": bundle_module.sha256(data)}
    sealed = bundle_module.canonical(manifest)
    (folder / MANIFEST).write_bytes(sealed)
    (folder / SEAL).write_text(bundle_module.sha256(sealed) + "\n")


def test_a_model_that_scores_otherwise_than_recorded_is_refused(copy: Path) -> None:
    probe = json.loads((copy / "probe.json").read_bytes())
    probe["raw"][3] += 1e-9
    reseal(copy, "probe.json", bundle_module.canonical(probe))
    with pytest.raises(IntegrityError, match="trial"):
        Bundle.load(copy)


def test_the_promoted_bundle_is_found_and_held_to_its_hash(copy: Path) -> None:
    bundles = copy.parent
    assert load_current(bundles) is None
    make_current(bundles, copy)
    found = load_current(bundles)
    assert found is not None
    assert found.id == copy.name
    reseal(copy, "card.md", b"another card\n")
    with pytest.raises(IntegrityError, match="not the one that was promoted"):
        load_current(bundles)


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", 3, None])
def test_a_pointer_cannot_lead_outside_the_folder(tmp_path: Path, name: object) -> None:
    (tmp_path / CURRENT).write_text(json.dumps({"bundle": name, "manifest": "0" * 64}))
    with pytest.raises(IntegrityError):
        load_current(tmp_path)


def test_a_signal_that_changed_since_training_is_refused(whole: Path) -> None:
    bundle = Bundle.load(whole)
    same = dict.fromkeys(NAMES, "f" * 64)
    bundle.check_signals(same)
    with pytest.raises(IntegrityError, match="visits_90d"):
        bundle.check_signals({**same, "visits_90d": "e" * 64})
    with pytest.raises(IntegrityError, match="seen_alone_90d"):
        bundle.check_signals({n: f for n, f in same.items() if n != "seen_alone_90d"})


def test_hostile_text_in_a_model_runs_nothing(copy: Path) -> None:
    """A pickle in place of the model text is refused by its hash and, resealed, by the trial."""
    payload = b"cposix\nsystem\n(S'touch marker'\ntR."
    (copy / MODEL).write_bytes(payload)
    with pytest.raises(IntegrityError):
        Bundle.load(copy)
    reseal(copy, MODEL, payload)
    with pytest.raises(IntegrityError):
        Bundle.load(copy)
    assert not Path("marker").exists()


def test_numbers_in_json_parts_are_plain(whole: Path) -> None:
    for path in whole.glob("*.json"):
        text = path.read_text()
        assert "NaN" not in text
        assert "Infinity" not in text
    assert np.isfinite(Bundle.load(whole).thresholds["raw"])


def test_a_bundle_without_refits_is_read_as_it_always_was(tmp_path: Path) -> None:
    """Format 1, the one before there were refits: same files, no refits, same scores."""
    old = tiny_bundle.write(tmp_path, refits=0)
    assert json.loads((old / MANIFEST).read_text())["format"] == 1
    assert {path.name for path in old.iterdir()} == FILES | {MANIFEST, SEAL}
    bundle = Bundle.load(old)
    assert bundle.refits == ()
    rows = matrix(20, seed=9)
    assert (
        bundle.model.raw(rows, NAMES).tobytes()
        == tiny_bundle.tiny_model().raw(rows, NAMES).tobytes()
    )


def test_refits_are_models_of_the_same_signals_and_hold_their_parts(whole: Path) -> None:
    """Each explains a row, and adds up, as the model itself does."""
    bundle = Bundle.load(whole)
    assert len(bundle.refits) == 2
    rows = matrix(20, seed=9)
    for model in bundle.refits:
        assert model.contributions(rows, NAMES).worst_gap < 1e-9
        assert model.raw(rows, NAMES).tobytes() != bundle.model.raw(rows, NAMES).tobytes()


def test_a_format_to_come_is_refused_in_one_sentence(copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_text()) | {"format": 3}
    data = bundle_module.canonical(manifest)
    (copy / MANIFEST).write_bytes(data)
    (copy / SEAL).write_text(f"{bundle_module.sha256(data)}\n")
    with pytest.raises(IntegrityError, match="a format this version does not know"):
        Bundle.load(copy)


@pytest.mark.parametrize("text", ["not a model", "", 7])
def test_a_refit_that_is_no_model_is_refused_and_the_process_lives(
    tmp_path: Path, text: object
) -> None:
    """Hash-listed like any other file, and tried in the child process."""
    parts = tiny_bundle.parts()
    parts.parts["refits"]["models"][1] = text
    with pytest.raises(IntegrityError):
        Bundle.load(Bundle.write(tmp_path, parts))
