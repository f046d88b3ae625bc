"""What is kept in memory: made once for a key, and never without end."""

from __future__ import annotations

from riskflag.web.kept import Kept


def test_a_value_is_made_once_for_its_key_and_the_oldest_names_go():
    """Again with another key; of more names than are kept, the newest stay."""
    kept, made = Kept(), []

    def value(name: str, key: str) -> str:
        return kept.get(name, key, lambda: made.append(name) or f"{name} {key}")

    assert [value("team", "one"), value("team", "one")] == ["team one", "team one"]
    assert value("team", "two") == "team two"
    assert made == ["team", "team"]
    for number in range(Kept.MOST):
        value(f"team since day {number}", "two")
    value("team", "two")
    assert made.count("team") == 3
    value("team since day 5", "two")
    assert made.count("team since day 5") == 1
