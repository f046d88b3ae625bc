"""A person's decisions: appended with their audit entry, never changed, never lost."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from riskflag.casework import audit, policies, publishing
from riskflag.casework.publishing import FlagRow, PublicationRecord, ReasonRow
from riskflag.casework.reviews import NewReview, record_review, reviews_of
from riskflag.casework.store import open_store
from riskflag.errors import ConfigError, ConflictError, InputError, IntegrityError
from riskflag.workspace import Workspace

DAY = dt.date(2026, 3, 10)


def flag(number: int = 1, person: str = "C-1", **more) -> FlagRow:
    row = FlagRow(
        flag_id=f"F-2026-{number:06d}",
        person_id=person,
        level="soon",
        status="new",
        standing="present",
        raised_by="rule",
        first_raised=DAY,
        last_matched=DAY,
        payload_hash="aa",
        reasons=(ReasonRow("rule:repeat_ed", "rule", 1, (("k1", 1), ("k2", 1))),),
    )
    return dataclasses.replace(row, **more)


def publication(key: str, day: dt.date = DAY) -> PublicationRecord:
    return PublicationRecord(key, day, 1, f"{day}-{key}", "cc", "mm", 0)


def publish(store, key, flags, day=DAY):
    return publishing.publish(store, publication(key, day), flags, reached=lambda step: None)


@pytest.fixture
def store(tmp_path):
    opened = open_store(Workspace.create(tmp_path / "w", "Test Borough"))
    publish(opened, "one", [flag()])
    yield opened
    opened.close()


def review(decision: str = "nothing_further", **more) -> NewReview:
    opened = dt.datetime(2026, 3, 10, 9, 0, tzinfo=dt.UTC)
    values = {
        "flag_id": "F-2026-000001",
        "reviewer": "worker",
        "role": "social worker",
        "decision": decision,
        "why": "Spoke with the school.",
        "worth_bringing": "knew_most",
        "opened_at": opened,
    }
    return NewReview(**(values | more))


@pytest.mark.parametrize("decision", policies.DECISIONS)
def test_a_decision_is_kept_and_closes_only_where_the_policy_says(store, decision):
    """Every decision, unsure among them, is a row; unsure and the like leave the flag open."""
    record_review(store, review(decision))
    assert [kept.decision for kept in reviews_of(store, "F-2026-000001")] == [decision]
    still_open = publishing.state(store, DAY + dt.timedelta(days=1)).open_flags
    assert bool(still_open) != policies.closes(policies.MEANING[decision])
    with store.reading() as session:
        assert audit.first_bad(session) is None
        assert audit.head(session).seq == 2


def test_unsure_never_closes():
    """Not knowing is a decision, and it ends nothing."""
    assert not policies.closes(policies.MEANING["unsure"])


@pytest.mark.parametrize("verb", ["UPDATE review SET why = 'x'", "DELETE FROM review"])
def test_the_database_refuses_to_change_a_review(store, verb):
    """Reviews are appended, never edited."""
    record_review(store, review("unsure"))
    with pytest.raises(IntegrityError), store.writing() as session:
        session.execute(sa.text(verb))
    assert len(reviews_of(store, "F-2026-000001")) == 1


def test_a_decision_and_its_audit_entry_stand_or_fall_together(store, monkeypatch):
    """When the entry cannot be written, neither is the review, and the flag stays open."""

    def fails(*arguments, **named):
        raise OSError("no space left")

    monkeypatch.setattr(audit, "record", fails)
    with pytest.raises(OSError, match="no space"):
        record_review(store, review())
    assert reviews_of(store, "F-2026-000001") == []
    assert len(publishing.state(store, DAY).open_flags) == 1


def test_an_amendment_is_a_further_row_and_can_open_the_flag_again(store):
    """What was decided stays on record; the later word holds."""
    first = record_review(store, review())
    record_review(store, review("unsure", amends=first))
    assert [r.decision for r in reviews_of(store, "F-2026-000001")] == ["nothing_further", "unsure"]
    assert len(publishing.state(store, DAY).open_flags) == 1


def test_a_closed_flag_takes_no_further_review_without_amending(store):
    """Two people cannot both close a flag: the second is told."""
    record_review(store, review())
    with pytest.raises(InputError, match="no open flag"):
        record_review(store, review())


@pytest.mark.parametrize(
    "wrong", [{"decision": "close it"}, {"why": "  "}, {"worth_bringing": "perhaps"}]
)
def test_a_review_that_is_not_on_the_form_is_refused(wrong):
    """No reason in words, no review."""
    with pytest.raises(ConfigError):
        review(**wrong)


def test_a_child_has_one_open_flag(store):
    """A night's second open flag for a child is told to it, and nothing of that night is kept."""
    with pytest.raises(ConflictError, match="opened again"):
        publish(store, "two", [flag(2)], DAY + dt.timedelta(days=1))
    assert [one.run_key for one in publishing.publications(store)] == ["one"]


def test_the_database_itself_refuses_a_second_open_flag(store):
    """Whatever a program forgets to ask."""
    second = (
        "INSERT INTO flag (flag_id, person_id, status, raised_by, first_raised, last_matched) "
        "SELECT 'F-2026-000002', person_id, status, raised_by, first_raised, last_matched FROM flag"
    )
    with pytest.raises(IntegrityError), store.writing() as session:
        session.execute(sa.text(second))


def test_a_flag_that_goes_on_keeps_its_first_day_and_gains_what_is_new(store):
    """The next night moves last_matched forward and adds only new evidence."""
    later = DAY + dt.timedelta(days=7)
    grown = ReasonRow("rule:repeat_ed", "rule", 1, (("k1", 1), ("k2", 1), ("k3", 1)))
    publish(
        store,
        "two",
        [flag(status="continuing", last_matched=later, reasons=(grown,))],
        later,
    )
    found = publishing.state(store, later + dt.timedelta(days=1)).open_flags[0]
    assert (found.first_raised, found.last_matched, found.previous_as_of) == (DAY, later, later)
    with store.reading() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM evidence")) == 3
        assert session.scalar(sa.text("SELECT count(*) FROM reason")) == 1


CLOSED = policies.ClosedFlag(
    "F-1", "C-1", "soon", DAY + dt.timedelta(days=2), DAY, frozenset({"rule:a"})
)


@pytest.mark.parametrize(
    ("days", "reasons", "known", "back"),
    [
        (5, {"rule:a"}, DAY - dt.timedelta(days=1), False),
        (5, {"rule:a"}, None, False),
        (5, {"rule:a"}, DAY, True),
        (5, {"rule:a", "rule:b"}, DAY - dt.timedelta(days=9), True),
        (91, {"rule:a"}, DAY - dt.timedelta(days=9), False),
        (92, {"rule:a"}, DAY - dt.timedelta(days=9), True),
    ],
)
def test_a_reviewed_child_comes_back_for_something_new_or_in_time(days, reasons, known, back):
    """Quiet after a review ends with a new reason, a new record, or by itself."""
    on = DAY + dt.timedelta(days=days)
    assert policies.comes_back(CLOSED, on, reason_ids=reasons, newest_known=known) is back
