"""Rules on the same contacts are told as one reason, and none of them is ever lost."""

from __future__ import annotations

import pytest

from riskflag.nightly.joined import (
    distinct,
    join,
    reason_ids,
    rules_of,
    split,
    themes_of,
)


def reason(name: str, keys: str, level: str = "soon", **more) -> dict:
    condition = {"speaks_for_rule": True, "contact_keys": sorted(keys)}
    rule = {"id": name, "level": level, "theme": "health", "conditions": [condition]}
    return {
        "reason_id": f"rule:{name}",
        "source": "rule",
        "theme": "health",
        "rule": rule,
        "also": [],
        "model": None,
        "contact_keys": sorted(keys),
        **more,
    }


def named(reasons: list[dict]) -> list[list[str]]:
    return [[rule["id"] for rule in rules_of(one)] for one in reasons]


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [("abc", "cba", True), ("abc", "ab", False), ("abc", "abd", False), ("", "", False)],
)
def test_only_rules_on_exactly_the_same_contacts_are_one_reason(first, second, joined):
    """A part of them is not the same, and an absence is never the same as anything."""
    found = join([reason("one", first), reason("two", second)])
    assert named(found) == ([["one", "two"]] if joined else [["one"], ["two"]])


def test_the_most_pressing_rule_leads_and_gives_the_level():
    """Whatever the order in which they come."""
    found = join([reason("mild", "ab", "routine"), reason("grave", "ab", "urgent")])
    assert named(found) == [["grave", "mild"]]
    assert found[0]["reason_id"] == "rule:grave"
    assert found[0]["rule"]["level"] == "urgent"


def test_what_was_joined_comes_apart_whole():
    """Law 7: each rule can go on alone, with its own id and its own contacts."""
    joined = join([reason("one", "ab"), reason("two", "ab"), reason("three", "c")])
    assert len(joined) == 2
    assert reason_ids(joined) == {"rule:one", "rule:two", "rule:three"}
    apart = [part for one in joined for part in split(one)]
    assert apart == [reason("one", "ab"), reason("two", "ab"), reason("three", "c")]


def test_earlier_reasons_that_stand_differently_stay_apart():
    """One whose rule was withdrawn is not told as one that could not be checked."""
    gone = reason("one", "ab", standing="rule_withdrawn", last_matched="2026-03-10")
    unknown = reason("two", "ab", standing="not_reassessed", last_matched="2026-03-10")
    assert len(join([gone, unknown])) == 2
    assert len(join([gone, {**unknown, "standing": "rule_withdrawn"}])) == 1


def test_no_theme_is_lost_when_two_reasons_carry_one_each():
    """They stay two."""
    one = reason("one", "ab", model={"theme": "health"}, source="both")
    two = reason("two", "ab", model={"theme": "police"}, source="both")
    assert reason_ids(join([one, two])) >= {"model:health", "model:police"}
    assert named(join([reason("three", "ab"), two])) == [["three", "two"]]
    assert join([reason("three", "ab"), two])[0]["source"] == "both"


def theme(name: str, keys: str, share: float) -> dict:
    block = {
        "theme": name,
        "also_themes": [],
        "share": share,
        "strength": "some",
        "signals": [{"name": f"{name}_365d"}],
    }
    return {
        "reason_id": f"model:{name}",
        "source": "model",
        "theme": name,
        "rule": None,
        "also": [],
        "model": block,
        "contact_keys": sorted(keys),
        "rests_on_absence": not keys,
    }


def test_themes_on_exactly_the_same_contacts_are_one_reason_with_what_both_added():
    """Shares add up, the word for the strength follows, and both themes and signals stay told."""
    one, two = theme("school", "ab", 0.21), theme("police", "ab", 0.16)
    (told,) = distinct([one, two])
    assert told["reason_id"] == "model:school"
    assert told["model"]["strength"] == "main"
    assert told["model"]["share"] == pytest.approx(0.37)
    assert themes_of(told) == ["school", "police"]
    assert [s["name"] for s in told["model"]["signals"]] == ["school_365d", "police_365d"]
    assert reason_ids([told]) == {"model:school", "model:police"}


def test_a_theme_that_makes_two_rules_rest_on_the_same_contacts_joins_them():
    """No two reasons of a night rest on the same contacts, whatever order they were joined in."""
    urgent = reason("urgent_one", "abc", level="urgent")
    routine = reason("routine_one", "abc", level="routine")
    (told,) = distinct([routine, urgent, theme("care", "abc", 0.5)])
    assert told["reason_id"] == "rule:urgent_one"
    assert [rule["id"] for rule in rules_of(told)] == ["urgent_one", "routine_one"]
    assert (told["source"], told["model"]["theme"]) == ("both", "care")


def test_reasons_that_rest_on_an_absence_or_on_other_contacts_stay_apart():
    """Nothing recorded twice is two silences."""
    reasons = [theme("a", "", 0.2), theme("b", "", 0.2), theme("c", "x", 0.2), theme("d", "xy", 0)]
    assert distinct(reasons) == reasons
