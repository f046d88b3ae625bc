"""What people decide, and what the next nights make of it: quiet, back in time, paused, counted."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import sqlalchemy as sa

from riskflag.casework import pause, publishing
from riskflag.casework.reviews import NewReview, record_review, reviews_of
from riskflag.casework.store import open_store
from riskflag.casework.users import User
from riskflag.errors import HeldError, InputError, IntegrityError
from riskflag.nightly import run as run_module
from riskflag.nightly import state_file
from riskflag.nightly.published import complete, published_flag, worklist_page
from riskflag.nightly.reproduce import published_flag as whole_flag
from riskflag.nightly.reproduce import reproduce
from riskflag.nightly.verify import verify
from riskflag.reports.publish import write_pages
from tests import night_world as world
from tests.functional.test_night import Night

AS_OF = world.AS_OF
DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
OWNER = User("owner 1", "owner", "Board")
MORE = [world.contact("C-MISS", "missing.episode", 1, known=0, agency="social_care")]


class Desk(Night):
    """A night with people: reviews are recorded at nine on the morning of the night before."""

    def __init__(self, root, monkeypatch, **options):
        super().__init__(root, monkeypatch, **options)
        self.monkeypatch = monkeypatch

    def decide(self, person, decision="nothing_further", *, on=AS_OF, **more):
        """Record a review of a person's flag on a day; its id."""
        at = dt.datetime.combine(on, dt.time(9), dt.UTC)
        self.monkeypatch.setattr("riskflag.casework.reviews.moment", lambda: at)
        flag_id = self.number_of(person)
        with self.store() as store:
            return record_review(
                store,
                NewReview(flag_id, "w", "caseworker", decision, "Seen.", "no", at, **more),
            )

    def number_of(self, person):
        with self.store() as store, store.reading() as session:
            found = sa.text("SELECT max(flag_id) FROM flag WHERE person_id = :person")
            return session.execute(found, {"person": person}).scalar()

    def store(self):
        import contextlib

        return contextlib.closing(open_store(self.workspace))

    def people(self, as_of):
        """Who is on the worklist after the night of a day."""
        return set(self.flags(self.run(as_of)))


@pytest.fixture
def desk(tmp_path, monkeypatch):
    return Desk(tmp_path / "w", monkeypatch, with_bundle=False)


QUIET = {"comes_back": "if_new", "quiet_reason": "A plan for this is in place."}


def test_a_further_record_brings_a_closed_flag_back(desk):
    """By the usual rule: negative control of the next."""
    desk.run()
    desk.decide("C-MISS")
    desk.history = world.some_history(MORE)
    assert "C-MISS" in desk.people(AS_OF + WEEK)


def test_a_flag_that_was_kept_quiet_stays_away_for_further_records_of_its_pattern(desk):
    """And comes back by itself after 90 days, as the review promised."""
    desk.run()
    desk.decide("C-MISS", **QUIET)
    desk.history = world.some_history(MORE)
    assert "C-MISS" not in desk.people(AS_OF + WEEK)
    assert "C-MISS" not in desk.people(AS_OF + 89 * DAY)
    assert "C-MISS" in desk.people(AS_OF + 90 * DAY)


def test_a_new_pattern_brings_a_quietened_flag_back(desk):
    """Quiet is for what the reviewer saw, and for nothing else."""
    desk.run()
    desk.decide("C-MISS", **QUIET)
    bullied = world.contact("C-MISS", "school.bullying", 1, known=0, role="experiencing")
    desk.history = world.some_history([bullied])
    assert "C-MISS" in desk.people(AS_OF + WEEK)


@pytest.mark.parametrize(("choice", "days"), [("2_weeks", 14), ("4_weeks", 28), ("8_weeks", 56)])
def test_a_chosen_time_is_the_day_the_flag_comes_back(desk, choice, days):
    """Not the night before, and on the day itself."""
    desk.run()
    desk.decide("C-MISS", comes_back=choice)
    assert "C-MISS" not in desk.people(AS_OF + (days - 1) * DAY)
    assert "C-MISS" in desk.people(AS_OF + days * DAY)


def test_a_flag_opened_again_keeps_its_reasons_when_the_pattern_is_gone(desk):
    """Closed, left out of a night, opened again by an amendment: nothing of it is lost."""
    desk.run()
    first = desk.decide("C-MISS")
    assert "C-MISS" not in desk.people(AS_OF + DAY)
    desk.decide("C-MISS", "contact_family", on=AS_OF + DAY, amends=first)
    result = desk.run(AS_OF + 400 * DAY)
    flag = desk.flags(result)["C-MISS"]
    assert (flag["level"], flag["standing"]) == ("soon", "no_longer_present")
    assert [one["reason_id"] for one in flag["earlier_reasons"]] == ["rule:repeat_missing"]
    with desk.store() as store:
        assert flag["flag_id"] in {line.flag_id for line in worklist_page(store).lines}
    same = reproduce(desk.workspace, whole_flag(desk.workspace, flag["flag_id"]))
    assert same.same_flag
    assert same.same_publication


def steps(desk, step, reason="A reason."):
    with desk.store() as store:
        step(store, OWNER, reason)


def test_a_paused_night_raises_nobody_and_brings_what_waits_up_to_date(desk, tmp_path):
    """The new child waits for the first night after; manifest and pages say so plainly."""
    desk.run()
    steps(desk, pause.pause)
    quiet = [world.contact("C-QUIET", "ed.attendance", days, known=0) for days in (3, 4, 5)]
    desk.history = world.some_history([*quiet, *MORE])
    paused = desk.run(AS_OF + WEEK, write_pages=write_pages)
    flags = desk.flags(paused)
    assert "C-QUIET" not in flags
    assert sum(contact["new"] for contact in flags["C-MISS"]["contacts"]) == 1
    told = (paused.manifest["paused"], paused.manifest["counts"]["held_back_by_pause"])
    assert told == (True, 1)
    for page in ("worklist.html", "index.html"):
        assert "riskflag is paused" in (paused.folder / page).read_text()
    steps(desk, pause.resume)
    again = desk.run(AS_OF + WEEK, write_pages=write_pages)
    assert again.exit_code == 0, "the same day is not taken for published before"
    assert desk.flags(again)["C-QUIET"]["status"] == "new"
    assert again.manifest["paused"] is False
    assert "is paused" not in (again.folder / "worklist.html").read_text()
    assert verify(desk.workspace).faults == ()


def test_pausing_closes_and_hides_nothing_that_waits(desk):
    """Every flag of before is still there, and can be decided."""
    before = set(desk.flags(desk.run()))
    steps(desk, pause.pause)
    assert desk.people(AS_OF + WEEK) == before
    desk.decide("C-MISS", on=AS_OF + WEEK)
    assert desk.people(AS_OF + 2 * WEEK) == before - {"C-MISS"}


def test_a_paused_night_can_be_made_again(desk):
    """Reproducing gives the same bytes after it was resumed."""
    desk.run()
    steps(desk, pause.pause)
    desk.history = world.some_history(MORE)
    desk.run(AS_OF + WEEK)
    steps(desk, pause.resume)
    same = reproduce(desk.workspace, whole_flag(desk.workspace, desk.number_of("C-MISS")))
    assert same.same_publication


def test_withdrawn_there_is_no_night_and_reviews_go_on(desk):
    """Exit 20 with who can resume; yesterday's publication stays; nothing is lost on resuming."""
    first = desk.run()
    steps(desk, pause.withdraw)
    with pytest.raises(HeldError, match="withdrawn") as held:
        desk.run(AS_OF + WEEK)
    assert held.value.exit_code == 20
    with desk.store() as store:
        assert publishing.current(store).folder == first.folder.name
    desk.decide("C-MISS", "unsure")
    steps(desk, pause.resume)
    assert desk.run(AS_OF + WEEK).exit_code == 0


def test_how_often_right_is_what_reviewers_decided_before_the_day(desk, monkeypatch):
    """Two of three decided flags of the pattern needed more; *cannot decide* does not count."""
    monkeypatch.setattr("riskflag.nightly.payload.ENOUGH", 3)
    children = [f"C-{place}" for place in range(6)]
    missing = [
        world.contact(child, "missing.episode", days, agency="social_care")
        for child in children
        for days in (9, 50, 300)
    ]
    desk.history = world.some_history(missing)
    assert desk.flags(desk.run())["C-0"]["performance"] is None
    for child, decision in zip(
        children, ("refer", "contact_family", "nothing_further", "unsure"), strict=False
    ):
        desk.decide(child, decision)
    flag = desk.flags(desk.run(AS_OF + DAY))["C-5"]
    assert flag["performance"] == {
        "basis": "reviews",
        "n": 3,
        "needed_more": 2,
        "period": "March 2026",
    }


def test_a_review_on_the_night_s_day_or_later_does_not_count_in_it(desk):
    """What the night tells follows from what was decided before its day."""
    desk.run()
    desk.decide("C-MISS", on=AS_OF + WEEK)
    with desk.store() as store:
        assert publishing.state(store, AS_OF + WEEK).worked == ()
        after = publishing.state(store, AS_OF + WEEK + DAY)
    assert [(one.reason_id, one.n, one.needed_more) for one in after.worked] == [
        ("rule:one_missing", 1, 0),
        ("rule:repeat_missing", 1, 0),
    ]
    again = state_file.from_json(json.loads(json.dumps(state_file.to_json(after))))
    assert again.worked == after.worked
    assert again.closed_flags == after.closed_flags


def test_one_flag_is_read_alone_and_is_the_one_of_the_whole_file(desk):
    """By its bytes: equal to the flag that the whole file holds, for every flag."""
    result = desk.run()
    flags = desk.flags(result)
    with desk.store() as store:
        for flag in flags.values():
            assert published_flag(desk.workspace, store, flag["flag_id"]) == flag
        with pytest.raises(InputError):
            published_flag(desk.workspace, store, "F-2026-999999")
    assert len(flags) == 4


def test_a_flag_whose_bytes_were_changed_is_not_shown(desk):
    """One letter in one flag's line: that flag is refused, the others are still read."""
    result = desk.run()
    path = result.folder / "flags.json"
    altered = path.read_bytes().replace(b'"level": "urgent"', b'"level": "urgenT"', 1)
    path.write_bytes(altered)
    with desk.store() as store:
        with pytest.raises(IntegrityError, match="not the one that was published"):
            published_flag(desk.workspace, store, desk.number_of("C-ED"))
        assert published_flag(desk.workspace, store, desk.number_of("C-MISS"))
        path.unlink()
        with pytest.raises(IntegrityError, match="missing"):
            published_flag(desk.workspace, store, desk.number_of("C-MISS"))


OLD = (
    "UPDATE flag_version SET starts = NULL, length = NULL, listed = NULL, agencies = NULL, "
    "new_records = NULL",
    "UPDATE flag SET place = NULL",
)


def test_what_an_older_program_stored_is_read_whole_and_then_filled_in(desk):
    """A flag without its place is read from the whole file; filling in gives what a night gives."""
    flags = desk.flags(desk.run())
    with desk.store() as store:
        before = worklist_page(store)
        with store.writing() as session:
            for statement in OLD:
                session.execute(sa.text(statement))
        found = published_flag(desk.workspace, store, desk.number_of("C-ED"))
        assert found == flags["C-ED"]
        with pytest.raises(IntegrityError, match="older version"):
            worklist_page(store)
        assert complete(desk.workspace, store) is True
        assert worklist_page(store) == before
        assert complete(desk.workspace, store) is False


def test_the_same_night_again_fills_in_what_an_older_program_stored(desk):
    """What the error says to do does it."""
    desk.run()
    with desk.store() as store, store.writing() as session:
        for statement in OLD:
            session.execute(sa.text(statement))
    assert desk.run().exit_code == 3
    with desk.store() as store:
        assert len(worklist_page(store).lines) == 4


def test_the_app_s_worklist_is_the_one_of_the_pages(desk):
    """The same flags in the same order with the same words, from the store and from the file."""
    from riskflag.reports.worklist import line, worklist

    flags = list(desk.flags(desk.run()).values())
    with desk.store() as store:
        page = worklist_page(store)
    offline = worklist(flags, {}).lines
    assert tuple(line(one.flag, page.numbers) for one in page.lines) == offline
    assert len(offline) == 4


def test_a_review_in_the_middle_of_a_night_is_kept_and_the_night_is_published(desk, monkeypatch):
    """A flag closed between the night's start and its end stays closed, and the night stands."""
    desk.run()
    flag_id = desk.number_of("C-MISS")
    plain = run_module.steps.reached

    def reached(step):
        plain(step)
        if step == "folder: renamed":
            desk.decide("C-MISS")

    monkeypatch.setattr(run_module.steps, "reached", reached)
    desk.history = world.some_history(MORE)
    assert desk.run(AS_OF + WEEK).exit_code == 0
    monkeypatch.setattr(run_module.steps, "reached", plain)
    with desk.store() as store:
        assert [one.decision for one in reviews_of(store, flag_id)] == ["nothing_further"]
        assert flag_id not in {line.flag_id for line in worklist_page(store).lines}
        assert publishing.current(store).as_of == AS_OF + WEEK
    assert verify(desk.workspace).faults == ()
    # What came in on the night the review was made is new to the reviewer, and brings the child.
    assert "C-MISS" in desk.people(AS_OF + 2 * WEEK)
