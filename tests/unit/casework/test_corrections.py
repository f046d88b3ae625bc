"""Requests to correct a record: kept once, in one list with reviewers' problems, chained."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from riskflag.casework import audit, data_problems
from riskflag.casework.corrections import FIRST, NewCorrection, ask
from riskflag.casework.reviews import ReasonVerdict, record_review
from riskflag.casework.store import open_store
from riskflag.casework.users import User
from riskflag.errors import ConfigError, ConflictError, InputError, IntegrityError
from riskflag.workspace import Workspace
from tests.unit.casework.test_reviews import flag, publish, review

READER = User("duty worker 1", "caseworker", "Front door")
STEWARD = User("data steward 1", "steward", "Data office")


@pytest.fixture
def store(tmp_path):
    opened = open_store(Workspace.create(tmp_path / "w", "Test Borough"))
    publish(opened, "one", [flag()])
    yield opened
    opened.close()


def asked(**more) -> NewCorrection:
    values = {
        "flag_id": "F-2026-000001",
        "contact_key": "k1",
        "problem": "wrong_date",
        "note": "It was the day after.",
    }
    return NewCorrection(**(values | more))


def test_the_same_request_again_is_the_same_request(store):
    """A button pressed twice, or a form sent again; another note or reader is another request."""
    first = ask(store, asked(), READER)
    assert first >= FIRST
    assert ask(store, asked(), READER) == first
    other = User("duty worker 2", "caseworker", "Front door")
    numbers = {first, ask(store, asked(note="A week later."), READER), ask(store, asked(), other)}
    assert len(numbers) == 3
    with store.reading() as session:
        assert audit.first_bad(session) is None
        assert audit.head(session).seq == 1 + 3


@pytest.mark.parametrize(
    ("wrong", "user", "error"),
    [
        ({"problem": "silly"}, READER, ConfigError),
        ({"note": "  "}, READER, ConfigError),
        ({"note": "x" * 5_001}, READER, ConfigError),
        ({"flag_id": "F-2026-999999"}, READER, InputError),
        ({}, STEWARD, ConfigError),
    ],
)
def test_a_request_that_is_not_one_is_refused_and_leaves_nothing(store, wrong, user, error):
    """One plain sentence, no row, no entry."""
    with pytest.raises(error):
        ask(store, asked(**wrong), user)
    assert data_problems.open_problems(store) == ()


def test_requests_and_verdicts_stand_in_one_list_and_are_answered_alike(store):
    """The steward need not know which came how; each answer goes to its own."""
    wrong = ReasonVerdict("rule:repeat_ed", "wrong", problem="duplicate", note="Twice.")
    record_review(store, review("unsure", verdicts=(wrong,)))
    number = ask(store, asked(), READER)
    listed = data_problems.open_problems(store)
    assert [one.problem for one in listed] == ["duplicate", "wrong_date"]
    assert [one.review_id == "" for one in listed] == [False, True]
    data_problems.answer(store, number, STEWARD, "asked", "The hospital was asked.")
    with pytest.raises(ConflictError):
        data_problems.answer(store, number, STEWARD, "asked", "The hospital was asked.")
    data_problems.answer(store, number, STEWARD, "corrected", "They sent it again.")
    told = data_problems.problem(store, number)
    assert [step.state for step in told.steps] == ["asked", "corrected"]
    assert [one.problem for one in data_problems.open_problems(store)] == ["duplicate"]
    assert data_problems.answered_problems(store) == (told,)
    assert data_problems.problems_about(store, "F-2026-000001", "k1") == (told,)
    assert data_problems.problems_about(store, "F-2026-000001", "k2") == ()
    assert data_problems.problems_of(store, READER.name) == (told,)
    with pytest.raises(InputError):
        data_problems.answer(store, number + 1, STEWARD, "stands", "No such request.")


@pytest.mark.parametrize("table", ["correction", "correction_step"])
@pytest.mark.parametrize("change", ["UPDATE {} SET note = 'x'", "DELETE FROM {}"])
def test_what_was_said_is_never_changed(store, table, change):
    """Law 8: appended, never edited, not even by hand in the store."""
    number = ask(store, asked(), READER)
    data_problems.answer(store, number, STEWARD, "stands", "It is right.")
    with pytest.raises(IntegrityError, match="refused a change"), store.writing() as session:
        session.execute(sa.text(change.format(table)))
