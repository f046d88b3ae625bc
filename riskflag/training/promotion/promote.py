"""Promotion: from a recorded run to the bundle the night uses, through the gates, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    carried,
    make_current,
)
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.model import Model, capped
from riskflag.scoring.model_text import check_model_text
from riskflag.signals import load_catalogue
from riskflag.training.data.inputs import why_not
from riskflag.training.data.reference import Spread
from riskflag.training.judging.challengers import NAMES
from riskflag.training.judging.gate_figures import GATES, NOT_MEASURED, SIGNABLE
from riskflag.training.judging.gates import Gate, SignOff, additivity, monotone
from riskflag.training.promotion.card import at_promotion
from riskflag.training.record.track import Run, Store
from riskflag.training.record.write import BUNDLE, bundle_digest
from riskflag.workspace import Workspace

if TYPE_CHECKING:
    from riskflag.scoring.signature import Signer

#: Made-up rows on which the gates are tried again at promotion.
ROWS = 100


#: In which role: never a name.
ROLES = (
    "governance lead",
    "data protection officer",
    "principal social worker",
    "head of service",
    "director of children's services",
)
LONGEST_REASON = 500


@dataclass(frozen=True)
class Examined:
    """A recorded run before the gates: what it would export, and how every gate stands."""

    run: Run
    parts: BundleParts
    gates: tuple[Gate, ...]


@dataclass(frozen=True)
class Promoted:
    """A promoted run: its bundle's folder and every gate, those of training first."""

    run: Run
    path: Path
    bundle: Bundle
    gates: tuple[Gate, ...]


def promote(
    workspace: Workspace,
    run: str | None = None,
    *,
    key_file: Path | None = None,
    signed_off: Mapping[str, SignOff] | None = None,
    show: Callable[[Sequence[Gate]], None] = lambda _: None,
) -> Promoted:
    """Export the run (its id or the beginning of it; the newest without one) and make it current.

    Signed with `key_file`, which a workspace with a promotion key asks for. `signed_off` has, by
    gate, who takes it upon themselves. `show` is given every gate before anything is decided.
    Raises HeldError naming every gate that does not hold; nothing is then written.
    """
    if run in {*NAMES, *NAMES.values()}:
        raise ConfigError(
            "The plainer models are judged beside a run's own model and are never exported, "
            "because a bundle holds trees, whose reasons add up and whose directions can be swept; "
            "name a run, or leave the plainer model's name out."
        )
    signer = signer_of(workspace, key_file)
    store = Store(workspace.mlruns)
    found = examine(workspace, store, store.find(run))
    gates = with_sign_offs(found.gates, signed_off or {})
    show(gates)
    failed = [gate for gate in gates if not gate.holds]
    if failed:
        reasons = "; ".join(f"{gate.name} ({gate.measured})" for gate in failed)
        raise HeldError(f"Run {found.run.id[:8]} is not promoted: {reasons}.")
    path = Bundle.write(workspace.bundles, exported(found.parts, gates), signer)
    bundle = Bundle.load(path, key=workspace.promotion_key)
    make_current(workspace.bundles, path)
    store.crown(found.run, {"bundle": bundle.id, "manifest_sha256": bundle.hash, "gates": "passed"})
    return Promoted(found.run, path, bundle, gates)


def examine(workspace: Workspace, store: Store, run: Run) -> Examined:
    """Every gate of a run, those of training first; nothing is written."""
    parts = recorded_parts(store, run)
    sound = readable(parts)
    again = tried_again(parts) if sound.passed else ()
    here = (origin(parts, run), sound, *again, *definitions(parts, workspace))
    return Examined(run, parts, (*trained_gates(parts), *here))


def exported(parts: BundleParts, gates: Sequence[Gate]) -> BundleParts:
    """The parts as the bundle holds them: with every gate as it stood at promotion."""
    told = {"passed": all(gate.holds for gate in gates), "gates": [g.to_dict() for g in gates]}
    card = at_promotion(parts.card, gates)
    return replace(parts, card=card, parts={**parts.parts, "gates": told})


def with_sign_offs(gates: Sequence[Gate], signed_off: Mapping[str, SignOff]) -> tuple[Gate, ...]:
    """The gates, those that do not hold and were signed off marked so.

    Raises ConfigError for a sign-off that is not anybody's to give, or that is not needed.
    """
    failed = {gate.name for gate in gates if not gate.passed}
    for name, by in signed_off.items():
        if name not in SIGNABLE:
            listed = ", ".join(sorted(SIGNABLE))
            raise ConfigError(f"That gate cannot be signed off; only these can: {listed}.")
        if name not in failed:
            raise ConfigError(f"The gate {name} holds, so there is nothing to sign off.")
        if by.role not in ROLES or not 20 <= len(by.reason) <= LONGEST_REASON:
            raise ConfigError(
                f"A sign-off needs a role (one of: {', '.join(ROLES)}) and a reason of 20 to "
                f"{LONGEST_REASON} characters; give --role and --reason."
            )
    return tuple(
        replace(gate, signed_off=signed_off[gate.name]) if gate.name in signed_off else gate
        for gate in gates
    )


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
    """The gates as they were found in training, on real rows; those it did not know do not hold."""
    found = tuple(Gate.from_dict(gate) for gate in parts.parts["gates"]["gates"])
    known = {gate.name for gate in found}
    missing = (Gate(n, False, NOT_MEASURED) for n in sorted(GATES - known))
    return (*found, *missing)


def origin(parts: BundleParts, run: Run) -> Gate:
    """The bundle says the same of its data, signals and experiment as the run's record."""
    tags = {"history": "history_digest", "catalogue": "catalogue_fingerprint"} | {
        "config": "config_digest"
    }
    other = [name for name, tag in tags.items() if parts.about.get(name) != run.tags.get(tag)]
    told = f"differs: {', '.join(other)}" if other else "the same data, signals and experiment"
    return Gate("it is the run that was recorded", not other, told, "the record's own digests")


def readable(parts: BundleParts) -> Gate:
    """The text is a sound model and a child process can read it: a damaged one could abort us."""
    name, asked = "the model can be read", "a sound text, read by a process of its own"
    names = [signal["name"] for signal in parts.parts["signals"]["signals"]]
    try:
        check_model_text(parts.model_text, names)
    except ValueError as fault:
        return Gate(name, False, str(fault), asked)
    if ask_trial(parts.model_text, parts.parts["probe"]["rows"]) is None:
        return Gate(name, False, "the process died or refused", asked)
    return Gate(name, True, f"{len(names)} signals", asked)


def tried_again(parts: BundleParts) -> tuple[Gate, ...]:
    """The gates that need no real row, tried on the very text that is promoted."""
    signals: list[Mapping[str, str]] = parts.parts["signals"]["signals"]
    names = tuple(signal["name"] for signal in signals)
    model = Model(parts.model_text, names, Calibration.from_dict(parts.parts["calibration"]))
    spread = Spread.from_dict(parts.parts["reference"]["spread"])
    spread = Spread(names, spread.percentiles, spread.unknown, spread.never)
    rows = capped(spread.rows(ROWS, seed=13))
    directions = [signal["direction"] for signal in signals]
    again = (additivity(model, rows), monotone(model, rows, directions, spread))
    return tuple(replace(gate, name=f"{gate.name}, on made-up rows") for gate in again)


def definitions(parts: BundleParts, workspace: Workspace) -> tuple[Gate, ...]:
    """The night knows every input, defined as in training, and none is one that may not be.

    An input that comes with its declaration need not be among the night's own signals; where one
    of these has its name, it must be the same.
    """
    signals = parts.parts["signals"]["signals"]
    catalogue = load_catalogue(workspace.features_dir, workspace.vocabulary)
    known = catalogue.with_more(tuple(carried(signals, "This run"))).by_name
    unknown = [one["name"] for one in signals if one["name"] not in known]
    here = [one for one in signals if one["name"] in known]
    changed = [o["name"] for o in here if known[o["name"]].fingerprint != o["fingerprint"]]
    turned = [o["name"] for o in here if known[o["name"]].direction != o["direction"]]
    outcome = frozenset(parts.about["outcome_types"])
    barred = [one["name"] for one in here if why_not(known[one["name"]], outcome)]
    return (
        Gate("the night knows every signal", not unknown, _named(unknown, "unknown"), "all"),
        Gate(
            "signals are defined as in training",
            not changed and not turned,
            _named([*changed, *turned], "changed"),
            "the same fingerprints and directions",
        ),
        Gate(
            "no input is the outcome or a protected characteristic",
            not barred,
            _named(barred, "barred"),
            "none",
        ),
    )


def _named(signals: Sequence[str], what: str) -> str:
    listed = ", ".join(signals[:3]) + (" and others" if len(signals) > 3 else "")
    return f"{len(signals)} {what}" + (f": {listed}" if signals else "")
