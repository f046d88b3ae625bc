"""Damaged and forged bundles: refused before LightGBM sees them, and the process lives."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

from riskflag.errors import ConfigError, IntegrityError
from riskflag.scoring import bundle as bundle_module
from riskflag.scoring import model as model_module
from riskflag.scoring.bundle import SIGNATURE, Bundle, load_current, make_current
from riskflag.scoring.model_text import check_model_text
from riskflag.scoring.signature import Signer, new_key
from riskflag.workspace import Workspace
from tests import tiny_bundle
from tests.damaged_bundles import FORGED, PLAIN, SEALED, damaged, write


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "promotion.pem"
    new_key(path)
    return path


@pytest.fixture(scope="module")
def signed(key: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Bundle.write(tmp_path_factory.mktemp("bundles"), tiny_bundle.parts(), Signer(key))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Reached(Exception):
    """LightGBM, here or in a child process, was given something."""


def _reached(*_: object, **__: object) -> None:
    raise Reached


def refusal_of(folder: Path, key: str | None) -> IntegrityError | None:
    try:
        Bundle.load(folder, key=key)
    except IntegrityError as refusal:
        return refusal
    except Reached:
        pass
    return None


def refuse_all(
    signed: Path, key: Path, place: Path, *, wanted: int, patch: pytest.MonkeyPatch
) -> Counter[str]:
    """Load so many damaged bundles, and count the kinds; a bundle not refused fails the test."""
    patch.setattr(bundle_module, "ask_trial", _reached)
    patch.setattr(model_module, "booster_of", _reached)
    public, tried = Signer(key).public, Counter[str]()
    for case in damaged(files_of(signed), wanted):
        folder = place / "tiny"
        folder.mkdir()
        write(folder, case.files)
        refusal = refusal_of(folder, public if case.forged else None)
        assert refusal is not None, f"{case.how} was not refused"
        assert refusal.exit_code == 40
        assert len(str(refusal).splitlines()) == 1, case.how
        shutil.rmtree(folder)
        tried[case.how.split(" ")[1]] += 1
    return tried


def test_a_thousand_damaged_bundles_are_refused_before_the_booster_is_built(
    signed: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 of 1,000, hashes written anew where a forger would, and the process lives."""
    tried = refuse_all(signed, key, tmp_path, wanted=1000, patch=monkeypatch)
    kinds = len(PLAIN) + len(SEALED) + len(FORGED)
    assert tried.total() == 1000
    assert len(tried) == kinds >= 40
    assert min(tried.values()) >= 20


def test_a_sound_bundle_reaches_the_trial(
    signed: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: what the damaged bundles never reached is reached without damage."""
    monkeypatch.setattr(bundle_module, "ask_trial", _reached)
    with pytest.raises(Reached):
        Bundle.load(signed, key=Signer(key).public)


def test_whatever_training_writes_is_let_through() -> None:
    """Splits between known and unknown, trees of one leaf, signals without any range."""
    rng = np.random.default_rng(6)
    unknown = rng.random(400) < 0.5
    values = np.column_stack([np.where(unknown, np.nan, 1.0), np.zeros(400)])
    options = {"objective": "binary", "verbosity": -1, "min_data_in_leaf": 5, "num_leaves": 4}
    for labels, trees, holds in ((unknown, 3, "inf"), (unknown | True, 1, "num_leaves=1\n")):
        data = lgb.Dataset(values, labels.astype(float), feature_name=["a", "b"])
        text = lgb.train(options, data, trees).model_to_string()
        assert holds in text
        check_model_text(text, ["a", "b"])


def test_a_forged_bundle_is_told_only_by_its_signature(
    signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: without a key a changed card with hashes that fit goes through."""
    monkeypatch.setattr(bundle_module, "ask_trial", _reached)
    kinds = len(PLAIN) + len(SEALED)
    case = list(damaged(files_of(signed), kinds + 4))[-1]
    assert "another_card" in case.how
    write(tmp_path, case.files)
    with pytest.raises(Reached):
        Bundle.load(tmp_path)


def test_a_workspace_with_a_key_takes_only_what_the_key_signed(
    key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unsigned, and signed by somebody else, are refused with what to do; signed is taken."""
    bundles, public = tmp_path / "bundles", Signer(key).public
    make_current(bundles, tiny_bundle.write(bundles))
    assert load_current(bundles) is not None
    with pytest.raises(IntegrityError, match=r"not signed.*promote the run again with --key"):
        load_current(bundles, key=public)
    other = tmp_path / "other.pem"
    new_key(other)
    make_current(bundles, Bundle.write(bundles, tiny_bundle.parts(), Signer(other)))
    with pytest.raises(IntegrityError, match="not the signature of this workspace's"):
        load_current(bundles, key=public)
    path = Bundle.write(bundles, tiny_bundle.parts(), Signer(key))
    assert load_current(bundles, key=public) is not None
    before = files_of(path)
    assert Bundle.write(bundles, tiny_bundle.parts(), Signer(key)) == path
    assert files_of(path) == before, "signing again gives the same bytes"
    assert (path / SIGNATURE).read_bytes().isascii()


def test_a_key_file_is_private_new_and_outside_every_workspace(tmp_path: Path) -> None:
    path = tmp_path / "promotion.pem"
    public = new_key(path)
    assert Signer(path).public == public
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigError, match="never written over"):
        new_key(path)
    place = Workspace.create(tmp_path / "w", "Test")
    for inside in (place.root / "k.pem", place.landing / "k.pem"):
        with pytest.raises(ConfigError, match="lies in a workspace"):
            new_key(inside)
        assert not inside.exists()
    shutil.copy(path, place.root / "k.pem")
    with pytest.raises(ConfigError, match="lies in a workspace"):
        Signer(place.root / "k.pem")
    (tmp_path / "no.pem").write_text("no key\n")
    for wrong in (tmp_path / "no.pem", tmp_path / "nowhere.pem"):
        with pytest.raises(ConfigError):
            Signer(wrong)


def test_the_environment_goes_before_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Workspace.create(tmp_path / "w", "Test")
    assert place.promotion_key is None
    text = place.config_path.read_text() + f'\npromotion_key = "{"a" * 64}"\n'
    place.config_path.write_text(text)
    assert Workspace.open(place.root).promotion_key == "a" * 64
    monkeypatch.setenv("RISKFLAG_PROMOTION_KEY", "b" * 64)
    assert Workspace.open(place.root).promotion_key == "b" * 64
    monkeypatch.setenv("RISKFLAG_PROMOTION_KEY", "nonsense")
    with pytest.raises(ConfigError, match="not a public key"):
        _ = Workspace.open(place.root).promotion_key
