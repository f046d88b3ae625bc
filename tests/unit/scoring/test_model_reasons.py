"""The model's reasons: grouped, ranked, put into words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskflag.scoring.reasons import (
    group_by_theme,
    lowering,
    raising,
    state_of,
    strength_of,
)

THEMES = {"a": "health", "b": "health", "c": "missing", "d": "school", "e": "voice"}


def test_signals_of_a_theme_are_added_before_themes_are_ranked() -> None:
    """Two middling health signals outrank one larger missing signal."""
    parts = {"a": 0.3, "b": 0.3, "c": 0.5, "d": 0.0, "e": -0.4}
    reasons = group_by_theme(dict.fromkeys(parts, 1.0), parts, THEMES)
    assert [(r.theme, r.direction) for r in reasons] == [
        ("health", "raises"),
        ("missing", "raises"),
        ("voice", "lowers"),
    ]
    assert reasons[0].share == pytest.approx(0.6 / 1.1)
    assert [r.strength for r in reasons] == ["main", "main", "main"]
    assert [r.theme for r in raising(reasons)] == ["health", "missing"]
    assert [r.theme for r in lowering(reasons)] == ["voice"]


@pytest.mark.parametrize(
    ("share", "word"),
    [(1.0, "main"), (0.35, "main"), (0.349, "strong"), (0.20, "strong"), (0.199, "some"),
     (0.08, "some"), (0.079, "slight"), (0.0, "slight")],
)  # fmt: skip
def test_strength_words_begin_where_they_are_said_to(share: float, word: str) -> None:
    assert strength_of(share) == word


@pytest.mark.parametrize(
    ("value", "state"),
    [(2.0, "value"), (0.0, "none_recorded"), (math.inf, "never_recorded"), (math.nan, "not_known")],
)
def test_zero_never_and_unknown_are_three_things(value: float, state: str) -> None:
    assert state_of(value) == state


def test_signals_within_a_reason_stand_in_the_order_of_their_push() -> None:
    parts = {"a": 0.2, "b": 0.5, "c": -0.1, "d": -0.3, "e": 0.0}
    values = {"a": 0.0, "b": math.nan, "c": 1.0, "d": math.inf, "e": 1.0}
    health, school, missing = group_by_theme(values, parts, THEMES)
    assert [p.name for p in health.signals] == ["b", "a"]
    assert [p.to_dict()["value"] for p in health.signals] == [None, 0.0]
    assert (school.theme, missing.theme) == ("school", "missing")
    assert school.signals[0].to_dict()["state"] == "never_recorded"


def test_only_signals_that_pushed_the_same_way_support_a_reason() -> None:
    (health,) = group_by_theme({"a": 1, "b": 1}, {"a": 0.5, "b": -0.1}, THEMES)
    assert [p.name for p in health.raising] == ["a"]
    assert [p.name for p in health.signals] == ["a", "b"]


names = sorted(THEMES)
parts_of = st.fixed_dictionaries({n: st.floats(-3, 3, allow_subnormal=False) for n in names})


@given(parts_of)
def test_reasons_add_up_and_shares_add_to_one(parts: dict[str, float]) -> None:
    """Whatever the contributions, no push is lost, doubled or put on the wrong side."""
    reasons = group_by_theme(dict.fromkeys(parts, 1.0), parts, THEMES)
    told = math.fsum(reason.contribution for reason in reasons)
    assert told == pytest.approx(math.fsum(parts.values()), abs=1e-12)
    for side in (raising(reasons), lowering(reasons)):
        assert not side or math.fsum(r.share for r in side) == pytest.approx(1.0)
        sizes = [abs(r.contribution) for r in side]
        assert sizes == sorted(sizes, reverse=True)


@given(parts_of, st.permutations(names))
def test_the_order_of_signals_given_changes_nothing(
    parts: dict[str, float], order: list[str]
) -> None:
    values = dict.fromkeys(parts, 2.0)
    shuffled = {name: parts[name] for name in order}
    assert group_by_theme(values, shuffled, THEMES) == group_by_theme(values, parts, THEMES)
