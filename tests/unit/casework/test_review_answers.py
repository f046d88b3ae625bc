"""What a review may say: each answer checked before it is kept, and kept as it was given."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from riskflag.casework import audit, policies
from riskflag.casework.drafts import draft_of, drop_draft, save_draft
from riskflag.casework.reviews import ReasonVerdict, record_review, reviews_of, shown, verdicts_of
from riskflag.errors import ConfigError, ConflictError, InputError, IntegrityError
from tests import casework_world as world

ID = "ab" * 16


@pytest.fixture
def store(tmp_path):
    opened = world.opened(tmp_path / "w")
    yield opened
    opened.close()


def test_every_answer_of_the_form_is_kept_as_given(store):
    """Verdicts, quieting, colleague, first thought and opened sections are read back unchanged."""
    verdicts = (
        ReasonVerdict("rule:repeat_ed", "wrong", "duplicate", "Told twice.", "k1"),
        ReasonVerdict("model:health", "known"),
    )
    record_review(
        store,
        world.review(
            verdicts=verdicts,
            comes_back="if_new",
            quiet_reason="A long-term condition, under treatment.",
            discussed_with="The team manager",
            first_thought="not_sure",
            sections_opened=("flag", "records"),
            expected=shown(store, world.F1),
            review_id=ID,
        ),
    )
    (kept,) = reviews_of(store, world.F1)
    assert verdicts_of(store, ID) == verdicts
    assert (kept.review_id, kept.number, kept.shown_hash) == (ID, 1, "hash 1")
    assert kept.quiet_reason == "A long-term condition, under treatment."
    assert kept.discussed_with == "The team manager"
    assert (kept.first_thought, kept.sections_opened) == ("not_sure", ("flag", "records"))
    assert kept.back_on == kept.decided_at.date() + dt.timedelta(days=policies.QUIET_LIMIT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"comes_back": "in a year"},
        {"first_thought": "perhaps"},
        {"comes_back": "if_new"},
        {"quiet_reason": "Because."},
        {"why": "x" * 20_001},
        {"why": "a \x00 b"},
        {"why": "a \ud800 b"},
        {"discussed_with": "x" * 501},
        {"review_id": "../../x"},
        {"amends": "a", "second_look_of": "b"},
        {"verdicts": (ReasonVerdict("rule:repeat_ed", "known"),) * 2},
    ],
)
def test_an_answer_that_is_not_on_the_form_is_refused(wrong):
    """Nothing is kept that a later reader could not read or weigh."""
    with pytest.raises(ConfigError):
        world.review(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        ("rule:a", "perhaps"),
        ("rule:a", "wrong"),
        ("rule:a", "known", "duplicate"),
        ("rule:a", "wrong", "ugly"),
        ("rule:a", "known", None, "", "k1"),
    ],
)
def test_a_verdict_that_is_not_on_the_form_is_refused(wrong):
    """*Wrong* says what is wrong; the others say nothing more."""
    with pytest.raises(ConfigError):
        ReasonVerdict(*wrong)


@pytest.mark.parametrize(
    "verdict",
    [
        ReasonVerdict("rule:other", "known"),
        ReasonVerdict("rule:repeat_ed", "wrong", "duplicate", "", "k3"),
    ],
)
def test_a_verdict_about_what_the_flag_does_not_have_records_nothing(store, verdict):
    """A reason or record of another flag refuses the whole review."""
    with pytest.raises(ConfigError):
        record_review(store, world.review(verdicts=(verdict,)))
    assert reviews_of(store, world.F1) == []


@pytest.mark.parametrize(
    ("level", "decision", "choice", "days"),
    [
        ("soon", "refer", "default", None),
        ("soon", "refer", "2_weeks", 14),
        ("soon", "refer", "8_weeks", 56),
        ("soon", "contact_family", "8_weeks", 56),
        ("soon", "refer", "if_new", 90),
        ("urgent", "refer", "4_weeks", 28),
        ("urgent", "contact_family", "8_weeks", 56),
    ],
)
def test_a_choice_of_time_becomes_the_day_promised(level, decision, choice, days):
    """Weeks are whole weeks; keeping quiet ends by itself after 90 days."""
    promised = policies.back_on(choice, policies.MEANING[decision], level, world.DAY)
    assert promised == (None if days is None else world.DAY + dt.timedelta(days=days))


@pytest.mark.parametrize(
    ("level", "decision", "choice"),
    [
        ("urgent", "refer", "if_new"),
        ("urgent", "refer", "8_weeks"),
        ("soon", "contact_family", "if_new"),
        ("soon", "unsure", "if_new"),
    ],
)
def test_what_may_not_be_kept_quiet_is_not(level, decision, choice):
    """Neither an urgent flag nor one that stays open is kept quiet."""
    with pytest.raises(ConfigError):
        policies.back_on(choice, policies.MEANING[decision], level, world.DAY)


def test_an_urgent_flag_refuses_the_whole_review_that_would_quieten_it(tmp_path):
    """The refusal is at the store too, whatever a form let through; the flag stays open."""
    store = world.opened(tmp_path / "w", 0)
    world.publish(store, "two", [world.flag(level="urgent")])
    with pytest.raises(ConfigError, match="urgent"):
        world.decide(store, comes_back="if_new", quiet_reason="They always come.")
    assert reviews_of(store, world.F1) == []
    store.close()


CLOSED = policies.ClosedFlag(
    "F-1", "C-1", "soon", world.DAY, world.DAY, frozenset({"rule:a"}),
    "if_new", world.DAY + dt.timedelta(days=90),
)  # fmt: skip


@pytest.mark.parametrize(
    ("days", "reasons", "level", "back"),
    [
        (30, {"rule:a"}, "soon", False),
        (30, {"rule:a", "rule:b"}, "soon", True),
        (30, {"rule:a"}, "urgent", True),
        (89, {"rule:a"}, "soon", False),
        (90, {"rule:a"}, "soon", True),
    ],
)
def test_a_quietened_flag_comes_back_for_a_new_pattern_or_when_urgent_or_in_time(
    days, reasons, level, back
):
    """Further records of the same pattern do not bring it; nothing keeps it away for good."""
    on = world.DAY + dt.timedelta(days=days)
    came = policies.comes_back(CLOSED, on, reason_ids=reasons, newest_known=on, level=level)
    assert came is back


def test_a_chosen_time_brings_a_flag_back_earlier_than_the_usual_rule():
    """In two weeks means in two weeks."""
    soon = dataclasses.replace(
        CLOSED, comes_back="2_weeks", back_on=world.DAY + dt.timedelta(days=14)
    )
    for days, back in ((13, False), (14, True)):
        on = world.DAY + dt.timedelta(days=days)
        assert policies.comes_back(soon, on, reason_ids=["rule:a"], newest_known=None) is back


def test_the_same_save_twice_is_one_review(store):
    """A double press, or a repeat after a lost answer, gives the same number and no second row."""
    saved = world.review("unsure", review_id=ID, expected=shown(store, world.F1))
    assert record_review(store, saved) == record_review(store, saved) == ID
    assert len(reviews_of(store, world.F1)) == 1
    with store.reading() as session:
        assert audit.head(session).seq == 2


def test_a_number_used_for_other_answers_is_refused(store):
    """What stands under a number is never taken for something else that was sent."""
    world.decide(store, "unsure", review_id=ID)
    with pytest.raises(ConflictError, match="those stand"):
        world.decide(store, "refer", review_id=ID)
    assert [one.decision for one in reviews_of(store, world.F1)] == ["unsure"]


@pytest.mark.parametrize("table", ["verdict", "problem_step", "pause_step", "review", "audit"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET rowid = rowid", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_people_left(store, table, verb):
    """Every table of human decisions has both triggers."""
    insert = {
        "verdict": "INSERT INTO verdict (review_id, reason_id, verdict, note) "
        f"SELECT '{ID}', 'r', 'known', ''",
        "problem_step": "INSERT INTO problem_step (verdict_id, state, note, user, at) "
        "SELECT id, 'asked', 'n', 'u', '2026' FROM verdict",
        "pause_step": "INSERT INTO pause_step (state, reason, user, role, at) "
        "VALUES ('paused', 'r', 'u', 'owner', '2026')",
    }
    verdicts = (ReasonVerdict("rule:repeat_ed", "wrong", "other"),)
    world.decide(store, "unsure", review_id=ID, verdicts=verdicts)
    if table in insert:
        with store.writing() as session:
            session.execute(sa.text(insert[table]))
    with pytest.raises(IntegrityError), store.writing() as session:
        session.execute(sa.text(verb.format(table)))


def test_a_draft_is_kept_for_its_writer_alone_and_ends_with_the_review(store):
    """Overwritten freely, unseen by others, dropped when the review is saved."""
    save_draft(store, world.F1, world.WORKER.name, {"why": "half a sent"})
    save_draft(store, world.F1, world.WORKER.name, {"why": "half a sentence"})
    save_draft(store, world.F1, world.OTHER.name, {"why": "mine"})
    assert draft_of(store, world.F1, world.WORKER.name).answers == {"why": "half a sentence"}
    world.decide(store, "unsure")
    assert draft_of(store, world.F1, world.WORKER.name) is None
    assert draft_of(store, world.F1, world.OTHER.name).answers == {"why": "mine"}
    drop_draft(store, world.F1, world.OTHER.name)
    assert draft_of(store, world.F1, world.OTHER.name) is None
    with pytest.raises(InputError):
        save_draft(store, "F-2026-999999", world.OTHER.name, {})
    with pytest.raises(ConfigError):
        save_draft(store, world.F1, world.OTHER.name, {"why": "x" * 300_000})
