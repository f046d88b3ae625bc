"""A fault in building one child's flag: the night goes on, says so, and hides nothing."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from riskflag.cli.score import missing
from riskflag.errors import HeldError, InputError
from riskflag.nightly import build, shares
from riskflag.nightly.reproduce import published_flag, reproduce
from riskflag.nightly.verify import verify
from tests import night_world as world
from tests.functional.test_night import Night

DAY = dt.timedelta(days=1)
SECRET = "a name from the data"


@pytest.fixture
def night(tmp_path, monkeypatch):
    return Night(tmp_path / "w", monkeypatch, with_bundle=False)


@pytest.fixture
def break_at(monkeypatch):
    """Makes one step of the building raise for some children."""

    def plant(step: str, *people: str, error: type[Exception] = KeyError) -> None:
        real = getattr(build, step)

        def faulty(*args):
            who = {getattr(one, "person_id", None) for one in args}
            if who & set(people):
                raise error(SECRET)
            return real(*args)

        monkeypatch.setattr(build, step, faulty)

    return plant


@pytest.mark.parametrize("step", ["reasons", "payload"])
def test_one_child_s_fault_leaves_all_others_their_flags(night, break_at, monkeypatch, step):
    """Exit 10; the child is counted as not assessed; class and place are told, no value is.

    Also where reasons and flags are made by copies of the process.
    """
    monkeypatch.setattr(shares, "MANY", 1)
    break_at(step, "C-ED")
    result = night.run()
    assert result.exit_code == 10
    assert set(night.flags(result)) == {"C-MISS", "C-HOME", "C-BULLY"}
    fault = result.manifest["faults"][0]
    assert (fault["error"], fault["children"]) == ("KeyError", 1)
    assert fault["place"].startswith("riskflag/nightly/build.py:")
    assert result.manifest["counts"]["not_assessed"] == 1
    assert result.manifest["degraded"]
    told = missing(result.manifest)
    assert "1 not assessed because of a fault (KeyError at riskflag/" in told
    for text in (json.dumps(result.manifest), told):
        assert SECRET not in text
        assert "C-ED" not in text


@pytest.mark.parametrize("step", ["reasons", "payload"])
def test_an_open_flag_stays_as_not_re_assessed(night, break_at, step):
    """At its level, with its earlier reasons and records, and a sentence about the fault."""
    before = night.flags(night.run())["C-ED"]
    break_at(step, "C-ED")
    result = night.run(world.AS_OF + DAY)
    flag = night.flags(result)["C-ED"]
    assert result.exit_code == 10
    assert flag["flag_id"] == before["flag_id"]
    assert (flag["standing"], flag["level"]) == ("not_reassessed", "urgent")
    assert flag["reasons"] == []
    assert [one["reason_id"] for one in flag["earlier_reasons"]] == ["rule:repeat_ed"]
    assert {one["standing"] for one in flag["earlier_reasons"]} == {"not_reassessed"}
    shown = {contact["contact_key"] for contact in flag["contacts"]}
    assert set(flag["earlier_reasons"][0]["contact_keys"]) <= shown
    assert flag["caveats"][0].startswith("A fault in the program kept this child")
    assert set(flag) == set(before)


def test_when_the_fault_is_put_right_the_flag_stands_again(night, break_at, monkeypatch):
    """The next night assesses the child as if nothing had been."""
    night.run()
    with monkeypatch.context() as patch:
        patch.setattr(build, "payload", build.payload)
        break_at("payload", "C-ED")
        night.run(world.AS_OF + DAY)
    monkeypatch.setattr(build, "payload", REAL_PAYLOAD)
    result = night.run(world.AS_OF + 2 * DAY)
    flag = night.flags(result)["C-ED"]
    assert result.exit_code == 0
    assert flag["standing"] == "present"
    assert not [line for line in flag["caveats"] if "fault" in line]
    assert verify(night.workspace).faults == ()


REAL_PAYLOAD = build.payload


def test_a_night_with_a_fault_can_be_made_again(night, break_at):
    """The same fault, the same bytes."""
    night.run()
    break_at("payload", "C-ED")
    night.run(world.AS_OF + DAY)
    found = reproduce(night.workspace, published_flag(night.workspace, "F-2026-000001"))
    assert found.same_publication


def test_a_fault_that_meets_many_children_holds_the_night(night, break_at):
    """Three of six are no single children any more: exit 20, nothing is published."""
    break_at("reasons", "C-ED", "C-MISS", "C-HOME")
    with pytest.raises(HeldError, match=r"3 of 6 children .*KeyError at riskflag/") as held:
        night.run()
    assert held.value.exit_code == 20
    assert SECRET not in str(held.value)
    assert not night.workspace.publications.exists()


def test_two_children_are_never_too_many(night, break_at):
    """In a small authority one or two are more than a share says, and still single children."""
    break_at("reasons", "C-ED", "C-MISS")
    assert night.run().exit_code == 10


@pytest.mark.parametrize("error", [InputError, OSError, MemoryError])
def test_what_is_not_about_one_child_ends_the_night(night, break_at, error):
    """A full disk or a wrong declaration is not put down to a child."""
    break_at("reasons", "C-ED", error=error)
    with pytest.raises(Exception) as ended:
        night.run()
    assert not isinstance(ended.value, HeldError)
    assert not night.workspace.publications.exists()
