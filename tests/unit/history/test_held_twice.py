"""One child whom one feed holds under two numbers: a steward is asked, nothing is linked."""

from __future__ import annotations

import datetime as dt

import pytest

from riskflag.clock import day_number
from riskflag.history.linkage.people import People
from riskflag.history.linkage.steward import find, queue, record, settle, unmerge
from riskflag.history.store.matches import AUTO, NOT, WAITING
from riskflag.history.store.parquet_store import HistoryStore
from tests.factories import person_rows
from tests.unit.history.two_feeds import AT, DAY, decided, identifier, pupil, run, someone, stored

HOME, AWAY = "12 Mill Lane,BS1 2AB", "9 Dock St,L1 1AA"
NUMBERS = ("9434765919", "9434765870")


def home(at):
    return f"{at} {chr(65 + at % 26) * 3} {chr(97 + at // 26) * 2},BS{at} 1AA"


#: Pairs of one feed, each family by itself; True where a steward is asked.
PAIRS = {
    "written twice": (("Anna", "Abbot", "2014-03-05", 10), ("Anna", "Abbot", "2014-03-05", 10), 1),
    "moved since": (("Bea", "Barr", "2013-03-05", 11), ("Bea", "Barr", "2013-03-05", 41), 1),
    "a slip": (("Carla", "Cole", "2012-03-05", 12), ("Karla", "Cole", "2012-03-05", 12), 1),
    "crosswise": (("Dan", "Dell", "2011-03-05", 13), ("Dell", "Dan", "2011-03-05", 13), 1),
    "a digit": (("Eva", "Egan", "2010-03-05", 14), ("Eva", "Egan", "2010-03-15", 14), 1),
    "no birth": (("Fay", "Ford", "2009-03-05", 15), ("Fay", "Ford", None, 15), 1),
    "twins": (("Gus", "Gray", "2008-03-05", 16), ("Max", "Gray", "2008-03-05", 16), 0),
    "sisters": (("Hana", "Hall", "2007-03-05", 17), ("Hope", "Hall", "2009-06-05", 17), 0),
    "mother, daughter": (("Ida", "Ives", "2006-03-05", 18), ("Ida", "Ives", "1980-01-09", 18), 0),
    "namesakes": (("Jo", "Jay", None, 19), ("Jo", "Jay", None, 49), 0),
    "same day": (("Kit", "King", "2005-03-05", 20), ("Kit", "Lane", "2005-03-05", 50), 0),
}


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """One run on a register and a school roll that hold every pair of PAIRS twice each."""
    rows = []
    for at, (one, other, _) in enumerate(PAIRS.values()):
        for side, (given, family, birth, where) in zip("ab", (one, other), strict=True):
            rows.append(someone(f"C{at}{side}", given, family, birth, where=home(where)))
            mine = birth and f"{birth[:4]}-09{birth[7:]}"
            rows.append(pupil(f"{at}{side}", given, family, mine, where=home(where + 40)))
    store = stored(tmp_path_factory.mktemp("twice"), rows)
    run(store)
    return decided(store)


@pytest.mark.parametrize("at", range(len(PAIRS)), ids=list(PAIRS))
@pytest.mark.parametrize("of", ["C", "rf-"], ids=["register", "school"])
def test_a_child_whom_one_feed_may_hold_twice_goes_to_a_steward_and_is_not_linked(crowded, at, of):
    row = crowded.get((f"{of}{at}a", f"{of}{at}b"))
    asked = list(PAIRS.values())[at][2]
    assert (row is not None) == bool(asked)
    if row is not None:
        assert row["decision"] == WAITING
        assert row["doubts"].split()[0] == "one_feed"


ANNA = someone("C1", "Anna", "Okafor", "2014-03-05", where=HOME)
TWICE = pupil("1", "Anna", "Okafor", "2014-03-05", where=AWAY)
AGAIN = pupil("2", "Anna", "Okafor", "2014-03-05", where=AWAY)
VISITS = [
    {"person_id": "rf-1", "type": "school.concern", "occurred_on": "2024-04-05"},
    {"person_id": "rf-2", "type": "school.concern", "occurred_on": "2024-04-06"},
]


@pytest.fixture
def store(tmp_path):
    """A child whom the school holds twice, after a run."""
    made = stored(tmp_path, [TWICE, AGAIN], contacts=VISITS)
    run(made)
    return made


def whose(store: HistoryStore, day: dt.date) -> list[str]:
    """Whose each of the two contacts is at `day`."""
    at = day_number(day)
    rows = store.load().contacts.to_pylist()
    return [row["person_id"] for row in rows if row["known_day"] < at <= row["superseded_day"]]


def answer(store: HistoryStore, same: bool, day: dt.date) -> None:
    people = People(store)
    [item] = queue(people)
    decision = settle(people, find(people, item.item), same, by="steward 1", reason="Asked")
    record(people, [decision], day, at=AT)


def test_the_queue_says_in_plain_words_why_it_asks(store):
    [item] = queue(People(store))
    assert item.doubts == ("one feed or register holds both, each under a number of its own",)


def test_until_a_steward_says_so_there_are_two_and_from_the_next_day_there_is_one(store):
    later = DAY + dt.timedelta(days=9)
    answer(store, True, later)
    assert whose(store, DAY + dt.timedelta(days=1)) == whose(store, later) == ["rf-1", "rf-2"]
    assert whose(store, later + dt.timedelta(days=1)) == ["rf-1", "rf-1"]


def test_an_unmerge_parts_them_again_and_every_day_before_stays_as_it_was(store):
    merged, parted = DAY + dt.timedelta(days=9), DAY + dt.timedelta(days=19)
    answer(store, True, merged)
    days = [DAY, merged, merged + dt.timedelta(days=1), parted]
    before = [whose(store, day) for day in days]
    people = People(store)
    record(people, unmerge(people, "rf-1", "rf-2", by="s", reason="Two"), parted, at=AT)
    assert [whose(store, day) for day in days] == before
    assert whose(store, parted + dt.timedelta(days=1)) == ["rf-1", "rf-2"]
    assert (run(store, parted + dt.timedelta(days=2)).waiting, queue(People(store))) == (0, [])


def test_a_stewards_no_is_not_asked_about_again(store):
    answer(store, False, DAY)
    assert run(store, DAY + dt.timedelta(days=1)).waiting == 0
    assert queue(People(store)) == []


def test_running_again_adds_nothing_and_a_correction_takes_the_question_back(store):
    batches = len(store.batches())
    assert run(store, DAY + dt.timedelta(days=1)).waiting == 0
    assert len(store.batches()) == batches
    other = AGAIN | {"birth_on": "2014-11-23", "version": 2, "known_on": "2024-06-02"}
    store.append_batch("more", "2024-06-02", {"person": person_rows([other])})
    run(store, DAY + dt.timedelta(days=2))
    assert decided(store)["rf-1", "rf-2"]["decision"] == NOT
    assert queue(People(store)) == []


def test_what_a_shared_identifier_says_of_two_of_one_register_goes_first(tmp_path):
    other = someone("C2", "Anna", "Okafor", "2014-03-05", where=HOME)
    held = [identifier(name, "nhs", NUMBERS[0], check_ok=True) for name in ("C1", "C2")]
    store = stored(tmp_path, [ANNA, other], identifiers=held)
    run(store)
    assert decided(store)["C1", "C2"]["decision"] == AUTO
    assert run(store, DAY + dt.timedelta(days=1)).waiting == 0
