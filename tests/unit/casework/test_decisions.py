"""An authority's own decisions: checked with plain sentences, and each with a fixed meaning."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from riskflag.casework import kept_reviews, overview, policies, publishing, second_looks
from riskflag.casework.decisions import SHIPPED, load_answers
from riskflag.casework.past import past_of
from riskflag.casework.reviews import record_review
from riskflag.casework.tables import Review, meaning_of
from riskflag.casework.users import User
from riskflag.errors import ConfigError
from riskflag.workspace import Workspace
from tests import casework_world as world

OWN = """
return_weeks = [1, 3, 12]
why_prompts = ["What did the family say?"]
quiet_reasons = ["A plan is being written"]

[[decision]]
name = "mash"
label = "Send to the front door team"
meaning = "act"

[[decision]]
name = "ask_school"
label = "Ask the school first"
meaning = "find_out"

[[decision]]
name = "known"
label = "We are on it"
meaning = "in_hand"

[[decision]]
name = "nothing_further"
label = "No further action"
meaning = "no_action"

[[decision]]
name = "undecided"
label = "I cannot tell"
meaning = "cannot_decide"
"""


@pytest.fixture
def place(tmp_path):
    return Workspace.create(tmp_path / "w", "Somewhere")


def own(place, text: str = OWN):
    (place.root / "decisions.toml").write_text(text, encoding="utf-8")
    return load_answers(place)


def test_without_a_file_the_shipped_list_holds(place):
    """Eight decisions, three times, and nothing about them for a paper form to remember."""
    assert load_answers(place) == SHIPPED
    assert [one.name for one in SHIPPED.decisions] == list(policies.DECISIONS)
    assert (len(SHIPPED.decisions), SHIPPED.return_weeks, SHIPPED.form) == (8, (2, 4, 8), None)


def test_the_files_own_list_is_taken_as_it_stands(place):
    """Names, words and meanings in the file's order, and what else the form offers."""
    found = own(place)
    assert [one.meaning for one in found.decisions] == list(policies.MEANINGS)
    assert found.of("mash").label == "Send to the front door team"
    assert found.of("refer") is None
    assert (found.return_weeks, found.quiet_reasons) == ((1, 3, 12), ("A plan is being written",))
    assert found.form["decisions"][0] == ["mash", "Send to the front door team", "act"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('meaning = "act"', 'meaning = "alarm"', "line 9"),
        ('name = "known"', 'name = "mash"', "two decisions have the same name"),
        ('"We are on it"', '"I CANNOT tell"', "two decisions have the same label"),
        (
            'meaning = "cannot_decide"',
            'meaning = "act"',
            "no decision has the meaning cannot_decide",
        ),
        ('meaning = "no_action"', 'meaning = "act"', "keeps its meaning, here no_action"),
        ('name = "known"', 'name = "Known!"', "line 17"),
        ("[1, 3, 12]", "[3, 1]", "return_weeks must rise"),
        ("[1, 3, 12]", "[26]", "line 2"),
        ("why_prompts", "why_prompt", "line 3"),
        ("[[decision]]", "[[decision", "line 6"),
    ],
)
def test_a_slip_in_the_file_is_one_plain_sentence(place, old, new, sentence):
    """Where it is and what to do; never what was typed."""
    with pytest.raises(ConfigError) as told:
        own(place, OWN.replace(old, new, 1))
    said = str(told.value)
    assert "decisions.toml" in said
    assert sentence in said
    assert "\n" not in said.strip()
    assert "alarm" not in said


@pytest.mark.parametrize(
    "decision", ["mash", "ask_school", "known", "nothing_further", "undecided"]
)
def test_a_decision_of_ones_own_does_what_its_meaning_says(tmp_path, place, decision):
    """It closes the flag or leaves it open, and who cannot decide asks for a second person."""
    chosen = own(place).of(decision)
    store = world.opened(tmp_path / "s")
    record_review(
        store, world.review(decision, meaning=chosen.meaning, decision_label=chosen.label)
    )
    state = publishing.state(store, world.DAY + dt.timedelta(days=40))
    waits = world.F1 in {flag.flag_id for flag in state.open_flags}
    assert waits == (chosen.meaning in ("find_out", "cannot_decide"))
    senior = User("another", "senior", "Front door")
    looks = second_looks.due(store, senior, share=0.0)
    assert bool(looks) == (chosen.meaning == "cannot_decide")
    told = overview.overview(store, dt.date(2000, 1, 1), share=0.0)
    assert [(one.name, one.label, one.reviews) for one in told.decisions] == [
        (decision, chosen.label, 1)
    ]
    assert bool(told.nothing_further) == (chosen.meaning == "no_action")


def test_a_review_keeps_the_label_it_was_recorded_with(tmp_path, place):
    """Whatever the list is called later; and one of before labels were kept has its shipped one."""
    chosen = own(place).of("mash")
    store = world.opened(tmp_path / "s")
    record_review(store, world.review("mash", meaning=chosen.meaning, decision_label=chosen.label))
    own(place, OWN.replace("Send to the front door team", "Tell the hub"))
    (kept,) = kept_reviews.reviews_of_flag(store, world.F1)
    assert (kept.decision, kept.decision_label) == ("mash", "Send to the front door team")
    assert (
        past_of(store, world.flag().person_id).flags[0].reviews[0].label
        == "Send to the front door team"
    )


def test_a_review_of_before_meanings_were_kept_means_what_its_name_meant(tmp_path):
    """A store of an older program: the column is empty and nothing is counted otherwise."""
    store = world.opened(tmp_path / "s")
    record_review(store, world.review("nothing_further"))
    with store.writing() as session:
        triggers = session.execute(
            sa.text("SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='review'")
        )
        for (name,) in triggers.all():
            session.execute(sa.text(f"DROP TRIGGER {name}"))
        session.execute(sa.text("UPDATE review SET meaning = NULL, decision_label = NULL"))
    with store.reading() as session:
        assert session.scalar(sa.select(meaning_of(Review))) == "no_action"
    assert overview.overview(store, dt.date(2000, 1, 1), share=0.0).nothing_further


@pytest.mark.parametrize(
    "more",
    [
        {"decision": "mash"},
        {"decision": "mash", "meaning": "alarm"},
        {"decision": "Mash it", "meaning": "act"},
        {"decision": "unsure", "meaning": "act"},
        {"comes_back": "40_weeks"},
    ],
)
def test_what_no_list_could_hold_is_refused(more):
    """A name without a meaning, an unknown meaning, a shipped name that means something else."""
    decision = more.pop("decision", "refer")
    with pytest.raises(ConfigError, match="not on the form"):
        world.review(decision, **more)
