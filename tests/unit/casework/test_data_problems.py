"""What reviewers call wrong goes to a data steward and comes back answered, each step kept."""

from __future__ import annotations

import pytest

from riskflag.casework import audit
from riskflag.casework.data_problems import (
    answer,
    answered_problems,
    open_problems,
    problem,
    problems_of,
)
from riskflag.casework.reviews import ReasonVerdict
from riskflag.errors import ConfigError, ConflictError, InputError
from tests import casework_world as world

WRONG = (
    ReasonVerdict("rule:repeat_ed", "wrong", "wrong_child", "The sister was seen.", "k2"),
    ReasonVerdict("model:health", "known"),
)


@pytest.fixture
def store(tmp_path):
    opened = world.opened(tmp_path / "w", 2)
    yield opened
    opened.close()


@pytest.fixture
def reported(store):
    world.decide(store, "unsure", verdicts=WRONG)
    (found,) = open_problems(store)
    return found


def test_a_wrong_verdict_becomes_an_open_problem_and_the_others_do_not(store, reported):
    """Who reported it, which record, what is wrong and why are all there."""
    told = (reported.problem, reported.note, reported.contact_key, reported.reported_by)
    assert told == ("wrong_child", "The sister was seen.", "k2", world.WORKER.name)
    assert (reported.state, reported.as_of, reported.steps) == ("open", world.DAY, ())


def test_an_answer_is_a_step_that_the_reporter_reads(store, reported):
    """Asked, then answered: both steps stay, in order, and the queue is empty at the end."""
    answer(store, reported.problem_id, world.STEWARD, "asked", "Asked the hospital.")
    assert [one.state for one in open_problems(store)] == ["asked"]
    answer(store, reported.problem_id, world.STEWARD, "corrected", "They correct it in May.")
    assert open_problems(store) == ()
    (mine,) = problems_of(store, world.WORKER.name)
    assert [(step.state, step.note) for step in mine.steps] == [
        ("asked", "Asked the hospital."),
        ("corrected", "They correct it in May."),
    ]
    assert problems_of(store, world.OTHER.name) == ()
    assert [one.problem_id for one in answered_problems(store)] == [reported.problem_id]
    assert problem(store, reported.problem_id).state == "corrected"
    with store.reading() as session:
        assert audit.first_bad(session) is None
        assert audit.head(session).seq == 4


def test_an_answered_problem_can_be_opened_again(store, reported):
    """Nothing is final: a further step puts it back into the queue."""
    answer(store, reported.problem_id, world.STEWARD, "stands", "Checked.")
    answer(store, reported.problem_id, world.STEWARD, "open", "They wrote again.")
    assert [one.state for one in open_problems(store)] == ["open"]


@pytest.mark.parametrize(
    ("user", "state", "note"),
    [
        (world.WORKER, "asked", "A note."),
        (world.STEWARD, "done", "A note."),
        (world.STEWARD, "asked", "  "),
        (world.STEWARD, "asked", "x" * 5_001),
    ],
)
def test_only_a_steward_answers_and_only_with_an_answer(store, reported, user, state, note):
    """The refusal leaves the problem as it was."""
    with pytest.raises(ConfigError):
        answer(store, reported.problem_id, user, state, note)
    assert problem(store, reported.problem_id).steps == ()


def test_the_same_answer_twice_is_told_and_kept_once(store, reported):
    """A double press does not write history twice."""
    answer(store, reported.problem_id, world.STEWARD, "asked", "Asked.")
    with pytest.raises(ConflictError):
        answer(store, reported.problem_id, world.STEWARD, "asked", "Asked.")
    assert len(problem(store, reported.problem_id).steps) == 1


def test_a_problem_that_is_not_there_is_said(store, reported):
    """Neither an unknown number nor a verdict that calls nothing wrong is a problem."""
    for number in (999, reported.problem_id + 1):
        with pytest.raises(InputError):
            problem(store, number)
        with pytest.raises(InputError):
            answer(store, number, world.STEWARD, "asked", "A note.")
