"""Records without a shared identifier: what is linked, what a steward decides, what is left."""

from __future__ import annotations

import builtins
import datetime as dt
import random

import pytest

from riskflag.errors import ConfigError
from riskflag.history.linkage.model import load_weights
from riskflag.history.store.matches import AUTO, NOT, WAITING
from riskflag.history.store.parquet_store import HistoryStore
from tests.factories import relationship_rows
from tests.unit.history.two_feeds import (
    DAY,
    decided,
    identifier,
    pupil,
    run,
    someone,
    stored,
)

HOME = "12 Mill Lane,BS1 2AB"
ANNA = someone("C1", "Anna", "Okafor", "2014-03-05", where=HOME)


def decision(folder, *persons, **more):
    """The decision on the only pair there is, or None when it is not even noted."""
    store = stored(folder, persons, **more)
    run(store)
    found = list(decided(store).values())
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    "same",
    [
        pupil("1", "Anna", "Okafor", "2014-03-05", where=HOME),
        pupil("1", "ANNA", "Okafor ", "2014-03-05", where="12, Mill Ln,bs12ab"),
        pupil("1", "Okafor", "Anna", "2014-03-05", where=HOME),
        pupil("1", "Anna", "Okafor", "2014-05-03", where=HOME),
        pupil("1", "Anna", "Smith", "2014-03-05", where=HOME),
        pupil("1", "Anna", "Okafor", "2014-03-05"),
    ],
    ids=["same", "spelt", "crosswise", "day and month", "new family name", "no address"],
)
def test_one_child_in_two_feeds_is_linked_under_the_id_a_source_named(tmp_path, same):
    row = decision(tmp_path, ANNA, same)
    assert (row["decision"], row["person_id"]) == (AUTO, "C1")
    assert row["probability"] >= load_weights().link_from
    assert row["known_on"] == DAY


NEAR_MISSES = {
    "twin": pupil("2", "Ada", "Okafor", "2014-03-05", where=HOME),
    "twin whose name is a letter apart": pupil("2", "Ana", "Okafor", "2014-03-05", where=HOME),
    "twin with a like name": pupil("2", "Hannah", "Okafor", "2014-03-05", where=HOME),
    "no given name": pupil("2", None, "Okafor", "2014-03-05", where=HOME),
    "father of the same name": pupil("2", "Anna", "Okafor", "1984-07-09", where=HOME),
    "birth not known": pupil("2", "Anna", "Okafor", None, where=HOME),
    "birth known to the month": pupil(
        "2", "Anna", "Okafor", "2014-03-15", where=HOME, birth_precision="month"
    ),
    "cousin of the same name": pupil("2", "Anna", "Okafor", "2013-11-20", where="3 Elm Rd,BS9 9XX"),
    "same day, other names": pupil("2", "Beth", "Smith", "2014-03-05", where="3 Elm Rd,BS9 9XX"),
    "younger sister": pupil("2", "Ada", "Okafor", "2016-08-01", where=HOME),
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_is_never_linked_without_a_person(tmp_path, name):
    row = decision(tmp_path, ANNA, NEAR_MISSES[name])
    assert row is None or row["decision"] in (WAITING, NOT)


def test_the_near_misses_are_near_enough_to_matter(tmp_path):
    """Negative control: without the doubts some of them would pass the threshold."""
    above = 0
    for number, name in enumerate(NEAR_MISSES):
        row = decision(tmp_path / str(number), ANNA, NEAR_MISSES[name])
        above += row is not None and row["probability"] >= load_weights().link_from
    assert above >= 3


def test_children_born_on_new_years_day_are_linked_only_where_they_live_together(tmp_path):
    child = someone("C1", "Ali", "Khan", "2012-01-01", where=HOME)
    same = pupil("1", "Ali", "Khan", "2012-01-01", where=HOME)
    moved = pupil("1", "Ali", "Khan", "2012-01-01", where="9 Dock St,L1 1AA")
    assert decision(tmp_path / "a", child, same)["decision"] == AUTO
    assert decision(tmp_path / "b", child, moved)["decision"] != AUTO


def test_a_record_that_is_like_two_people_waits_for_a_steward(tmp_path):
    twin = someone("C2", "Anna", "Okafor", "2014-03-05", where=HOME)
    store = stored(tmp_path, [ANNA, twin, pupil("1", "Anna", "Okafor", "2014-03-05", where=HOME)])
    run(store)
    rows = decided(store)
    assert {row["decision"] for row in rows.values()} == {WAITING}
    assert {pair: row["doubts"] for pair, row in rows.items()} == {
        ("C1", "rf-1"): "several",
        ("C2", "rf-1"): "several",
        ("C1", "C2"): "one_feed",
    }


def test_a_twin_of_another_name_does_not_stand_in_the_way(tmp_path):
    twin = someone("C2", "Ada", "Okafor", "2014-03-05", where=HOME)
    store = stored(tmp_path, [ANNA, twin, pupil("1", "Anna", "Okafor", "2014-03-05", where=HOME)])
    run(store)
    rows = decided(store)
    assert rows["C1", "rf-1"]["decision"] == AUTO
    assert rows["C2", "rf-1"]["decision"] == WAITING


def test_a_second_record_of_one_feed_never_joins_the_same_person(tmp_path):
    first = pupil("1", "Anna", "Okafor", "2014-03-05", where=HOME)
    store = stored(tmp_path, [ANNA, first])
    run(store)
    again = pupil("2", "Anna", "Okafor", "2014-03-05", where=HOME)
    store.append_batch("more", "2024-05-02", people([again]))
    run(store)
    rows = decided(store)
    assert rows["C1", "rf-1"]["decision"] == AUTO
    assert (rows["C1", "rf-2"]["decision"], rows["C1", "rf-2"]["doubts"]) == (WAITING, "taken")


def people(rows):
    from tests.factories import person_rows

    return {"person": person_rows(rows)}


def crowd(size, seed=1):
    """Unrelated people: made-up names, half of them in the school roll."""
    chance = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    for number in range(size):
        given, family = ("".join(chance.choices(letters, k=7)) for _ in range(2))
        birth = dt.date(2008, 1, 2) + dt.timedelta(days=chance.randrange(5000))
        where = f"{number} {''.join(chance.choices(letters, k=6))},ZZ{number % 90 + 10} 1AA"
        make = pupil if number % 2 else someone
        yield make(f"x{number}", given, family, birth.isoformat(), where=where)


def test_a_thousand_unrelated_people_change_no_decision_and_no_id(tmp_path):
    pairs = [ANNA, pupil("1", "Anna", "Okafor", "2014-03-05", where=HOME), *NEAR_PUPILS]
    alone, crowded = (stored(tmp_path / n, pairs + more) for n, more in CROWDS.items())
    for store in (alone, crowded):
        run(store)
    ours = {row["person_id"] for row in pairs}
    before, after = decided(alone), decided(crowded)
    assert len(before) >= 3
    assert {k: same_part(v) for k, v in before.items()} == {
        k: same_part(v) for k, v in after.items() if set(k) <= ours
    }
    assert not [k for k in after if set(k) & ours and not set(k) <= ours]


NEAR_PUPILS = [
    pupil("3", "Ada", "Okafor", "2014-03-05", where=HOME),
    someone("C9", "Ben", "Lowe", "2011-02-02", where="4 Hill Rd,M1 1AA"),
    pupil("9", "Ben", "Lowe", "2011-02-02", where="4 Hill Rd,M1 1AA"),
]
CROWDS = {"alone": [], "crowded": list(crowd(1000))}


def same_part(row):
    return {n: row[n] for n in ("decision", "probability", "doubts", "version", "model")}


def test_the_order_of_rows_makes_no_difference_and_a_run_again_adds_nothing(tmp_path):
    rows = [ANNA, pupil("1", "Anna", "Okafor", "2014-03-05", where=HOME), *NEAR_PUPILS]
    tables = []
    for name, order in (("a", rows), ("b", rows[::-1])):
        store = stored(tmp_path / name, order)
        run(store)
        tables.append(store.read("match").drop_columns(["batch_id"]).to_pylist())
        batches = len(store.batches())
        report = run(store, DAY + dt.timedelta(days=1))
        assert (report.linked, report.waiting, report.not_linked) == (0, 0, 0)
        assert len(store.batches()) == batches
    assert tables[0] == tables[1] != []


def test_the_same_history_gives_the_same_bytes(tmp_path):
    rows = [ANNA, pupil("1", "Anna", "Okafor", "2014-03-05", where=HOME), *NEAR_PUPILS]
    hashes = []
    for name in ("a", "b"):
        store = stored(tmp_path / name, rows)
        run(store)
        hashes.append([file.sha256 for file in store.batches()[-1].files])
    assert hashes[0] == hashes[1]


def test_without_splink_one_sentence_says_what_to_install_and_identifiers_still_link(
    tmp_path, monkeypatch
):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] == "splink":
            raise ImportError(name)
        return real(name, *rest, **more)

    store = stored(tmp_path, [ANNA, pupil("1", "Anna", "Okafor", "2014-03-05", where=HOME)])
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"install it with `pip install riskflag\[link\]`"):
        run(store)
    assert run(store, exact_only=True).linked == 0
    assert store.read("match").num_rows == 0


def test_a_dry_run_reports_and_writes_nothing(tmp_path):
    store = stored(tmp_path, [ANNA, pupil("1", "Anna", "Okafor", "2014-03-05", where=HOME)])
    assert run(store, dry_run=True).linked == 1
    assert len(store.batches()) == 1


NUMBER = "9434765919"


@pytest.mark.parametrize(
    ("other", "check_ok", "expected"),
    [
        (someone("C2", "Anna", "Okafor", "2014-03-05"), True, AUTO),
        (someone("C2", "Anna", "Okafor", "2014-03-05"), False, WAITING),
        (someone("C2", "Ada", "Okafor", "2014-03-05"), True, WAITING),
        (someone("C2", "Anna", "Okafor", "2014-03-06"), True, WAITING),
        (someone("C2", None, None, "2014-03-05"), True, WAITING),
    ],
    ids=["all agrees", "wrong check digit", "twin", "other birth", "no names"],
)
def test_two_people_with_one_number_are_linked_only_if_names_and_birth_agree(
    tmp_path, other, check_ok, expected
):
    held = [identifier(name, "nhs", NUMBER, check_ok=check_ok) for name in ("C1", "C2")]
    row = decision(tmp_path, ANNA, other, identifiers=held)
    assert (row["decision"], row["method"]) == (expected, "identifier")


def test_a_number_that_was_handed_on_joins_nobody(tmp_path):
    held = [
        identifier("C1", "upn", "B801200005001", valid_to=dt.date(2020, 7, 31)),
        identifier("C2", "upn", "B801200005001", valid_from=dt.date(2020, 9, 1)),
    ]
    other = someone("C2", "Ben", "Lowe", "2010-01-05")
    assert decision(tmp_path, ANNA, other, identifiers=held) is None


def test_a_placeholder_that_many_share_joins_nobody_and_is_counted(tmp_path):
    names = ["Anna", "Ben", "Cyril", "Dora", "Ewan", "Fatima", "Gus", "Hiro"]
    persons = [someone(f"C{n}", name, "X", "2014-03-05") for n, name in enumerate(names)]
    held = [identifier(row["person_id"], "nhs", NUMBER, check_ok=True) for row in persons]
    store = stored(tmp_path, persons, identifiers=held)
    report = run(store)
    assert report.placeholders == 1
    assert decided(store) == {}


@pytest.mark.parametrize(
    ("given", "check_ok", "expected"),
    [("Anna", True, AUTO), ("Ana", True, AUTO), ("Ada", True, WAITING), ("Ben", False, WAITING)],
    ids=["all agrees", "a letter", "twin", "wrong check digit"],
)
def test_a_number_in_a_feed_of_its_own_ids_links_only_whose_names_and_birth_agree(
    tmp_path, given, check_ok, expected
):
    held = [identifier(name, "nhs", NUMBER, check_ok=check_ok) for name in ("C1", "rf-1")]
    same = pupil("1", given, "Okafor", "2014-03-05", where=HOME)
    store = stored(tmp_path, [ANNA, same], identifiers=held)
    run(store)
    [row] = decided(store).values()
    assert (row["decision"], row["version"]) == (expected, 1)
    report = run(store, DAY + dt.timedelta(days=1))
    assert (report.linked, report.waiting, report.not_linked) == (0, 0, 0)


def test_a_records_own_id_that_a_source_names_later_is_that_person(tmp_path):
    held = [
        identifier("rf-1", "school_ref", "77", source="school"),
        identifier("C5", "school_ref", "77"),
    ]
    persons = [someone("C5", "Zed", "Q", "2010-02-02"), pupil("1", "Anna", "Okafor", "2014-03-05")]
    row = decision(tmp_path, *persons, identifiers=held)
    assert (row["person_id"], row["other_id"], row["decision"]) == ("C5", "rf-1", AUTO)


def test_a_first_load_may_count_links_as_known_since_the_records_were(tmp_path):
    store = stored(tmp_path, [ANNA, pupil("1", "Anna", "Okafor", "2014-03-05", where=HOME)])
    run(store, first_load=True)
    [row] = decided(store).values()
    assert (row["known_on"], row["known_basis"]) == (dt.date(2024, 5, 1), "assumed_lag")


def test_brothers_and_sisters_follow_from_their_mother_with_the_day_it_became_known(tmp_path):
    children = [
        someone("C1", "Anna", "Okafor", "2014-03-05"),
        someone("C2", "Ada", "Okafor", "2018-01-07"),
    ]
    mothers = [
        {"person_id": name, "related_id": "M1", "kind": "mother", "relationship_key": name}
        for name in ("C1", "C2")
    ]
    store = stored(tmp_path, children, relationships=mothers)
    assert run(store).relationships == 2
    derived = [row for row in store.read("relationship").to_pylist() if row["source"] == "riskflag"]
    assert {(r["person_id"], r["related_id"], r["kind"]) for r in derived} == {
        ("C1", "C2", "sibling"),
        ("C2", "C1", "sibling"),
    }
    assert all(r["known_on"] == DAY and r["valid_from"] == dt.date(2018, 1, 7) for r in derived)
    gone = {**mothers[1], "version": 2, "op": "retract", "known_on": "2024-07-01"}
    store.append_batch("gone", "2024-07-01", {"relationship": relationship_rows([gone])})
    assert run(store, dt.date(2024, 7, 2)).withdrawn == 2


def test_adults_at_a_childs_address_are_its_household_but_not_those_of_a_hostel(tmp_path):
    adult = someone("A1", "Joan", "Okafor", "1985-02-02", where=HOME)
    hostel = "1 Long Row,BS2 2AA"
    crowded = [
        someone(f"H{n}", f"N{n}", f"F{n}", f"19{60 + n}-02-0{n % 8 + 1}", where=hostel)
        for n in range(14)
    ]
    lodger = someone("C3", "Cy", "Poe", "2015-06-06", where=hostel)
    store = stored(tmp_path, [ANNA, adult, lodger, *crowded])
    run(store)
    derived = store.read("relationship").to_pylist()
    assert [(r["person_id"], r["related_id"], r["kind"]) for r in derived] == [
        ("C1", "A1", "household_adult")
    ]
    assert isinstance(store, HistoryStore)
