"""Two reviewers on one flag: nothing lost, nobody overwritten unread, the later one told.

Two hundred generated courses, and two threads at once, on a real store.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from riskflag.casework import audit, publishing
from riskflag.casework.drafts import draft_of, save_draft
from riskflag.casework.policies import DECISIONS, closes
from riskflag.casework.reviews import Shown, record_review, reviews_of, shown
from riskflag.casework.store import Store
from riskflag.casework.users import User
from riskflag.errors import ConflictError, InputError
from tests import casework_world as world

COURSES = 200
STEPS = 8
PEOPLE = (world.WORKER, world.OTHER)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = world.opened(tmp_path_factory.mktemp("together") / "w", COURSES)
    yield opened
    opened.close()


@dataclass
class Desk:
    """One reviewer's side: what is on their screen, what they typed, and what they were told."""

    user: User
    seen: Shown | None = None
    saved: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


@dataclass
class Course:
    """One generated course on one flag, with what a plain model of it says must come out."""

    store: Store
    flag_id: str
    draw: random.Random
    desks: tuple[Desk, ...] = ()
    last: str | None = None
    acknowledged: list[tuple[str, str]] = field(default_factory=list)

    def run(self) -> None:
        self.desks = tuple(Desk(user) for user in PEOPLE)
        for step in range(STEPS):
            desk = self.draw.choice(self.desks)
            if desk.seen is None or self.draw.random() < 0.3:
                desk.seen = shown(self.store, self.flag_id)
            elif self.draw.random() < 0.2:
                save_draft(self.store, self.flag_id, desk.user.name, {"step": step})
            else:
                self.save(desk, f"{desk.user.name}, step {step}")

    def save(self, desk: Desk, why: str) -> None:
        """Save on what the desk shows; the model knows whether it was still the newest."""
        decision = self.draw.choice(DECISIONS)
        fresh = desk.seen.last_review_id == self.last
        is_open = self.is_open()
        # A closed flag is decided upon again only by amending what closed it.
        amends = self.last if not is_open and fresh else None
        try:
            done = record_review(
                self.store,
                world.review(
                    decision,
                    by=desk.user,
                    flag_id=self.flag_id,
                    why=why,
                    expected=desk.seen,
                    amends=amends,
                ),
            )
        except (ConflictError, InputError) as told:
            assert not fresh, "refused although nobody came in between"
            desk.told.append(str(told))
            desk.seen = None
            return
        assert fresh, "recorded although somebody came in between"
        self.last = done
        self.acknowledged.append((done, why))

    def is_open(self) -> bool:
        found = reviews_of(self.store, self.flag_id)
        return not found or not closes(found[-1].meaning)


def test_two_hundred_courses_of_two_reviewers_lose_nothing(store):
    """Whoever is not the first is told and recorded nothing; every acknowledged review stands."""
    refused = recorded = 0
    for place in range(1, COURSES + 1):
        course = Course(store, world.number(place), random.Random(place))
        course.run()
        kept = [(one.review_id, one.why) for one in reviews_of(store, course.flag_id)]
        assert kept == course.acknowledged
        numbers = [one.number for one in reviews_of(store, course.flag_id)]
        assert numbers == list(range(1, len(kept) + 1))
        recorded += len(kept)
        refused += sum(len(desk.told) for desk in course.desks)
    assert recorded > COURSES, "the courses must record"
    assert refused > COURSES / 4, "the courses must meet conflicts"
    with store.reading() as session:
        assert audit.first_bad(session) is None
        assert audit.head(session).seq == 1 + recorded


def test_without_telling_what_was_shown_the_second_would_come_through(tmp_path):
    """Negative control: it is `expected` that notices the conflict, nothing else does."""
    store = world.opened(tmp_path / "w")
    before = shown(store, world.F1)
    world.decide(store, "unsure")
    world.decide(store, "unsure", by=world.OTHER)
    with pytest.raises(ConflictError, match="Somebody else has saved"):
        world.decide(store, "unsure", by=world.OTHER, expected=before)
    store.close()


def test_a_refused_review_keeps_its_draft(tmp_path):
    """The one who is told still has every word they typed."""
    store = world.opened(tmp_path / "w")
    before = shown(store, world.F1)
    save_draft(store, world.F1, world.OTHER.name, {"why": "a long text"})
    world.decide(store, "unsure")
    with pytest.raises(ConflictError):
        world.decide(store, "refer", by=world.OTHER, expected=before)
    assert draft_of(store, world.F1, world.OTHER.name).answers == {"why": "a long text"}
    assert ConflictError.exit_code == 65
    store.close()


def test_a_night_between_opening_and_saving_is_told(tmp_path):
    """A decision on yesterday's page is not recorded as one on today's."""
    store = world.opened(tmp_path / "w")
    before = shown(store, world.F1)
    tomorrow = world.DAY.replace(day=11)
    newer = world.flag(status="continuing", payload_hash="other", last_matched=tomorrow)
    world.publish(store, "two", [newer], tomorrow)
    with pytest.raises(ConflictError, match="brought up to date"):
        world.decide(store, expected=before)
    assert len(publishing.state(store, tomorrow).open_flags) == 1
    store.close()


def _at_once(work: list[Callable[[], None]]) -> None:
    gate = threading.Barrier(len(work))

    def run(one: Callable[[], None]) -> None:
        gate.wait()
        one()

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_of_two_threads_that_save_at_once_one_records_and_one_is_told(tmp_path):
    """Twenty-five races for one flag each: exactly one review and exactly one refusal."""
    races = 25
    store = world.opened(tmp_path / "w", races)
    for place in range(1, races + 1):
        flag_id = world.number(place)
        seen = shown(store, flag_id)
        ends: list[str] = []

        def save(user: User, flag_id: str = flag_id, seen: Shown = seen, ends=ends) -> None:
            try:
                world.decide(store, "refer", by=user, flag_id=flag_id, expected=seen)
                ends.append("recorded")
            except ConflictError:
                ends.append("told")

        _at_once([lambda user=user, save=save: save(user) for user in PEOPLE])
        assert sorted(ends) == ["recorded", "told"]
        assert len(reviews_of(store, flag_id)) == 1
    store.close()
