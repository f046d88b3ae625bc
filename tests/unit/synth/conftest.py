from __future__ import annotations

import pytest

from riskflag.synth import SynthSummary, approach, generate
from riskflag.synth.borough import imagine, observe
from riskflag.synth.period import Calendar
from riskflag.synth.social_care import serve
from tests.boroughs import UNTIL


@pytest.fixture(scope="session")
def borough(tmp_path_factory: pytest.TempPathFactory) -> SynthSummary:
    """A small borough on disk."""
    out = tmp_path_factory.mktemp("borough") / "small"
    return generate(out, children=1200, seed=5, until=UNTIL, years=4)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> SynthSummary:
    """A borough large enough to measure rates on."""
    out = tmp_path_factory.mktemp("borough") / "large"
    return generate(out, children=60_000, seed=1, until=UNTIL, years=5)


@pytest.fixture(scope="session")
def lived():
    """A borough in memory: scene, what agencies saw, what social care did."""
    scene, ids = imagine(2, 30_000, Calendar.of(UNTIL, 4))
    seen = observe(scene, ids)
    return scene, seen, serve(scene, approach.contacts(scene, seen))
