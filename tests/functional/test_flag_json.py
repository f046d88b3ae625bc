"""The flags the night writes and the example that pages are tested with have one shape."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskflag.nightly import run
from riskflag.nightly.run import run_night
from tests import night_world as world
from tests.functional.test_night_kill import memory_load

EXAMPLE = json.loads((Path(__file__).parents[1] / "data" / "flags_example.json").read_text())


def shapes(flags: list[dict]) -> dict[str, set[frozenset[str]]]:
    """The key sets that occur at each place of the flags."""
    found: dict[str, set[frozenset[str]]] = {}

    def walk(value, place):
        if isinstance(value, list):
            for item in value:
                walk(item, place)
        elif isinstance(value, dict):
            found.setdefault(place, set()).add(frozenset(value))
            for name, inner in value.items():
                walk(inner, f"{place}.{name}".replace("earlier_reasons", "reasons"))

    walk(flags, "flag")
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The flags of two nights with a model: new ones, and ones whose pattern is gone."""
    from dataclasses import replace

    from riskflag.scoring.bundle import load_current

    def load(workspace, as_of, *, rules_only=False, how=None, progress=None):
        inputs = memory_load(workspace, as_of)
        return replace(inputs, bundle=load_current(workspace.bundles))

    place = world.workspace(tmp_path_factory.mktemp("shape") / "w")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load", load)
        flags = []
        for days in (0, 100):
            day = world.AS_OF + world.dt.timedelta(days=days)
            result = run_night(place, day)
            flags += json.loads((result.folder / "flags.json").read_text())
    return flags


PLACES = (
    "flag",
    "flag.child",
    "flag.care",
    "flag.why",
    "flag.voice",
    "flag.versions",
    "flag.contacts",
    "flag.contacts.attributes",
    "flag.reasons.rule",
    "flag.reasons.rule.conditions",
    "flag.reasons.model",
    "flag.reasons.model.signals",
    "flag.lowering",
    "flag.lowering.signals",
    "flag.model",
    "flag.model.contributions",
    "flag.performance",
    "flag.stability",
    "flag.stability.themes",
)


@pytest.mark.parametrize("place", PLACES)
def test_the_example_has_the_shape_of_what_is_written(written, place):
    """Same keys at every place, so pages that render the example render the night."""
    real, example = shapes(written)[place], shapes(EXAMPLE)[place]
    assert len(real) == 1
    assert example == real


def test_reasons_tell_when_they_last_held_only_when_they_no_longer_do(written):
    """An earlier reason carries two more keys than one that stands."""
    for flags in (written, EXAMPLE):
        now = {frozenset(r) for flag in flags for r in flag["reasons"]}
        before = {frozenset(r) for flag in flags for r in flag["earlier_reasons"]}
        assert len(now) == len(before) == 1
        assert before.pop() - now.pop() == {"last_matched", "standing"}


def test_every_word_the_example_uses_for_a_state_is_one_the_night_writes(written):
    """Levels, standings, sources and outcomes are the same words."""
    words = {
        "level": {"urgent", "soon", "routine"},
        "status": {"new", "continuing"},
        "raised_by": {"rule", "model", "both"},
        "standing": {
            "present",
            "not_reassessed",
            "no_longer_present",
            "rule_withdrawn",
            "outside_group",
        },
    }
    for flag in [*written, *EXAMPLE]:
        for field, known in words.items():
            assert flag[field] in known
