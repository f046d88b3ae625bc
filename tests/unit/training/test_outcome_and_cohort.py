"""Outcomes and cohorts, held against the clock's own rule applied child by child."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from riskflag.clock import NEVER, day_number, in_horizon, in_window, visible
from riskflag.history.store.view import History
from riskflag.training.data.cohort import People, build_rows, month_starts, open_at
from riskflag.training.data.experiment import Experiment
from riskflag.training.data.outcome import label, matured
from riskflag.training.data.rows import Contacts, Rows
from riskflag.training.judging.baselines import contact_count
from tests.factories import history_of

START = dt.date(2024, 1, 1)
TYPES = ("care.s47", "care.cp_plan", "ed.attendance")
CHILDREN = ("A", "B", "C")


def on(offset: int) -> str:
    return (START + dt.timedelta(days=offset)).isoformat()


contact = st.fixed_dictionaries(
    {
        "person_id": st.sampled_from(CHILDREN),
        "type": st.sampled_from(TYPES),
        "occurred_on": st.integers(0, 400).map(on),
        "lag": st.integers(0, 60),
    },
    optional={"lasts": st.integers(0, 200), "retracted_after": st.integers(0, 90)},
)


def rows_of(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Version rows: an assertion, and for some a later retraction."""
    made = []
    for number, one in enumerate(drawn):
        row = {key: one[key] for key in ("person_id", "type", "occurred_on")}
        occurred = dt.date.fromisoformat(row["occurred_on"])
        known = occurred + dt.timedelta(days=one["lag"])
        row |= {"contact_key": f"k{number:03d}", "known_on": known.isoformat()}
        if "lasts" in one:
            row["ended_on"] = (occurred + dt.timedelta(days=one["lasts"])).isoformat()
        made.append(row)
        if "retracted_after" in one:
            later = known + dt.timedelta(days=1 + one["retracted_after"])
            made.append({**row, "version": 2, "op": "retract", "known_on": later.isoformat()})
    return made


def history(drawn: list[dict[str, Any]]) -> History:
    born = [{"person_id": child, "birth_on": "2014-05-06", "kind": "child"} for child in CHILDREN]
    return history_of(rows_of(drawn), born)


def by_hand(source: History) -> list[dict[str, Any]]:
    return [row for row in source.contacts.to_pylist() if row["link"] == "self"]


@settings(deadline=None, max_examples=80)
@given(st.lists(contact, max_size=12), st.integers(0, 500), st.integers(7, 200))
def test_labels_are_those_found_child_by_child(
    drawn: list[dict[str, Any]], cut_after: int, horizon: int
) -> None:
    """An outcome counts in the horizon, by what was known when the data was cut, never after."""
    source, cut = history(drawn), day_number(START) + cut_after
    outcomes = Contacts.of(source, CHILDREN, TYPES[:2])
    as_of = np.repeat(np.arange(day_number(START), day_number(START) + 400, 45), len(CHILDREN))
    rows = Rows(CHILDREN, np.tile(np.arange(len(CHILDREN)), len(as_of) // len(CHILDREN)), as_of)
    found = label(rows, outcomes, horizon=horizon, cut=cut)
    for place in range(len(rows)):
        days = [
            row["occurred_day"]
            for row in by_hand(source)
            if row["person_id"] == CHILDREN[rows.person[place]]
            and row["type"] in TYPES[:2]
            and visible(row["known_day"], row["superseded_day"], cut)
            and in_horizon(row["occurred_day"], rows.as_of[place], horizon)
        ]
        assert found.happened[place] == bool(days)
        assert found.day[place] == min(days, default=NEVER)


@settings(deadline=None, max_examples=80)
@given(st.lists(contact, max_size=12), st.integers(0, 500))
def test_plans_are_open_by_what_was_known_that_day(drawn: list[dict[str, Any]], after: int) -> None:
    source, as_of = history(drawn), day_number(START) + after
    found = open_at(Contacts.of(source, CHILDREN, ("care.cp_plan",)), as_of, len(CHILDREN))
    for place, child in enumerate(CHILDREN):
        running = [
            row
            for row in by_hand(source)
            if row["person_id"] == child
            and row["type"] == "care.cp_plan"
            and visible(row["known_day"], row["superseded_day"], as_of)
            and row["occurred_day"] < as_of
            and (row["ended_day"] is None or row["ended_day"] >= as_of)
        ]
        assert found[place] == bool(running)


@settings(deadline=None, max_examples=80)
@given(st.lists(contact, max_size=12), st.one_of(st.none(), st.integers(1, 300)))
def test_contacts_are_counted_as_the_clock_counts(
    drawn: list[dict[str, Any]], days: int | None
) -> None:
    source = history(drawn)
    everything = Contacts.of(source, CHILDREN)
    as_of = np.repeat(np.arange(day_number(START), day_number(START) + 500, 37), len(CHILDREN))
    rows = Rows(CHILDREN, np.tile(np.arange(len(CHILDREN)), len(as_of) // len(CHILDREN)), as_of)
    found = contact_count(rows, everything, days)
    for place in range(len(rows)):
        counted = [
            row
            for row in by_hand(source)
            if row["person_id"] == CHILDREN[rows.person[place]]
            and visible(row["known_day"], row["superseded_day"], rows.as_of[place])
            and in_window(row["occurred_day"], rows.as_of[place], days or 10_000)
        ]
        assert found[place] == len(counted)


births = st.lists(st.one_of(st.none(), st.integers(-19 * 366, 600)), min_size=1, max_size=8)


@settings(deadline=None, max_examples=80)
@given(births, st.integers(0, 800), st.lists(st.integers(0, 7), max_size=4))
def test_the_cohort_is_the_histories_children_who_are_born(
    born: list[int | None], after: int, seen: list[int]
) -> None:
    """Training asks about the children the night would ask about, but for the unborn."""
    names = [f"P{place}" for place in range(len(born))]
    people = [
        {"person_id": name, "birth_on": None if days is None else on(days)}
        for name, days in zip(names, born, strict=True)
    ]
    contacts = [
        {"person_id": names[place % len(names)], "type": "ed.attendance", "occurred_on": on(90)}
        for place in seen
    ]
    source, as_of = history_of(contacts, people), START + dt.timedelta(days=after)
    found = People.of(source)
    chosen = found.children(day_number(as_of), 18)
    unborn = {n for n, days in zip(names, born, strict=True) if days is not None and days >= after}
    assert [found.ids[place] for place in chosen] == sorted(set(source.children(as_of)) - unborn)


def test_a_child_who_died_is_no_longer_asked_about() -> None:
    person = {"person_id": "A", "birth_on": "2020-01-01", "death_on": "2024-03-01"}
    people = People.of(history_of([], [person]))
    days = [day_number(dt.date(2024, 3, 1)), day_number(dt.date(2024, 3, 2))]
    assert [len(people.children(day, 18)) for day in days] == [1, 0]


def test_children_on_an_open_plan_are_outside_the_question() -> None:
    source = history(
        [
            {"person_id": "A", "type": "care.cp_plan", "occurred_on": on(10), "lag": 0},
            {"person_id": "B", "type": "care.cp_plan", "occurred_on": on(10), "lag": 0, "lasts": 5},
        ]
    )
    people = People.of(source)
    plans = Contacts.of(source, people.ids, ("care.cp_plan",))
    months = month_starts(day_number(START), day_number(START) + 100)
    rows = build_rows(people, plans, months, 18)
    asked = {(people.ids[p], int(day)) for p, day in zip(rows.person, rows.as_of, strict=True)}
    assert ("A", months[0]) in asked
    assert ("A", months[1]) not in asked
    assert ("B", months[1]) in asked
    assert list(rows.as_of) == sorted(rows.as_of)


def test_an_experiment_may_put_nobody_outside_the_question(tmp_path: Path) -> None:
    """`not_while = []` asks about children on a plan too."""
    (tmp_path / "config.toml").write_text('question = "?"\n[outcome]\nnot_while = []\n')
    left_out = Experiment.read(tmp_path).config.outcome.not_while
    source = history([{"person_id": "A", "type": "care.cp_plan", "occurred_on": on(10), "lag": 0}])
    people = People.of(source)
    plans = Contacts.of(source, people.ids, left_out)
    months = month_starts(day_number(START), day_number(START) + 100)
    rows = build_rows(people, plans, months, 18)
    assert not len(plans.person)
    assert rows.as_of[rows.person == people.ids.index("A")].tolist() == list(months)


def test_a_row_is_used_only_when_its_horizon_and_the_late_records_are_over() -> None:
    assert matured(100, horizon=180, settle=28, cut=308)
    assert not matured(100, horizon=180, settle=28, cut=307)


def test_what_becomes_known_on_or_after_the_as_of_date_moves_no_row() -> None:
    """The cohort of a day stands still when later knowledge arrives, of whatever kind."""
    before = [{"person_id": "A", "type": "care.cp_plan", "occurred_on": on(10), "lag": 0}]
    later = [
        {"person_id": "B", "type": "care.cp_plan", "occurred_on": on(5), "lag": 26},
        {"person_id": "C", "type": "care.cp_plan", "occurred_on": on(20), "lag": 60},
    ]
    day = day_number(START) + 31
    cohorts = []
    for drawn in (before, before + later):
        source = history(drawn)
        people = People.of(source)
        rows = build_rows(people, Contacts.of(source, people.ids, TYPES[1:2]), [day], 18)
        cohorts.append([people.ids[place] for place in rows.person])
    assert cohorts[0] == cohorts[1] == ["B", "C"]
