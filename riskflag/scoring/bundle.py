"""A bundle: a promoted model as plain files, each with its hash, and all that the night needs.

Nothing in a bundle is code or pickle. Every file is compared with its recorded hash before a byte
of it is used, and with the signature where the workspace asks for one; then what each file says is
checked, the model's text line by line; then the model is tried in a child process, because a
damaged model text can abort the process that reads it; only then is it read here.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskflag.errors import ConfigError, IntegrityError, StorageError
from riskflag.scoring.bundle_files import (
    AGAIN,
    read_file,
    read_json,
    sync_folder,
    write_synced,
    write_whole,
)
from riskflag.scoring.bundle_parts import check_part, check_probe
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.model import Model
from riskflag.scoring.model_text import check_model_text
from riskflag.signals.declaration import from_plain
from riskflag.signals.define import Signal

if TYPE_CHECKING:
    from riskflag.scoring.signature import Signer

#: The format of a bundle with refits, and of one without, as every bundle once was.
FORMAT, WITHOUT_REFITS = 2, 1
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
SIGNATURE = "manifest.sig"
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
#: What to do about a carried signal that cannot be declared here.
TRAIN = "Restore the contact types it was declared with, or train and promote again."
TRIAL = Path(__file__).with_name("trial.py")


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
    def load(
        cls, path: Path, *, expected: str | None = None, key: str | None = None, threads: int = 1
    ) -> Bundle:
        """Verify and read the bundle in folder `path`.

        `expected` is the manifest hash that was promoted, `key` the public key of whoever may
        promote. Raises IntegrityError for any file that is missing, unknown, altered or unusable,
        and with a `key` for a bundle that it did not sign.
        """
        manifest, digest = _read_manifest(path, expected, key)
        files = _verified_files(path, manifest)
        named = [part for part in (*PARTS, REFITS) if f"{part}.json" in files]
        parts = {part: read_json(files[f"{part}.json"], f"{part}.json", path) for part in named}
        text = files[MODEL].decode(errors="replace")
        _check(text, parts, path)
        names = [signal["name"] for signal in parts["signals"]["signals"]]
        _try(text, names, parts["probe"], path, more=_refits(parts))
        calibration = Calibration.from_dict(parts["calibration"])
        model = Model(text, names, calibration, threads=threads)
        return cls(path, digest, manifest, model, parts)

    @staticmethod
    def write(bundles: Path, bundle: BundleParts, signer: Signer | None = None) -> Path:
        """Write a bundle below `bundles`, signed if somebody signs; it appears whole or not at all.

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
        if _intact(target, digest, None if signer is None else signer.public):
            return target
        signed = {} if signer is None else {SIGNATURE: f"{signer.sign(manifest)}\n".encode()}
        write_whole(target, {**files, MANIFEST: manifest, SEAL: f"{digest}\n".encode(), **signed})
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
            for text in _refits(self.parts)
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

    @cached_property
    def carried(self) -> tuple[Signal, ...]:
        """The signals that the model brings with it, in its own order; most models bring none.

        They are built from their declarations; IntegrityError for one that is not what its
        fingerprint says, or that uses words this workspace's vocabulary does not have.
        """
        return tuple(carried(self.signals, str(self.path)))

    def check_signals(self, fingerprints: Mapping[str, str]) -> None:
        """Raise IntegrityError when a signal is no longer defined as it was in training."""
        for signal in self.signals:
            if fingerprints.get(signal["name"]) != signal["fingerprint"]:
                raise IntegrityError(
                    f"The signal {signal['name']} is not the one bundle {self.id} was trained "
                    "with; train and promote again, or restore its definition."
                )


def carried(entries: Iterable[Mapping[str, Any]], where: str) -> Iterator[Signal]:
    """The signals among a bundle's entries that come with their declaration."""
    for entry in entries:
        if "declared" not in entry:
            continue
        try:
            signal = from_plain(entry["declared"])
        except ConfigError as fault:
            raise IntegrityError(f"{where}, signal {entry['name']}: {fault} {TRAIN}") from None
        if (signal.name, signal.fingerprint) != (entry["name"], entry["fingerprint"]):
            raise IntegrityError(
                f"{where}: the signal {entry['name']} is not declared as its fingerprint says; "
                f"{AGAIN}"
            )
        yield signal


def make_current(bundles: Path, path: Path) -> None:
    """Make the bundle in `path` the one the night uses; one rename, so never half done."""
    _, digest = _read_manifest(path)
    record = canonical({"bundle": path.name, "manifest": digest})
    staged = bundles / f".{CURRENT}.new"
    try:
        write_synced(staged, record)
        os.replace(staged, bundles / CURRENT)
        sync_folder(bundles)
    except OSError:
        raise StorageError(f"{bundles} cannot be written; check space and permissions.") from None


def load_current(bundles: Path, *, key: str | None = None, threads: int = 1) -> Bundle | None:
    """The promoted bundle of a workspace, or None when none was ever promoted.

    With a `key` (see `Bundle.load`) it must be signed.
    """
    pointer = bundles / CURRENT
    if not pointer.exists():
        return None
    record = read_json(read_file(pointer), CURRENT, bundles)
    name, digest = record.get("bundle"), record.get("manifest")
    if not isinstance(name, str) or Path(name).name != name or not isinstance(digest, str):
        raise IntegrityError(f"{pointer} does not name a bundle; {AGAIN}")
    return Bundle.load(bundles / name, expected=digest, key=key, threads=threads)


def _read_manifest(
    path: Path, expected: str | None = None, key: str | None = None
) -> tuple[dict[str, Any], str]:
    raw = read_file(path / MANIFEST)
    digest = sha256(raw)
    if read_file(path / SEAL) != f"{digest}\n".encode() or (expected or digest) != digest:
        raise IntegrityError(f"{path / MANIFEST} is not the one that was promoted; {AGAIN}")
    if key is not None:
        _require_signed(path, raw, key)
    manifest = read_json(raw, MANIFEST, path)
    if manifest.get("format") not in tuple(FILES_OF):
        raise IntegrityError(f"{path} was written in a format this version does not know; {AGAIN}")
    if not isinstance(manifest.get("name"), str) or not isinstance(manifest.get("about"), dict):
        raise IntegrityError(f"{path / MANIFEST} cannot be read; {AGAIN}")
    return manifest, digest


def _require_signed(path: Path, manifest: bytes, key: str) -> None:
    from riskflag.scoring.signature import is_signed

    if not (path / SIGNATURE).exists():
        raise IntegrityError(
            f"{path} is not signed and this workspace has a promotion key; "
            "promote the run again with --key."
        )
    if not is_signed(manifest, read_file(path / SIGNATURE), key):
        raise IntegrityError(
            f"{path / SIGNATURE} is not the signature of this workspace's promotion key; "
            "promote the run again with --key, or restore the bundle from a backup."
        )


def _verified_files(path: Path, manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """The bytes of every file, each equal to its recorded hash; nothing else may be there."""
    recorded = manifest.get("files")
    found = {entry.name for entry in path.iterdir()} - {SIGNATURE}
    wanted = FILES_OF[manifest["format"]]
    if not isinstance(recorded, dict) or set(recorded) != wanted:
        raise IntegrityError(f"{path} does not hold exactly the files of a bundle; {AGAIN}")
    if found != wanted | {MANIFEST, SEAL}:
        raise IntegrityError(f"{path} does not hold exactly the files of a bundle; {AGAIN}")
    files = {}
    for name in sorted(wanted):
        files[name] = read_file(path / name)
        same = {"bytes": len(files[name]), "sha256": sha256(files[name])}
        if recorded[name] != same:
            raise IntegrityError(f"{path / name} was altered after promotion; {AGAIN}")
    return files


def _intact(path: Path, digest: str, key: str | None) -> bool:
    """Whether the bundle is already there, byte for byte, and signed by the key if there is one."""
    try:
        manifest, _ = _read_manifest(path, digest, key)
        return bool(_verified_files(path, manifest))
    except IntegrityError:
        return False


def _check(text: str, parts: Mapping[str, Any], path: Path) -> None:
    """Raise IntegrityError unless every part, and the text of every model, is sound."""
    try:
        for name, value in parts.items():
            check_part(name, value)
        names = [signal["name"] for signal in parts["signals"]["signals"]]
        check_probe(parts["probe"], len(names))
    except ValueError as fault:
        raise IntegrityError(f"{path} cannot be used: {fault}; {AGAIN}") from None
    for model in (text, *_refits(parts)):
        try:
            check_model_text(model, names)
        except ValueError as fault:
            whose = MODEL if model is text else f"{REFITS}.json"
            raise IntegrityError(f"{path / whose} is not a sound model: {fault}; {AGAIN}") from None


def _refits(parts: Mapping[str, Any]) -> list[str]:
    """The texts of a bundle's refits."""
    texts: list[str] = parts.get(REFITS, {"models": []})["models"]
    return texts


def _try(
    text: str, names: list[str], probe: Mapping[str, Any], path: Path, *, more: Sequence[str]
) -> None:
    """Read the models in a child process and compare the first one's scores with the recorded."""
    refused = IntegrityError(f"{path / MODEL} failed its trial in a separate process; {AGAIN}")
    told = ask_trial(text, probe["rows"], more)
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
    try:
        told: dict[str, Any] = json.loads(_told(asked))
    except (subprocess.SubprocessError, IndexError):
        return None
    return told


@lru_cache(maxsize=4)
def _told(asked: bytes) -> bytes:
    """The last line of a child process's answer; what it answered once, this process keeps."""
    # -P keeps the script's own folder off the import path.
    command = [sys.executable, "-P", str(TRIAL)]
    done = subprocess.run(
        command, input=asked, capture_output=True, timeout=TRIAL_SECONDS, check=True
    )
    return done.stdout.strip().splitlines()[-1]
