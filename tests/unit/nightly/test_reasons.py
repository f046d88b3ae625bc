"""Merging model and rule reasons that rest on the same contacts."""

from __future__ import annotations

import pytest

from riskflag.nightly.reasons import merge


def reason(name: str, keys: str, *, model: bool = False) -> dict:
    block = {"theme": name}
    return {
        "reason_id": f"{'model' if model else 'rule'}:{name}",
        "source": "model" if model else "rule",
        "rule": None if model else {"id": name},
        "model": block if model else None,
        "contact_keys": sorted(keys),
        "rests_on_absence": not keys,
    }


@pytest.mark.parametrize(
    ("rule_keys", "theme_keys", "joined"),
    [
        ("abc", "abc", True),
        ("abc", "abcdef", True),
        ("abcdef", "ab", True),
        ("abcd", "bcde", True),
        ("abcd", "defg", False),
        ("abc", "xyz", False),
        ("", "abc", False),
        ("abc", "", False),
        ("", "", False),
    ],
)
def test_a_theme_joins_the_rule_on_the_same_contacts(rule_keys, theme_keys, joined):
    """One set within the other, or mostly shared; an absence is never the same as anything."""
    merged = merge([reason("r", rule_keys)], [reason("t", theme_keys, model=True)])
    assert len(merged) == (1 if joined else 2)
    if joined:
        assert merged[0]["source"] == "both"
        assert merged[0]["contact_keys"] == sorted(set(rule_keys) | set(theme_keys))


def test_a_theme_joins_the_closest_rule_and_a_rule_takes_one_theme():
    """No contact set is told twice, and no rule swallows the model."""
    rules = [reason("wide", "abcdef"), reason("close", "abc")]
    themes = [reason("one", "abcd", model=True), reason("two", "ab", model=True)]
    merged = {r["reason_id"]: r for r in merge(rules, themes)}
    assert merged["rule:close"]["model"] == {"theme": "one"}
    assert merged["rule:wide"]["model"] == {"theme": "two"}
    assert len(merged) == 2


def test_rules_come_first_and_nothing_is_lost():
    """Every reason in is a reason out, joined or not, and the inputs are left as they were."""
    rules = [reason("a", "ab"), reason("b", "cd")]
    themes = [reason("x", "zz", model=True), reason("y", "ab", model=True)]
    merged = merge(rules, themes)
    assert [r["reason_id"] for r in merged] == ["rule:a", "rule:b", "model:x"]
    assert merged[0]["model"] == {"theme": "y"}
    assert rules[0]["source"] == "rule"
