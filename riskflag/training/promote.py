"""Promotion: from a recorded run to the bundle the night uses, through the gates, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskflag.errors import ConfigError, HeldError, IntegrityError
from riskflag.scoring.bundle import (
    CARD,
    FILES_OF,
    MODEL,
    PARTS,
    REFITS,
    Bundle,
    BundleParts,
    ask_trial,
    make_current,
)
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.model import Model, capped
from riskflag.signals import load_catalogue
from riskflag.training.gates import Gate, additivity, monotone
from riskflag.training.record import BUNDLE, bundle_digest
from riskflag.training.reference import Spread
from riskflag.training.track import Run, Store
from riskflag.workspace import Workspace

if TYPE_CHECKING:
    from riskflag.scoring.signature import Signer

#: Made-up rows on which the gates are tried again at promotion.
ROWS = 100


@dataclass(frozen=True)
class Promoted:
    """A promoted run: its bundle's folder and every gate, those of training first."""

    run: Run
    path: Path
    bundle: Bundle
    gates: tuple[Gate, ...]


def promote(
    workspace: Workspace, run: str | None = None, *, key_file: Path | None = None
) -> Promoted:
    """Export the run (its id or the beginning of it; the newest without one) and make it current.

    Signed with `key_file`, which a workspace with a promotion key asks for. Raises HeldError naming
    every gate that does not hold; nothing is then written.
    """
    signer = signer_of(workspace, key_file)
    store = Store(workspace.mlruns)
    chosen = store.find(run)
    parts = recorded_parts(store, chosen)
    gates = (*trained_gates(parts), *tried_again(parts), definitions(parts, workspace))
    failed = [gate for gate in gates if not gate.passed]
    if failed:
        reasons = "; ".join(f"{gate.name} ({gate.measured})" for gate in failed)
        raise HeldError(f"Run {chosen.id[:8]} is not promoted: {reasons}.")
    path = Bundle.write(workspace.bundles, parts, signer)
    bundle = Bundle.load(path, key=workspace.promotion_key)
    make_current(workspace.bundles, path)
    store.crown(chosen, {"bundle": bundle.id, "manifest_sha256": bundle.hash, "gates": "passed"})
    return Promoted(chosen, path, bundle, gates)


def signer_of(workspace: Workspace, key_file: Path | None) -> Signer | None:
    """Who signs, or None when nobody does; raises ConfigError for the wrong key or none."""
    public = workspace.promotion_key
    if key_file is None and public is not None:
        raise ConfigError("This workspace has a promotion key; give its key file with --key.")
    if key_file is None:
        return None
    from riskflag.scoring.signature import Signer

    signer = Signer(key_file)
    if public not in (None, signer.public):
        raise ConfigError(f"{key_file} is not the key of this workspace; give the right one.")
    return signer


def recorded_parts(store: Store, run: Run) -> BundleParts:
    """The bundle parts a run recorded; raises IntegrityError when they were altered since."""
    files = store.files(run, BUNDLE)
    about = json.loads(files.pop("about.json", b"{}"))
    if set(files) not in FILES_OF.values() or bundle_digest(files) != run.tags.get("bundle_digest"):
        raise IntegrityError(f"The files of run {run.id} were altered; train it again.")
    named = [part for part in (*PARTS, REFITS) if f"{part}.json" in files]
    parts: dict[str, Any] = {part: json.loads(files[f"{part}.json"]) for part in named}
    return BundleParts(run.experiment, files[MODEL].decode(), files[CARD].decode(), parts, about)


def trained_gates(parts: BundleParts) -> tuple[Gate, ...]:
    """The gates as they were found in training, on real rows."""
    return tuple(Gate(**gate) for gate in parts.parts["gates"]["gates"])


def tried_again(parts: BundleParts) -> tuple[Gate, ...]:
    """The gates that need no real row, tried on the very text that is promoted."""
    signals: list[Mapping[str, str]] = parts.parts["signals"]["signals"]
    names = tuple(signal["name"] for signal in signals)
    # A damaged text could abort this process, so another one reads it first.
    if ask_trial(parts.model_text, parts.parts["probe"]["rows"]) is None:
        return (Gate("a separate process can read the model", False, "it died or refused"),)
    model = Model(parts.model_text, names, Calibration.from_dict(parts.parts["calibration"]))
    spread = Spread.from_dict(parts.parts["reference"]["spread"])
    spread = Spread(names, spread.percentiles, spread.unknown, spread.never)
    rows = capped(spread.rows(ROWS, seed=13))
    directions = [signal["direction"] for signal in signals]
    again = (additivity(model, rows), monotone(model, rows, directions, spread))
    return tuple(Gate(f"{g.name}, on made-up rows", g.passed, g.measured) for g in again)


def definitions(parts: BundleParts, workspace: Workspace) -> Gate:
    """Every input is still defined as it was in training."""
    known = load_catalogue(workspace.features_dir, workspace.vocabulary).by_name
    changed = [
        signal["name"]
        for signal in parts.parts["signals"]["signals"]
        if signal["name"] not in known or known[signal["name"]].fingerprint != signal["fingerprint"]
    ]
    told = f"{len(changed)} changed since training"
    return Gate("signals are defined as in training", not changed, told)
