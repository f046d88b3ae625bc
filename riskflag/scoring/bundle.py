"""A bundle: a promoted model as plain files, each with its hash, and all that the night needs.

Nothing in a bundle is code or pickle. Every file is compared with its recorded hash before a byte
of it is used; then the model is tried in a child process, because a damaged model text can abort
the process that reads it; only then is it read here.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from riskflag.errors import IntegrityError, StorageError
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.model import Model

#: The format of a bundle with refits, and of one without, as every bundle once was.
FORMAT, WITHOUT_REFITS = 2, 1
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
CURRENT = "CURRENT.json"
MODEL = "model.txt"
CARD = "card.md"
PARTS = ("signals", "calibration", "thresholds", "reference", "performance", "gates", "probe")
#: Further models from resampled children: they only tell how steady an explanation is.
REFITS = "refits"
FILES = frozenset({MODEL, CARD, *(f"{part}.json" for part in PARTS)})
FILES_OF = {WITHOUT_REFITS: FILES, FORMAT: FILES | {f"{REFITS}.json"}}
#: The trial must give the recorded probe scores to this distance.
PROBE_TOLERANCE = 1e-12
TRIAL_SECONDS = 120
#: The last line of every model text that was written to its end.
ENDINGS = ("pandas_categorical:null", "pandas_categorical:[]")
TRIAL = Path(__file__).with_name("trial.py")

AGAIN = "promote the run again or restore it from a backup."


def canonical(value: object) -> bytes:
    """JSON bytes that are the same for equal values: sorted keys, no NaN, one final newline."""
    text = json.dumps(value, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False)
    return (text + "\n").encode()


def sha256(data: bytes) -> str:
    """The SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class BundleParts:
    """What goes into a bundle: the model's text, its JSON parts, a card and a few words about it.

    `parts` has one JSON value for each name in PARTS, and may have one for REFITS.
    """

    name: str
    model_text: str
    card: str
    parts: Mapping[str, Any]
    about: Mapping[str, Any] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """Every file but the manifest, by name."""
        named = [part for part in (*PARTS, REFITS) if part in self.parts]
        files = {f"{part}.json": canonical(self.parts[part]) for part in named}
        return {MODEL: self.model_text.encode(), CARD: self.card.encode(), **files}


@dataclass(frozen=True)
class Bundle:
    """A verified bundle: its identity and its parts. Make one with `Bundle.load`."""

    path: Path
    hash: str
    manifest: Mapping[str, Any]
    model: Model
    parts: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path, *, expected: str | None = None, threads: int = 1) -> Bundle:
        """Verify and read the bundle in folder `path`.

        `expected` is the manifest hash that was promoted; raises IntegrityError for any file that
        is missing, unknown, altered or unusable.
        """
        manifest, digest = _read_manifest(path, expected)
        files = _verified_files(path, manifest)
        named = [part for part in (*PARTS, REFITS) if f"{part}.json" in files]
        parts = {part: _json(files[f"{part}.json"], f"{part}.json", path) for part in named}
        text = files[MODEL].decode(errors="replace")
        names = [signal["name"] for signal in parts["signals"]["signals"]]
        _try(text, names, parts["probe"], path, more=_refits(parts, path))
        model = Model(text, names, _calibration(parts["calibration"], path), threads=threads)
        return cls(path, digest, manifest, model, parts)

    @staticmethod
    def write(bundles: Path, bundle: BundleParts) -> Path:
        """Write a bundle below `bundles`; the folder appears whole or not at all.

        The same parts give the same folder name and the same bytes.
        """
        files = bundle.files()
        manifest = canonical(
            {
                "format": FORMAT if f"{REFITS}.json" in files else WITHOUT_REFITS,
                "name": bundle.name,
                "about": dict(bundle.about),
                "files": {n: {"bytes": len(d), "sha256": sha256(d)} for n, d in files.items()},
            }
        )
        digest = sha256(manifest)
        target = bundles / f"{bundle.name}-{digest[:12]}"
        if _intact(target, digest):
            return target
        _write_whole(target, {**files, MANIFEST: manifest, SEAL: f"{digest}\n".encode()})
        return target

    @property
    def id(self) -> str:
        """The bundle's name with the beginning of its hash."""
        return f"{self.manifest['name']}-{self.hash[:12]}"

    @property
    def signals(self) -> tuple[dict[str, Any], ...]:
        """The model's signals in its own order: name, theme, direction, fingerprint, question."""
        return tuple(self.parts["signals"]["signals"])

    @cached_property
    def themes(self) -> dict[str, str]:
        """The theme of each signal, by name."""
        return {signal["name"]: signal["theme"] for signal in self.signals}

    @cached_property
    def refits(self) -> tuple[Model, ...]:
        """Models of the same signals from resampled children; none in an older bundle."""
        calibration = self.model.calibration
        return tuple(
            Model(text, self.model.names, calibration, threads=self.model.threads)
            for text in _refits(self.parts, self.path)
        )

    @property
    def thresholds(self) -> dict[str, Any]:
        """`raw` and `probability` from which the model raises a child, and the `share` it meant."""
        return dict(self.parts["thresholds"])

    @property
    def performance(self) -> dict[str, Any]:
        """Of `n` past flags, how many (`needed_more`) had the outcome, in which `period`."""
        return dict(self.parts["performance"])

    def typical(self, signal: str, age_years: float | None) -> dict[str, Any] | None:
        """What is usual (`p50`, `p90`) for the `n` children of that `age_band`; None: too few."""
        if age_years is None:
            return None
        for band in self.parts["reference"]["signals"].get(signal, ()):
            if band["from_age"] <= age_years < band["to_age"]:
                return {key: band[key] for key in ("age_band", "n", "p50", "p90")}
        return None

    def ranges(self, age_years: float | None) -> dict[str, dict[str, Any]]:
        """What was usual in training for every signal at that age, with `p10` where it is held."""
        if age_years is None:
            return {}
        return {
            name: {key: band.get(key) for key in ("age_band", "n", "p10", "p50", "p90")}
            for name, bands in self.parts["reference"]["signals"].items()
            for band in bands
            if band["from_age"] <= age_years < band["to_age"]
        }

    def check_signals(self, fingerprints: Mapping[str, str]) -> None:
        """Raise IntegrityError when a signal is no longer defined as it was in training."""
        for signal in self.signals:
            if fingerprints.get(signal["name"]) != signal["fingerprint"]:
                raise IntegrityError(
                    f"The signal {signal['name']} is not the one bundle {self.id} was trained "
                    "with; train and promote again, or restore its definition."
                )


def make_current(bundles: Path, path: Path) -> None:
    """Make the bundle in `path` the one the night uses; one rename, so never half done."""
    _, digest = _read_manifest(path, None)
    record = canonical({"bundle": path.name, "manifest": digest})
    staged = bundles / f".{CURRENT}.new"
    try:
        _write_synced(staged, record)
        os.replace(staged, bundles / CURRENT)
        _sync_folder(bundles)
    except OSError:
        raise StorageError(f"{bundles} cannot be written; check space and permissions.") from None


def load_current(bundles: Path, *, threads: int = 1) -> Bundle | None:
    """The promoted bundle of a workspace, or None when none was ever promoted."""
    pointer = bundles / CURRENT
    if not pointer.exists():
        return None
    record = _json(_read(pointer), CURRENT, bundles)
    name, digest = record.get("bundle"), record.get("manifest")
    if not isinstance(name, str) or Path(name).name != name or not isinstance(digest, str):
        raise IntegrityError(f"{pointer} does not name a bundle; {AGAIN}")
    return Bundle.load(bundles / name, expected=digest, threads=threads)


def _read_manifest(path: Path, expected: str | None) -> tuple[dict[str, Any], str]:
    raw = _read(path / MANIFEST)
    digest = sha256(raw)
    if _read(path / SEAL) != f"{digest}\n".encode() or (expected or digest) != digest:
        raise IntegrityError(f"{path / MANIFEST} is not the one that was promoted; {AGAIN}")
    manifest = _json(raw, MANIFEST, path)
    if manifest.get("format") not in FILES_OF:
        raise IntegrityError(f"{path} was written in a format this version does not know; {AGAIN}")
    return manifest, digest


def _verified_files(path: Path, manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """The bytes of every file, each equal to its recorded hash; nothing else may be there."""
    recorded = manifest.get("files", {})
    found = {entry.name for entry in path.iterdir()}
    wanted = FILES_OF[manifest["format"]]
    if set(recorded) != wanted or found != wanted | {MANIFEST, SEAL}:
        raise IntegrityError(f"{path} does not hold exactly the files of a bundle; {AGAIN}")
    files = {}
    for name in sorted(wanted):
        files[name] = _read(path / name)
        if sha256(files[name]) != recorded[name]["sha256"]:
            raise IntegrityError(f"{path / name} was altered after promotion; {AGAIN}")
    return files


def _intact(path: Path, digest: str) -> bool:
    """Whether the bundle is already there, byte for byte."""
    try:
        manifest, _ = _read_manifest(path, digest)
        return bool(_verified_files(path, manifest))
    except IntegrityError:
        return False


def _read(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise IntegrityError(f"{path} is missing; {AGAIN}")
    try:
        return path.read_bytes()
    except OSError:
        raise StorageError(f"{path} cannot be read; check its permissions.") from None


def _json(data: bytes, name: str, path: Path) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise IntegrityError(f"{path / name} cannot be read; {AGAIN}")
    return value


def _calibration(data: dict[str, object], path: Path) -> Calibration:
    try:
        return Calibration.from_dict(data)
    except (ValueError, TypeError):
        raise IntegrityError(f"{path / 'calibration.json'} is not a calibration; {AGAIN}") from None


def _refits(parts: Mapping[str, Any], path: Path) -> list[str]:
    """The texts of a bundle's refits; IntegrityError when they are not texts."""
    texts = parts.get(REFITS, {"models": []}).get("models")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise IntegrityError(f"{path / REFITS}.json does not hold models; {AGAIN}")
    return texts


def _try(
    text: str, names: list[str], probe: Mapping[str, Any], path: Path, *, more: Sequence[str]
) -> None:
    """Read the models in a child process and compare the first one's scores with the recorded."""
    refused = IntegrityError(f"{path / MODEL} failed its trial in a separate process; {AGAIN}")
    # A text cut after its trees still loads, so the end it must have is looked for first.
    whole = all(one.rstrip().endswith(ENDINGS) for one in (text, *more))
    told = ask_trial(text, probe["rows"], more) if whole else None
    if told is None or told["names"] != names or len(told["raw"]) != len(probe["raw"]):
        raise refused
    if any(one != names for one in told["more"]):
        raise refused
    gaps = [abs(a - b) for a, b in zip(told["raw"], probe["raw"], strict=True)]
    if not all(gap <= PROBE_TOLERANCE for gap in gaps):
        raise refused


def ask_trial(
    text: str, rows: list[list[float | None]], more: Sequence[str] = ()
) -> dict[str, Any] | None:
    """Names and raw scores that a child process reads from a model text; None when it died.

    `more` are texts of further models, of which it tells the names.
    """
    asked = json.dumps({"model": text, "rows": rows, "more": list(more)}).encode()
    # -P keeps the script's own folder off the import path.
    command = [sys.executable, "-P", str(TRIAL)]
    try:
        done = subprocess.run(
            command, input=asked, capture_output=True, timeout=TRIAL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0 or not done.stdout.strip():
        return None
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _write_whole(target: Path, files: Mapping[str, bytes]) -> None:
    staging = target.parent / f".staging-{target.name}"
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        for name, data in files.items():
            _write_synced(staging / name, data)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(staging, target)
        _sync_folder(target.parent)
    except OSError:
        raise StorageError(f"{target} cannot be written; check space and permissions.") from None


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
