"""Run as its own process: try a model text before the night trusts it.

A damaged LightGBM text can abort the process that reads it, so it is read here first, where an
abort costs nothing. Reads JSON (model, rows, more model texts) on standard input; the last line it
writes is JSON (names, raw, the names of the further models). It stands alone, so that starting it
is cheap.
"""

from __future__ import annotations

import json
import resource
import sys

#: LightGBM imports these for conveniences that are not used here; they cost three seconds.
UNUSED = ("sklearn", "pandas", "matplotlib", "pyarrow", "dask", "cffi")


def main() -> None:
    """Load the model, score the rows, tell the result."""
    for name in UNUSED:
        sys.modules[name] = None  # type: ignore[assignment]
    import lightgbm as lgb
    import numpy as np

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = json.load(sys.stdin)
    booster = lgb.Booster(model_str=asked["model"])
    # None becomes NaN: an unknown value.
    rows = np.array(asked["rows"], dtype=np.float64).reshape(-1, booster.num_feature())
    raw = booster.predict(rows, raw_score=True, num_threads=1)
    parts = np.asarray(booster.predict(rows, pred_contrib=True, num_threads=1))
    told = {
        "names": booster.feature_name(),
        "raw": np.asarray(raw).tolist(),
        "gap": float(np.abs(parts.sum(axis=1) - raw).max()),
        "more": [lgb.Booster(model_str=text).feature_name() for text in asked.get("more", ())],
    }
    sys.stdout.write("\n" + json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
