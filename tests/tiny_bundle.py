"""A small real model and bundle for tests that need one: trained in a second on made-up numbers."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from riskflag.scoring.bundle import Bundle, BundleParts
from riskflag.scoring.calibration import Calibration
from riskflag.scoring.model import Model

NAMES = ("visits_90d", "missing_365d", "days_since_contact", "seen_alone_90d")
THEMES = {
    "visits_90d": "health",
    "missing_365d": "missing",
    "days_since_contact": "care",
    "seen_alone_90d": "voice",
}
CALIBRATION = Calibration((-4.0, 0.0, 4.0), (0.01, 0.2, 0.9))


def matrix(rows: int, seed: int = 0, columns: int = len(NAMES)) -> np.ndarray:
    """Made-up signal values with unknown (NaN) and never (infinity) among them."""
    rng = np.random.default_rng(seed)
    values = rng.poisson(1.5, (rows, columns)).astype(float)
    values[:, -2] = np.where(rng.random(rows) < 0.2, np.inf, rng.integers(1, 900, rows))
    values[rng.random((rows, columns)) < 0.1] = np.nan
    return values


@functools.cache
def model_text(names: Sequence[str] = NAMES, trees: int = 30, seed: int = 1) -> str:
    """The text of a booster whose score rises with the first two signals."""
    values = matrix(3000, columns=len(names), seed=seed - 1)
    rng = np.random.default_rng(seed)
    push = np.nansum(values[:, :2], axis=1) - 3
    label = (rng.random(len(values)) < 1 / (1 + np.exp(-push))).astype(float)
    finite = np.where(np.isinf(values), 36_500.0, values)
    data = lgb.Dataset(finite, label, feature_name=list(names))
    params = {
        "objective": "binary", "verbosity": -1, "num_leaves": 7, "deterministic": True,
        "force_row_wise": True, "num_threads": 1,
        "monotone_constraints": [1, 1] + [0] * (len(names) - 2),
    }  # fmt: skip
    return lgb.train(params, data, trees).model_to_string()


def tiny_model(**options: Any) -> Model:
    return Model(model_text(), NAMES, CALIBRATION, **options)


def parts(
    names: Sequence[str] = NAMES,
    themes: Mapping[str, str] = THEMES,
    fingerprints: Mapping[str, str] | None = None,
    refits: int = 2,
) -> BundleParts:
    """The parts of a bundle about `names`; its model raises a child from probability 0.3 on.

    Without `refits` it is a bundle as they were before there were any.
    """
    text = model_text(tuple(names))
    rows = np.clip(matrix(8, seed=5, columns=len(names)), None, 36_500.0)
    raw = Model(text, names, CALIBRATION).raw(rows, names)
    signals = [
        {
            "name": name,
            "theme": themes[name],
            "direction": "none",
            "fingerprint": (fingerprints or {}).get(name, "f" * 64),
            "question": f"What is {name}?",
        }
        for name in names
    ]
    values = {
        "signals": {"signals": signals, "excluded": []},
        "calibration": CALIBRATION.to_dict(),
        "thresholds": {"raw": 0.6, "probability": 0.305, "share": 0.01},
        "reference": {
            "signals": {
                names[0]: [
                    {"from_age": 0, "to_age": 18, "age_band": "under 18", "n": 90}
                    | {"p50": 1.0, "p90": 3.0}
                ]
            }
        },
        "performance": {"n": 40, "needed_more": 14, "period": "January to June 2025"},
        "gates": {"passed": True, "gates": []},
        "probe": {
            "rows": [[None if np.isnan(v) else v for v in row] for row in rows.tolist()],
            "raw": raw.tolist(),
        },
    }
    if refits:
        texts = [model_text(tuple(names), 30, seed) for seed in range(2, 2 + refits)]
        values["refits"] = {"models": texts, "drawn": "other made-up numbers"}
    return BundleParts("tiny", text, "# A tiny model for tests\n", values, {"experiment": "tiny"})


def write(bundles: Path, **options: Any) -> Path:
    """A valid bundle below `bundles`."""
    return Bundle.write(bundles, parts(**options))
