"""Pausing, withdrawing and resuming: by the owner, with a reason, each step kept for good."""

from __future__ import annotations

import pytest

from riskflag.casework import audit, pause
from riskflag.errors import ConfigError, ConflictError
from tests import casework_world as world


@pytest.fixture
def store(tmp_path):
    opened = world.opened(tmp_path / "w")
    yield opened
    opened.close()


def test_nothing_is_paused_until_somebody_does(store):
    """The start needs no step."""
    assert pause.state(store).state == "running"
    assert pause.history(store) == ()


def test_each_step_is_kept_with_who_and_why(store):
    """The standing is that of the newest step, and the earlier ones stay."""
    pause.pause(store, world.OWNER, "Too many flags of one rule.")
    assert (pause.state(store).state, pause.state(store).user) == ("paused", world.OWNER.name)
    pause.withdraw(store, world.OWNER, "The rule is wrong.")
    pause.resume(store, world.OWNER, "The rule is put right.")
    told = [(step.state, step.reason) for step in pause.history(store)]
    assert told == [
        ("running", "The rule is put right."),
        ("withdrawn", "The rule is wrong."),
        ("paused", "Too many flags of one rule."),
    ]
    with store.reading() as session:
        assert audit.head(session).seq == 4
        assert audit.first_bad(session) is None


@pytest.mark.parametrize("user", [world.WORKER, world.SENIOR, world.MANAGER, world.STEWARD])
def test_only_the_responsible_owner_pauses(store, user):
    """The role is checked where it is done, not only on the page."""
    with pytest.raises(ConfigError, match="responsible owner"):
        pause.pause(store, user, "Because.")
    assert pause.state(store).state == "running"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001])
def test_a_step_needs_a_reason_that_can_be_read(store, reason):
    """No reason, no pause."""
    with pytest.raises(ConfigError):
        pause.pause(store, world.OWNER, reason)
    assert pause.history(store) == ()


def test_pausing_twice_is_told(store):
    """The second of two owners learns that it is done."""
    with pytest.raises(ConflictError):
        pause.resume(store, world.OWNER, "It runs.")
    pause.pause(store, world.OWNER, "One.")
    with pytest.raises(ConflictError):
        pause.pause(store, world.OWNER, "Two.")
    assert len(pause.history(store)) == 1
