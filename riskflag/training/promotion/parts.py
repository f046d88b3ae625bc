"""What a training run leaves for promotion: the parts of a bundle, none of them about a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import riskflag
from riskflag.clock import date_of
from riskflag.scoring.bundle import REFITS, BundleParts
from riskflag.scoring.model import Model, capped
from riskflag.signals import Catalogue, Signal
from riskflag.signals.declaration import to_plain
from riskflag.training.data.experiment import Experiment
from riskflag.training.data.prepare import Prepared
from riskflag.training.data.reference import Spread
from riskflag.training.judging.judge import Judgement
from riskflag.training.model.learn import Learnt
from riskflag.training.promotion.card import card

#: Made-up rows whose scores are recorded, so that every later load can be compared with them.
PROBES = 16


def about(
    experiment: Experiment, prepared: Prepared, catalogue: Catalogue, digest: str
) -> dict[str, Any]:
    """What identifies a run: the same inputs give the same values."""
    config = experiment.config
    return {
        "experiment": experiment.name,
        "question": config.question,
        "outcome_types": list(config.outcome.types),
        "horizon_days": prepared.horizon or config.outcome.horizon_days,
        **({} if config.outcome.table is None else {"labelled_table": True}),
        "windows": prepared.split.told(),
        "cut": date_of(prepared.split.cut).isoformat(),
        "history": digest,
        "catalogue": catalogue.fingerprint,
        "config": experiment.digest,
        "code": riskflag.__version__,
    }


def bundle_parts(
    told: Mapping[str, Any],
    prepared: Prepared,
    learnt: Learnt,
    judgement: Judgement,
    *,
    refits: Mapping[str, Any] | None = None,
    carried: bool = False,
) -> BundleParts:
    """The parts of the bundle that this run would become.

    With `carried` its signals come with their declarations: the night need not have them.
    """
    result, gates = judgement.result, judgement.gates
    parts = {
        "signals": {
            "signals": [
                signal_entry(one) | ({"declared": to_plain(one)} if carried else {})
                for one in prepared.inputs.signals
            ],
            "excluded": [
                {"name": name, "reason": reason} for name, reason in prepared.inputs.excluded
            ],
        },
        "calibration": learnt.model.calibration.to_dict(),
        "thresholds": learnt.thresholds,
        "reference": {**judgement.typical, "spread": judgement.spread.to_dict()},
        "performance": {
            **result["natural_frequency"],
            "figures": result["scorers"]["model"],
            # What the governance pack is made from: it travels with the model, hashed and signed.
            "result": result,
            "importance": judgement.importance,
            "learnt_from": {
                "rows": prepared.train_rows,
                "outcomes": prepared.train_outcomes,
                "rows_used": len(prepared.train.rows),
                "trees": learnt.trees,
            },
        },
        "gates": {
            "passed": all(gate.holds for gate in gates),
            "gates": [gate.to_dict() for gate in gates],
        },
        "probe": probe(learnt.model, judgement.spread),
        **({} if refits is None else {REFITS: refits}),
    }
    text = card(told, result, len(prepared.inputs.signals))
    return BundleParts(told["experiment"], learnt.model.text, text, parts, told)


def signal_entry(signal: Signal) -> dict[str, Any]:
    """A signal as the bundle lists it."""
    return {
        "name": signal.name,
        "theme": signal.theme,
        "direction": signal.direction,
        "agency": signal.agency,
        "unit": signal.unit,
        "question": signal.question,
        "fingerprint": signal.fingerprint,
    }


def probe(model: Model, spread: Spread) -> dict[str, Any]:
    """Made-up rows and their raw scores; unknown is null."""
    rows = capped(spread.rows(PROBES, seed=11))
    raw = model.raw(rows, model.names)
    known = [[None if np.isnan(v) else float(v) for v in row] for row in rows]
    return {"rows": known, "raw": raw.tolist()}
