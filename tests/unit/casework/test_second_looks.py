"""Second looks: who is drawn nobody foresees, and nobody sees the first decision before theirs."""

from __future__ import annotations

import dataclasses

import pytest

from riskflag.casework import publishing
from riskflag.casework.kept_reviews import is_open
from riskflag.casework.reviews import draw_of, record_review, reviews_of
from riskflag.casework.second_looks import Due, compared, due, due_of, readable_reviews
from riskflag.errors import ConfigError, ConflictError, InputError
from tests import casework_world as world


@pytest.fixture
def store(tmp_path):
    opened = world.opened(tmp_path / "w", 3)
    yield opened
    opened.close()


def waiting(store, user, share=0.0):
    return [one.flag_id for one in due(store, user, share=share)]


def test_every_cannot_decide_waits_for_a_second_look_whatever_the_share(store):
    """The share may be nothing; *cannot decide* is always looked at again."""
    world.decide(store, "unsure")
    world.decide(store, "refer", flag_id=world.number(2))
    assert waiting(store, world.SENIOR) == [world.F1]
    assert waiting(store, world.SENIOR, share=1.0) == [world.F1, world.number(2)]


def test_nobody_takes_a_second_look_at_their_own_review_or_without_the_role(store):
    """Neither the reviewer, nor anybody who decided on the flag before, nor a caseworker."""
    first = world.decide(store, "unsure", by=world.SENIOR)
    assert waiting(store, world.SENIOR) == []
    assert waiting(store, world.OTHER) == []
    assert waiting(store, world.MANAGER) == [world.F1]
    with pytest.raises(ConfigError, match="own review"):
        world.decide(store, "refer", by=world.SENIOR, second_look_of=first)
    assert len(reviews_of(store, world.F1)) == 1


def test_what_waits_tells_nothing_of_the_first_decision(store):
    """Not the decision, not the reviewer, not whether it was drawn or undecided."""
    world.decide(store, "unsure")
    assert {field.name for field in dataclasses.fields(Due)} == {
        *("flag_id", "review_id", "reviewed_at")
    }
    world.decide(store, "refer", flag_id=world.number(2))
    one, two = due(store, world.SENIOR, share=1.0)
    assert type(one) is type(two) is Due


def test_the_first_review_stays_unseen_until_the_second_is_saved(store):
    """Who may take the second look reads no verdict before; others, and they after, read all."""
    first = world.decide(store, "unsure")
    assert readable_reviews(store, world.F1, world.SENIOR, share=0.0) == ((), True)
    kept, back = readable_reviews(store, world.F1, world.WORKER, share=0.0)
    assert ([one.review_id for one in kept], back) == ([first], False)
    second = world.decide(store, "refer", by=world.SENIOR, second_look_of=first)
    kept, back = readable_reviews(store, world.F1, world.SENIOR, share=0.0)
    assert ([one.review_id for one in kept], back) == ([first, second], False)
    assert due_of(store, world.F1, world.MANAGER, share=1.0) is None
    told = compared(store, second, world.SENIOR)
    assert (told.first.review_id, told.agree) == (first, False)
    with pytest.raises(InputError):
        compared(store, second, world.OTHER)


def test_a_second_look_decides_what_the_first_could_not(store):
    """After *cannot decide* a closing second look closes the flag."""
    first = world.decide(store, "unsure")
    world.decide(store, "refer", by=world.SENIOR, second_look_of=first)
    assert not is_open(store, world.F1)


def test_a_second_look_that_would_not_have_closed_opens_the_flag_again(store):
    """When two people differ, the child stays before a person."""
    first = world.decide(store, "nothing_further")
    assert not is_open(store, world.F1)
    world.decide(store, "contact_family", by=world.SENIOR, second_look_of=first)
    assert is_open(store, world.F1)
    assert world.F1 in {one.flag_id for one in publishing.state(store, world.DAY).open_flags}


def test_a_review_is_looked_at_again_once(store):
    """The second of two people who took the same one is told."""
    first = world.decide(store, "unsure")
    world.decide(store, "unsure", by=world.SENIOR, second_look_of=first)
    with pytest.raises(ConflictError, match="second look"):
        world.decide(store, "refer", by=world.MANAGER, second_look_of=first)
    assert len(reviews_of(store, world.F1)) == 2


def test_cannot_decide_that_was_amended_to_a_decision_waits_no_more(store):
    """The reviewer found what was missing; the question is answered."""
    first = world.decide(store, "unsure")
    world.decide(store, "refer", amends=first)
    assert waiting(store, world.SENIOR) == []


def test_the_share_drawn_is_the_share_set_and_hangs_on_the_key():
    """Of 20,000 review numbers 5% are drawn, another 5% with another key, and always the same."""
    numbers = [f"{place:032x}" for place in range(20_000)]
    mine = {one for one in numbers if draw_of(b"k" * 32, one) < 500}
    other = {one for one in numbers if draw_of(b"m" * 32, one) < 500}
    assert 0.045 < len(mine) / len(numbers) < 0.055
    assert len(mine & other) < len(mine) / 5
    assert mine == {one for one in numbers if draw_of(b"k" * 32, one) < 500}


def test_amending_does_not_take_a_review_out_of_the_draw(store):
    """A drawn review is looked at again even if its reviewer amends it first."""
    drawn = next(f"{n:032x}" for n in range(10_000) if draw_of(store.key, f"{n:032x}") < 500)
    record_review(store, world.review("nothing_further", review_id=drawn))
    world.decide(store, "refer", amends=drawn)
    assert waiting(store, world.SENIOR, share=0.05) == [world.F1]
