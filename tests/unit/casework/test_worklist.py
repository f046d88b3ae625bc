"""The worklist from the store: the night's order, pages, filters, days due, and no file read."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from riskflag.casework import worklist
from riskflag.casework.worklist import Filters, Orders, agencies_waiting, worklist_page
from riskflag.errors import IntegrityError
from tests import casework_world as world

FLAGS = 60


def listed(place, **more):
    return json.dumps({"flag_id": world.number(place), "siblings": [], **more})


@pytest.fixture
def store(tmp_path):
    """Sixty flags; every tenth is urgent, every third new in its records, agencies by turns."""
    opened = world.opened(tmp_path / "w", 0)
    flags = []
    for place in range(1, FLAGS + 1):
        flags.append(
            world.flag(
                place,
                place=FLAGS - place,
                level="urgent" if place % 10 == 0 else "soon",
                status="continuing",
                listed=listed(place, siblings=["C-2", "C-99"] if place == 1 else []),
                agencies=("ed", "police") if place % 2 else ("school",),
                new_records=2 if place % 3 == 0 else 0,
            )
        )
    world.publish(opened, "two", flags)
    yield opened
    opened.close()


def numbers(page):
    return [line.flag_id for line in page.lines]


def test_pages_hold_every_flag_once_in_the_nights_order(store):
    """Three pages of 25, 25 and 10, in the order of `place`; beyond the last is the last."""
    pages = [worklist_page(store, page=number) for number in (1, 2, 3)]
    assert [len(page.lines) for page in pages] == [25, 25, 10]
    assert [name for page in pages for name in numbers(page)] == [
        world.number(n) for n in range(FLAGS, 0, -1)
    ]
    assert (pages[0].total, pages[0].waiting, pages[0].pages) == (FLAGS, FLAGS, 3)
    assert numbers(worklist_page(store, page=99)) == numbers(pages[2])
    assert worklist_page(store, page=-1).page == 1


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(level="urgent"), {n for n in range(1, 61) if n % 10 == 0}),
        (Filters(agency="police"), {n for n in range(1, 61) if n % 2}),
        (Filters(agency="pol"), set()),
        (Filters(agency="%"), set()),
        (Filters(new=True), {n for n in range(1, 61) if n % 3 == 0}),
        (Filters(level="urgent", new=True), {30, 60}),
    ],
)
def test_a_filter_lets_through_exactly_its_flags(store, filters, wanted):
    """An agency is matched whole; filters together all hold."""
    page = worklist_page(store, filters, size=100)
    assert set(numbers(page)) == {world.number(n) for n in wanted}
    assert (page.total, page.waiting) == (len(wanted), FLAGS)


def test_closed_flags_leave_and_reviewed_ones_are_read(store):
    """A closing review takes a flag off the list; one that leaves it open marks it read."""
    world.decide(store, "refer", flag_id=world.number(1))
    world.decide(store, "contact_family", flag_id=world.number(2), comes_back="2_weeks")
    page = worklist_page(store, size=100)
    assert world.number(1) not in numbers(page)
    unread = worklist_page(store, Filters(unread=True), size=100)
    assert world.number(2) not in numbers(unread)
    assert (page.waiting, unread.total) == (FLAGS - 1, FLAGS - 2)
    line = next(line for line in page.lines if line.flag_id == world.number(2))
    assert line.due_on == line.reviewed_on.date() + dt.timedelta(days=14)


def test_an_unread_flag_is_due_by_its_level(store):
    """Urgent on the day it was raised, the others within the week."""
    due = {line.flag_id: line.due_on for line in worklist_page(store, size=100).lines}
    assert due[world.number(10)] == world.DAY
    assert due[world.number(11)] == world.DAY + dt.timedelta(days=7)


def test_a_sibling_is_named_only_while_their_flag_waits(store):
    """Brothers and sisters by flag number; one without an open flag is not named."""
    page = worklist_page(store, size=100)
    assert page.numbers == {"C-2": world.number(2)}
    world.decide(store, "refer", flag_id=world.number(2))
    assert worklist_page(store, size=100).numbers == {}


def test_agencies_to_filter_by_are_those_that_wait(store):
    """Each once, sorted."""
    assert agencies_waiting(store) == ("ed", "police", "school")


def test_flags_of_an_older_program_are_said_to_need_filling_in(tmp_path):
    """Never an empty line in a list."""
    old = world.opened(tmp_path / "w")
    with pytest.raises(IntegrityError, match="older version"):
        worklist_page(old)
    old.close()


def test_an_empty_worklist_is_a_page(tmp_path):
    """Nothing waits, and that is said, not an error."""
    empty = world.opened(tmp_path / "w", 0)
    world.publish(empty, "one", [])
    page = worklist_page(empty)
    assert (page.lines, page.total, page.pages, page.as_of) == ((), 0, 1, world.DAY)
    empty.close()


def test_a_kept_order_follows_every_review_and_every_night(store):
    """Kept from question to question, by whichever connection a flag was closed or published."""
    orders = Orders()
    urgent = Filters(level="urgent")

    def both():
        kept = [worklist_page(store, f, size=100, orders=orders) for f in (None, urgent)]
        assert kept == [worklist_page(store, f, size=100) for f in (None, urgent)]
        return [page.total for page in kept]

    assert both() == both() == [60, 6]
    world.decide(store, "refer", flag_id=world.number(10))
    assert both() == [59, 5]
    left = [world.flag(n, place=n, level="soon", listed=listed(n)) for n in range(1, 31)]
    again = [flag for flag in left if flag.flag_id != world.number(10)]
    world.publish(store, "three", again, world.DAY + dt.timedelta(days=1))
    assert both() == [59, 3]


def test_an_order_is_not_made_twice_and_few_are_kept(store, monkeypatch):
    """The flags are put in order once for each filter; those asked for last are kept."""
    made = []
    monkeypatch.setattr(
        "riskflag.casework.worklist._ordered",
        lambda filters, as_of, make=worklist._ordered: made.append(filters) or make(filters, as_of),
    )
    orders, asked = Orders(), [Filters(waited=days) for days in range(Orders.MOST + 5)]
    for filters in [*asked, *asked[-3:]]:
        worklist_page(store, filters, orders=orders)
    assert made == [Filters(), *asked]
    worklist_page(store, asked[0], orders=orders)
    assert made[-1] == asked[0]
