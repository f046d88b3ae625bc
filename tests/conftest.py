"""How generated tests run: fixed cases in `make test`, many fresh ones in `make test-long`."""

from __future__ import annotations

import os
import secrets

from hypothesis import HealthCheck, Phase, settings

SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile(
    "ci",
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=SLOW_IS_FINE,
)
settings.register_profile(
    "long",
    max_examples=2_000,
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=SLOW_IS_FINE,
)
PROFILE = os.environ.setdefault("RISKFLAG_HYPOTHESIS_PROFILE", "ci")
# Set before workers start, so that all of them generate from the one seed that is printed.
SEED = os.environ.setdefault("RISKFLAG_HYPOTHESIS_SEED", str(secrets.randbelow(2**32)))
settings.load_profile(PROFILE)


def pytest_report_header(config):
    if PROFILE == "ci":
        return "generated cases: profile ci, the same cases every time"
    return (
        f"generated cases: profile {PROFILE}, seed {SEED}"
        f" (again: RISKFLAG_HYPOTHESIS_PROFILE={PROFILE} RISKFLAG_HYPOTHESIS_SEED={SEED})"
    )
